//! Uploads in pieces: begun, added to from where they stand, whole in the end. Lost connections cost what was on
//! its way, not what had come.
//!
//! Invariants:
//! - Where an upload stands is the length of what is gathered, and nothing else.
//! - One request at a time adds to an upload.
//! - Of what comes with a checksum, all is added or nothing, also when the server stops meanwhile.
//! - What is whole is looked at and kept, whether or not the client that sent the last piece is still there; when
//!   that could not be done, the next question about the upload does it.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use madang_proto::{FileId, Timestamp, limits};
use madang_store::files::{self as store, NewFile};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::{begin, finish, gather, give_up, storage::of_disk};
use crate::{
    app::{Actor, App},
    error::{Error, Result},
};

const HOUR_MS: i64 = 3_600_000;

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The file that it becomes.
    pub id: FileId,
    /// Bytes that have come.
    pub offset: i64,
    /// Bytes of all.
    pub length: i64,
    /// When it is removed, unless it is whole and sent.
    pub expires_at: Timestamp,
}

/// Uploads that are being added to.
#[derive(Debug, Default)]
pub struct Busy(Mutex<HashSet<FileId>>);

/// The right to add to an upload.
struct Turn {
    app: App,
    id: FileId,
}

impl Turn {
    fn take(app: &App, id: FileId) -> Result<Self> {
        if !app.storage.busy.0.lock().insert(id) {
            return Err(Error::Conflict("another request is adding to this upload".to_owned()));
        }
        Ok(Self { app: app.clone(), id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.storage.busy.0.lock().remove(&self.id);
    }
}

fn progress(new: &NewFile, offset: i64) -> Progress {
    let expires_at = new.created_at.plus_millis(limits::FILE_HOURS * HOUR_MS);
    Progress { id: new.id, offset, length: new.size, expires_at }
}

/// Begins an upload of so many bytes.
pub async fn create(app: &App, actor: Actor, name: &str, length: i64) -> Result<Progress> {
    let new = begin(app, actor, name, length).await?;
    if length == 0 {
        let nothing = futures_util::stream::empty();
        return append(app, actor, new.id, 0, None, nothing)
            .await
            .map(|added| added.unwrap_or(progress(&new, 0)));
    }
    Ok(progress(&new, 0))
}

/// How far an upload of the actor is.
pub async fn show(app: &App, actor: Actor, id: FileId) -> Result<Progress> {
    let new = match found(app, actor, id).await? {
        Ok(new) => new,
        Err(whole) => return Ok(whole),
    };
    let offset = gathered(app, id).await?;
    if offset < new.size {
        return Ok(progress(&new, offset));
    }
    whole(app, actor, Turn::take(app, id)?, new).await
}

/// Adds to an upload of the actor from where the client believes it to stand. `None`, and nothing is added, when it
/// is not what the SHA-256 was made of.
pub async fn append(
    app: &App,
    actor: Actor,
    id: FileId,
    offset: i64,
    sha256: Option<[u8; 32]>,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Option<Progress>> {
    let turn = Turn::take(app, id)?;
    let new = match found(app, actor, id).await? {
        Ok(new) => new,
        Err(whole) if whole.offset == offset => return Ok(Some(whole)),
        Err(_) => return Err(elsewhere()),
    };
    let there = gathered(app, id).await?;
    if there != offset {
        return Err(elsewhere());
    }
    let room = new.size - there;
    let came = match sha256 {
        None => gather(&app.storage.coming(id), room, body).await?,
        Some(sha256) => match gather_checked(app, id, room, sha256, body).await? {
            Some(came) => came,
            None => return Ok(None),
        },
    };
    let offset = there + came;
    if offset < new.size {
        return Ok(Some(progress(&new, offset)));
    }
    whole(app, actor, turn, new).await.map(Some)
}

/// Adds bytes once all are there and are what the SHA-256 was made of. `None` when they are not.
async fn gather_checked(
    app: &App,
    id: FileId,
    room: i64,
    sha256: [u8; 32],
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Option<i64>> {
    let aside = app.storage.unchecked(id);
    // What an earlier try left.
    drop(tokio::fs::remove_file(&aside).await);
    let mut hash = Sha256::new();
    let came = gather(&aside, room, body.inspect_ok(|bytes| hash.update(bytes))).await;
    let fits = hash.finalize()[..] == sha256;
    if fits && came.is_ok() {
        let mut from = tokio::fs::File::open(&aside).await.map_err(of_disk)?;
        let mut options = tokio::fs::OpenOptions::new();
        let place = app.storage.coming(id);
        let mut to = options.create(true).append(true).open(place).await.map_err(of_disk)?;
        tokio::io::copy(&mut from, &mut to).await.map_err(of_disk)?;
        to.flush().await.map_err(of_disk)?;
    }
    drop(tokio::fs::remove_file(&aside).await);
    came.map(|came| fits.then_some(came))
}

/// Gives an upload up.
pub async fn destroy(app: &App, actor: Actor, id: FileId) -> Result<()> {
    let _turn = Turn::take(app, id)?;
    if give_up(app, actor, id).await? { Ok(()) } else { Err(Error::NotFound("upload")) }
}

fn elsewhere() -> Error {
    Error::Conflict("the upload stands elsewhere; ask for its offset".to_owned())
}

/// An upload that is coming, or how far one is that has come.
async fn found(app: &App, actor: Actor, id: FileId) -> Result<std::result::Result<NewFile, Progress>> {
    let mut tx = app.db.read().await?;
    if let Some(new) = store::coming(&mut tx, id, actor.user).await? {
        return Ok(Ok(new));
    }
    let found = store::find(&mut tx, id).await?.filter(|found| found.uploader == actor.user);
    let file = found.ok_or(Error::NotFound("upload"))?.file;
    let expires_at = file.created_at.plus_millis(limits::FILE_HOURS * HOUR_MS);
    Ok(Err(Progress { id, offset: file.size, length: file.size, expires_at }))
}

async fn gathered(app: &App, id: FileId) -> Result<i64> {
    match tokio::fs::metadata(app.storage.coming(id)).await {
        Ok(found) => Ok(i64::try_from(found.len()).unwrap_or(i64::MAX)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(of_disk(error)),
    }
}

/// Keeps what is whole, to the end whoever waits for it. What cannot be taken is given up.
async fn whole(app: &App, actor: Actor, turn: Turn, new: NewFile) -> Result<Progress> {
    let (done, result) = tokio::sync::oneshot::channel();
    let (app_of_task, progress) = (app.clone(), progress(&new, new.size));
    app.supervisor.isolated("uploads", async move {
        let _turn = turn;
        let kept = finish(&app_of_task, &new).await;
        if kept.as_ref().is_err_and(|error| matches!(error, Error::Invalid { .. } | Error::TooLarge(_))) {
            drop(give_up(&app_of_task, actor, new.id).await);
        }
        drop(done.send(kept));
    });
    match result.await {
        Ok(kept) => kept.map(|_| progress),
        Err(_) => Err(Error::Unavailable("the upload was interrupted".to_owned())),
    }
}
