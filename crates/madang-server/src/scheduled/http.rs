//! Routes of scheduled messages.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ChannelId, ScheduledId,
    page::List,
    scheduled::{CreateScheduled, Scheduled, UpdateScheduled},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// What one scheduled and what failed, the next first.
#[utoipa::path(get, path = "/scheduled", tag = "scheduled",
    responses((status = 200, body = List<Scheduled>, description = "Scheduled messages")))]
pub async fn index(State(app): State<App>, actor: Actor) -> Result<Json<List<Scheduled>>> {
    Ok(Json(super::index(&app, actor).await?))
}

/// Schedule a message to a channel.
#[utoipa::path(post, path = "/channels/{id}/scheduled", tag = "scheduled", params(("id" = ChannelId, Path)),
    request_body = CreateScheduled,
    responses((status = 201, body = Scheduled, description = "Scheduled")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<CreateScheduled>,
) -> Result<(StatusCode, Json<Scheduled>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, id, &body).await?)))
}

/// Change what is to be sent, or when.
#[utoipa::path(put, path = "/scheduled/{id}", tag = "scheduled", params(("id" = ScheduledId, Path)),
    request_body = UpdateScheduled,
    responses((status = 200, body = Scheduled, description = "Changed")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ScheduledId>,
    Json(body): Json<UpdateScheduled>,
) -> Result<Json<Scheduled>> {
    Ok(Json(super::update(&app, actor, id, body).await?))
}

/// Delete it unsent.
#[utoipa::path(delete, path = "/scheduled/{id}", tag = "scheduled", params(("id" = ScheduledId, Path)),
    responses((status = 204, description = "Deleted")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ScheduledId>,
) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
