//! Routes of messages.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ChannelId, MessageId,
    messages::{CreateMessage, Message, SendMessage, UpdateMessage},
    page::{MessagePageQuery, Page},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, MessagePage, Path, Query, page},
};

fn sent((message, created): (Message, bool)) -> (StatusCode, Json<Message>) {
    (if created { StatusCode::CREATED } else { StatusCode::OK }, Json(message))
}

/// A page of a channel's messages, oldest first.
#[utoipa::path(get, path = "/channels/{id}/messages", tag = "messages", params(("id" = ChannelId, Path), MessagePageQuery),
    responses((status = 200, body = Page<Message>, description = "Messages")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Query(query): Query<MessagePageQuery>,
) -> Result<MessagePage> {
    Ok(page(super::index(&app, actor, id, query).await?))
}

/// The same under another path.
#[utoipa::path(get, path = "/messages/channel/{channel_id}", tag = "messages",
    params(("channel_id" = ChannelId, Path), MessagePageQuery),
    responses((status = 200, body = Page<Message>, description = "Messages")))]
pub async fn index_by_channel(
    app: State<App>,
    actor: Actor,
    id: Path<ChannelId>,
    query: Query<MessagePageQuery>,
) -> Result<MessagePage> {
    index(app, actor, id, query).await
}

/// Send a message to a channel.
#[utoipa::path(post, path = "/channels/{id}/messages", tag = "messages", params(("id" = ChannelId, Path)),
    request_body = CreateMessage,
    responses((status = 201, body = Message, description = "Sent"),
              (status = 200, body = Message, description = "Sent before with this nonce")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(channel_id): Path<ChannelId>,
    Json(body): Json<CreateMessage>,
) -> Result<(StatusCode, Json<Message>)> {
    let new = SendMessage {
        channel_id,
        content: body.content,
        file_ids: body.file_ids,
        nonce: body.nonce,
        thread_root_id: None,
        also_to_channel: false,
    };
    Ok(sent(super::send(&app, actor, new).await?))
}

/// Send a message.
#[utoipa::path(post, path = "/messages", tag = "messages", request_body = SendMessage,
    responses((status = 201, body = Message, description = "Sent"),
              (status = 200, body = Message, description = "Sent before with this nonce")))]
pub async fn send(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<SendMessage>,
) -> Result<(StatusCode, Json<Message>)> {
    Ok(sent(super::send(&app, actor, body).await?))
}

/// A message, or its tombstone.
#[utoipa::path(get, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = Message, description = "The message")))]
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<MessageId>) -> Result<Json<Message>> {
    Ok(Json(super::show(&app, actor, id).await?))
}

/// Change the text of one's own message.
#[utoipa::path(put, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path)), request_body = UpdateMessage,
    responses((status = 200, body = Message, description = "Changed")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(body): Json<UpdateMessage>,
) -> Result<Json<Message>> {
    Ok(Json(super::update(&app, actor, id, &body.content).await?))
}

/// Delete a message; a tombstone stays.
#[utoipa::path(delete, path = "/messages/{id}", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 204, description = "Deleted")))]
pub async fn destroy(State(app): State<App>, actor: Actor, Path(id): Path<MessageId>) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
