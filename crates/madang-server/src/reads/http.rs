//! Routes of read marks.

use axum::extract::State;
use madang_proto::{
    ChannelId, MessageId,
    reads::{MarkRead, MarkUnread, ReadMark, SeenBy, SeenQuery, UnreadMark},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path, Query},
};

/// Mark a channel as read up to a message.
#[utoipa::path(put, path = "/channels/{id}/read", tag = "reads", params(("id" = ChannelId, Path)), request_body = MarkRead,
    responses((status = 200, body = ReadMark, description = "The mark")))]
pub async fn mark(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<MarkRead>,
) -> Result<Json<ReadMark>> {
    Ok(Json(super::mark(&app, actor, id, body).await?))
}

/// Mark a channel as unread from a message on.
#[utoipa::path(put, path = "/channels/{id}/unread", tag = "reads", params(("id" = ChannelId, Path)), request_body = MarkUnread,
    responses((status = 200, body = UnreadMark, description = "The mark")))]
pub async fn unmark(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<MarkUnread>,
) -> Result<Json<UnreadMark>> {
    Ok(Json(super::unmark(&app, actor, id, body).await?))
}

/// Who has seen a message.
#[utoipa::path(get, path = "/messages/{id}/seen", tag = "reads", params(("id" = MessageId, Path), SeenQuery),
    responses((status = 200, body = SeenBy, description = "Those who have seen it")))]
pub async fn seen(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Query(query): Query<SeenQuery>,
) -> Result<Json<SeenBy>> {
    Ok(Json(super::seen(&app, actor, id, query).await?))
}
