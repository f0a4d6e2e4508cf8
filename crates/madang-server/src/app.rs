//! What every operation has in hand: settings, database, fan-out, clock, ids, limits.

use std::sync::{Arc, Weak};

use madang_proto::{SessionId, Timestamp, UserId};
use madang_realtime::{Bus, Faults, Hub, Shutdown, Supervisor};
use madang_store::{Db, Writer};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};

use crate::{
    auth::{Issuer, Keys, Passwords, Revoked},
    clock::{Clock, Ids},
    cluster::{Cluster, Relay},
    config::Config,
    files::{Ffmpeg, Storage},
    gateway::Threads,
    jobs::Jobs,
    memory::Memory,
    metrics::Metrics,
    nodes::Node,
    presence::{Board, Conflation},
    previews::Previews,
    ratelimit::Limits,
    sanctions::Lapses,
    search::Indexing,
    slow_mode::SlowMode,
    tls::Tls,
    upkeep::Upkeep,
};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// The session they signed in with.
    pub session: SessionId,
}

impl Actor {
    /// Someone for whom a job acts: they may be signed in nowhere.
    #[must_use]
    pub fn absent(user: UserId) -> Self {
        Self { user, session: SessionId::from(0) }
    }
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
    pub bus: Arc<dyn Bus>,
    /// What hands over what other nodes publish; nothing where there are none.
    pub relay: Option<Arc<Relay>>,
    /// What this node has to do with the others.
    pub cluster: Cluster,
    /// What is counted.
    pub metrics: Metrics,
    /// What is asked for again and again.
    pub memory: Memory,
    /// Who is there.
    pub presence: Board,
    /// What is told of typing and reading, and when.
    pub conflation: Conflation,
    /// Where the bytes of files are.
    pub storage: Storage,
    /// Images that may be worked on.
    pub images: Semaphore,
    /// What looks at links, unless that is switched off.
    pub previews: Option<Previews>,
    /// What works on videos, if there is anything.
    pub ffmpeg: Option<Arc<Ffmpeg>>,
    /// Videos that may be worked on.
    pub videos: Semaphore,
    /// How far the index of messages is.
    pub indexing: Indexing,
    /// Says that there is an export to be made.
    pub exports: Notify,
    /// Work that is done later.
    pub jobs: Jobs,
    /// When messages that are too old are removed.
    pub retention: Upkeep,
    /// When old months are archived.
    pub archive: Upkeep,
    /// What time it is.
    pub clock: Clock,
    /// This one among the nodes of the database.
    pub node: Node,
    /// New ids.
    pub ids: Ids,
    /// When the time of the next sanction is over.
    pub lapses: Lapses,
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
    /// Who waits in channels that are slow.
    pub slow_mode: SlowMode,
    /// Says that there are roots of threads to be told of replies.
    pub replies: Notify,
    /// Where connections live.
    pub threads: Threads,
    /// Where everything else lives.
    pub runtime: Handle,
    /// The owner of tasks.
    pub supervisor: Supervisor,
    /// Says that the server is about to stop, and that nothing new is to begin that lasts.
    pub draining: Shutdown,
    /// Says that the server stops.
    pub shutdown: Shutdown,
    /// Says that requests and jobs ended, or had their time: nothing more comes to be stored.
    pub unused: Shutdown,
    /// Fault switches of test builds.
    pub faults: Faults,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The same, for what must not keep it alive.
    #[must_use]
    pub fn unheld(&self) -> Unheld {
        Unheld(Arc::downgrade(&self.0))
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

/// An application, if it is still there.
#[derive(Clone)]
pub struct Unheld(Weak<Parts>);

impl Unheld {
    /// The application.
    #[must_use]
    pub fn app(&self) -> Option<App> {
        self.0.upgrade().map(App)
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
