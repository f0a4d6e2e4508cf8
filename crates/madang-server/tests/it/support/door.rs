//! A door on 127.0.0.1 that leads to one server after the other, as a load balancer does.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::TestServer;

/// A door.
pub struct Door {
    /// `http://…`
    pub url: String,
    to: Arc<Mutex<String>>,
    _task: JoinSet<()>,
}

fn address(of: &TestServer) -> String {
    of.url.trim_start_matches("http://").to_owned()
}

impl Door {
    /// A door to this server.
    pub async fn to(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (to, mut task) = (Arc::new(Mutex::new(address(server))), JoinSet::new());
        let leads = Arc::clone(&to);
        task.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((mut outside, _)) = listener.accept().await {
                let to = leads.lock().clone();
                visits.spawn(async move {
                    if let Ok(mut inside) = TcpStream::connect(to).await {
                        drop(copy_bidirectional(&mut outside, &mut inside).await);
                    }
                });
            }
        });
        Self { url, to, _task: task }
    }

    /// From now on it leads to another one; connections that are there stay.
    pub fn leads_to(&self, server: &TestServer) {
        *self.to.lock() = address(server);
    }
}
