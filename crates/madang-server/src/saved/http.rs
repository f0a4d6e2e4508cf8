//! Routes of saved messages.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    MessageId,
    page::Page,
    saved::{Saved, SavedQuery},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{PageAnswer, Path, Query, page},
};

/// The messages that one saved and may still see, the newest first.
#[utoipa::path(get, path = "/users/me/saved", tag = "saved", params(SavedQuery),
    responses((status = 200, body = Page<Saved>, description = "Saved messages")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<SavedQuery>,
) -> Result<PageAnswer<Saved>> {
    Ok(page(super::index(&app, actor, query).await?))
}

/// Save a message for oneself.
#[utoipa::path(put, path = "/users/me/saved/{message_id}", tag = "saved", params(("message_id" = MessageId, Path)),
    responses((status = 204, description = "Saved")))]
pub async fn create(State(app): State<App>, actor: Actor, Path(id): Path<MessageId>) -> Result<StatusCode> {
    super::create(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keep a message no longer.
#[utoipa::path(delete, path = "/users/me/saved/{message_id}", tag = "saved", params(("message_id" = MessageId, Path)),
    responses((status = 204, description = "No longer saved")))]
pub async fn destroy(State(app): State<App>, actor: Actor, Path(id): Path<MessageId>) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
