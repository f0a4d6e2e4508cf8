//! One connection to the gateway: from the TCP handshake through the upgrade and `HELLO` to being live.
//!
//! It holds no buffer while nothing is cut in the middle: what is read stands in the thread's buffer.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use mio::net::TcpStream;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::{
    Error,
    check::Order,
    dialect::Dialect,
    tls::{Session, Tls},
};

/// Connections from one local address; the system has about 28,000 ports for each.
const PER_ADDRESS: usize = 5_000;
/// The example of RFC 6455: what matters is that the answer belongs to the question.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pplmbitxaq9kygzzhzrbk+xoo=";
/// Bytes that the kernel may keep for one who reads slowly.
const SMALL_BUFFER: usize = 4_096;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not there, and not due.
    Gone,
    /// Waits for TCP.
    Connecting,
    /// Waits for the answer to the upgrade.
    Upgrading,
    /// Waits for `READY`.
    Greeting,
    /// Everything flows.
    Live,
}

/// How a connection reads in the second half of a run with slow readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All at once.
    Full,
    /// A kilobyte a second.
    Slow,
    /// Nothing.
    Never,
}

/// A message that was due and is not acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    pub number: u64,
    pub due: u64,
    pub channel: u16,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    pub stream: Option<TcpStream>,
    /// What is between the stream and us, with `https://`; it keeps what could not be written.
    pub tls: Option<Session>,
    pub phase: Phase,
    /// Index of the user.
    pub user: u32,
    /// Which of all connections of the run.
    pub index: usize,
    /// Which node it is at, or tries next: counted on past their number.
    pub node: usize,
    pub pace: Pace,
    /// The beginning of a frame that is not whole yet.
    pub rest: Vec<u8>,
    /// What could not be written yet.
    pub out: Vec<u8>,
    /// What it hears: channel and order.
    pub orders: Vec<(u16, Order)>,
    /// What it sent, oldest first.
    pub pending: Vec<Pending>,
    /// When it lost its last connection, or began.
    pub since: u64,
    /// Whether it was live before.
    pub returning: bool,
}

/// What became of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing more is there.
    Nothing,
    /// The other side is gone.
    End,
}

impl Connection {
    /// Begins to connect.
    ///
    /// # Errors
    /// When the system has no socket or port left.
    pub fn open(&mut self, server: SocketAddr, tls: Option<&Tls>) -> Result<&mut TcpStream, Error> {
        let doing = || Error::io(format!("connecting to {server}"));
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP));
        let socket = socket.map_err(Error::io("opening a socket"))?;
        socket.set_nonblocking(true).map_err(doing())?;
        // So that many runs in a row leave no ports behind that have to wait.
        socket.set_linger(Some(std::time::Duration::ZERO)).map_err(doing())?;
        socket.set_tcp_nodelay(true).map_err(doing())?;
        if self.pace != Pace::Full {
            socket.set_recv_buffer_size(SMALL_BUFFER).map_err(doing())?;
        }
        if let Some(local) = local_address(server, self.index) {
            socket.bind(&SocketAddr::new(local, 0).into()).map_err(doing())?;
        }
        match socket.connect(&server.into()) {
            Ok(()) => {}
            // EINPROGRESS has no name in the standard library.
            Err(error) if error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(115) => {}
            Err(error) if error.raw_os_error() == Some(36) => {}
            Err(error) => return Err(doing()(error)),
        }
        self.phase = Phase::Connecting;
        self.tls = tls.map(Tls::connection).transpose()?;
        self.rest = Vec::new();
        self.out = Vec::new();
        Ok(self.stream.insert(TcpStream::from_std(socket.into())))
    }

    /// Ends it at once.
    pub fn drop_now(&mut self, now: u64) {
        (self.stream, self.tls) = (None, None);
        self.phase = Phase::Gone;
        (self.rest, self.out) = (Vec::new(), Vec::new());
        self.since = now;
    }

    /// Asks for the upgrade.
    pub fn ask_to_upgrade(&mut self, dialect: Dialect, host: &str, token: &str) -> std::io::Result<()> {
        self.phase = Phase::Upgrading;
        self.write(dialect.request(host, token).as_bytes())
    }

    /// Says hello, and where it stands when it was there before.
    pub fn say_hello(&mut self, dialect: Dialect, resume: &str) -> std::io::Result<()> {
        self.phase = Phase::Greeting;
        dialect.hello(resume).map_or(Ok(()), |hello| self.say(dialect, &hello))
    }

    /// Writes a message.
    pub fn say(&mut self, dialect: Dialect, words: &str) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(words.len() + 14);
        dialect.put(&mut bytes, words);
        self.write(&bytes)
    }

    /// Writes, or keeps what does not fit.
    pub fn write(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if let Some(tls) = &mut self.tls {
            return tls.write(stream, bytes);
        }
        while self.out.is_empty() && !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Goes on with what was kept.
    pub fn flush(&mut self) -> std::io::Result<()> {
        if let (Some(tls), Some(stream)) = (&mut self.tls, &mut self.stream) {
            return tls.flush(stream);
        }
        if self.out.is_empty() {
            return Ok(());
        }
        let kept = std::mem::take(&mut self.out);
        self.write(&kept)
    }

    /// Reads into `buffer`.
    pub fn read(&mut self, buffer: &mut [u8]) -> Got {
        let Some(stream) = &mut self.stream else { return Got::Nothing };
        if let Some(tls) = &mut self.tls {
            return tls.read(stream, buffer);
        }
        loop {
            return match stream.read(buffer) {
                Ok(0) => Got::End,
                Ok(n) => Got::Bytes(n),
                Err(e) if e.kind() == ErrorKind::WouldBlock => Got::Nothing,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => Got::End,
            };
        }
    }

    /// Whether the connection was made; false when it was refused.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.stream.as_ref().is_some_and(|s| {
            SockRef::from(s).take_error().is_ok_and(|error| error.is_none()) && s.peer_addr().is_ok()
        })
    }

    /// The order in which it hears a channel.
    #[inline]
    pub fn order(&mut self, channel: u16) -> Option<&mut Order> {
        self.orders.iter_mut().find(|(c, _)| *c == channel).map(|(_, order)| order)
    }
}

/// The local address of the connection with this index, where one address has not ports enough.
fn local_address(server: SocketAddr, index: usize) -> Option<IpAddr> {
    let more = u8::try_from(index / PER_ADDRESS).ok()?;
    // Other systems have only the first address of the network.
    let spread = cfg!(target_os = "linux") && server.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    (more > 0 && spread).then(|| IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1 + more)))
}

/// The length of an answer's head once it is whole, or what is wrong with the answer.
///
/// # Errors
/// When the server does not upgrade, or not to what was offered.
pub fn upgraded(bytes: &[u8], dialect: Dialect) -> Result<Option<usize>, Error> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let first = head.lines().next().unwrap_or_default();
    if first.starts_with("HTTP/1.1 429") {
        return Err(Error::RateLimited);
    }
    let says = |name: &str, begins: &str| {
        head.lines().filter_map(|line| line.split_once(':')).any(|(n, value)| {
            n.eq_ignore_ascii_case(name) && value.trim().to_ascii_lowercase().starts_with(begins)
        })
    };
    if !first.starts_with("HTTP/1.1 101") || !says("sec-websocket-accept", ACCEPT) {
        return Err(Error::Protocol(format!("the server does not upgrade: {first}")));
    }
    if let Some((_, value)) = dialect.offers().find(|(name, value)| !says(name, value)) {
        return Err(Error::Protocol(format!("the server does not agree to {value}")));
    }
    Ok(Some(end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Manner;

    #[test]
    fn the_upgrade_is_checked() {
        let upgraded = |bytes: &[u8]| upgraded(bytes, Dialect::default());
        let fine = format!(
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(upgraded(fine.as_bytes()).unwrap(), Some(fine.len()));
        assert_eq!(upgraded(&fine.as_bytes()[..fine.len() - 1]).unwrap(), None);
        assert!(upgraded(fine.replace("s3p", "x3p").as_bytes()).is_err());
        assert!(matches!(upgraded(b"HTTP/1.1 429 Too Many Requests\r\n\r\n"), Err(Error::RateLimited)));
        assert!(upgraded(b"HTTP/1.1 401 Unauthorized\r\n\r\n").unwrap_err().to_string().contains("401"));

        let deflate = Dialect::Madang(Manner { deflate: true, ..Manner::default() });
        let error = super::upgraded(fine.as_bytes(), deflate).unwrap_err().to_string();
        assert!(error.contains("permessage-deflate"), "{error}");
        let agreed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
        let agreed = fine.replace("\r\n\r\n", &format!("\r\n{agreed}"));
        assert_eq!(super::upgraded(agreed.as_bytes(), deflate).unwrap(), Some(agreed.len()));
    }

    #[test]
    fn many_connections_come_from_many_addresses() {
        let server: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(local_address(server, 4_999), None);
        if cfg!(target_os = "linux") {
            assert_eq!(local_address(server, 14_999), Some("127.0.0.3".parse().unwrap()));
        }
        assert_eq!(local_address("[::1]:80".parse().unwrap(), 14_999), None);
    }
}
