//! A server for one test: in this process, on a free port, with a folder or database of its own and a
//! clock that the test holds in its hand.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{StreamExt, stream};
use madang_client::{
    Http,
    proto::accounts::{GuestLogin, Login, Register, Secret},
};
use madang_server::{Config, Hands, PresenceLimit, Server, StartError, clock::Clock};

use tokio::runtime::Runtime;

use super::{PATIENCE, User};

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
    runtime: Option<Runtime>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // It may not be waited for where other tasks run.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
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
        let clock = clock();
        let mut server = Self::again(config, clock).await?;
        server._folder = Some(folder);
        Ok(server)
    }

    /// Starts a server on SQLite where so many messages may wait to be stored.
    pub async fn start_with_queue(size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.database_patience = 60;
        let hands = Hands { queue: Some(size), ..Hands::default() };
        let clock = clock();
        let hands = Hands { clock, password_kib: Some(8), ..hands };
        let mut server = Self::with_hands(config, hands).await.unwrap();
        server._folder = Some(folder);
        server
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

    /// Starts a node, which shares database and clock with others, in a runtime of its own, so that it can be killed.
    pub async fn node(
        url: &str,
        clock: &Clock,
        hands: Hands,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, StartError> {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.database_url = Some(url.to_owned());
        change(&mut config);
        let mut server = Self::node_again(config, clock, hands).await?;
        server._folder = Some(folder);
        Ok(server)
    }

    /// Starts a node on a folder that is there already.
    pub async fn node_again(config: Config, clock: &Clock, hands: Hands) -> Result<Self, StartError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        let hands = Hands { clock: clock.clone(), password_kib: Some(8), ..hands };
        let start = move || (runtime.block_on(Self::with_hands(config, hands)), runtime);
        let (started, runtime) = tokio::task::spawn_blocking(start).await.unwrap();
        match started {
            Ok(mut server) => {
                server.runtime = Some(runtime);
                Ok(server)
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Ends it as a crash does: nothing is said to anyone. Gives its folder and settings.
    pub fn kill(mut self) -> (Config, Option<tempfile::TempDir>) {
        self.runtime.take().unwrap().shutdown_background();
        self.server = None;
        (self.config.clone(), self._folder.take())
    }

    async fn with_hands(config: Config, hands: Hands) -> Result<Self, StartError> {
        let Hands { clock, faults, presence, .. } = hands.clone();
        let server = Server::start_with(config.clone(), hands).await?;
        let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", server.address());
        Ok(Self { url, clock, faults, config, presence, server: Some(server), _folder: None, runtime: None })
    }

    /// Has its clients go to other nodes; what else is asked of it is answered.
    pub async fn drain(&self) {
        self.server.as_ref().unwrap().drain().await;
    }

    /// Stops in order.
    pub async fn stop(&mut self) {
        let server = self.server.take().unwrap();
        self.config.listen = server.address();
        server.stop().await;
    }

    /// Stops in order and starts again, on the same port and data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Starts again after a stop, on the same port and data.
    pub async fn start_again(&mut self) {
        let again = Self::begin(self.config.clone(), self.clock.clone(), self.presence).await.unwrap();
        self.take_over(again);
    }

    fn take_over(&mut self, mut again: Self) {
        (self.server, self.faults) = (again.server.take(), again.faults.clone());
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

    /// Where it tells its metrics; with `metrics_listen`.
    pub fn metrics_url(&self) -> String {
        format!("http://{}", self.server.as_ref().and_then(Server::metrics_address).unwrap())
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
        let body = GuestLogin { display_name: Some(name.to_owned()) };
        User::of(self.http(), self.http().guest(&body).await.unwrap()).await
    }

    /// How many connections to the gateway there are.
    pub async fn connections_now(&self) -> u64 {
        self.http().health().await.unwrap().1["connections"].as_u64().unwrap()
    }

    /// Waits until there are this many connections to the gateway.
    pub async fn connections(&self, wanted: u64) {
        self.health_until(|health| health["connections"] == wanted).await;
    }

    /// Waits until what `/health` says is as wanted.
    pub async fn health_until(&self, wanted: impl Fn(&serde_json::Value) -> bool) {
        let said = async || self.http().health().await.unwrap().1;
        let reached = async { while !wanted(&said().await) {} };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "it stays at {}", said().await);
    }

    /// Waits until all that is stored is found.
    pub async fn indexed(&self) {
        self.health_until(|health| health["search"]["behind"] == 0).await;
    }

    /// What `/health` says of jobs.
    pub async fn jobs(&self) -> serde_json::Value {
        self.http().health().await.unwrap().1["jobs"].clone()
    }

    /// Waits until what `/health` says of jobs is as wanted.
    pub async fn jobs_until(&self, wanted: impl Fn(&serde_json::Value) -> bool) {
        self.health_until(|health| wanted(&health["jobs"])).await;
    }

    /// So many guests, who come in by the dozen: all at once, the last would wait too long on a busy machine.
    pub async fn guests(&self, count: i64) {
        let http = self.http();
        stream::iter(0..count)
            .for_each_concurrent(12, async |_| drop(http.guest(&GuestLogin::default()).await.unwrap()))
            .await;
    }

    /// Moves the clock by so many days and waits until what is done once a day, `retention` or `archive`, was done.
    pub async fn days_later(&self, days: i64, what: &str) {
        self.clock.advance(days * 24 * 60 * 60 * 1_000);
        self.done(what).await;
    }

    /// Waits until `retention` or `archive` was done by now.
    pub async fn done(&self, what: &str) {
        let now = self.clock.now().to_string();
        self.health_until(|health| health[what]["done_at"] == now).await;
    }

    /// Waits until what is done once a day was done since the start.
    pub async fn kept_up(&self) {
        let done = |health: &serde_json::Value, what: &str| health[what]["done_at"].is_string();
        self.health_until(|health| done(health, "retention") && done(health, "archive")).await;
    }

    /// Someone who has an account signs in again.
    pub async fn again_as(&self, name: &str) -> User {
        User::of(self.http(), self.http().login(&self.login(name)).await.unwrap()).await
    }

    /// Waits until what was due for a second and longer was tried.
    pub async fn tried(&self) {
        self.jobs_until(|jobs| jobs["late_seconds"] == 0 && jobs["running"] == 0).await;
    }

    /// Moves the clock.
    pub fn advance(&self, ms: u32) {
        self.clock.advance(ms.into());
    }
}

/// The clock of a test, at its beginning.
pub fn clock() -> Clock {
    Clock::manual(BEGINNING.parse().unwrap())
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
    let arguments = [
        "madang",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
        "--rate-limits",
        "off",
        "--link-previews",
        "off",
        "--drain-seconds",
        "0",
    ];
    <Cli as clap::Parser>::parse_from(arguments).config
}
