//! A server as a process of its own, with a folder or database of its own.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use madang_client::{
    Client, Http,
    proto::accounts::{Register, Secret},
};
use tempfile::TempDir;

/// The binary under test.
pub const MADANG: &str = env!("CARGO_BIN_EXE_madang");

/// Which database.
pub enum Backend {
    /// A file in the data folder.
    Sqlite,
    /// A fresh database at this URL.
    Postgres(String),
}

impl Backend {
    /// A fresh PostgreSQL database, where there is a server for tests.
    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(url) = std::env::var_os("MADANG_TEST_POSTGRES_URL") else {
            eprintln!("SKIPPED: MADANG_TEST_POSTGRES_URL is not set; `cargo xtask test` sets it");
            return None;
        };
        let name = format!("process_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Some(Self::Postgres(madang_store::testing::create_database(url.to_str()?, &name).await.unwrap()))
    }
}

/// A server that can be killed and started again.
pub struct Process {
    /// `http://…`
    pub url: String,
    folder: TempDir,
    port: u16,
    backend: Backend,
    limit_kb: Option<u32>,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

impl Process {
    /// Starts a server and waits until it is ready.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    /// The same with these variables of settings.
    pub async fn start_with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        Self::begin(backend, None, settings).await
    }

    /// The same; no file of it can grow over `limit_kb`.
    pub async fn start_within(backend: Backend, limit_kb: Option<u32>) -> Self {
        Self::begin(backend, limit_kb, &[]).await
    }

    async fn begin(backend: Backend, limit_kb: Option<u32>, settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let folder = tempfile::tempdir().unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = settings.iter().map(owned).collect();
        let mut process = Self { url, folder, port, backend, limit_kb, settings, child: None };
        process.again().await;
        process
    }

    /// Starts it again on the same port and data, and waits until it is ready.
    pub async fn again(&mut self) {
        self.begin_again();
        let http = self.http();
        let ready = async {
            while !matches!(http.health().await, Ok((200, _))) {
                assert!(!self.has_ended(), "the server ended: {}", self.read_log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ready).await.expect("the server is not ready");
    }

    /// The same without waiting.
    pub fn begin_again(&mut self) {
        let mut command = match self.limit_kb {
            None => Command::new(MADANG),
            Some(kb) => {
                // The shell's unit is 512 bytes; without the trap the kernel would kill the process.
                let script = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", kb * 2);
                let mut command = Command::new("sh");
                command.args(["-c", &script, MADANG]);
                command
            }
        };
        command
            .args(["serve", "--rate-limits", "off", "--listen", &format!("127.0.0.1:{}", self.port)])
            .env("MADANG_DATA", self.data())
            .env_remove("MADANG_DATABASE_URL")
            .envs(self.settings.iter().cloned())
            .stdout(Stdio::null())
            .stderr(std::fs::File::options().create(true).append(true).open(self.log()).unwrap());
        if let Backend::Postgres(url) = &self.backend {
            command.env("MADANG_DATABASE_URL", url);
        }
        self.child = Some(command.spawn().unwrap());
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// From the next start on it is on this database, with the same data folder.
    pub fn moved_to(&mut self, url: &str) {
        self.backend = Backend::Postgres(url.to_owned());
    }

    /// Its address and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The folder that its data folder is in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// What it logged.
    pub fn read_log(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap()
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn signal(&self) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its exit.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it does not end").unwrap()
    }

    /// SIGTERM, and its exit.
    pub async fn terminate(&mut self) -> std::process::ExitStatus {
        self.signal();
        self.ended().await
    }

    /// Waits until it takes no connections.
    pub async fn takes_nobody(&self) {
        let gone = async { while tokio::net::TcpStream::connect(self.address()).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it takes connections");
    }

    /// REST without a session.
    pub fn http(&self) -> Http {
        Http::new(&self.url).unwrap()
    }

    /// Someone new, online.
    pub async fn user(&self, name: &str) -> Client {
        let password = Secret("correct horse".to_owned());
        let body = Register { username: name.to_owned(), password, display_name: None, email: None };
        Client::register(&self.url, &body).await.unwrap()
    }
}

/// A port that nobody has now.
pub fn free_port() -> u16 {
    madang_realtime::redis_server::free_port().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// Runs the binary to its end and gives what it printed, and whether it succeeded.
pub fn run(arguments: &[&str], folder: &Path) -> (bool, String) {
    let output = Command::new(MADANG)
        .args(arguments)
        .current_dir(folder)
        .env("MADANG_DATA", folder.join("data"))
        .env_remove("MADANG_DATABASE_URL")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}
