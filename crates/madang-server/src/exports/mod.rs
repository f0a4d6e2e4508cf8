//! Exports: what is stored of someone, or what an owner sees of a workspace, made into a file that they alone can download
//! for some days.
//!
//! Making one may take long, so it is not a job, which has a minute: the child `exports` makes those that wait, one at
//! a time ([`making`]). A row says how far each is.
//!
//! Invariants:
//! - A user has at most one of themself and of each workspace; asking anew takes the one before away.
//! - Nobody but the user comes to it, and to one of a workspace only while they are its owner.
//! - In what is of a user nothing was said by others; in what is of a workspace nothing that its owner does not see.

pub mod http;
mod making;

use madang_proto::{
    ExportId, FileId, WorkspaceId,
    audit::AuditAction,
    exports::{Export, ExportState},
    limits,
    permissions::WorkspacePermission,
};
use madang_store::{
    Tx,
    exports::{self as store, Stored},
};

pub use self::making::run;
use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    error::{Error, Result},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a user is told of theirs.
fn told(export: Export) -> Export {
    let link = (export.state == ExportState::Ready).then(|| match export.workspace_id {
        Some(id) => format!("/workspaces/{id}/export/file"),
        None => "/users/me/export/file".to_owned(),
    });
    Export { link, ..export }
}

/// The name of its bytes in the storage: ids are of one sequence.
fn bytes_of(id: ExportId) -> FileId {
    FileId::from(id.get())
}

/// Only owners come to what is of a workspace.
async fn allowed(tx: &mut Tx, actor: Actor, of: Option<WorkspaceId>) -> Result<()> {
    if let Some(workspace) = of {
        access::workspace(tx, actor, workspace, WorkspacePermission::Export).await?;
    }
    Ok(())
}

/// Asks for all that is stored of the actor, or for what they see of a workspace.
pub async fn create(app: &App, actor: Actor, of: Option<WorkspaceId>) -> Result<Export> {
    let being_made = || Error::Conflict("one is being made already".to_owned());
    let mut change = app.change().await?;
    allowed(change.tx(), actor, of).await?;
    if let Some(before) = store::of_user(change.tx(), actor.user, of).await? {
        let since = (app.now().millis() - before.export.created_at.millis()) / 1_000;
        match before.export.state {
            ExportState::Waiting => return Err(being_made()),
            ExportState::Ready if since < limits::EXPORT_SECONDS => {
                let wait = limits::EXPORT_SECONDS - since.max(0);
                return Err(Error::RateLimited { retry_after: u32::try_from(wait).unwrap_or(u32::MAX) });
            }
            ExportState::Ready | ExportState::Failed => {}
        }
    }
    if let Some(workspace) = of {
        if store::is_waiting(change.tx(), workspace).await? {
            return Err(being_made());
        }
        audit::note(app, &mut change, actor, workspace, Act::new(AuditAction::WorkspaceExported)).await?;
    }
    let export = Export {
        id: app.id(),
        workspace_id: of,
        state: ExportState::Waiting,
        created_at: app.now(),
        expires_at: None,
        sha256: None,
        link: None,
    };
    store::replace(change.tx(), actor.user, &export).await?;
    change.after(|app| app.exports.notify_one());
    change.commit().await?;
    Ok(export)
}

/// How far the actor's export is.
pub async fn show(app: &App, actor: Actor, of: Option<WorkspaceId>) -> Result<Export> {
    Ok(told(find(app, actor, of).await?.export))
}

async fn find(app: &App, actor: Actor, of: Option<WorkspaceId>) -> Result<Stored> {
    let mut tx = app.db.read().await?;
    allowed(&mut tx, actor, of).await?;
    let found = store::of_user(&mut tx, actor.user, of).await?;
    // It is swept a little later than its time.
    let there = |found: &Stored| found.export.expires_at.is_none_or(|at| at > app.now());
    found.filter(there).ok_or(Error::NotFound("export"))
}
