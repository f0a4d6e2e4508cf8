//! Routes of threads.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    MessageId,
    channels::Channel,
    messages::Message,
    page::{MessagePageQuery, Page},
    threads::{CreateReply, FollowedThread, ThreadPageQuery},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, MessagePage, PageAnswer, Path, Query, page},
};

/// A page of the replies to a message, oldest first.
#[utoipa::path(get, path = "/messages/{id}/thread", tag = "threads", params(("id" = MessageId, Path), MessagePageQuery),
    responses((status = 200, body = Page<Message>, description = "Replies")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Query(query): Query<MessagePageQuery>,
) -> Result<MessagePage> {
    Ok(page(super::index(&app, actor, id, query).await?))
}

/// Reply to a message.
#[utoipa::path(post, path = "/messages/{id}/thread", tag = "threads", params(("id" = MessageId, Path)),
    request_body = CreateReply,
    responses((status = 201, body = Message, description = "Sent"),
              (status = 200, body = Message, description = "Sent before with this nonce")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(body): Json<CreateReply>,
) -> Result<(StatusCode, Json<Message>)> {
    let (reply, created) = super::reply(&app, actor, id, None, &body).await?;
    Ok((if created { StatusCode::CREATED } else { StatusCode::OK }, Json(reply)))
}

/// Follow the thread of a message.
#[utoipa::path(put, path = "/messages/{id}/thread/follow", tag = "threads", params(("id" = MessageId, Path)),
    responses((status = 200, body = Channel, description = "The thread")))]
pub async fn follow(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
) -> Result<Json<Channel>> {
    Ok(Json(super::follow(&app, actor, id).await?))
}

/// Follow it no more.
#[utoipa::path(delete, path = "/messages/{id}/thread/follow", tag = "threads", params(("id" = MessageId, Path)),
    responses((status = 204, description = "Not followed")))]
pub async fn unfollow(State(app): State<App>, actor: Actor, Path(id): Path<MessageId>) -> Result<StatusCode> {
    super::unfollow(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The threads that one follows, those with unread replies first.
#[utoipa::path(get, path = "/threads", tag = "threads", params(ThreadPageQuery),
    responses((status = 200, body = Page<FollowedThread>, description = "Threads")))]
pub async fn followed(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ThreadPageQuery>,
) -> Result<PageAnswer<FollowedThread>> {
    Ok(page(super::followed(&app, actor, query.limit, query.after.as_deref()).await?))
}
