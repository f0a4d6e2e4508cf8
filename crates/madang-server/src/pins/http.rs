//! Routes of pins.

use axum::extract::State;
use madang_proto::{ChannelId, MessageId, messages::Message, page::List, pins::Pin};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// The pinned messages of a channel, the newest pin first.
#[utoipa::path(get, path = "/channels/{id}/pins", tag = "pins", params(("id" = ChannelId, Path)),
    responses((status = 200, body = List<Pin>, description = "Pins")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
) -> Result<Json<List<Pin>>> {
    Ok(Json(List { items: super::index(&app, actor, id).await? }))
}

/// Pin a message in its channel.
#[utoipa::path(put, path = "/messages/{id}/pin", tag = "pins", params(("id" = MessageId, Path)),
    responses((status = 200, body = Message, description = "The message, pinned")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(super::set(&app, actor, id, true).await?))
}

/// Unpin a message.
#[utoipa::path(delete, path = "/messages/{id}/pin", tag = "pins", params(("id" = MessageId, Path)),
    responses((status = 200, body = Message, description = "The message, not pinned")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(super::set(&app, actor, id, false).await?))
}
