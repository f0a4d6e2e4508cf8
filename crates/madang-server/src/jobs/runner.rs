//! The child `jobs`: claims what is due and does it, several at once, each isolated.
//!
//! A commit with a job wakes it; otherwise it sleeps until the next one is due, and [`SLEEP`] at most, because
//! other nodes store jobs too, and may crash or be busy, and clocks are set. A job that it claimed is nobody else's until its lease ends. When
//! the process dies meanwhile, the job is done again after that.
//!
//! Invariants:
//! - A job that fails, panics or takes too long harms no other; it is tried again, and dead after
//!   [`ATTEMPTS`](super::retry::ATTEMPTS).
//! - A database that is away is waited for; it never ends the process, and costs no job an attempt that was not begun.
//! - No job runs longer than its lease.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use madang_proto::Timestamp;
use madang_realtime::BoxError;
use madang_store::jobs::{self as store, Claimed};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{sleep, timeout},
};
use tracing::Instrument;

use super::{AT_ONCE, Job, retry};
use crate::{app::App, drain, spans};

/// How long it sleeps where nothing wakes it.
const SLEEP: Duration = Duration::from_secs(15);
/// How long it waits after the database failed.
const RETRY: Duration = Duration::from_secs(2);
/// How long it waits where others were quicker.
const BEATEN: Duration = Duration::from_millis(50);
/// How long a job may take.
const WITHIN: Duration = Duration::from_secs(60);
/// How long nobody else does a job that was claimed, in milliseconds: it may take its time, and clocks of nodes differ.
const LEASE: i64 = 120_000;

/// Why a job was not done.
enum Undone {
    /// It failed.
    Failed(String),
    /// The server stops, and has no more time for it.
    Stopped,
}

/// Does what is due until the server stops; then what was begun is done first, or given back.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    loop {
        app.faults.point("jobs");
        let looked = look(&app).await;
        let pause = async {
            match looked {
                Ok(next) => tokio::select! {
                    () = app.jobs.wake.notified() => {}
                    () = app.clock.until(next) => {}
                    () = sleep(SLEEP) => {}
                },
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "jobs");
                    sleep(RETRY).await;
                }
            }
        };
        tokio::select! {
            () = pause => {}
            () = app.shutdown.wait() => break,
        }
    }
    app.jobs.ended().await;
    Ok(())
}

/// Begins what is due, as far as there is room; gives when to look again.
async fn look(app: &App) -> Result<Timestamp, madang_store::Error> {
    loop {
        app.jobs.asleep_until.store(i64::MAX, Ordering::Release);
        let outlook = store::outlook(&app.db, app.now()).await?;
        app.jobs.looked(outlook);
        let (now, next) = (app.now(), Timestamp::from(outlook.next.unwrap_or(i64::MAX)));
        let room = u32::try_from(app.jobs.slots.available_permits()).unwrap_or(AT_ONCE);
        if next > now {
            app.jobs.asleep_until.store(next.millis(), Ordering::Release);
            return Ok(next);
        }
        if room == 0 || app.shutdown.is_shutting_down() {
            // Whoever ends makes room and wakes this.
            return Ok(Timestamp::from(i64::MAX));
        }
        let claimed = store::claim(&app.db, now, now.plus_millis(LEASE), room).await?;
        if claimed.is_empty() {
            sleep(BEATEN).await;
        }
        for claimed in claimed {
            match Arc::clone(&app.jobs.slots).try_acquire_owned() {
                Ok(slot) => drop(app.supervisor.isolated("work", work(app.clone(), claimed, slot))),
                // The server stops, which wants all of them.
                Err(_) => store::give_back(&app.db, &claimed, now).await?,
            }
        }
    }
}

/// Does a job and stores what became of it.
async fn work(app: App, claimed: Claimed, slot: OwnedSemaphorePermit) {
    let Claimed { id, attempts, job } = &claimed;
    let kind = read(&claimed).map_or("unknown", |job| job.kind());
    let result = attempt(&app, &claimed).await;
    if !matches!(result, Err(Undone::Stopped)) {
        app.metrics.job(kind, if result.is_ok() { "done" } else { "failed" });
    }
    let stored = match result {
        Ok(()) => store::finish(&app.db, &claimed).await,
        Err(Undone::Stopped) => store::give_back(&app.db, &claimed, app.now()).await,
        Err(Undone::Failed(error)) if *attempts >= retry::ATTEMPTS => {
            tracing::error!(id, job, error, "a job failed too often");
            bury(&app, &claimed, &error).await
        }
        Err(Undone::Failed(error)) => {
            tracing::warn!(id, attempts, error, "a job failed, and is tried again");
            let again = app.now().plus_millis(retry::pause(*id, *attempts));
            store::retry(&app.db, &claimed, again, &error).await
        }
    };
    if let Err(error) = stored {
        // It is done again once its lease is over.
        tracing::warn!(error = &error as &dyn std::error::Error, id, "what became of a job");
    }
    drop(slot);
    app.jobs.wake();
}

/// Keeps it to be looked at, and says to whom it matters that it will not be done.
async fn bury(app: &App, claimed: &Claimed, error: &str) -> Result<(), madang_store::Error> {
    if let Ok(job) = read(claimed)
        && let Err(failed) = job.give_up(app).await
    {
        tracing::error!(id = claimed.id, error = failed.reason(), "giving a job up");
        if failed.code().is_temporary() {
            // Nobody was told: its lease ends, and this is tried again.
            return Ok(());
        }
    }
    store::bury(&app.db, claimed, app.now(), error).await
}

fn read(claimed: &Claimed) -> Result<Job, String> {
    serde_json::from_str(&claimed.job).map_err(|e| e.to_string())
}

/// Does a job, unless it was begun too often without ever coming to an end.
async fn attempt(app: &App, claimed: &Claimed) -> Result<(), Undone> {
    let failed = |why: &str| Err(Undone::Failed(why.to_owned()));
    if claimed.attempts > retry::ATTEMPTS {
        return failed("it was begun again and again and never came to an end");
    }
    let job = read(claimed).map_err(Undone::Failed)?;
    let span = spans::job(job.kind());
    let (done, outcome) = oneshot::channel();
    let of = app.clone();
    let task = app.supervisor.isolated("work", async move {
        of.faults.point("work");
        drop(done.send(job.run(&of).instrument(span).await));
    });
    let outcome = tokio::select! {
        outcome = timeout(WITHIN, outcome) => outcome,
        () = drain::out_of_time(app) => {
            task.abort();
            return Err(Undone::Stopped);
        }
    };
    match outcome {
        Ok(Ok(result)) => result.map_err(|error| Undone::Failed(error.reason())),
        Ok(Err(_)) => failed("it panicked; the log says where"),
        Err(_) => {
            task.abort();
            failed(&format!("it took longer than {} seconds", WITHIN.as_secs()))
        }
    }
}
