//! Routes of presence.

use axum::extract::State;
use madang_proto::{
    UserId,
    presence::{Presence, UserStatus},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// Whether someone is there.
#[utoipa::path(get, path = "/users/{id}/presence", tag = "presence", params(("id" = UserId, Path)),
    responses((status = 200, body = Presence, description = "Presence")))]
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<UserId>) -> Result<Json<Presence>> {
    Ok(Json(super::show(&app, actor, id).await?))
}

/// Say how one is, until one says otherwise.
#[utoipa::path(put, path = "/users/{id}/status", tag = "presence", params(("id" = UserId, Path)), request_body = UserStatus,
    responses((status = 200, body = Presence, description = "Presence")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UserId>,
    Json(body): Json<UserStatus>,
) -> Result<Json<Presence>> {
    Ok(Json(super::update(&app, actor, id, body).await?))
}
