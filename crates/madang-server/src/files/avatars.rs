//! Avatars: a picture that someone uploads, of which a small square is kept and nothing else.
//!
//! An avatar is a file of its user without a message. Its address has a part that nobody can guess and that is new
//! with each picture, so it is given to whoever knows it, without a token, and may be kept for good: an `img` of a
//! page has no header for a token. The address is told to those who see its user. One that was replaced or removed is
//! given no more; who has it has a copy.

use axum::{body::Body, http::HeaderMap, response::Response};
use bytes::Bytes;
use futures_util::Stream;
use madang_proto::{FileId, limits};
use madang_store::files::{self as store, NewFile};

use super::{
    Upload, begin, gather, images, kinds,
    serve::{Given, Part},
    storage::{Piece, of_disk},
};
use crate::{
    app::{Actor, App},
    auth,
    error::{Error, Result},
};

/// A picture that is ready to be someone's avatar. When it is dropped before that is settled, it is removed.
pub struct Avatar(Upload);

impl Avatar {
    /// What is to be stored of it; in the place of a name the secret part of its address.
    pub const fn file(&self) -> &NewFile {
        &self.0.new
    }

    /// Its address.
    pub fn url(&self) -> String {
        address(self.0.new.id, &self.0.new.name)
    }

    /// It is someone's avatar from now on, in the place of another one.
    pub fn settled(mut self) {
        self.0.done = true;
        self.0.app.storage.removed.notify_one();
    }
}

/// Where an avatar is given.
pub fn address(id: FileId, secret: &str) -> String {
    format!("/api/v1/avatars/{id}/{secret}")
}

/// Takes in a picture of at most `size` bytes.
pub async fn create(
    app: &App,
    actor: Actor,
    size: i64,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<Avatar> {
    let new = begin(app, actor, "avatar", size).await?;
    let mut upload = Upload { app: app.clone(), actor, new, done: false };
    let id = upload.new.id;
    gather(&app.storage.coming(id), size, body).await?;
    let small = square(app, id).await?;
    upload.new.name = auth::unguessable();
    upload.new.size = i64::try_from(small.len()).unwrap_or(i64::MAX);
    app.storage.keep_thumbnail(id, small).await?;
    // What is left of it goes with the next sweep.
    drop(app.storage.drop_coming(id).await);
    Ok(Avatar(upload))
}

/// What was gathered, as a small square.
async fn square(app: &App, id: FileId) -> Result<Vec<u8>> {
    let path = app.storage.coming(id);
    let _turn = app.images.acquire().await.map_err(Error::internal)?;
    let work = tokio::task::spawn_blocking(move || -> std::io::Result<Option<Vec<u8>>> {
        let bytes = std::fs::read(&path)?;
        let media_type = kinds::sniff(bytes.get(..kinds::HEAD).unwrap_or(&bytes));
        Ok(if kinds::is_image(media_type) { images::square(media_type, &bytes) } else { None })
    });
    // Also where the decoder fell over it.
    let picture = work.await.unwrap_or(Ok(None)).map_err(of_disk)?;
    let pixels = limits::IMAGE_PIXELS / 1_000_000;
    picture.ok_or_else(|| {
        Error::field("file", format!("a JPEG, PNG, GIF or WebP of up to {pixels} million pixels"))
    })
}

/// Gives an avatar to whoever knows its address.
pub async fn show(app: &App, id: FileId, secret: &str, headers: &HeaderMap) -> Result<Response<Body>> {
    if !store::is_avatar(&mut app.db.read().await?, id, secret).await? {
        return Err(Error::NotFound("avatar"));
    }
    let tag = format!("\"{id}\"");
    let known = Part::asked(headers, &tag, 0) == Part::Unchanged;
    let (part, bytes) = match known {
        true => (Part::Unchanged, Bytes::new()),
        false => (Part::All, app.storage.read_small(id, Piece::Thumbnail).await?),
    };
    let size = u64::try_from(bytes.len()).unwrap_or_default();
    let media_type = images::type_of_thumbnail(&bytes);
    let given = Given { name: "avatar", media_type, tag: &tag, size, lasting: true };
    Ok(given.answer(&part, Body::from(bytes)))
}
