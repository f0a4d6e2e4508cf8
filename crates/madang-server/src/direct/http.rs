//! Routes of direct messages and groups.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ChannelId,
    channels::Channel,
    direct::OpenDirect,
    messages::Message,
    page::{List, MessagePageQuery, Page},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, MessagePage, Path, Query, page},
};

/// Own direct messages and groups, those with the newest message first.
#[utoipa::path(get, path = "/dm", tag = "direct",
    responses((status = 200, body = List<Channel>, description = "Direct messages and groups")))]
pub async fn index(State(app): State<App>, actor: Actor) -> Result<Json<List<Channel>>> {
    Ok(Json(List { items: super::index(&app, actor).await? }))
}

/// The direct message or group of certain people, made when there is none.
#[utoipa::path(post, path = "/dm", tag = "direct", request_body = OpenDirect,
    responses((status = 201, body = Channel, description = "Made"),
              (status = 200, body = Channel, description = "It was there")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<OpenDirect>,
) -> Result<(StatusCode, Json<Channel>)> {
    let (channel, created) = super::open(&app, actor, &body).await?;
    Ok((if created { StatusCode::CREATED } else { StatusCode::OK }, Json(channel)))
}

/// A page of the messages, oldest first.
#[utoipa::path(get, path = "/dm/{id}/messages", tag = "direct", params(("id" = ChannelId, Path), MessagePageQuery),
    responses((status = 200, body = Page<Message>, description = "Messages")))]
pub async fn messages(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Query(query): Query<MessagePageQuery>,
) -> Result<MessagePage> {
    Ok(page(super::messages(&app, actor, id, query).await?))
}
