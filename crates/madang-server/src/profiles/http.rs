//! Routes of profiles.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::TryStreamExt;
use madang_proto::{
    FileId, UserId,
    accounts::User,
    limits,
    profiles::{UpdateUser, UserChanges, UserChangesQuery},
};

use crate::{
    app::{Actor, App},
    error::{Error, Result},
    files::avatars,
    http::{Json, Path, Query},
};

/// Change one's own profile.
#[utoipa::path(put, path = "/users/{id}", tag = "profiles", params(("id" = UserId, Path)), request_body = UpdateUser,
    responses((status = 200, body = User, description = "The user")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UserId>,
    Json(body): Json<UpdateUser>,
) -> Result<Json<User>> {
    Ok(Json(super::update(&app, actor, id, body).await?))
}

/// Whose profile changed.
#[utoipa::path(get, path = "/users/changes", tag = "profiles", params(UserChangesQuery),
    responses((status = 200, body = UserChanges, description = "The users")))]
pub async fn changes(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<UserChangesQuery>,
) -> Result<Json<UserChanges>> {
    Ok(Json(super::changes(&app, actor, query.after).await?))
}

/// Set one's own picture: the body is a JPEG, PNG, GIF or WebP.
#[utoipa::path(put, path = "/users/{id}/avatar", tag = "profiles", params(("id" = UserId, Path)),
    request_body(content = [u8], content_type = "application/octet-stream"),
    responses((status = 200, body = User, description = "The user")))]
pub async fn set_avatar(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UserId>,
    request: Request,
) -> Result<Json<User>> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    let most = i64::try_from(limits::AVATAR_BYTES).unwrap_or(i64::MAX).min(app.config.file_bytes());
    let size = length.unwrap_or(most);
    if size > most {
        return Err(Error::TooLarge(usize::try_from(most).unwrap_or(usize::MAX)));
    }
    let cut =
        |e: axum::Error| Error::Invalid { detail: format!("the body ended early: {e}"), errors: Vec::new() };
    let body = request.into_body().into_data_stream().map_err(cut);
    Ok(Json(super::set_avatar(&app, actor, id, size, body).await?))
}

/// Remove one's own picture.
#[utoipa::path(delete, path = "/users/{id}/avatar", tag = "profiles", params(("id" = UserId, Path)),
    responses((status = 204, description = "Removed")))]
pub async fn remove_avatar(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<StatusCode> {
    super::remove_avatar(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A picture, for whoever knows its address.
#[utoipa::path(get, path = "/avatars/{id}/{secret}", tag = "profiles",
    params(("id" = FileId, Path), ("secret" = String, Path)),
    responses((status = 200, description = "A PNG or JPEG", content_type = "image/*", body = [u8])))]
pub async fn avatar(
    State(app): State<App>,
    Path((id, secret)): Path<(FileId, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>> {
    avatars::show(&app, id, &secret, &headers).await
}
