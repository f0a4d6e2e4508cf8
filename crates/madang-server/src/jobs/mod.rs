//! Jobs: work that is done after the change that causes it, soon or at a time; also after a crash, and again
//! until it succeeds.
//!
//! A kind of job is a variant of [`Job`], whose payload is as little as finds the rest, and a function in the
//! module of its feature. [`Change::enqueue`](crate::change::Change::enqueue) stores it with the change, a message's
//! jobs are stored with it by the writer; the child `jobs` does it ([`runner`]).
//!
//! Invariants:
//! - A job is stored if and only if what causes it is.
//! - It may be done twice: its function decides by what is stored, and says `Ok` where nothing is left to do.
//! - No secret is in a payload.

mod retry;
mod runner;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use madang_proto::{ChannelId, InviteId, MessageId, ReminderId, ScheduledId, Timestamp, UserId};
use madang_store::jobs::{self as store, NewJob, Outlook};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};

pub use self::runner::run;
use crate::{
    app::App,
    error::{Error, Result},
    notifications, previews, reminders, scheduled, visits,
};

/// How many are done at once.
const AT_ONCE: u32 = 16;
/// How long a dead one is kept, in milliseconds.
const DEAD_KEPT: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum Job {
    /// A scheduled message is to be sent.
    Scheduled(ScheduledId),
    /// The time of a reminder has come.
    Reminder(ReminderId),
    /// An operator wants messages that are too old removed now.
    Retention,
    /// The links of a message are to be looked at.
    Previews(MessageId),
    /// People are to be told of the messages of a channel, from one on.
    Notify(ChannelId, MessageId),
    /// The same, where there were too many for one job.
    NotifyRest(ChannelId, MessageId),
    /// A message of a channel was edited and mentions others.
    NotifyMentioned(ChannelId, MessageId),
    /// Notifications are to be removed.
    Unnotify(Gone),
    /// The access that a guest link gives is over.
    GuestLink(InviteId),
}

/// Of what notifications are to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// A message that was deleted.
    Message(MessageId),
    /// A channel that was deleted.
    Channel(ChannelId),
    /// What a user no longer sees.
    Unseen(UserId),
    /// The oldest of a user who has too many.
    Old(UserId),
}

impl Job {
    /// Does it.
    async fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Scheduled(id) => scheduled::run(app, id).await,
            Self::Reminder(id) => reminders::run(app, id).await,
            Self::Retention => {
                app.retention.want();
                Ok(())
            }
            Self::Previews(id) => previews::run(app, id).await,
            Self::Notify(channel, from) | Self::NotifyRest(channel, from) => {
                notifications::notify(app, channel, from).await
            }
            Self::NotifyMentioned(channel, id) => notifications::notify_mentioned(app, channel, id).await,
            Self::Unnotify(gone) => notifications::remove(app, gone).await,
            Self::GuestLink(id) => visits::run(app, id).await,
        }
    }

    /// What is left to do where it failed too often.
    async fn give_up(self, app: &App) -> Result<()> {
        match self {
            Self::Scheduled(id) => scheduled::give_up(app, id).await,
            Self::Reminder(_)
            | Self::Retention
            | Self::Previews(_)
            | Self::Notify(..)
            | Self::NotifyRest(..)
            | Self::NotifyMentioned(..)
            | Self::Unnotify(_)
            | Self::GuestLink(_) => Ok(()),
        }
    }

    /// What kind it is, for metrics.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Scheduled(_) => "scheduled",
            Self::Reminder(_) => "reminder",
            Self::Retention => "retention",
            Self::Previews(_) => "previews",
            Self::Notify(..) => "notify",
            Self::NotifyRest(..) => "notify_rest",
            Self::NotifyMentioned(..) => "notify_mentioned",
            Self::Unnotify(_) => "unnotify",
            Self::GuestLink(_) => "guest_link",
        }
    }

    /// Of those with the same key one waits, which does what is to be done for all.
    fn key(&self) -> Option<String> {
        match self {
            Self::Notify(channel, _) => Some(format!("notify {channel}")),
            Self::Unnotify(Gone::Message(id)) => Some(format!("gone message {id}")),
            Self::Unnotify(Gone::Channel(id)) => Some(format!("gone channel {id}")),
            Self::Unnotify(Gone::Unseen(user)) => Some(format!("unseen {user}")),
            Self::Unnotify(Gone::Old(user)) => Some(format!("old {user}")),
            Self::Scheduled(_)
            | Self::Reminder(_)
            | Self::Retention
            | Self::Previews(_)
            | Self::NotifyRest(..)
            | Self::NotifyMentioned(..)
            | Self::GuestLink(_) => None,
        }
    }

    /// The row of it, for what is stored with a message.
    pub fn row(&self, app: &App, due_at: Timestamp) -> Result<NewJob> {
        self.row_as(app.id(), due_at)
    }

    /// The same with an id that was made already.
    pub fn row_as(&self, id: i64, due_at: Timestamp) -> Result<NewJob> {
        let job = serde_json::to_string(self).map_err(Error::internal)?;
        Ok(NewJob { id, job, due_at, key: self.key() })
    }
}

/// The runner's part in the application.
#[derive(Debug)]
pub struct Jobs {
    wake: Notify,
    slots: Arc<Semaphore>,
    /// When the next one is due, as it was at the last look.
    next: AtomicI64,
    /// Until when the runner sleeps; while it is looking, without end.
    asleep_until: AtomicI64,
    /// How many were due and are dead, as it was at the last look.
    due: AtomicI64,
    dead: AtomicI64,
}

impl Default for Jobs {
    fn default() -> Self {
        let slots = Arc::new(Semaphore::new(AT_ONCE as usize));
        Self {
            wake: Notify::new(),
            slots,
            next: AtomicI64::new(i64::MAX),
            asleep_until: AtomicI64::new(i64::MAX),
            due: AtomicI64::new(0),
            dead: AtomicI64::new(0),
        }
    }
}

impl Jobs {
    /// Says that there may be something to do.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Says that there is something to do at a time. It costs nothing where the runner looks before it by itself.
    pub fn wake_by(&self, due: Timestamp) {
        if due.millis() < self.asleep_until.load(Ordering::Acquire) {
            self.wake();
        }
    }

    /// How many are being done.
    pub fn running(&self) -> usize {
        (AT_ONCE as usize).saturating_sub(self.slots.available_permits())
    }

    /// Waits until none is being done; for after the shutdown.
    pub async fn ended(&self) {
        // It fails only where nobody waits any more.
        drop(self.slots.acquire_many(AT_ONCE).await);
    }

    /// By how many milliseconds the one that waits longest is late.
    pub fn late(&self, now: Timestamp) -> i64 {
        now.millis().saturating_sub(self.next.load(Ordering::Acquire)).max(0)
    }

    /// How many were due at the last look.
    pub fn due(&self) -> i64 {
        self.due.load(Ordering::Acquire)
    }

    /// How many failed too often.
    pub fn dead(&self) -> i64 {
        self.dead.load(Ordering::Acquire)
    }

    fn looked(&self, at: Outlook) {
        self.next.store(at.next.unwrap_or(i64::MAX), Ordering::Release);
        self.due.store(at.due, Ordering::Release);
        self.dead.store(at.dead, Ordering::Release);
    }
}

/// Forgets those that have been dead for long.
pub async fn sweep(app: &App) -> Result<()> {
    let mut tx = app.db.begin().await?;
    store::sweep(&mut tx, app.now().plus_millis(-DEAD_KEPT)).await?;
    Ok(tx.commit().await?)
}
