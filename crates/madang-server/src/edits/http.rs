//! The route of the edit history.

use axum::extract::State;
use madang_proto::{
    MessageId,
    edits::{Edit, EditsQuery},
    page::Page,
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{PageAnswer, Path, Query, page},
};

/// What a message said before, oldest first.
#[utoipa::path(get, path = "/messages/{id}/edits", tag = "edits", params(("id" = MessageId, Path), EditsQuery),
    responses((status = 200, body = Page<Edit>, description = "Earlier texts")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Query(query): Query<EditsQuery>,
) -> Result<PageAnswer<Edit>> {
    Ok(page(super::index(&app, actor, id, query).await?))
}
