//! Uploads in pieces: begun, added to from where they stand, whole in the end. Lost connections cost what was on
//! its way, not what had come.
//!
//! What a request brings is gathered on this machine, and kept in the storage as a piece when the request ends, however it
//! does, so that the next one may go on at any node. The last one is not: with it the file is put together here.
//!
//! Invariants:
//! - Where an upload stands is where its pieces end, and what is here behind them.
//! - One request at a time adds to an upload at a node. Where two nodes are asked at once, each byte is still one that was
//!   sent for its place.
//! - Of what comes with a checksum, all is added or nothing, also when the server stops meanwhile.
//! - What came is kept, and what is whole is looked at, whether or not the client that sent it is still there; when that
//!   could not be done, the next question about the upload does it. One node at a time puts a file together.

use std::{collections::HashSet, path::Path};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use madang_proto::{FileId, Timestamp, UserId, limits};
use madang_store::files::{self as store, NewFile};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::{Piece, begin, finish, gather, give_up, storage::of_disk};
use crate::{
    app::{Actor, App},
    error::{Error, Result},
    nodes::leases,
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

/// Uploads that are being added to, and by whom: nobody is in the way of another.
#[derive(Debug, Default)]
pub struct Busy(Mutex<HashSet<(UserId, FileId)>>);

/// The right to add to an upload.
struct Turn {
    app: App,
    of: (UserId, FileId),
}

impl Turn {
    fn take(app: &App, actor: Actor, id: FileId) -> Result<Self> {
        let of = (actor.user, id);
        if !app.storage.busy.0.lock().insert(of) {
            return Err(Error::Conflict("another request is adding to this upload".to_owned()));
        }
        Ok(Self { app: app.clone(), of })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.app.storage.busy.0.lock().remove(&self.of);
    }
}

/// How far an upload has come.
struct Standing {
    /// What is in the storage: where each piece begins, and its bytes.
    pieces: Vec<(i64, i64)>,
    /// Bytes behind them that are gathered here.
    here: i64,
}

impl Standing {
    async fn of(app: &App, id: FileId) -> Result<Self> {
        let pieces = app.storage.pieces(id).await?;
        let mut standing = Self { pieces, here: 0 };
        standing.here = match tokio::fs::metadata(app.storage.coming_from(id, standing.end())).await {
            Ok(found) => i64::try_from(found.len()).unwrap_or(i64::MAX),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(of_disk(error)),
        };
        Ok(standing)
    }

    /// Where the pieces end.
    fn end(&self) -> i64 {
        self.pieces.last().map_or(0, |(at, bytes)| at + bytes)
    }

    fn offset(&self) -> i64 {
        self.end().saturating_add(self.here)
    }

    /// Makes a piece of what is here, unless the upload is whole with it, or has many.
    async fn keep(&mut self, app: &App, new: &NewFile) -> Result<()> {
        let at = self.end();
        if self.here == 0 || self.offset() >= new.size || self.pieces.len() >= limits::UPLOAD_PIECES {
            return Ok(());
        }
        let path = app.storage.coming_from(new.id, at);
        app.storage.keep(new.id, Piece::Coming(at), &path).await?;
        tokio::fs::remove_file(path).await.map_err(of_disk)?;
        self.pieces.push((at, std::mem::take(&mut self.here)));
        Ok(())
    }

    /// Puts the file together where it is gathered as a whole.
    async fn put_together(&self, app: &App, new: &NewFile) -> Result<()> {
        if self.offset() != new.size {
            return Err(elsewhere());
        }
        let mut options = tokio::fs::OpenOptions::new();
        let options = options.create(true).write(true).truncate(!self.pieces.is_empty());
        let mut whole = options.open(app.storage.coming(new.id)).await.map_err(of_disk)?;
        for (at, bytes) in &self.pieces {
            let piece = app.storage.read_whole(new.id, Piece::Coming(*at), *bytes).await?;
            let mut piece = piece.ok_or_else(elsewhere)?;
            while let Some(read) = piece.next().await {
                let read = read.map_err(|e| Error::FilesAway(format!("storage of files: {e}")))?;
                whole.write_all(&read).await.map_err(of_disk)?;
            }
        }
        if !self.pieces.is_empty() && self.here > 0 {
            let rest = app.storage.coming_from(new.id, self.end());
            let mut rest = tokio::fs::File::open(rest).await.map_err(of_disk)?;
            tokio::io::copy(&mut rest, &mut whole).await.map_err(of_disk)?;
        }
        whole.flush().await.map_err(of_disk)
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
    let turn = Turn::take(app, actor, id);
    let mut standing = Standing::of(app, id).await?;
    match turn {
        Err(busy) if standing.offset() >= new.size => return Err(busy),
        Err(_) => return Ok(progress(&new, standing.offset())),
        Ok(turn) if standing.offset() >= new.size => {
            let app_of_work = app.clone();
            return to_the_end(app, async move { whole(&app_of_work, actor, turn, new).await }).await;
        }
        // What a request left here that did not come to its end.
        Ok(_turn) => standing.keep(app, &new).await?,
    }
    Ok(progress(&new, standing.offset()))
}

/// Adds to an upload of the actor from where the client believes it to stand. `None`, and nothing is added, when it
/// is not what the SHA-256 was made of.
pub async fn append(
    app: &App,
    actor: Actor,
    id: FileId,
    offset: i64,
    sha256: Option<[u8; 32]>,
    body: impl Stream<Item = Result<Bytes>> + Unpin + Send + 'static,
) -> Result<Option<Progress>> {
    let turn = Turn::take(app, actor, id)?;
    let new = match found(app, actor, id).await? {
        Ok(new) => new,
        Err(whole) if whole.offset == offset => return Ok(Some(whole)),
        Err(_) => return Err(elsewhere()),
    };
    let app_of_work = app.clone();
    to_the_end(app, async move { add(&app_of_work, actor, turn, new, offset, sha256, body).await }).await
}

async fn add(
    app: &App,
    actor: Actor,
    turn: Turn,
    new: NewFile,
    offset: i64,
    sha256: Option<[u8; 32]>,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Option<Progress>> {
    let mut standing = Standing::of(app, new.id).await?;
    if standing.offset() != offset {
        return Err(elsewhere());
    }
    standing.keep(app, &new).await?;
    let (room, place) = (new.size - offset, app.storage.coming_from(new.id, standing.end()));
    let came = match sha256 {
        None => gather(&place, room, body).await.map(Some),
        Some(sha256) => gather_checked(app, new.id, &place, room, sha256, body).await,
    };
    // Also what came of a request that was cut.
    let mut standing = Standing::of(app, new.id).await?;
    standing.keep(app, &new).await?;
    match came? {
        None => Ok(None),
        Some(_) if standing.offset() < new.size => Ok(Some(progress(&new, standing.offset()))),
        Some(_) => whole(app, actor, turn, new).await.map(Some),
    }
}

/// Adds bytes once all are there and are what the SHA-256 was made of. `None` when they are not.
async fn gather_checked(
    app: &App,
    id: FileId,
    place: &Path,
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
        if !place.exists() {
            tokio::fs::rename(&aside, place).await.map_err(of_disk)?;
            return came.map(Some);
        }
        let mut from = tokio::fs::File::open(&aside).await.map_err(of_disk)?;
        let mut options = tokio::fs::OpenOptions::new();
        let mut to = options.create(true).append(true).open(place).await.map_err(of_disk)?;
        tokio::io::copy(&mut from, &mut to).await.map_err(of_disk)?;
        to.flush().await.map_err(of_disk)?;
    }
    drop(tokio::fs::remove_file(&aside).await);
    came.map(|came| fits.then_some(came))
}

/// Gives an upload up.
pub async fn destroy(app: &App, actor: Actor, id: FileId) -> Result<()> {
    let _turn = Turn::take(app, actor, id)?;
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

/// Does work to its end, whoever waits for it.
async fn to_the_end<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    app.supervisor.isolated("uploads", async move { drop(done.send(work.await)) });
    result.await.unwrap_or_else(|_| Err(Error::Unavailable("the upload was interrupted".to_owned())))
}

/// Keeps what is whole. What cannot be taken is given up.
async fn whole(app: &App, actor: Actor, _turn: Turn, new: NewFile) -> Result<Progress> {
    let work = async {
        // Unless another node was quicker.
        if found(app, actor, new.id).await?.is_ok() {
            Standing::of(app, new.id).await?.put_together(app, &new).await?;
            finish(app, &new).await?;
            app.storage.forget_coming(new.id).await?;
        }
        Ok(())
    };
    match leases::alone(app, &format!("upload-{}", new.id), work).await {
        Ok(Some(())) => Ok(progress(&new, new.size)),
        Ok(None) => Err(Error::Conflict("another node is at this upload".to_owned())),
        Err(error) => {
            if matches!(error, Error::Invalid { .. } | Error::TooLarge(_)) {
                drop(give_up(app, actor, new.id).await);
            }
            Err(error)
        }
    }
}
