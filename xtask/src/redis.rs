//! A Redis server for what is measured: its own port, nothing on disk, gone afterwards.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::child::Running;

/// How long it may take to answer.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The running server. Dropping it stops it.
pub struct Redis {
    port: u16,
    _server: Running,
}

impl Redis {
    /// Starts one; returns when it takes connections.
    pub fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        let mut server = Running::start(command.stdout(Stdio::null()), None)?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if server.ended()?.is_some() || start.elapsed() > START_LIMIT {
                bail!("redis-server did not start at port {port}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { port, _server: server })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
