//! Routes of read marks.

use axum::extract::State;
use madang_proto::{
    ChannelId,
    reads::{MarkRead, ReadMark},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
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
    Ok(Json(super::mark(&app, actor, id, body.message_id).await?))
}
