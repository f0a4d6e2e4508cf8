//! Several servers on one PostgreSQL database, which hear nothing of each other: what they must not get wrong all the same.

use std::io::ErrorKind;

use madang_client::proto::accounts::Secret;
use madang_realtime::redis_server::RedisServer;
use madang_server::{Config, Hands, StartError, clock::Clock, config::Switch};
use madang_store::testing;

use super::{
    Backend, TestServer, User,
    server::{PASSWORD, clock},
};

/// A database and a clock for nodes.
pub struct Nodes {
    /// The URL of the database.
    pub url: String,
    /// The clock of all.
    pub clock: Clock,
}

/// Settings with which nodes fit each other.
pub fn fitting(config: &mut Config) {
    config.secret = Some(Secret(PASSWORD.repeat(3)));
    config.shared_files = Switch::On;
}

/// What a node has in hands that need not be heard.
pub fn unheard() -> Hands {
    Hands { unheard: true, ..Hands::default() }
}

impl Nodes {
    /// A fresh database, where there is a server for tests.
    pub async fn new() -> Option<Self> {
        match Backend::postgres().await? {
            Backend::Postgres(url) => Some(Self { url, clock: clock() }),
            Backend::Sqlite => None,
        }
    }

    /// Takes the database away from all, or gives it back.
    pub async fn without_database(&self, away: bool) {
        let (server, name) = self.url.rsplit_once('/').unwrap();
        let (server, name) = (format!("{server}/postgres"), name.split('?').next().unwrap());
        testing::cut(&server, name, away).await.unwrap();
    }

    /// Starts a node.
    pub async fn start(&self) -> TestServer {
        self.start_with(unheard(), |_| {}).await.unwrap()
    }

    /// Starts a node with settings of the test's own.
    pub async fn start_with(
        &self,
        hands: Hands,
        change: impl FnOnce(&mut Config),
    ) -> Result<TestServer, StartError> {
        let change = |config: &mut Config| {
            fitting(config);
            change(config);
        };
        TestServer::node(&self.url, &self.clock, hands, change).await
    }

    /// Two nodes, and alice at the one and bob at the other, who know each other.
    pub async fn pair(&self) -> ((TestServer, User), (TestServer, User)) {
        let first = self.start().await;
        let alice = first.user("alice").await;
        drop(first.user("bob").await);
        let second = self.start().await;
        let bob = second.again_as("bob").await;
        ((first, alice), (second, bob))
    }

    /// Someone at a node that was started just now, which remembers nothing: they see what is stored.
    pub async fn looking(&self, name: &str) -> (TestServer, User) {
        let node = self.start().await;
        let user = node.again_as(name).await;
        (node, user)
    }
}

/// Nodes that hear each other.
pub struct Cluster {
    /// The nodes, without what is between them.
    pub nodes: Nodes,
    /// What is between them.
    pub redis: RedisServer,
}

impl Cluster {
    /// A fresh database and Redis, where there is a server for tests.
    pub async fn new() -> Option<Self> {
        let redis = match RedisServer::start() {
            // What could not run for want of it is listed by `cargo xtask test`.
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            started => started.unwrap(),
        };
        Some(Self { nodes: Nodes::new().await?, redis })
    }

    /// Starts a node.
    pub async fn start(&self) -> TestServer {
        self.start_with(|_| {}).await.unwrap()
    }

    /// Starts a node with settings of the test's own.
    pub async fn start_with(&self, change: impl FnOnce(&mut Config)) -> Result<TestServer, StartError> {
        let url = Some(Secret(self.redis.url()));
        let change = |config: &mut Config| {
            config.cluster_redis = url;
            change(config);
        };
        self.nodes.start_with(Hands::default(), change).await
    }

    /// Two nodes that hear each other, and alice at the one and bob at the other, who know each other; carol is there, too.
    pub async fn pair(&self) -> ((TestServer, User), (TestServer, User)) {
        let (first, second) = (self.start().await, self.start().await);
        for node in [&first, &second] {
            node.health_until(|health| health["bus"]["up"] == true).await;
        }
        let alice = first.user("alice").await;
        drop(first.user("carol").await);
        let bob = second.user("bob").await;
        ((first, alice), (second, bob))
    }

    /// Moves the clock of all.
    pub fn passes(&self, ms: u32) {
        self.nodes.clock.advance(ms.into());
    }
}
