//! Routes of exports.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use madang_proto::{WorkspaceId, exports::Export};
use madang_store::exports::Stored;

use super::bytes_of;
use crate::{
    app::{Actor, App},
    error::{Error, Result},
    files::{
        Piece,
        serve::{Given, Part},
    },
    http::{Json, Path},
};

/// Ask for all that is stored of oneself, as a file.
#[utoipa::path(post, path = "/users/me/export", tag = "users",
    responses((status = 202, body = Export, description = "It will be made")))]
pub async fn create(State(app): State<App>, actor: Actor) -> Result<(StatusCode, Json<Export>)> {
    Ok((StatusCode::ACCEPTED, Json(super::create(&app, actor, None).await?)))
}

/// How far that is.
#[utoipa::path(get, path = "/users/me/export", tag = "users",
    responses((status = 200, body = Export, description = "The export")))]
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Json<Export>> {
    Ok(Json(super::show(&app, actor, None).await?))
}

/// The file, or some of its bytes.
#[utoipa::path(get, path = "/users/me/export/file", tag = "users",
    responses((status = 200, description = "A tar in gzip", content_type = "application/gzip", body = [u8]),
              (status = 206, description = "The bytes of `Range`", content_type = "application/gzip", body = [u8])))]
pub async fn download(State(app): State<App>, actor: Actor, headers: HeaderMap) -> Result<Response> {
    let found = super::find(&app, actor, None).await?;
    bytes(&app, found, &headers).await
}

/// Ask for what one sees of a workspace, as a file.
#[utoipa::path(post, path = "/workspaces/{id}/export", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    responses((status = 202, body = Export, description = "It will be made")))]
pub async fn create_of_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
) -> Result<(StatusCode, Json<Export>)> {
    Ok((StatusCode::ACCEPTED, Json(super::create(&app, actor, Some(id)).await?)))
}

/// How far that is.
#[utoipa::path(get, path = "/workspaces/{id}/export", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    responses((status = 200, body = Export, description = "One's own export of the workspace")))]
pub async fn show_of_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Export>> {
    Ok(Json(super::show(&app, actor, Some(id)).await?))
}

/// The file, or some of its bytes.
#[utoipa::path(get, path = "/workspaces/{id}/export/file", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    responses((status = 200, description = "A tar in gzip", content_type = "application/gzip", body = [u8]),
              (status = 206, description = "The bytes of `Range`", content_type = "application/gzip", body = [u8])))]
pub async fn download_of_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    headers: HeaderMap,
) -> Result<Response> {
    let found = super::find(&app, actor, Some(id)).await?;
    bytes(&app, found, &headers).await
}

async fn bytes(app: &App, found: Stored, headers: &HeaderMap) -> Result<Response> {
    let Stored { export, size, .. } = found;
    let (Some(size), Some(sha256)) = (size, export.sha256) else { return Err(Error::NotFound("export")) };
    let (size, tag) = (u64::try_from(size).unwrap_or_default(), format!("\"{sha256}\""));
    let part = Part::asked(headers, &tag, size);
    let range = match &part {
        Part::All => Some(None),
        Part::Some(range) => Some(Some(range.clone())),
        Part::Unchanged | Part::Outside => None,
    };
    let body = match range {
        Some(range) => Body::from_stream(app.storage.read(bytes_of(export.id), Piece::Export, range).await?),
        None => Body::empty(),
    };
    let name = format!("madang-{}.tar.gz", export.id);
    Ok(Given { name: &name, media_type: "application/gzip", tag: &tag, size, lasting: false }
        .answer(&part, body))
}
