//! A `redis-server` of one test: on a free port of 127.0.0.1, without a file, killed when it is dropped.
//!
//! A small shell stands between, which kills the server when the test ends, in whatever way: then the pipe that it
//! reads is closed. `redis-server` and `redis-cli` are taken from PATH; where they are not, starting fails with
//! [`ErrorKind::NotFound`].

use std::{
    fs,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to start, and a cluster to come together.
const START: Duration = Duration::from_secs(30);
/// Starts what it is given, says its id, and kills it when nobody listens any more.
const KEEPER: &str = r#"
command -v "$1" >/dev/null || { echo missing; exit; }
"$@" </dev/null >/dev/null 2>&1 &
echo $!
cat >/dev/null
kill -s KILL $!
"#;

/// A running, killed or paused server.
pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    keeper: Option<Child>,
    process: String,
}

impl RedisServer {
    /// Starts one.
    ///
    /// # Errors
    /// `NotFound` where there is no `redis-server`; what else went wrong.
    pub fn start() -> io::Result<Self> {
        Self::with(&["--save", ""])
    }

    /// Starts a second one that has what this one has.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn replica(&self) -> io::Result<Self> {
        Self::with(&["--save", "", "--replicaof", "127.0.0.1", &self.port.to_string()])
    }

    fn with(arguments: &[&str]) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("madang-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (port, process) = (free_port()?, String::new());
        let mut server = Self { port, folder, arguments, keeper: None, process };
        server.run()?;
        Ok(server)
    }

    /// Starts a Cluster of so many.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn cluster(size: usize) -> io::Result<Vec<Self>> {
        let start = |_| {
            let bus = free_port()?.to_string();
            let enabled = ["--save", "", "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
            Self::with(&[&enabled[..], &["--cluster-port", &bus]].concat())
        };
        let servers = (0..size).map(start).collect::<io::Result<Vec<_>>>()?;
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(servers.iter().map(|server| format!("127.0.0.1:{}", server.port)));
        let created = create.args(["--cluster-yes"]).output()?;
        if !created.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&created.stdout).into_owned()));
        }
        for server in &servers {
            until("the Cluster did not come together", || {
                Ok(server.command(&["CLUSTER", "INFO"])?.contains("cluster_state:ok"))
            })?;
        }
        Ok(servers)
    }

    /// Starts a Sentinel that watches this server as `madang`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn sentinel(&self) -> io::Result<Self> {
        let (file, port) = (self.folder.join("sentinel.conf"), self.port);
        fs::write(
            &file,
            format!(
                "sentinel monitor madang 127.0.0.1 {port} 1\nsentinel down-after-milliseconds madang 1000\n\
                 sentinel failover-timeout madang 2000\n"
            ),
        )?;
        Self::with(&[&file.to_string_lossy(), "--sentinel"])
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().ok();
        }
    }

    /// Starts it again on its port.
    ///
    /// # Errors
    /// What went wrong.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.kill();
        self.run()
    }

    /// Stops it where it is: connections stay open, and nothing is answered.
    ///
    /// # Errors
    /// When there is no `kill`.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When there is no `kill`.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    /// What it answers to a command, as it is on the wire.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn command(&self, words: &[&str]) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut said = format!("*{}\r\n", words.len());
        for word in words {
            said += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(said.as_bytes())?;
        // It answers, and ends the connection when it sees that nothing more is asked.
        stream.shutdown(Shutdown::Write)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        Command::new("kill").args(["-s", name, &self.process]).status().map(|_| ())
    }

    fn run(&mut self) -> io::Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh", "redis-server"]).args(&self.arguments);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.arg("--dir").arg(&self.folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = command.spawn()?;
        let stdout = keeper.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let mut process = String::new();
        BufReader::new(stdout).read_line(&mut process)?;
        self.process = process.trim().to_owned();
        self.keeper = Some(keeper);
        if self.process == "missing" {
            return Err(io::Error::new(ErrorKind::NotFound, "redis-server is not installed"));
        }
        until("redis-server did not start", || Ok(self.command(&["PING"])?.contains("PONG")))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A port that nobody has now, and that no connection is given while a server that had it is away.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Below those that systems give to connections; where another process hardly looks first.
    let port =
        |_| 20_000 + (std::process::id() % 12_000 * 61 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
    let ports = (0..12_000).map(port).filter_map(|port| u16::try_from(port).ok());
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.into_iter().find(is_free).ok_or_else(|| ErrorKind::AddrInUse.into())
}

fn until(what: &str, done: impl Fn() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + START;
    while !done().unwrap_or_default() {
        if Instant::now() > deadline {
            return Err(io::Error::new(ErrorKind::TimedOut, what.to_owned()));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
