//! The child `exports`: makes what waits, oldest first, one at a time on all nodes, and forgets what nobody may have any
//! more.
//!
//! Invariants:
//! - What was begun and not finished, by a crash or a stop, is begun again.
//! - One that fails [`ATTEMPTS`] times is `failed`, and its user is told.
//! - A database or a storage that is away is waited for; it never ends the process.

use std::time::Duration;

use madang_proto::{
    Event, Timestamp,
    exports::{Export, ExportState},
    limits,
};
use madang_realtime::{BoxError, Topic};
use madang_store::{
    exports::{self as store, Stored},
    transfer::Scope,
};

use super::{DAY_MS, bytes_of, told};
use crate::{
    app::App,
    error::Result,
    files::{Piece, of_disk},
    nodes::leases,
    transfer,
};

/// How often one is begun.
const ATTEMPTS: i64 = 5;
/// How long it sleeps where nothing wakes it.
const SLEEP: Duration = Duration::from_secs(60);
/// How long it waits after a failure, or for another node.
const RETRY: Duration = Duration::from_secs(2);
/// Exports that are forgotten in one pass.
const PASS: u32 = 100;

/// Makes and forgets until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    loop {
        app.faults.point("exports");
        let pause = async {
            match pass(&app).await {
                Ok(Some(next)) => tokio::select! {
                    () = app.exports.notified() => {}
                    () = app.clock.until(next) => {}
                    () = tokio::time::sleep(SLEEP) => {}
                },
                // Another node is at it, which may end without having seen what is new.
                Ok(None) => tokio::time::sleep(RETRY).await,
                Err(error) => {
                    tracing::warn!(error = error.reason(), "exports");
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

/// Does what there is to do; gives when to look again. Nothing where another node does it.
async fn pass(app: &App) -> Result<Option<Timestamp>> {
    match later(app).await? {
        Some(next) => Ok(Some(next)),
        None => leases::alone(app, "exports", make_all(app)).await,
    }
}

/// When to look again, where there is nothing to do until then.
async fn later(app: &App) -> Result<Option<Timestamp>> {
    let (due, next) = store::outlook(&mut app.db.read().await?).await?;
    let next = next.unwrap_or(Timestamp::from(i64::MAX));
    // Where the storage is away, the child `files` sees when it is back.
    Ok(((due == 0 && next > app.now()) || !app.storage.is_well()).then_some(next))
}

/// Forgets what is to go, and makes what waits; gives when to look again.
async fn make_all(app: &App) -> Result<Timestamp> {
    loop {
        if let Some(next) = later(app).await? {
            return Ok(next);
        }
        forget(app).await?;
        let mut tx = app.db.begin().await?;
        let begun = store::begin(&mut tx).await?;
        tx.commit().await?;
        let Some(begun) = begun else { continue };
        match make(app, &begun).await {
            Ok((export, size)) => finish(app, &begun, export, Some(size)).await?,
            Err(error) if begun.attempts >= ATTEMPTS => {
                tracing::error!(id = %begun.export.id, error = error.reason(), "an export failed too often");
                finish(app, &begun, Export { state: ExportState::Failed, ..begun.export.clone() }, None)
                    .await?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes the file of an export and keeps it; gives its size too.
async fn make(app: &App, begun: &Stored) -> Result<(Export, i64)> {
    let folder = tempfile::Builder::new().prefix("export").tempdir_in(&app.config.data).map_err(of_disk)?;
    let to = folder.path().join("transfer");
    let scope = match begun.export.workspace_id {
        Some(workspace) => Scope::Owner { workspace, owner: begun.user },
        None => Scope::User(begun.user),
    };
    transfer::write(&app.db, Some(&app.storage), scope, folder.path(), &to, app.now()).await?;
    app.faults.point("exports-keep");
    let (size, sha256) = app.storage.keep(bytes_of(begun.export.id), Piece::Export, &to).await?;
    let expires_at = Some(app.now().plus_millis(limits::EXPORT_DAYS * DAY_MS));
    let export =
        Export { state: ExportState::Ready, expires_at, sha256: Some(sha256), ..begun.export.clone() };
    Ok((export, size))
}

/// Stores what became of it, and tells its user.
async fn finish(app: &App, begun: &Stored, export: Export, size: Option<i64>) -> Result<()> {
    let mut change = app.change().await?;
    if store::finish(change.tx(), &export, size).await? {
        change.emit(Topic::User(begun.user), Event::Export(told(export)));
    }
    change.commit().await
}

/// Forgets those whose time is over, or that another took the place of; their bytes first.
async fn forget(app: &App) -> Result<()> {
    let now: Timestamp = app.now();
    let mut change = app.change().await?;
    let removed = store::expire(change.tx(), now, PASS).await?;
    change.commit().await?;
    for id in removed {
        app.storage.forget_pieces(bytes_of(id), &[Piece::Export]).await?;
        let mut change = app.change().await?;
        store::forget(change.tx(), id).await?;
        change.commit().await?;
    }
    Ok(())
}
