//! Routes of reactions.

use axum::extract::State;
use madang_proto::{
    MessageId,
    accounts::UserSummary,
    messages::Message,
    page::Page,
    reactions::{React, ReactorsQuery},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page},
};

/// Who put an emoji on a message, the first one first.
#[utoipa::path(get, path = "/messages/{id}/reactions", tag = "reactions", params(("id" = MessageId, Path), ReactorsQuery),
    responses((status = 200, body = Page<UserSummary>, description = "People")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Query(query): Query<ReactorsQuery>,
) -> Result<PageAnswer<UserSummary>> {
    Ok(page(super::index(&app, actor, id, &query).await?))
}

/// Put an emoji on a message.
#[utoipa::path(post, path = "/messages/{id}/reactions", tag = "reactions", params(("id" = MessageId, Path)),
    request_body = React, responses((status = 200, body = Message, description = "The message with it")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(body): Json<React>,
) -> Result<Json<Message>> {
    Ok(Json(super::set(&app, actor, id, &body.emoji, true).await?))
}

/// Take one's own emoji away from a message.
#[utoipa::path(delete, path = "/messages/{id}/reactions", tag = "reactions", params(("id" = MessageId, Path)),
    request_body = React, responses((status = 200, body = Message, description = "The message without it")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(body): Json<React>,
) -> Result<Json<Message>> {
    Ok(Json(super::set(&app, actor, id, &body.emoji, false).await?))
}
