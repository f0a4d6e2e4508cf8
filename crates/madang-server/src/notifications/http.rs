//! Routes of notifications.

use axum::extract::State;
use madang_proto::{
    ChannelId, WorkspaceId,
    notifications::{
        Notification, NotificationCount, NotificationQuery, NotificationSettings, ReadNotifications,
        UpdateChannelNotifications, UpdateNotificationSettings, UpdateWorkspaceNotifications,
    },
    page::Page,
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page},
};

/// One's notifications, the newest first.
#[utoipa::path(get, path = "/notifications", tag = "notifications", params(NotificationQuery),
    responses((status = 200, body = Page<Notification>, description = "Notifications")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<NotificationQuery>,
) -> Result<PageAnswer<Notification>> {
    Ok(page(super::index(&app, actor, query).await?))
}

/// Mark notifications as read.
#[utoipa::path(put, path = "/notifications/read", tag = "notifications", request_body = ReadNotifications,
    responses((status = 200, body = NotificationCount, description = "How many are unread then")))]
pub async fn read(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<ReadNotifications>,
) -> Result<Json<NotificationCount>> {
    Ok(Json(super::read(&app, actor, body).await?))
}

/// What one wants to be notified of, and when.
#[utoipa::path(get, path = "/notifications/settings", tag = "notifications",
    responses((status = 200, body = NotificationSettings, description = "Settings")))]
pub async fn settings(State(app): State<App>, actor: Actor) -> Result<Json<NotificationSettings>> {
    Ok(Json(super::show(&app, actor).await?))
}

/// Change keywords and quiet hours; snooze.
#[utoipa::path(put, path = "/notifications/settings", tag = "notifications",
    request_body = UpdateNotificationSettings,
    responses((status = 200, body = NotificationSettings, description = "Settings")))]
pub async fn update_settings(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<UpdateNotificationSettings>,
) -> Result<Json<NotificationSettings>> {
    Ok(Json(super::update(&app, actor, body).await?))
}

/// Say what of a workspace one wants to be notified of.
#[utoipa::path(put, path = "/workspaces/{id}/notifications", tag = "notifications",
    params(("id" = WorkspaceId, Path)), request_body = UpdateWorkspaceNotifications,
    responses((status = 200, body = NotificationSettings, description = "Settings")))]
pub async fn update_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<UpdateWorkspaceNotifications>,
) -> Result<Json<NotificationSettings>> {
    Ok(Json(super::update_workspace(&app, actor, id, body).await?))
}

/// Say what of a channel one wants to be notified of; mute it.
#[utoipa::path(put, path = "/channels/{id}/notifications", tag = "notifications",
    params(("id" = ChannelId, Path)), request_body = UpdateChannelNotifications,
    responses((status = 200, body = NotificationSettings, description = "Settings")))]
pub async fn update_channel(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<UpdateChannelNotifications>,
) -> Result<Json<NotificationSettings>> {
    Ok(Json(super::update_channel(&app, actor, id, body).await?))
}
