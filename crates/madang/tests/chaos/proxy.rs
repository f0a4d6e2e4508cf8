//! A way between a node and what it needs, which can be broken: a small TCP proxy.
//!
//! How: what is carried over a connection is one future, and nothing is carried while it is not polled.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::plan::Broken;

/// A way. Dropping it ends all connections.
pub struct Proxy {
    pub address: SocketAddr,
    broken: watch::Sender<Option<Broken>>,
    _listens: JoinSet<()>,
}

impl Proxy {
    /// A way to a server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (broken, watched) = watch::channel(None);
        let mut listens = JoinSet::new();
        listens.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, watched.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, broken, _listens: listens }
    }

    /// Breaks it, or mends it.
    pub fn set(&self, broken: Option<Broken>) {
        self.broken.send_replace(broken);
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, mut broken: watch::Receiver<Option<Broken>>) {
    let both_ways = async {
        client.set_nodelay(true)?;
        let mut server = TcpStream::connect(server).await?;
        server.set_nodelay(true)?;
        copy_bidirectional(&mut client, &mut server).await
    };
    let mut both_ways = std::pin::pin!(both_ways);
    loop {
        let now = *broken.borrow_and_update();
        let changed = match now {
            None => tokio::select! {
                _ = &mut both_ways => return,
                changed = broken.changed() => changed,
            },
            Some(Broken::Hung) => broken.changed().await,
            Some(Broken::Silent) => std::future::pending().await,
            Some(Broken::Refused) => return,
        };
        if changed.is_err() {
            return;
        }
    }
}
