//! Routes of retention.

use axum::{extract::State, http::StatusCode};
use madang_proto::{ChannelId, WorkspaceId, channels::Channel, retention::Retention, workspaces::Workspace};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// How long a workspace keeps messages.
#[utoipa::path(put, path = "/workspaces/{id}/retention", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    request_body = Retention, responses((status = 200, body = Workspace, description = "Changed")))]
pub async fn set_of_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(rule): Json<Retention>,
) -> Result<Json<Workspace>> {
    Ok(Json(super::set_of_workspace(&app, actor, id, rule).await?))
}

/// How long a channel keeps messages, whatever its workspace says.
#[utoipa::path(put, path = "/channels/{id}/retention", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = Retention, responses((status = 200, body = Channel, description = "Changed")))]
pub async fn set_of_channel(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(rule): Json<Retention>,
) -> Result<Json<Channel>> {
    Ok(Json(super::set_of_channel(&app, actor, id, Some(rule)).await?))
}

/// Keep messages as long as the workspace says.
#[utoipa::path(delete, path = "/channels/{id}/retention", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204, description = "It has no rule of its own")))]
pub async fn clear_of_channel(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode> {
    super::set_of_channel(&app, actor, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
