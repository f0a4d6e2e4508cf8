//! Files: uploaded first, carried by a message then, gone with it.
//!
//! How: what a request brings is gathered in a folder on this machine; what comes in several (`resumable`) is put
//! together from what is kept of each. When it is whole, their type is read from them, images are cleaned and made small, and all
//! is kept in the storage (`storage`). The row of a file is there before its first byte and after its last, so
//! what a crash leaves behind is known and swept (`sweep`).
//!
//! Invariants:
//! - A file is a message's, or the avatar of its uploader (`avatars`). Until a message carries it, a file is its uploader's alone; from then on, of those who see the message.
//! - What a file is called is in no path, and what a client says that it is, is not believed.

pub mod avatars;
mod emoji;
mod heif;
pub mod http;
pub mod images;
pub mod kinds;
mod prepare;
mod resumable;
pub mod serve;
mod storage;
mod strip;
mod sweep;
pub mod tus;
mod video;

pub use http::unreadable;
pub use images::{AT_ONCE as IMAGES_AT_ONCE, thumbnail_of};
pub use serve::{Given, Part};
pub use storage::{Piece, Storage, of_disk, on_disk};
pub use sweep::run as sweep;
pub use video::{AT_ONCE as VIDEOS_AT_ONCE, Ffmpeg, container};

use std::{io::ErrorKind, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use madang_proto::{FileId, WorkspaceId, files::File, input, limits};
use madang_store::files::{self as store, Found, NewFile};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};

use crate::{
    access,
    app::{Actor, App},
    error::{Error, Result},
    ratelimit::Limit,
};
use prepare::{Prepared, on_a_thread, prepare};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;
const SILENCE: Duration = Duration::from_millis(limits::UPLOAD_SILENCE_MS as u64);
const NOT_ENOUGH: &str = "you keep as many files as you may; delete some messages that carry large ones";

/// A file on its way. When it is dropped before it has come, it is removed.
pub struct Upload {
    app: App,
    actor: Actor,
    new: NewFile,
    done: bool,
}

impl Upload {
    /// It has come, and stays.
    pub fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.done {
            let (app, actor, id) = (self.app.clone(), self.actor, self.new.id);
            // What is not removed now goes when it is too old.
            let supervisor = app.supervisor.clone();
            supervisor.isolated("uploads", async move {
                drop(give_up(&app, actor, id).await);
            });
        }
    }
}

/// Notes a file that is to come, of about so many bytes.
async fn begin(app: &App, actor: Actor, name: &str, size: i64) -> Result<NewFile> {
    app.limits.check(Limit::UploadByUser, actor.user)?;
    if !app.storage.is_well() {
        return Err(Error::FilesAway("storage of files: it was away just now".to_owned()));
    }
    let most = app.config.file_bytes();
    if size > most {
        return Err(Error::TooLarge(usize::try_from(most).unwrap_or(usize::MAX)));
    }
    let (uploader, created_at) = (actor.user, app.now());
    let new = NewFile { id: app.id(), uploader, name: input::file_name(name), size, created_at };
    let mut change = app.change().await?;
    let (kept, coming) = store::lock_usage(change.tx(), actor.user).await?;
    if coming >= limits::UPLOADS_PER_USER {
        return Err(Error::Conflict(format!("{} uploads at most at a time", limits::UPLOADS_PER_USER)));
    }
    if kept.saturating_add(size) > app.config.quotas().0 {
        return Err(Error::StorageFull(NOT_ENOUGH));
    }
    store::insert(change.tx(), &new).await?;
    change.commit().await?;
    Ok(new)
}

/// Takes a file in, of at most `size` bytes.
pub async fn create(
    app: &App,
    actor: Actor,
    name: &str,
    size: i64,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<File> {
    let new = begin(app, actor, name, size).await?;
    let upload = Upload { app: app.clone(), actor, new, done: false };
    gather(&app.storage.coming(upload.new.id), size, body).await?;
    let file = finish(app, &upload.new).await?;
    upload.done();
    Ok(file)
}

/// Keeps an emoji that is made of a picture. Its row is still that of a file that is coming.
pub async fn keep_emoji(app: &App, actor: Actor, name: &str, picture: Bytes) -> Result<(Upload, File)> {
    if picture.len() > limits::EMOJI_BYTES {
        return Err(Error::TooLarge(limits::EMOJI_BYTES));
    }
    let media_type = kinds::sniff(&picture);
    if !kinds::is_image(media_type) {
        return Err(Error::field("file", "a picture: PNG, GIF, JPEG or WebP"));
    }
    let new = begin(app, actor, name, i64::try_from(picture.len()).unwrap_or(i64::MAX)).await?;
    let upload =
        Upload { app: app.clone(), actor, new: NewFile { name: name.to_owned(), ..new }, done: false };
    let turn = app.images.acquire().await.map_err(Error::internal)?;
    let make = move || emoji::make(media_type, &picture).ok_or_else(|| ErrorKind::InvalidData.into());
    let emoji::Made { bytes, media_type, width, height } = on_a_thread(media_type, make).await?;
    drop(turn);
    let (size, sha256) = app.storage.keep_small(upload.new.id, bytes).await?;
    let file = File {
        id: upload.new.id,
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        size,
        sha256,
        width: Some(width),
        height: Some(height),
        duration_ms: None,
        thumbnail: false,
        created_at: upload.new.created_at,
    };
    Ok((upload, file))
}

/// Adds bytes to what is gathered at a place, which has room for so many more. Gives how many came.
async fn gather(
    place: &std::path::Path,
    room: i64,
    mut body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<i64> {
    let mut options = tokio::fs::OpenOptions::new();
    let target = options.create(true).append(true).open(place).await.map_err(of_disk)?;
    let mut target = BufWriter::with_capacity(BUFFER, target);
    let mut came = 0_i64;
    let result = loop {
        let piece = match tokio::time::timeout(SILENCE, body.next()).await {
            Err(_) => break Err(cut("nothing came for too long")),
            Ok(None) => break Ok(came),
            Ok(Some(Err(error))) => break Err(error),
            Ok(Some(Ok(piece))) => piece,
        };
        let longer = came.saturating_add(i64::try_from(piece.len()).unwrap_or(i64::MAX));
        if longer > room {
            break Err(Error::TooLarge(usize::try_from(room).unwrap_or(usize::MAX)));
        }
        target.write_all(&piece).await.map_err(of_disk)?;
        came = longer;
    };
    // What came is kept also when no more does: an upload may be resumed.
    target.flush().await.map_err(of_disk)?;
    result
}

fn cut(why: &str) -> Error {
    Error::Invalid { detail: format!("the body ended early: {why}"), errors: Vec::new() }
}

/// Looks at what was gathered and keeps it.
async fn finish(app: &App, new: &NewFile) -> Result<File> {
    let mut head = Vec::new();
    let whole = tokio::fs::File::open(app.storage.coming(new.id)).await.map_err(of_disk)?;
    let most = u64::try_from(kinds::HEAD).unwrap_or(u64::MAX);
    whole.take(most).read_to_end(&mut head).await.map_err(of_disk)?;
    let media_type = kinds::sniff(&head);
    if !kinds::is_allowed(media_type, &app.config.file_types) {
        return Err(Error::field("file", format!("files of type {media_type} are not taken here")));
    }
    let prepared = prepare(app, new.id, media_type).await?;
    let from = if prepared.is_some() { app.storage.cleaned(new.id) } else { app.storage.coming(new.id) };
    let (size, sha256) = app.storage.keep(new.id, Piece::Whole, &from).await?;
    let Prepared { width, height, duration_ms, thumbnail } = prepared.unwrap_or_default();
    let has_thumbnail = thumbnail.is_some();
    if let Some(small) = thumbnail {
        app.storage.keep_thumbnail(new.id, small).await?;
    }
    let file = File {
        id: new.id,
        name: new.name.clone(),
        media_type: media_type.to_owned(),
        size,
        sha256,
        width,
        height,
        duration_ms,
        thumbnail: has_thumbnail,
        created_at: new.created_at,
    };
    let mut change = app.change().await?;
    if !store::complete(change.tx(), &file).await? {
        return Err(Error::NotFound("upload"));
    }
    change.commit().await?;
    // What is left of it goes with the next sweep.
    drop(app.storage.drop_coming(new.id).await);
    Ok(file)
}

/// A picture that the server made, kept for someone, until a message carries it: when it is dropped before, it is
/// removed.
pub struct Kept {
    /// What is known of it.
    pub file: File,
    upload: Upload,
}

impl Kept {
    /// A message carries it.
    pub fn stays(mut self) {
        self.upload.done = true;
    }
}

/// Keeps a picture that the server made, among the files of someone. Nothing where there is no room.
pub async fn keep(app: &App, actor: Actor, media_type: &str, bytes: Bytes) -> Result<Option<Kept>> {
    let ending = media_type.strip_prefix("image/").unwrap_or_default();
    let (size, created_at) = (i64::try_from(bytes.len()).unwrap_or(i64::MAX), app.now());
    let new =
        NewFile { id: app.id(), uploader: actor.user, name: format!("preview.{ending}"), size, created_at };
    let mut change = app.change().await?;
    let (kept, _) = store::lock_usage(change.tx(), actor.user).await?;
    if kept.saturating_add(size) > app.config.quotas().0 {
        return Ok(None);
    }
    store::insert(change.tx(), &new).await?;
    change.commit().await?;
    let upload = Upload { app: app.clone(), actor, new, done: false };
    let id = upload.new.id;
    let (size, sha256) = match app.storage.keep_small(id, bytes.into()).await {
        Err(Error::StorageFull(_)) => return Ok(None),
        stored => stored?,
    };
    let name = upload.new.name.clone();
    let media_type = media_type.to_owned();
    let file = File {
        id,
        name,
        media_type,
        size,
        sha256,
        width: None,
        height: None,
        duration_ms: None,
        thumbnail: false,
        created_at,
    };
    Ok(Some(Kept { file, upload }))
}

/// Removes a file that is coming. False when there is none.
async fn give_up(app: &App, actor: Actor, id: FileId) -> Result<bool> {
    let mut change = app.change().await?;
    let found = store::give_up(change.tx(), id, actor.user).await?;
    change.commit().await?;
    app.storage.removed.notify_one();
    Ok(found)
}

/// A file that the actor may see.
pub async fn show(app: &App, actor: Actor, id: FileId) -> Result<File> {
    let Found { file, .. } = access::file(app, actor, id).await?;
    Ok(file)
}

/// The files that a message of the actor is to carry, in their order. Asks nothing when there are none.
pub async fn to_send(app: &App, actor: Actor, workspace: WorkspaceId, ids: &[FileId]) -> Result<Vec<File>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |reason: &str| Err(Error::field("file_ids", reason));
    if ids.len() > limits::FILES_PER_MESSAGE {
        return wrong(&format!("at most {}", limits::FILES_PER_MESSAGE));
    }
    let mut tx = app.db.read().await?;
    let mut found = store::of_uploader(&mut tx, actor.user, ids).await?;
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(place) = found.iter().position(|file| file.id == *id) else {
            return wrong("each a file that you uploaded, once");
        };
        files.push(found.swap_remove(place));
    }
    let kept = store::usage_of_workspace(&mut tx, workspace).await?;
    let more: i64 = files.iter().map(|file| file.size).sum();
    if kept.saturating_add(more) > app.config.quotas().1 {
        return Err(Error::StorageFull("the workspace has no room for more files"));
    }
    Ok(files)
}
