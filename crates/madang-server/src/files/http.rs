//! Routes of files.

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request, State, multipart::MultipartError},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::TryStreamExt;
use madang_proto::{FileId, files::File};
use utoipa::ToSchema;

use super::{
    images,
    serve::{Given, Part},
    storage::Piece,
};
use crate::{
    app::{Actor, App},
    error::{Error, Result},
    http::{Json, Path},
};

/// The form of an upload.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as a stream; this describes it")]
pub struct Upload {
    /// The file, with its name.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What is wrong with a form.
pub fn unreadable(error: &MultipartError) -> Error {
    Error::Invalid {
        detail: format!("the form could not be read: {}", error.body_text()),
        errors: Vec::new(),
    }
}

/// Upload a file, as the field `file` of a form.
#[utoipa::path(post, path = "/files", tag = "files",
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 201, body = File, description = "Uploaded")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    request: Request,
) -> Result<(StatusCode, Json<File>)> {
    let most = app.config.file_bytes();
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    // What the form adds is small; nobody uploads more than they say.
    let size = length.unwrap_or(most).min(most);
    let form = Multipart::from_request(request, &app).await;
    let mut form = form.map_err(|e| Error::Invalid { detail: e.body_text(), errors: Vec::new() })?;
    let field = form.next_field().await.map_err(|e| unreadable(&e))?;
    let field = field.filter(|field| field.name() == Some("file"));
    let field = field.ok_or_else(|| Error::field("file", "the first field of the form, with a file"))?;
    let name = field.file_name().unwrap_or_default().to_owned();
    let file = super::create(&app, actor, &name, size, field.map_err(|e| unreadable(&e))).await?;
    Ok((StatusCode::CREATED, Json(file)))
}

/// The bytes of a file, or some of them.
#[utoipa::path(get, path = "/files/{id}", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, description = "The bytes", content_type = "*/*", body = [u8]),
              (status = 206, description = "The bytes of `Range`", content_type = "*/*", body = [u8])))]
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response> {
    let file = super::show(&app, actor, id).await?;
    let (size, tag) = (u64::try_from(file.size).unwrap_or_default(), format!("\"{}\"", file.sha256));
    let part = Part::asked(&headers, &tag, size);
    let body = match &part {
        Part::All if size == 0 => Body::empty(),
        Part::All => Body::from_stream(app.storage.read(id, Piece::Whole, None).await?),
        Part::Some(range) => {
            Body::from_stream(app.storage.read(id, Piece::Whole, Some(range.clone())).await?)
        }
        Part::Unchanged | Part::Outside => Body::empty(),
    };
    Ok(Given { name: &file.name, media_type: &file.media_type, tag: &tag, size, lasting: false }
        .answer(&part, body))
}

/// An image made small.
#[utoipa::path(get, path = "/files/{id}/thumbnail", tag = "files", params(("id" = FileId, Path)),
    responses((status = 200, description = "A PNG or JPEG", content_type = "image/*", body = [u8])))]
pub async fn thumbnail(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<FileId>,
    headers: HeaderMap,
) -> Result<Response> {
    let file = super::show(&app, actor, id).await?;
    if !file.thumbnail {
        return Err(Error::NotFound("thumbnail"));
    }
    let tag = format!("\"{}-thumbnail\"", file.sha256);
    let bytes = match Part::asked(&headers, &tag, 0) {
        Part::Unchanged => None,
        _ => Some(app.storage.read_small(id, Piece::Thumbnail).await?),
    };
    let part = if bytes.is_some() { Part::All } else { Part::Unchanged };
    let bytes = bytes.unwrap_or_default();
    let (size, media_type) =
        (u64::try_from(bytes.len()).unwrap_or_default(), images::type_of_thumbnail(&bytes));
    let given = Given { name: &file.name, media_type, tag: &tag, size, lasting: false };
    Ok(given.answer(&part, Body::from(bytes)))
}
