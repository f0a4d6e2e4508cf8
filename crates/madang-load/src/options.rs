//! The command line of a load test: every size, rate and duration is a flag with a bounded default.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand, value_parser};

use crate::{Error, floor, scenario};

/// What `madang load` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Scenario(Scenario),
    /// What the machine itself can do: writes to sockets, commits, inserts, pages.
    Floor(floor::Flags),
    /// The other side of the floor's sockets; started by it.
    #[command(hide = true)]
    Drain(floor::sockets::Drain),
}

/// Which load test.
#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// One channel that all connections hear.
    GiantRoom(Run<scenario::giant_room::Flags>),
    /// One channel of a usual size, and if wanted a giant one beside it.
    Room(Run<scenario::room::Flags>),
    /// Very many small channels.
    SmallRooms(Run<scenario::small_rooms::Flags>),
    /// Connections that do nothing.
    Idle(Run<scenario::idle::Flags>),
    /// All connections are dropped at once, come back and resume.
    Storm(Run<scenario::storm::Flags>),
    /// Some of those who listen read slowly or not at all.
    SlowReaders(Run<scenario::slow_readers::Flags>),
    /// Pages of a channel's messages by cursor, over REST.
    History(Run<scenario::history::Flags>),
    /// A chat server of another make, to compare with: bench/peers has some.
    Peer(Run<scenario::peer::Flags>),
}

/// A scenario's own flags and those that all share.
#[derive(Debug, Args)]
pub struct Run<T: Args> {
    #[command(flatten)]
    pub flags: T,
    #[command(flatten)]
    pub common: Common,
}

/// What all scenarios take.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Address of the server, on this machine.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,

    /// Process of the server, to measure its CPU time and memory; found by the port when not given.
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,

    /// Seconds that the schedule lasts [default: as the scenario needs, fewer with --quick].
    #[arg(long, value_parser = value_parser!(u64).range(1..=600))]
    pub seconds: Option<u64>,

    /// Threads that hold the connections, besides one that sends.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u16).range(1..=8))]
    pub threads: u16,

    /// Bytes of a message's content.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u16).range(24..=4096))]
    pub size: u16,

    /// Seconds to wait in the end for acknowledgements and deliveries that are under way.
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u64).range(1..=300))]
    pub drain: u64,

    /// Smaller defaults: done within a minute.
    #[arg(long)]
    pub quick: bool,

    /// Leave the channels of the run on the server.
    #[arg(long)]
    pub keep: bool,

    /// Write the report as JSON to this file; `-` is the standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Draw latency over time into this SVG file.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

impl Common {
    /// The flag, or the default for a full or a quick run.
    pub(crate) fn or<T>(&self, flag: Option<T>, full: T, quick: T) -> T {
        flag.unwrap_or(if self.quick { quick } else { full })
    }

    /// The server's address, if it is on this machine, and its name in requests.
    ///
    /// # Errors
    /// When it is elsewhere.
    pub fn server(&self) -> Result<(SocketAddr, String), Error> {
        local(&self.url)
    }
}

/// The address of a URL of this machine, and its host and port as in the URL.
///
/// # Errors
/// When it is of another machine, or not understood.
pub fn local(url: &str) -> Result<(SocketAddr, String), Error> {
    let refuse = || Error::NotLocal(url.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(refuse)?;
    let host = rest.trim_end_matches('/');
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = match with_port.strip_prefix("localhost:") {
        Some(port) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().map_err(|_| refuse())?),
        None => with_port.parse().map_err(|_| refuse())?,
    };
    if address.ip().is_loopback() { Ok((address, host.to_owned())) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loaded() {
        for (url, address) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:9000/", "127.0.0.1:9000"),
            ("http://127.0.0.2", "127.0.0.2:80"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(local(url).unwrap().0, address.parse().unwrap(), "{url}");
        }
        for url in [
            "http://192.0.2.1:8080",
            "https://127.0.0.1:8080",
            "http://chat.example.org",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org:80",
            "http://0.0.0.0:8080",
            "127.0.0.1:8080",
            "",
        ] {
            let error = local(url).unwrap_err();
            assert!(error.to_string().contains("one's own server"), "{url}: {error}");
        }
    }
}
