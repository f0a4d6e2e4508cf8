//! The child `search`: it follows the log and indexes what changed, off the way of a message.
//!
//! A commit wakes it; it reads what the database says is not indexed and indexes it in small transactions of
//! its own, with pauses in which senders have the database to themselves. What it missed (a crash, a database
//! that was away, changes of another node) it finds when it looks again.
//!
//! Invariants:
//! - No send waits for it, but for a transaction that has begun.
//! - A database that is away is waited for; it never ends the process.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use madang_realtime::BoxError;
use madang_store::search as store;
use tokio::{sync::Notify, time::Instant};

use crate::app::App;

/// What changes within this time is indexed together.
const GATHER: Duration = Duration::from_millis(200);
/// How long it sleeps where nothing wakes it.
const SLEEP: Duration = Duration::from_secs(60);
/// How long it waits after the database failed.
const RETRY: Duration = Duration::from_secs(2);
/// Changes a second above which it takes a tenth of its time only.
const BUSY: f64 = 1_000.0;
/// Not looked yet.
const UNKNOWN: i64 = -1;

/// How far the index is behind.
#[derive(Debug)]
pub struct Indexing {
    /// Changes that were not indexed when it looked last.
    left: AtomicI64,
    /// Changes that were committed since it began to look.
    noted: AtomicI64,
    wake: Notify,
}

impl Default for Indexing {
    fn default() -> Self {
        Self { left: AtomicI64::new(UNKNOWN), noted: AtomicI64::new(0), wake: Notify::new() }
    }
}

impl Indexing {
    /// Hears of so many changes that were committed.
    pub fn note(&self, changes: usize) {
        if changes > 0 {
            self.noted.fetch_add(i64::try_from(changes).unwrap_or(i64::MAX), Ordering::AcqRel);
            self.wake.notify_one();
        }
    }

    /// How many changes are not indexed yet, about; `None` while it has not looked.
    pub fn behind(&self) -> Option<i64> {
        let noted = self.noted.load(Ordering::Acquire);
        let left = self.left.load(Ordering::Acquire);
        (left != UNKNOWN).then_some(left + noted)
    }

    /// What was noted before the last look is among what it found `left`.
    fn looked(&self, left: i64, noted: i64) {
        self.left.store(left, Ordering::Release);
        self.noted.fetch_sub(noted, Ordering::AcqRel);
    }
}

/// Indexes until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    let mut before = Instant::now();
    loop {
        app.faults.point("search");
        let begun = Instant::now();
        let noted = app.indexing.noted.load(Ordering::Acquire);
        let left = pass(&app, noted).await;
        let took = begun.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "about how many")]
        let rate = noted as f64 / (begun - before).as_secs_f64().max(0.001);
        before = begun;
        let pause = async {
            match left {
                Ok(0) => {
                    drop(tokio::time::timeout(SLEEP, app.indexing.wake.notified()).await);
                    tokio::time::sleep_until(begun + GATHER).await;
                }
                // As long again as it took is for others, and nine times as long while very much is sent.
                Ok(_) => tokio::time::sleep(took * if rate > BUSY { 9 } else { 1 }).await,
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

/// Indexes as much as has room in a transaction, after so many changes were noted; gives how much is left.
async fn pass(app: &App, noted: i64) -> Result<i64, madang_store::Error> {
    let (channels, total) = store::behind(&app.db).await?;
    let mut left = total;
    if !channels.is_empty() {
        let batch = store::changed(&app.db, &channels).await?;
        app.faults.point("search-store");
        left -= store::store(&app.db, &batch).await?;
    }
    app.indexing.looked(left, noted);
    Ok(left)
}
