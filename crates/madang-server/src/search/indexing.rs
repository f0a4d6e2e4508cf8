//! The child `search`: it follows the log and indexes what changed, off the way of a message.
//!
//! A commit names its channels; it reads what the database says of them and indexes it in small transactions of
//! its own, with pauses in which senders have the database to themselves. What nobody named (a crash, a
//! database that was away, changes of another node) it finds when it looks at all channels, now and then.
//!
//! Invariants:
//! - No send waits for it, but for a transaction that has begun.
//! - Its cost follows what changes, not how many channels there are, but for a look at all.
//! - A database that is away is waited for; it never ends the process.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use madang_proto::ChannelId;
use madang_realtime::BoxError;
use madang_store::search as store;
use tokio::{sync::Notify, time::Instant};

use crate::app::App;

/// What changes within this time is indexed together, as each transaction costs the disk a flush.
const GATHER: Duration = Duration::from_millis(200);
/// Changes a second above which it gathers for five times as long, and takes a tenth of its time only.
const BUSY: f64 = 100.0;
/// How long it sleeps where nothing wakes it, and how often it looks at all channels.
const SLEEP: Duration = Duration::from_secs(60);
/// How long it waits after the database failed.
const RETRY: Duration = Duration::from_secs(2);
/// Most channels that it remembers; when there are more it looks at all.
const NAMED: usize = 4_096;
/// Most channels that it asks the database for at once.
const ASKED: usize = store::CHANGES as usize;

/// What it has to do, and how far it is behind.
#[derive(Debug, Default)]
pub struct Indexing {
    noted: Mutex<Noted>,
    wake: Notify,
}

/// What was committed since it looked last.
#[derive(Debug, Default)]
struct Noted {
    channels: BTreeSet<ChannelId>,
    changes: i64,
    /// Changes that were not indexed when it looked last.
    left: Option<i64>,
}

impl Indexing {
    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of changes that were committed, by their channels.
    pub fn note(&self, changes: impl Iterator<Item = ChannelId>) {
        let mut noted = self.noted();
        let before = noted.changes;
        for channel in changes {
            noted.changes += 1;
            // One above the most says that there were more.
            if noted.channels.len() <= NAMED {
                noted.channels.insert(channel);
            }
        }
        if noted.changes > before {
            self.wake.notify_one();
        }
    }

    /// How many changes are not indexed yet, about; `None` while it has not looked.
    pub fn behind(&self) -> Option<i64> {
        let noted = self.noted();
        noted.left.map(|left| left + noted.changes)
    }
}

/// What it knows to be behind.
#[derive(Debug, Default)]
struct Known {
    channels: BTreeSet<ChannelId>,
    /// The channel that it asked for last, after which it goes on.
    last: Option<ChannelId>,
    /// When it looked at all channels.
    looked: Option<Instant>,
    /// Whether it then knew of all that are behind.
    whole: bool,
}

impl Known {
    /// Takes what was noted; gives how many changes that is.
    fn take(&mut self, indexing: &Indexing) -> i64 {
        let mut noted = indexing.noted();
        let changes = std::mem::take(&mut noted.changes);
        self.channels.append(&mut noted.channels);
        noted.left = noted.left.map(|left| left + changes);
        changes
    }

    /// The channels to ask for next; `None` where it has to look at all.
    fn next(&self) -> Option<Vec<ChannelId>> {
        let fresh = self.looked.is_some_and(|at| at.elapsed() < SLEEP);
        if !fresh || self.channels.len() > NAMED || (self.channels.is_empty() && !self.whole) {
            return None;
        }
        let after = self.last.map_or(Unbounded, Excluded);
        let turn = self.channels.range((after, Unbounded)).chain(&self.channels);
        Some(turn.take(ASKED.min(self.channels.len())).copied().collect())
    }

    /// Indexes as much as has room in a transaction.
    async fn pass(&mut self, app: &App) -> Result<(), madang_store::Error> {
        let asked = self.next();
        let begun = Instant::now();
        let (behind, total) = store::behind(&app.db, asked.as_deref()).await?;
        let mut stored = 0;
        if !behind.is_empty() {
            let batch = store::changed(&app.db, &behind).await?;
            app.faults.point("search-store");
            stored = store::store(&app.db, &batch).await?;
        }
        let all = asked.is_none();
        match asked {
            Some(asked) => {
                self.last = asked.last().copied();
                for channel in &asked {
                    self.channels.remove(channel);
                }
            }
            None => {
                self.channels.clear();
                self.looked = Some(begun);
                self.whole = behind.len() < ASKED;
            }
        }
        if stored < total {
            self.channels.extend(behind.iter().map(store::Behind::channel));
        }
        let mut noted = app.indexing.noted();
        let left = if all { total } else { noted.left.unwrap_or_default() };
        noted.left = Some(if self.done() { 0 } else { left - stored });
        Ok(())
    }

    /// Whether all that it knows of is indexed.
    fn done(&self) -> bool {
        self.channels.is_empty() && self.whole
    }
}

/// Indexes until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    let mut before = Instant::now();
    let mut known = Known::default();
    loop {
        app.faults.point("search");
        let begun = Instant::now();
        let changes = known.take(&app.indexing);
        let result = known.pass(&app).await;
        let took = begun.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "about how many")]
        let busy = changes as f64 > BUSY * (begun - before).as_secs_f64();
        before = begun;
        let pause = async {
            match result {
                Ok(()) if known.done() => {
                    drop(tokio::time::timeout(SLEEP, app.indexing.wake.notified()).await);
                    tokio::time::sleep_until(begun + if busy { 5 * GATHER } else { GATHER }).await;
                }
                // As long again as it took is for others, and nine times as long while much is sent.
                Ok(()) => tokio::time::sleep(took * if busy { 9 } else { 1 }).await,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "indexing for search");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        tokio::select! {
            () = pause => {}
            () = app.shutdown.wait() => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(channels: std::ops::Range<i64>) -> Known {
        let indexing = Indexing::default();
        indexing.note(channels.map(ChannelId::from));
        let mut known = Known { looked: Some(Instant::now()), whole: true, ..Known::default() };
        known.take(&indexing);
        known
    }

    #[test]
    fn each_channel_has_its_turn() {
        let mut known = noted(0..600);
        let mut asked = std::collections::HashSet::new();
        for _ in 0..3 {
            let turn = known.next().unwrap();
            assert_eq!(turn.len(), ASKED);
            known.last = turn.last().copied();
            asked.extend(turn);
        }
        assert_eq!(asked.len(), 600);
        assert_eq!(noted(0..3).next().unwrap().len(), 3);
    }

    #[test]
    fn what_was_taken_and_not_indexed_stays_behind_when_another_goes_on() {
        let indexing = Indexing::default();
        indexing.noted().left = Some(0);
        indexing.note([ChannelId::from(1)].into_iter());
        assert_eq!(Known::default().take(&indexing), 1);
        assert_eq!(Known::default().take(&indexing), 0, "after a crash");
        assert_eq!(indexing.behind(), Some(1));
    }

    #[test]
    fn more_channels_than_it_remembers_make_it_look_at_all() {
        assert!(noted(0..4_096).next().is_some());
        assert_eq!(noted(0..9_000).next(), None);
        let known = Known { looked: None, ..noted(0..1) };
        assert_eq!(known.next(), None, "it never looked");
    }
}
