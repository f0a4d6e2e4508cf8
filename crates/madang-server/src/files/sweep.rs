//! The child `files`: forgets the bytes of removed files, removes what nobody sent, and sees when a storage that
//! was away is back.
//!
//! Invariants:
//! - A row goes after its bytes: what is not forgotten now is forgotten later.

use std::time::Duration;

use madang_proto::{FileId, Timestamp, limits};
use madang_realtime::BoxError;
use madang_store::files as store;

use crate::{app::App, error::Result, nodes::leases};

const TICK: Duration = Duration::from_secs(1);
const HOUR_MS: i64 = 3_600_000;
/// Files that are forgotten in one pass.
const PASS: u32 = 100;

/// Runs until the server stops.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next = app.now();
    // What a crash or an outage left.
    let mut waiting = true;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = app.storage.removed.notified() => waiting = true,
            () = app.shutdown.wait() => return Ok(()),
        }
        app.faults.point("files");
        if !app.storage.is_well() {
            app.storage.probe().await;
            continue;
        }
        if app.now() >= next {
            next = app.now().plus_millis(HOUR_MS);
            match expire(&app, app.now()).await {
                Ok(()) => waiting = true,
                Err(error) => tracing::warn!(%error, "old uploads"),
            }
            match usage(&app).await {
                Ok(bytes) => app.metrics.files(bytes),
                Err(error) => tracing::warn!(%error, "bytes of files"),
            }
        }
        if waiting {
            match forget(&app).await {
                Ok(more) => waiting = more,
                Err(error) => tracing::warn!(%error, "removed files"),
            }
        }
    }
}

/// Removes what was not sent in time.
async fn expire(app: &App, now: Timestamp) -> Result<()> {
    let mut change = app.change().await?;
    store::expire(change.tx(), now.plus_millis(-limits::FILE_HOURS * HOUR_MS)).await?;
    change.commit().await?;
    // A backup of the database that was put back may not know what was gathered since.
    for (id, _) in app.storage.all_coming().await? {
        if is_old(id, now) {
            app.storage.drop_coming(id).await?;
        }
    }
    let of_all = async {
        for id in app.storage.all_with_pieces().await?.into_iter().filter(|id| is_old(*id, now)) {
            app.storage.forget_coming(id).await?;
        }
        Ok(())
    };
    leases::alone(app, "uploads", of_all).await.map(drop)
}

async fn usage(app: &App) -> Result<i64> {
    Ok(store::usage(&mut app.db.read().await?).await?)
}

fn is_old(id: FileId, now: Timestamp) -> bool {
    madang_proto::ids::made_at(id.get()) < now.millis() - 2 * limits::FILE_HOURS * HOUR_MS
}

/// Forgets removed files, their bytes first. Whether there are more.
async fn forget(app: &App) -> Result<bool> {
    let removed = store::removed(&mut app.db.read().await?, PASS).await?;
    for id in &removed {
        app.storage.forget(*id).await?;
        let mut change = app.change().await?;
        store::forget(change.tx(), *id).await?;
        change.commit().await?;
    }
    Ok(u32::try_from(removed.len()) == Ok(PASS))
}
