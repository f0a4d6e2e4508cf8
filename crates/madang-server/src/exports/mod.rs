//! Exports: what is stored of someone, made into a file that they alone can download for some days.
//!
//! Making one may take long, so it is not a job, which has a minute: the child `exports` makes those that wait, one at
//! a time ([`making`]). A row says how far each is.
//!
//! Invariants:
//! - A user has at most one; asking anew takes the one before away.
//! - Nobody but the user comes to it, and nothing in it was said by others.

pub mod http;
mod making;

use madang_proto::{
    ExportId, FileId,
    exports::{Export, ExportState},
    limits,
};
use madang_store::exports::{self as store, Stored};

pub use self::making::run;
use crate::{
    app::{Actor, App},
    error::{Error, Result},
};

/// Where the file is, under the base path.
const LINK: &str = "/users/me/export/file";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a user is told of theirs.
fn told(export: Export) -> Export {
    let link = (export.state == ExportState::Ready).then(|| LINK.to_owned());
    Export { link, ..export }
}

/// The name of its bytes in the storage: ids are of one sequence.
fn bytes_of(id: ExportId) -> FileId {
    FileId::from(id.get())
}

/// Asks for all that is stored of the actor.
pub async fn create(app: &App, actor: Actor) -> Result<Export> {
    let mut change = app.change().await?;
    if let Some(before) = store::of_user(change.tx(), actor.user).await? {
        let since = (app.now().millis() - before.export.created_at.millis()) / 1_000;
        match before.export.state {
            ExportState::Waiting => return Err(Error::Conflict("one is being made already".to_owned())),
            ExportState::Ready if since < limits::EXPORT_SECONDS => {
                let wait = limits::EXPORT_SECONDS - since.max(0);
                return Err(Error::RateLimited { retry_after: u32::try_from(wait).unwrap_or(u32::MAX) });
            }
            ExportState::Ready | ExportState::Failed => {}
        }
    }
    let export = Export {
        id: app.id(),
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
pub async fn show(app: &App, actor: Actor) -> Result<Export> {
    Ok(told(find(app, actor).await?.export))
}

async fn find(app: &App, actor: Actor) -> Result<Stored> {
    let found = store::of_user(&mut app.db.read().await?, actor.user).await?;
    // It is swept a little later than its time.
    let there = |found: &Stored| found.export.expires_at.is_none_or(|at| at > app.now());
    found.filter(there).ok_or(Error::NotFound("export"))
}
