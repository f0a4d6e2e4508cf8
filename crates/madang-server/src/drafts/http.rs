//! Routes of drafts.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ChannelId,
    drafts::{Draft, DraftQuery, SetDraft},
    page::Page,
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page},
};

/// One's drafts, the newest first.
#[utoipa::path(get, path = "/drafts", tag = "drafts", params(DraftQuery),
    responses((status = 200, body = Page<Draft>, description = "Drafts")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<DraftQuery>,
) -> Result<PageAnswer<Draft>> {
    Ok(page(super::index(&app, actor, query).await?))
}

/// One's draft in a channel.
#[utoipa::path(get, path = "/channels/{id}/draft", tag = "drafts", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Draft, description = "The draft")))]
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<Json<Draft>> {
    Ok(Json(super::show(&app, actor, id).await?))
}

/// Write a draft in a channel, in place of the one before.
#[utoipa::path(put, path = "/channels/{id}/draft", tag = "drafts", params(("id" = ChannelId, Path)), request_body = SetDraft,
    responses((status = 200, body = Draft, description = "Written")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<SetDraft>,
) -> Result<Json<Draft>> {
    Ok(Json(super::update(&app, actor, id, &body.content).await?))
}

/// Forget a draft.
#[utoipa::path(delete, path = "/channels/{id}/draft", tag = "drafts", params(("id" = ChannelId, Path)),
    responses((status = 204, description = "There is none any more")))]
pub async fn destroy(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
