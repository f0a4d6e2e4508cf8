//! A socket's bytes in and out, over TCP or over TLS on TCP, without waiting.
//!
//! rustls does the records, the kernel's socket stays ours: so TLS too reads into and writes from the
//! buffers of the thread, and moves from the runtime that accepted it to that of its shard.
//!
//! Invariants:
//! - Plain TCP has no buffer here and pays for TLS with an empty pointer.
//! - What rustls encrypted has to leave before anything else: [`Stream::holds`] says whether some waits.

#[cfg(test)]
mod tests;

use std::{
    future::poll_fn,
    io::{self, IoSlice, Read, Write},
    sync::Arc,
};

use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use madang_realtime::Sink;
use tokio::{net::TcpStream, task::coop};
use tokio_rustls::{rustls::ServerConnection, server::TlsStream};

/// A stream that belongs to no runtime.
pub struct Detached {
    tcp: std::net::TcpStream,
    tls: Option<Box<Session>>,
}

impl Detached {
    /// The stream under an upgraded connection, and what the client sent already.
    ///
    /// # Errors
    /// When it is neither of the two that the listener serves.
    pub fn of(upgraded: Upgraded) -> io::Result<(Self, Vec<u8>)> {
        let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(Parts { io, read_buf, .. }) => {
                return Ok((Self { tcp: io.into_inner().into_std()?, tls: None }, read_buf.to_vec()));
            }
            Err(other) => other,
        };
        let Parts { io, read_buf, .. } = upgraded
            .downcast::<TokioIo<TlsStream<TcpStream>>>()
            .map_err(|_| io::Error::other("the connection is neither TCP nor TLS"))?;
        let (tcp, connection) = io.into_inner().into_inner();
        let tls = Some(Box::new(Session { connection, unread: true }));
        Ok((Self { tcp: tcp.into_std()?, tls }, read_buf.to_vec()))
    }

    /// The same on the runtime that runs this.
    ///
    /// # Errors
    /// When the system has no room to watch it.
    pub fn attach(self) -> io::Result<Stream> {
        Ok(Stream { tcp: Arc::new(Plain(TcpStream::from_std(self.tcp)?)), tls: self.tls })
    }
}

/// The kernel's socket.
struct Plain(TcpStream);

impl Sink for Plain {
    fn write_now(&self, bytes: &[u8]) -> usize {
        // Broken or full: its session finds which.
        self.0.try_write(bytes).unwrap_or(0)
    }
}

/// A stream.
pub struct Stream {
    tcp: Arc<Plain>,
    tls: Option<Box<Session>>,
}

impl Stream {
    /// Where bytes may go without this, while it owes none; nowhere where they have to be encrypted.
    pub fn sink(&self) -> Option<Arc<dyn Sink>> {
        self.tls.is_none().then(|| Arc::clone(&self.tcp) as Arc<dyn Sink>)
    }

    /// Waits until there may be something to read. May be cancelled; one task may wait.
    ///
    /// # Errors
    /// When the runtime ends.
    pub async fn readable(&self) -> io::Result<()> {
        if self.tls.as_ref().is_some_and(|tls| tls.unread) {
            // A client that never stops sending must not keep the others of its thread waiting.
            coop::consume_budget().await;
            return Ok(());
        }
        // A place for one waker: cheaper than the list that `readable` enters and leaves each time.
        poll_fn(|cx| self.tcp.0.poll_read_ready(cx)).await
    }

    /// Waits until there may be room to write. May be cancelled.
    ///
    /// # Errors
    /// When the runtime ends.
    pub async fn writable(&self) -> io::Result<()> {
        self.tcp.0.writable().await
    }

    /// Reads what is there; 0 is the end.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there; else the connection is broken.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.0.try_read(buffer),
            Some(tls) => tls.try_read(&self.tcp.0, buffer),
        }
    }

    /// Takes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; else the connection is broken.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.tcp.0.try_write(bytes),
            Some(tls) => tls.try_write(&self.tcp.0, bytes),
        }
    }

    /// Whether something was taken that the kernel did not take yet; writing, also nothing, goes on
    /// with it.
    pub fn holds(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.connection.wants_write())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
            // Whoever is gone does not mind.
            drop(tls.push(&self.tcp.0));
        }
    }
}

/// The TLS of a connection.
struct Session {
    connection: ServerConnection,
    /// Something may be decrypted already, of which the kernel knows nothing.
    unread: bool,
}

impl Session {
    fn try_read(&mut self, tcp: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.unread = false,
                read => {
                    self.unread = read.is_ok();
                    return read;
                }
            }
            if self.connection.read_tls(&mut Records(tcp))? == 0 {
                return Ok(0);
            }
            let processed = self.connection.process_new_packets();
            // An alert, or the answer to a change of keys.
            let pushed = self.push(tcp);
            processed.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            pushed?;
        }
    }

    fn try_write(&mut self, tcp: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            self.push(tcp)?;
            let rest = bytes.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(taken);
            }
            if self.connection.wants_write() {
                return if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) };
            }
            taken += self.connection.writer().write(rest)?;
        }
    }

    /// Gives the kernel what is encrypted, as much as it takes.
    fn push(&mut self, tcp: &TcpStream) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut Records(tcp)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// The socket as rustls sees it.
struct Records<'a>(&'a TcpStream);

impl Read for Records<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Records<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
