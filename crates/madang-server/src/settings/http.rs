//! Routes of settings.

use axum::extract::State;
use madang_proto::settings::{Settings, UpdateSettings};

use crate::{
    app::{Actor, App},
    error::Result,
    http::Json,
};

/// One's own settings.
#[utoipa::path(get, path = "/users/me/settings", tag = "settings",
    responses((status = 200, body = Settings, description = "The settings")))]
pub async fn show(State(app): State<App>, actor: Actor) -> Result<Json<Settings>> {
    Ok(Json(super::show(&app, actor).await?))
}

/// Change one's own settings; what is missing stays.
#[utoipa::path(put, path = "/users/me/settings", tag = "settings", request_body = UpdateSettings,
    responses((status = 200, body = Settings, description = "The settings")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<UpdateSettings>,
) -> Result<Json<Settings>> {
    Ok(Json(super::update(&app, actor, body).await?))
}
