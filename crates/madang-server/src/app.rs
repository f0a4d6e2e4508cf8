//! What every operation has in hand: settings, database, fan-out, clock, ids, limits.

use std::sync::Arc;

use madang_proto::{SessionId, Timestamp, UserId};
use madang_realtime::{Bus, Faults, Hub, Shutdown, Supervisor};
use madang_store::{Db, Writer};
use tokio::{runtime::Handle, sync::Notify};

use crate::{
    auth::{Issuer, Keys, Passwords, Revoked},
    clock::{Clock, Ids},
    config::Config,
    gateway::Threads,
    memory::Memory,
    presence::{Board, Conflation},
    ratelimit::Limits,
    search::Indexing,
    tls::Tls,
};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// The session they signed in with.
    pub session: SessionId,
}

/// The application: cheap to clone, the same everywhere.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of the application.
pub struct Parts {
    /// Settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The way of messages into it.
    pub writer: Writer,
    /// The connections of this node.
    pub hub: Arc<Hub>,
    /// The way to the connections of all nodes.
    pub bus: Box<dyn Bus>,
    /// What is asked for again and again.
    pub memory: Memory,
    /// Who is there.
    pub presence: Board,
    /// What is told of typing and reading, and when.
    pub conflation: Conflation,
    /// How far the index of messages is.
    pub indexing: Indexing,
    /// What time it is.
    pub clock: Clock,
    /// New ids.
    pub ids: Ids,
    /// What tokens are signed with.
    pub keys: Keys,
    /// The outside issuer, if there is one.
    pub issuer: Option<Issuer>,
    /// HTTPS, where it is not left to a proxy.
    pub tls: Option<Tls>,
    /// Hashing.
    pub passwords: Passwords,
    /// Sessions that ended while their access tokens still look valid.
    pub revoked: Revoked,
    /// How often is too often.
    pub limits: Limits,
    /// Says that there are roots of threads to be told of replies.
    pub replies: Notify,
    /// Where connections live.
    pub threads: Threads,
    /// Where everything else lives.
    pub runtime: Handle,
    /// The owner of tasks.
    pub supervisor: Supervisor,
    /// Says that the server stops.
    pub shutdown: Shutdown,
    /// Fault switches of test builds.
    pub faults: Faults,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id.
    #[must_use]
    pub fn id<T: From<i64>>(&self) -> T {
        self.ids.next(self.now())
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
