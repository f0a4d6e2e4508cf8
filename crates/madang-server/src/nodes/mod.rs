//! Nodes: several servers on one PostgreSQL database. Each holds a number there, which its ids carry, and moves the end of
//! that on every few seconds (the child `node`); what one of them does at a time is in [`leases`].
//!
//! Why ids of two nodes never meet:
//! - A number is another's only once its time is over by the database's clock ([`madang_store::nodes`]). The node
//!   itself counts from before it asked, by a clock that nobody sets, and stops a twelfth of it earlier: its [`Fence`](madang_store::Fence)
//!   closes. So it needs to agree with nobody about the time.
//! - Behind a closed fence no transaction that writes is begun, and ids carry [`NOBODY`], a number that no node holds.
//!   So a node that was away for long (its database, its network, its machine asleep) makes none with a number that may
//!   be another's meanwhile. When it comes back, it goes on with its number if nobody took it, or else takes another.
//! - Whoever takes a number makes ids that come after all that are stored, and after the clock of whoever held it.
//! - An id is a primary key as well: should an id with [`NOBODY`] be stored by a transaction that began before the fence
//!   closed, and another node the same in the same millisecond, the second is refused, and nothing is lost.
//!
//! Clocks of nodes may differ: order comes from `seq` and `version`, which transactions give out. What is listed by
//! id (notifications, audit, reports, saved messages, drafts) is in the order of the clocks of those who made it, so
//! these should be within a second of each other; a node whose clock is off by more than [`APART`] says so at its start.
//!
//! On SQLite there is one node, number 0: the lock of its data folder holds others off, and nothing is asked.

pub mod leases;
mod rules;

use std::{collections::HashMap, io, time::Duration};

use madang_proto::Timestamp;
use madang_realtime::BoxError;
use madang_store::{
    Db, Error,
    nodes::{self as store, Said, Taken},
};
use tokio::time::{Instant, sleep, timeout};

pub use self::rules::{about, check};
use crate::{
    accounts,
    app::App,
    clock::{Clock, Ids},
};

/// How long a node holds its number, and a lease, without being heard.
pub const LEASE: Duration = Duration::from_secs(60);
/// In how many parts that goes: it is heard this often.
const PARTS: u32 = 12;
/// The number in ids of a node that holds none.
pub const NOBODY: u16 = store::NUMBERS;
/// The number in ids that `madang admin` makes.
pub const ADMIN: u16 = store::NUMBERS + 1;
/// Milliseconds by which a clock may be off before that is said.
const APART: i64 = 2_000;
/// How long it waits before it looks again for one that is in the way.
const LOOK: Duration = Duration::from_millis(500);

/// This node.
#[derive(Debug)]
pub struct Node {
    said: Said,
    lease: Duration,
    /// Whether others need not hear it.
    unheard: bool,
}

/// Why it may not be a node, in words for people.
pub type Refusal = String;

impl Node {
    /// A node that says this of itself.
    #[must_use]
    pub const fn new(said: Said, lease: Duration, unheard: bool) -> Self {
        Self { said, lease, unheard }
    }

    /// Which run it is.
    pub const fn id(&self) -> i64 {
        self.said.id
    }

    /// Whether there can be no others beside it: those that are not heard are refused.
    pub fn is_alone(&self) -> bool {
        !self.unheard && rules::is_local(&self.said)
    }

    /// How long it holds something without being heard.
    pub const fn lease(&self) -> Duration {
        self.lease
    }

    /// How long after it was heard it is heard again.
    pub fn every(&self) -> Duration {
        self.lease / PARTS
    }

    /// When to stop, where what was asked for at `asked` is held: one part earlier than others may take it.
    fn end(&self, asked: Instant) -> Instant {
        asked + self.lease - self.every()
    }

    /// Takes a number. The fence is still as it was.
    async fn take(&self, db: &Db, now: Timestamp) -> Result<Result<Held, Stop>, Error> {
        let asked = Instant::now();
        let refuse = |others: &[store::Node]| rules::refuse(&self.said, self.unheard, others);
        match store::take(db, &self.said, now, self.lease, refuse).await? {
            Taken::Refused(why, by) => Ok(Err(Stop { why, by })),
            Taken::Number(number, in_use) => {
                let newest = db.newest_id().await?.max(madang_proto::ids::floor_at(in_use.millis()));
                Ok(Ok(Held { number, newest, end: self.end(asked) }))
            }
        }
    }
}

/// A number that was taken.
#[derive(Debug)]
struct Held {
    number: u16,
    /// Ids come after this one.
    newest: i64,
    /// When to stop.
    end: Instant,
}

/// What stands in the way, and which nodes that are.
#[derive(Debug)]
pub struct Stop {
    why: Refusal,
    by: Vec<store::Node>,
}

/// Those in the way, and until when they hold their numbers, as it was first seen.
#[derive(Debug, Default)]
struct Watch(HashMap<i64, i64>);

impl Watch {
    /// Waits a little for nodes that may have crashed: their time will be over. `Err` when one was heard meanwhile.
    async fn wait(&mut self, Stop { why, by }: Stop) -> Result<(), Refusal> {
        let heard = by.iter().any(|node| self.0.get(&node.id).is_some_and(|end| node.ends_at > *end));
        if heard || by.is_empty() {
            return Err(why);
        }
        if self.0.is_empty() {
            tracing::info!(why, "waiting until the other node is heard, or turns out to have crashed");
        }
        for node in by {
            self.0.entry(node.id).or_insert(node.ends_at);
        }
        sleep(LOOK).await;
        Ok(())
    }
}

/// Brings the schema up to date; not beside nodes that work with it as it is, unless that is wanted.
pub async fn migrate(db: &Db, place: &str, force: bool) -> Result<Result<(), Refusal>, Error> {
    store::forget_former(db, place).await?;
    let mut watch = Watch::default();
    loop {
        let by = db.migrate_beside(force).await?;
        if by.is_empty() {
            return Ok(Ok(()));
        }
        if let Err(why) = watch.wait(Stop { why: rules::older(&by), by }).await {
            return Ok(Err(why));
        }
    }
}

/// Takes a number; gives what makes ids with it.
pub async fn enter(db: &Db, node: &Node, clock: &Clock) -> Result<Result<Ids, Refusal>, Error> {
    let mut watch = Watch::default();
    let Held { number, newest, end } = loop {
        match node.take(db, clock.now()).await? {
            Ok(taken) => break taken,
            Err(stop) => {
                if let Err(why) = watch.wait(stop).await {
                    return Ok(Err(why));
                }
            }
        }
    };
    if matches!(clock, Clock::System) {
        for other in store::list(db).await?.iter().filter(|n| n.id == node.id() && n.ahead.abs() > APART) {
            let ms = other.ahead;
            tracing::warn!(ms, "the clock of this machine is ahead of the database's; keep both by NTP");
        }
    }
    db.fence().set(end);
    Ok(Ok(Ids::new(number, newest, db.fence())))
}

/// The child `node`: holds on to the number until the server stops, and hears of sessions that ended elsewhere: whether or
/// not the bus brought that, their tokens are good nowhere once this was here.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    if app.db.sqlite_path().is_some() {
        app.shutdown.wait().await;
        return Ok(());
    }
    loop {
        tokio::select! {
            () = sleep(app.node.every()) => {}
            () = app.shutdown.wait() => return Ok(()),
        }
        app.faults.point("node");
        // A connection that died may not say so for long.
        match timeout(app.node.lease() / 2, hold(&app)).await {
            Ok(Ok(())) => {
                if !app.node.is_alone()
                    && let Err(error) = accounts::load_revoked(&app).await
                {
                    tracing::warn!(error = error.reason(), "sessions that ended on other nodes");
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "holding on to the node's number");
            }
            Err(_) => tracing::warn!("holding on to the node's number takes too long"),
        }
    }
}

/// Holds on to the number, or takes another where it was lost.
async fn hold(app: &App) -> Result<(), Error> {
    let (db, node, asked) = (&app.db, &app.node, Instant::now());
    if store::hold(db, app.ids.number(), node.id(), app.now(), node.lease()).await? {
        db.fence().set(node.end(asked));
        return Ok(());
    }
    db.fence().set(asked);
    match node.take(db, app.now()).await? {
        Ok(Held { number, newest, end }) => {
            tracing::warn!(number, "this node was away for too long and has another number now");
            app.ids.renumber(number, newest);
            db.fence().set(end);
        }
        Err(Stop { why, .. }) => {
            tracing::error!(why, "this node was away for too long and may not come back");
        }
    }
    Ok(())
}

/// Gives the number back, in an orderly stop.
pub async fn leave(app: &App) {
    match timeout(app.node.every(), store::leave(&app.db, app.node.id())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "this node's number ends by itself"),
        Err(_) => tracing::warn!("this node's number ends by itself"),
    }
}

/// What tells a data folder from others, also from its copies: a word in its lock file, and which file that is.
pub fn place(lock: &std::fs::File) -> io::Result<String> {
    use io::{Read, Seek, Write};
    let mut file = lock;
    let mut word = String::new();
    file.rewind()?;
    file.take(64).read_to_string(&mut word)?;
    if word.is_empty() {
        word = format!("{:016x}", u64::from_le_bytes(crate::auth::random()));
        file.write_all(word.as_bytes())?;
        file.sync_all()?;
    }
    #[cfg(unix)]
    let which = std::os::unix::fs::MetadataExt::ino(&lock.metadata()?);
    #[cfg(not(unix))]
    let which = 0;
    Ok(format!("{word}.{which}"))
}
