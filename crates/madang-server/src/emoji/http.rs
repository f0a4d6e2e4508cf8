//! Routes of a workspace's own emoji.

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use madang_proto::{
    FileId, WorkspaceId,
    emoji::{CustomEmoji, EmojiList},
    limits,
    schema::EmojiName,
};
use utoipa::ToSchema;

use crate::{
    app::{Actor, App},
    error::{Error, Result},
    files::{self, Given, Part, Piece},
    http::{Json, Path},
};

/// Bytes of a form: the picture, the name, and what stands around them.
pub const FORM_BYTES: usize = limits::EMOJI_BYTES + 16 * 1024;

/// The form of a new emoji.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read field by field; this describes it")]
pub struct NewEmoji {
    /// What it is called, without the colons.
    #[schema(value_type = EmojiName)]
    name: String,
    /// A picture: PNG, GIF, JPEG or WebP.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// The emoji of a workspace's own.
#[utoipa::path(get, path = "/workspaces/{id}/emoji", tag = "emoji", params(("id" = WorkspaceId, Path)),
    responses((status = 200, body = EmojiList, description = "Emoji by name")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<EmojiList>> {
    Ok(Json(super::index(&app, actor, id).await?))
}

/// Add an emoji, by a form with `name` and `file`.
#[utoipa::path(post, path = "/workspaces/{id}/emoji", tag = "emoji", params(("id" = WorkspaceId, Path)),
    request_body(content = NewEmoji, content_type = "multipart/form-data"),
    responses((status = 201, body = CustomEmoji, description = "Added")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    request: Request,
) -> Result<(StatusCode, Json<CustomEmoji>)> {
    let form = Multipart::from_request(request, &app).await;
    let mut form = form.map_err(|e| Error::Invalid { detail: e.body_text(), errors: Vec::new() })?;
    let (mut name, mut picture) = (None, None);
    while let Some(field) = form.next_field().await.map_err(|e| files::unreadable(&e))? {
        let known = field.name().map(ToOwned::to_owned);
        let bytes = field.bytes().await.map_err(|e| files::unreadable(&e))?;
        match known.as_deref() {
            Some("name") => name = String::from_utf8(bytes.to_vec()).ok(),
            Some("file") => picture = Some(bytes),
            _ => return Err(Error::field("form", "only the fields name and file")),
        }
    }
    let name = name.ok_or_else(|| Error::field("name", "missing"))?;
    let picture: Bytes = picture.ok_or_else(|| Error::field("file", "missing"))?;
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, id, &name, picture).await?)))
}

/// Delete an emoji.
#[utoipa::path(delete, path = "/workspaces/{id}/emoji/{name}", tag = "emoji",
    params(("id" = WorkspaceId, Path), ("name" = EmojiName, Path)),
    responses((status = 204, description = "Deleted")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path((id, name)): Path<(WorkspaceId, String)>,
) -> Result<StatusCode> {
    super::destroy(&app, actor, id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The picture of an emoji, which never changes.
#[utoipa::path(get, path = "/emoji/{id}", tag = "emoji", params(("id" = FileId, Path)),
    responses((status = 200, description = "A PNG or GIF", content_type = "image/*", body = [u8])))]
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response> {
    let picture = super::show(&app, actor, id).await?;
    let tag = format!("\"{}\"", picture.sha256);
    let bytes = match Part::asked(&headers, &tag, 0) {
        Part::Unchanged => None,
        _ => Some(app.storage.read_small(id, Piece::Whole).await?),
    };
    let part = if bytes.is_some() { Part::All } else { Part::Unchanged };
    let bytes = bytes.unwrap_or_default();
    let size = u64::try_from(bytes.len()).unwrap_or_default();
    let given =
        Given { name: &picture.name, media_type: &picture.media_type, tag: &tag, size, lasting: true };
    Ok(given.answer(&part, Body::from(bytes)))
}
