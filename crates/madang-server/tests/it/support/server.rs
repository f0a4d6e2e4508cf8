//! A server for one test: in this process, on a free port, with a folder or database of its own and a
//! clock that the test holds in its hand.

use std::sync::atomic::{AtomicU32, Ordering};

use madang_client::{
    Http,
    proto::accounts::{Login, Register, Secret},
};
use madang_server::{Config, Hands, PresenceLimit, Server, StartError, clock::Clock};

use super::User;

pub use madang_server::Faults;

/// The password of everyone.
pub const PASSWORD: &str = "correct horse";
/// When tests begin.
const BEGINNING: &str = "2026-11-20T09:00:00Z";

/// Which database.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A file in the server's folder.
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
        let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Some(Self::Postgres(madang_store::testing::create_database(url.to_str()?, &name).await.unwrap()))
    }
}

/// A running server and its folder.
pub struct TestServer {
    /// `http://…`, or `https://…` with a certificate
    pub url: String,
    /// The clock.
    pub clock: Clock,
    /// The fault switches.
    pub faults: Faults,
    /// The settings it was started with.
    pub config: Config,
    presence: PresenceLimit,
    server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

impl TestServer {
    /// Starts a server with the usual settings.
    pub async fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {}).await.unwrap()
    }

    /// Starts a server with settings of the test's own.
    pub async fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        if let Backend::Postgres(url) = backend {
            config.database_url = Some(url);
        }
        change(&mut config);
        let clock = Clock::manual(BEGINNING.parse().unwrap());
        Ok(Self { _folder: Some(folder), ..Self::again(config, clock).await? })
    }

    /// Starts a server on SQLite where so many messages may wait to be stored.
    pub async fn start_with_queue(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.database_patience = 60;
        let hands = Hands { queue: Some(size), ..Hands::default() };
        let clock = Clock::manual(BEGINNING.parse().unwrap());
        let server = Self::with_hands(config, Hands { clock, password_kib: Some(8), ..hands }).await.unwrap();
        Self { _folder: Some(folder), ..server }
    }

    /// Starts a server on a folder and database that are there already.
    pub async fn again(config: Config, clock: Clock) -> Result<Self, StartError> {
        Self::begin(config, clock, PresenceLimit::default()).await
    }

    async fn begin(config: Config, clock: Clock, presence: PresenceLimit) -> Result<Self, StartError> {
        // Hashing as slowly as for real would be most of what the tests do.
        let hands = Hands { clock, password_kib: Some(8), presence, ..Hands::default() };
        Self::with_hands(config, hands).await
    }

    async fn with_hands(config: Config, hands: Hands) -> Result<Self, StartError> {
        let Hands { clock, faults, presence, .. } = hands.clone();
        let server = Server::start_with(config.clone(), hands).await?;
        let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", server.address());
        Ok(Self { url, clock, faults, config, presence, server: Some(server), _folder: None })
    }

    /// Stops in order.
    pub async fn stop(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// Stops in order and starts again, on the same port and data.
    pub async fn restart(&mut self) {
        let address = self.server.as_ref().unwrap().address();
        self.stop().await;
        self.config.listen = address;
        let again = Self::begin(self.config.clone(), self.clock.clone(), self.presence).await.unwrap();
        (self.server, self.faults) = (again.server, again.faults);
    }

    /// The same with other settings.
    pub async fn restarted_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self.restart().await;
        self
    }

    /// The same, but it counts people above so many, and names them again at so many.
    pub async fn counting_people(mut self, above: usize, again: usize) -> Self {
        self.presence = PresenceLimit { people: above, again };
        self.restart().await;
        self
    }

    /// REST without a session.
    pub fn http(&self) -> Http {
        Http::new(&self.url).unwrap()
    }

    /// Someone new with an account. The first one owns the first workspace.
    pub async fn user(&self, name: &str) -> User {
        let body = Register {
            username: name.to_owned(),
            password: Secret(PASSWORD.to_owned()),
            display_name: None,
            email: None,
        };
        User::of(self.http(), self.http().register(&body).await.unwrap()).await
    }

    /// What `name` signs in with.
    pub fn login(&self, name: &str) -> Login {
        Login { username: name.to_owned(), password: Secret(PASSWORD.to_owned()) }
    }

    /// Two people in one workspace.
    pub async fn users(&self) -> (User, User) {
        (self.user("alice").await, self.user("bob").await)
    }

    /// Someone without an account.
    pub async fn guest(&self, name: &str) -> User {
        let body = madang_client::proto::accounts::GuestLogin { display_name: Some(name.to_owned()) };
        User::of(self.http(), self.http().guest(&body).await.unwrap()).await
    }

    /// How many connections to the gateway there are.
    pub async fn connections_now(&self) -> u64 {
        self.http().health().await.unwrap().1["connections"].as_u64().unwrap()
    }

    /// Waits until there are this many connections to the gateway.
    pub async fn connections(&self, wanted: u64) {
        let reached = async { while self.connections_now().await != wanted {} };
        let reached = tokio::time::timeout(std::time::Duration::from_secs(15), reached).await;
        assert!(reached.is_ok(), "there are {} connections, not {wanted}", self.connections_now().await);
    }

    /// Waits until all that is stored is found.
    pub async fn indexed(&self) {
        let behind = async || self.http().health().await.unwrap().1["search"]["behind"].as_i64();
        let indexed = async { while behind().await != Some(0) {} };
        let indexed = tokio::time::timeout(std::time::Duration::from_secs(15), indexed).await;
        assert!(indexed.is_ok(), "the index is behind by {:?}", behind().await);
    }

    /// Moves the clock.
    pub fn advance(&self, ms: u32) {
        self.clock.advance(ms.into());
    }
}

/// The settings of a server for tests.
pub fn config(folder: &std::path::Path) -> Config {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }
    let data = folder.join("data");
    let data = data.to_str().unwrap();
    let arguments = ["madang", "--listen", "127.0.0.1:0", "--data", data, "--rate-limits", "off"];
    <Cli as clap::Parser>::parse_from(arguments).config
}
