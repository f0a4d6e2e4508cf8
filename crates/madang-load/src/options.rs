//! The command line of a load test: every size, rate and duration is a flag with a bounded default.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum, value_parser};

use crate::{Error, dialect::Manner, floor, scenario, tls::Tls};

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
    /// Several nodes as one server, of which one is killed.
    Cluster(Run<scenario::cluster::Flags>),
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
    /// Address of the server, on this machine. With https:// it has to be trusted: by the system, or by the PEM
    /// file that SSL_CERT_FILE names in the environment.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,

    /// Process of the server, to measure its CPU time and memory; found by the port when not given.
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<u32>,

    /// Encoding of the frames.
    #[arg(long, value_enum, default_value_t)]
    pub encoding: Encoding,

    /// Have the server compress what it sends.
    #[arg(long)]
    pub deflate: bool,

    /// Have the server join frames into one message.
    #[arg(long)]
    pub batch: bool,

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

    /// TLS, where the address wants it.
    ///
    /// # Errors
    /// When it cannot be prepared.
    pub fn tls(&self) -> Result<Option<Tls>, Error> {
        if !self.is_secure() {
            return Ok(None);
        }
        Tls::to(&self.server()?.1).map(Some)
    }

    fn is_secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// How the gateway's protocol is spoken.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        let encoding = match self.encoding {
            Encoding::Json => madang_proto::Encoding::Json,
            Encoding::Msgpack => madang_proto::Encoding::MessagePack,
        };
        Manner { encoding, deflate: self.deflate, batch: self.batch }
    }

    /// The same in words.
    #[must_use]
    pub fn speech(&self) -> String {
        let words = [
            (self.encoding == Encoding::Json, "JSON"),
            (self.encoding == Encoding::Msgpack, "MessagePack"),
            (self.deflate, "compressed"),
            (self.batch, "joined"),
            (self.is_secure(), "TLS"),
        ];
        words.into_iter().filter_map(|(is, word)| is.then_some(word)).collect::<Vec<_>>().join(", ")
    }

    /// Refuses what a scenario that speaks plain HTTP beside the gateway cannot do.
    pub(crate) fn without_tls(&self) -> Result<&Self, Error> {
        if self.is_secure() {
            return Err(Error::Options(
                "this scenario speaks plain HTTP: give it an http:// address".to_owned(),
            ));
        }
        Ok(self)
    }

    /// Refuses what other chat servers do not know.
    pub(crate) fn plain(&self) -> Result<&Self, Error> {
        if self.manner() != Manner::default() {
            return Err(Error::Options("--encoding, --deflate and --batch are Madang's own".to_owned()));
        }
        self.without_tls()
    }
}

/// How frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Encoding {
    /// JSON in text messages.
    #[default]
    Json,
    /// MessagePack in binary messages.
    Msgpack,
}

/// The address of a URL of this machine, and its host and port as in the URL.
///
/// # Errors
/// When it is of another machine, or not understood.
pub fn local(url: &str) -> Result<(SocketAddr, String), Error> {
    let refuse = || Error::NotLocal(url.to_owned());
    let (rest, port) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(rest), _) => (rest, 80),
        (None, Some(rest)) => (rest, 443),
        (None, None) => return Err(refuse()),
    };
    let host = rest.trim_end_matches('/');
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:{port}")
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
            ("https://localhost/", "127.0.0.1:443"),
            ("https://127.0.0.1:8443", "127.0.0.1:8443"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(local(url).unwrap().0, address.parse().unwrap(), "{url}");
        }
        for url in [
            "http://192.0.2.1:8080",
            "https://192.0.2.1:8080",
            "ftp://127.0.0.1:8080",
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
