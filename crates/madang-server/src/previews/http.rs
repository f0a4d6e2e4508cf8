//! Routes of previews.

use axum::extract::State;
use madang_proto::{MessageId, messages::Message};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path},
};

/// Take the previews of one's own message away, for good.
#[utoipa::path(delete, path = "/messages/{id}/previews", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = Message, description = "The message, without previews")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
) -> Result<Json<Message>> {
    Ok(Json(super::refuse(&app, actor, id).await?))
}
