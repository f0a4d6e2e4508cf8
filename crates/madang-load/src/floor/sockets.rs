//! Writes to very many sockets of the loopback network: the cost of a delivery with no server around it.
//!
//! A second process reads, as the load generator would; it is this same program, started as `drain`.
//! A socket that takes nothing is passed over, and when most take nothing the writer pauses.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::Writes;
use crate::{Error, proc};

/// Bytes that the kernel keeps for a socket on each side: enough for the largest write.
const KEPT: usize = 128 * 1024;
/// The reading process ends by itself after this long.
const AT_MOST: Duration = Duration::from_secs(600);
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// Connections from one local address.
const PER_ADDRESS: u32 = 5_000;

/// What is written.
#[derive(Debug)]
pub struct Writing {
    pub connections: usize,
    /// Bytes of a message.
    pub frame: u32,
    pub joined: Vec<u32>,
    pub each: Duration,
}

/// What the reading process takes.
#[derive(Debug, clap::Args)]
pub struct Drain {
    #[arg(long)]
    pub address: SocketAddr,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub connections: u32,
}

/// The reading process; killed when the writer is done with it.
struct Reader(Child);

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Measures writes of each number of joined messages.
///
/// # Errors
/// When the system refuses.
pub fn write(writing: &Writing) -> Result<Vec<Writes>, Error> {
    let needed = writing.connections as u64 + 50;
    if let Some(limit) = proc::Process::own().files().filter(|limit| *limit < needed) {
        return Err(Error::Files { who: "this process", limit, needed });
    }
    let listener = listener().map_err(Error::io("listening"))?;
    let address = listener.local_addr().map_err(Error::io("listening"))?;
    let program = std::env::current_exe().map_err(Error::io("finding this program"))?;
    let child = Command::new(program)
        .args(["load", "drain", "--address", &address.to_string()])
        .args(["--connections", &writing.connections.to_string()])
        .stdin(Stdio::null())
        .spawn()
        .map_err(Error::io("starting the reading process"))?;
    let _reader = Reader(child);
    let mut sockets = accept(&listener, writing.connections)?;
    writing.joined.iter().map(|joined| measure(&mut sockets, *joined, writing)).collect()
}

fn listener() -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.set_send_buffer_size(KEPT)?;
    socket.listen(4_096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn accept(listener: &TcpListener, connections: usize) -> Result<Vec<std::net::TcpStream>, Error> {
    let (mut sockets, begun) = (Vec::with_capacity(connections), Instant::now());
    while sockets.len() < connections {
        match listener.accept() {
            Ok((socket, _)) => {
                socket
                    .set_nonblocking(true)
                    .and_then(|()| socket.set_nodelay(true))
                    .map_err(Error::io("accepting"))?;
                sockets.push(socket);
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock && begun.elapsed() < CONNECT_WITHIN => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(e) => return Err(Error::io("waiting for the reading process")(e)),
        }
    }
    Ok(sockets)
}

fn measure(sockets: &mut [std::net::TcpStream], joined: u32, writing: &Writing) -> Result<Writes, Error> {
    let bytes = vec![b'x'; (joined * writing.frame) as usize];
    let mut written = 0_u64;
    let (begun, cpu) = (Instant::now(), proc::thread_cpu());
    while begun.elapsed() < writing.each {
        let mut full = 0;
        for socket in sockets.iter_mut() {
            match socket.write(&bytes) {
                Ok(n) => written += n as u64,
                Err(e) if e.kind() == ErrorKind::WouldBlock => full += 1,
                Err(e) => return Err(Error::io("writing")(e)),
            }
        }
        if full > sockets.len() / 4 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let lasted = begun.elapsed();
    let cpu = proc::thread_cpu().zip(cpu).map_or(lasted, |(after, before)| after.saturating_sub(before));
    // Let the reader catch up, so that the next measurement begins with empty sockets.
    std::thread::sleep(Duration::from_millis(500));
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let deliveries = written as f64 / f64::from(writing.frame);
    Ok(Writes {
        joined,
        deliveries_per_second: deliveries / lasted.as_secs_f64(),
        cpu_us_per_delivery: cpu.as_secs_f64() * 1e6 / deliveries.max(1.0),
    })
}

/// The reading process: opens its sockets and reads them until the writer is gone.
///
/// # Errors
/// When the address is not of this machine, or the system refuses.
pub fn drain(drain: &Drain) -> Result<(), Error> {
    if !drain.address.ip().is_loopback() {
        return Err(Error::NotLocal(drain.address.to_string()));
    }
    let mut poll = Poll::new().map_err(Error::io("waiting for sockets"))?;
    let mut sockets = Vec::new();
    for n in 0..drain.connections {
        let mut socket = connect(drain.address, n).map_err(Error::io("connecting"))?;
        let token = Token(sockets.len());
        poll.registry()
            .register(&mut socket, token, Interest::READABLE)
            .map_err(Error::io("watching a socket"))?;
        sockets.push(socket);
    }
    let (mut events, mut buffer) = (Events::with_capacity(1_024), vec![0; 64 * 1024]);
    let (mut open, begun) = (sockets.len(), Instant::now());
    while open > 0 && begun.elapsed() < AT_MOST {
        match poll.poll(&mut events, Some(Duration::from_secs(1))) {
            Err(e) if e.kind() != ErrorKind::Interrupted => return Err(Error::io("waiting for sockets")(e)),
            _ => {}
        }
        for event in &events {
            let Some(socket) = sockets.get_mut(event.token().0) else { continue };
            loop {
                match socket.read(&mut buffer) {
                    Ok(n) if n == buffer.len() => {}
                    Ok(0) => {
                        open = open.saturating_sub(1);
                        break;
                    }
                    Ok(_) if !event.is_read_closed() => break,
                    Ok(_) => {}
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => {
                        open = open.saturating_sub(1);
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

fn connect(address: SocketAddr, n: u32) -> std::io::Result<mio::net::TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_recv_buffer_size(KEPT)?;
    socket.set_linger(Some(Duration::ZERO))?;
    let place = u8::try_from(n / PER_ADDRESS).unwrap_or_default();
    if place > 0 && cfg!(target_os = "linux") {
        socket.bind(&SocketAddr::from(([127, 0, 0, 1 + place], 0)).into())?;
    }
    socket.connect(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(mio::net::TcpStream::from_std(socket.into()))
}
