//! TLS below a connection.
//!
//! Whom it trusts: as the SDK does, what the system trusts, or the roots in the file that `SSL_CERT_FILE` names.
//!
//! Invariants:
//! - What `read` leaves behind is in the socket or not there: nothing waits in a buffer here while the caller
//!   has room.

use std::{
    io::{ErrorKind, Read, Write},
    sync::Arc,
};

use mio::net::TcpStream;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};

use crate::{Error, socket::Got};

/// What the connections of a run share.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// For a server of this name, which may have a port behind it.
    ///
    /// # Errors
    /// When nobody is trusted.
    pub fn to(host: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        let (trusted, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if trusted == 0 {
            return Err(Error::Options(
                "no trusted certificates: set SSL_CERT_FILE to a PEM file with the server's".to_owned(),
            ));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(Error::tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (bare, _) =
            host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).unwrap_or((host, ""));
        let name = ServerName::try_from(bare.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|_| Error::Options(format!("{host:?} is no name for TLS")))?;
        Ok(Self { config: Arc::new(config), name })
    }

    /// A connection that has said nothing.
    ///
    /// # Errors
    /// When there cannot be one.
    pub fn connection(&self) -> Result<Session, Error> {
        let mut session =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(Error::tls)?;
        // What is sent is bounded by the schedule, and must not be cut in the middle of a frame.
        session.set_buffer_limit(None);
        Ok(Session(Box::new(session)))
    }
}

/// TLS of one connection.
#[derive(Debug)]
pub struct Session(Box<ClientConnection>);

impl Session {
    /// Takes bytes to be sent, and sends what the socket takes.
    pub fn write(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        self.0.writer().write_all(bytes)?;
        self.flush(stream)
    }

    /// Sends what the socket takes.
    pub fn flush(&mut self, stream: &mut TcpStream) -> std::io::Result<()> {
        while self.0.wants_write() {
            match self.0.write_tls(stream) {
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Fills `buffer` with what came, as far as there is something.
    pub fn read(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) -> Got {
        let mut filled = 0;
        let last = loop {
            match self.0.reader().read(&mut buffer[filled..]) {
                Ok(0) => break Got::End,
                Ok(n) => {
                    filled += n;
                    if filled == buffer.len() {
                        break Got::Nothing;
                    }
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => break Got::End,
            }
            match self.0.read_tls(stream) {
                Ok(0) => break Got::End,
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break Got::Nothing,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break Got::End,
            }
            // An answer of the handshake, or an alert.
            if self.0.process_new_packets().is_err() | self.flush(stream).is_err() {
                break Got::End;
            }
        };
        if filled > 0 { Got::Bytes(filled) } else { last }
    }
}
