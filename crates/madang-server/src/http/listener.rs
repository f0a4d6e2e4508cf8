//! The listener: takes connections and serves each in a task of its own.
//!
//! Invariants:
//! - The socket stays bound while the listener is restarted, so nobody is refused meanwhile.
//! - Headers must come within ten seconds, and before them TLS must be agreed on within ten. Both are
//!   waited for in the connection's own task: whoever says nothing holds up nobody.
//! - At shutdown the socket is closed at once, so that whoever comes goes elsewhere; running requests end, and
//!   sockets say goodbye.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{
    Request,
    body::Incoming,
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use madang_proto::limits;
use madang_realtime::{BoxError, Shutdown};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tower::ServiceExt;

use crate::{app::App, tls::Tls};

const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const HANDSHAKE_WITHIN: Duration = Duration::from_millis(limits::TLS_HANDSHAKE_MS as u64);
/// What a TLS connection begins with: a record of a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
/// The answer to plain HTTP where HTTPS is spoken.
const SPEAKS_HTTPS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n\
    This port speaks HTTPS; use an https:// address.\n";
/// Connections at one time, sockets of the gateway among them; the rest wait in the kernel's queue.
const CONNECTIONS: u32 = 60_000;
/// Connections that the kernel keeps until they are taken. When all come back at once, one that finds no
/// place there comes a second later.
const BACKLOG: u32 = 8_192;

/// The address at the other end of the connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// A connection's place among [`CONNECTIONS`], kept by whoever goes on with the connection.
#[derive(Clone)]
pub struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Who is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Everyone, over HTTPS where there is a certificate.
    Everyone,
    /// Those who watch the server, over plain HTTP.
    Watchers,
}

/// A bound socket.
pub struct Listener {
    whom: For,
    address: SocketAddr,
    /// Nothing after the shutdown.
    socket: Mutex<Option<Arc<TcpListener>>>,
    places: Arc<Semaphore>,
}

impl Listener {
    /// Binds.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn bind(address: SocketAddr, whom: For) -> std::io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?;
        Ok(Self {
            whom,
            address: socket.local_addr()?,
            socket: Mutex::new(Some(Arc::new(socket))),
            places: Arc::new(Semaphore::new(CONNECTIONS as usize)),
        })
    }

    /// What its child is called.
    pub const fn name(&self) -> &'static str {
        match self.whom {
            For::Everyone => "listener",
            For::Watchers => "metrics",
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes connections until the shutdown is signalled, and then waits until all of them ended.
    ///
    /// # Errors
    /// When the socket is broken.
    pub async fn run(&self, app: App, router: Router) -> Result<(), BoxError> {
        let socket = self.socket.lock().clone();
        while let Some(socket) = &socket {
            app.faults.point(self.name());
            let taking = async { (Arc::clone(&self.places).acquire_owned().await, socket.accept().await) };
            let (place, accepted) = tokio::select! {
                biased;
                // Also while no place is free, as when all of them are waited for.
                () = app.shutdown.wait() => break,
                taken = taking => taken,
            };
            let place = Place { _permit: Arc::new(place?) };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(e) if is_of_the_peer(&e) => continue,
                Err(e) => {
                    // Out of file descriptors, most likely: wait until some are free again.
                    tracing::warn!(error = %e, "cannot take connections");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            drop(stream.set_nodelay(true));
            let (router, shutdown) = (router.clone(), app.shutdown.clone());
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Peer(peer));
                request.extensions_mut().insert(place.clone());
                router.clone().oneshot(request)
            });
            match app.tls.as_ref().filter(|_| self.whom == For::Everyone).map(Tls::current) {
                None => app.supervisor.isolated("http", serve(stream, service, shutdown)),
                Some(config) => app.supervisor.isolated("http", async move {
                    let encrypted = tokio::select! {
                        encrypted = handshake(stream, config) => encrypted,
                        () = shutdown.wait() => None,
                    };
                    if let Some(encrypted) = encrypted {
                        serve(encrypted, service, shutdown).await;
                    }
                }),
            };
        }
        drop((socket, self.socket.lock().take()));
        self.ended().await;
        Ok(())
    }

    /// Waits until all connections ended, sockets of the gateway among them; for after the shutdown.
    pub async fn ended(&self) {
        // It fails only where nobody waits any more.
        drop(self.places.acquire_many(CONNECTIONS).await);
    }
}

/// Serves a connection until it ends or becomes one of the gateway.
async fn serve<Io, S>(io: Io, service: S, shutdown: Shutdown)
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = Body, Error = Infallible>,
    S::Future: Send,
{
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // What a client does wrong with its connection is not our error.
        result = serving.as_mut() => drop(result),
        () = shutdown.wait() => {
            serving.as_mut().graceful_shutdown();
            drop(serving.await);
        }
    }
}

/// Agrees on TLS; nothing comes of it when the client does not, in time. One that speaks plain HTTP is
/// told.
async fn handshake(mut stream: TcpStream, config: Arc<ServerConfig>) -> Option<TlsStream<TcpStream>> {
    let agree = async {
        let mut first = [0];
        stream.peek(&mut first).await.ok()?;
        if first == [HANDSHAKE] {
            return TlsAcceptor::from(config).accept(stream).await.ok();
        }
        if first[0].is_ascii_uppercase() {
            // Closing over something unread would take the answer away.
            drop(stream.try_read(&mut [0; 8 * 1024]));
            stream.write_all(SPEAKS_HTTPS).await.ok()?;
            stream.shutdown().await.ok()?;
        }
        None
    };
    timeout(HANDSHAKE_WITHIN, agree).await.ok().flatten()
}

fn is_of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset | K::Interrupted)
}
