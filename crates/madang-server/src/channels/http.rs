//! Routes of channels.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    ChannelId, UserId, WorkspaceId,
    channels::{AddChannelMember, Channel, ChannelChanges, ChannelsQuery, CreateChannel, UpdateChannel},
    page::{ChangesQuery, List, MemberPageQuery, Page},
    workspaces::Member,
};

use crate::{
    app::{Actor, App},
    error::{Error, Result},
    http::{Json, PageAnswer, Path, Query, page, page_limit},
};

/// Own channels.
#[utoipa::path(get, path = "/channels", tag = "channels", params(ChannelsQuery),
    responses((status = 200, body = List<Channel>, description = "Channels")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ChannelsQuery>,
) -> Result<Json<List<Channel>>> {
    Ok(Json(List { items: super::index(&app, actor, query).await? }))
}

/// The channels of a workspace that one may see; `joined` tells which are one's own.
#[utoipa::path(get, path = "/workspaces/{workspace_id}/channels", tag = "channels",
    params(("workspace_id" = WorkspaceId, Path), ChannelsQuery),
    responses((status = 200, body = List<Channel>, description = "Channels")))]
pub async fn of_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<ChannelsQuery>,
) -> Result<Json<List<Channel>>> {
    Ok(Json(List { items: super::of_workspace(&app, actor, id, query).await? }))
}

/// Make a channel.
#[utoipa::path(post, path = "/channels", tag = "channels", request_body = CreateChannel,
    responses((status = 201, body = Channel, description = "Made")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<CreateChannel>,
) -> Result<(StatusCode, Json<Channel>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, &body).await?)))
}

/// Make a channel in a workspace.
#[utoipa::path(post, path = "/workspaces/{workspace_id}/channels", tag = "channels",
    params(("workspace_id" = WorkspaceId, Path)), request_body = CreateChannel,
    responses((status = 201, body = Channel, description = "Made")))]
pub async fn create_in_workspace(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(mut body): Json<CreateChannel>,
) -> Result<(StatusCode, Json<Channel>)> {
    if body.workspace_id.is_some_and(|named| named != id) {
        return Err(Error::field("workspace_id", "differs from the one in the path"));
    }
    body.workspace_id = Some(id);
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, &body).await?)))
}

/// A channel.
#[utoipa::path(get, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Channel, description = "The channel")))]
pub async fn show(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    Ok(Json(super::show(&app, actor, id).await?))
}

/// Change name, topic or kind.
#[utoipa::path(put, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)), request_body = UpdateChannel,
    responses((status = 200, body = Channel, description = "Changed")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<UpdateChannel>,
) -> Result<Json<Channel>> {
    Ok(Json(super::update(&app, actor, id, &body).await?))
}

/// Delete a channel.
#[utoipa::path(delete, path = "/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204, description = "Deleted")))]
pub async fn destroy(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    super::destroy(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The members, by id.
#[utoipa::path(get, path = "/channels/{id}/members", tag = "channels", params(("id" = ChannelId, Path), MemberPageQuery),
    responses((status = 200, body = Page<Member>, description = "Members")))]
pub async fn members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Query(query): Query<MemberPageQuery>,
) -> Result<PageAnswer<Member>> {
    let after = query.after.map_or(0, UserId::get);
    Ok(page(super::list_members(&app, actor, id, after, page_limit(query.limit)?).await?))
}

/// Bring someone of the workspace in.
#[utoipa::path(post, path = "/channels/{id}/members", tag = "channels", params(("id" = ChannelId, Path)),
    request_body = AddChannelMember, responses((status = 201, body = Member, description = "Came in")))]
pub async fn invite(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Json(body): Json<AddChannelMember>,
) -> Result<(StatusCode, Json<Member>)> {
    Ok((StatusCode::CREATED, Json(super::invite(&app, actor, id, body.user_id).await?)))
}

/// Take someone out.
#[utoipa::path(delete, path = "/channels/{id}/members/{user_id}", tag = "channels",
    params(("id" = ChannelId, Path), ("user_id" = UserId, Path)), responses((status = 204, description = "Went out")))]
pub async fn remove(
    State(app): State<App>,
    actor: Actor,
    Path((id, user)): Path<(ChannelId, UserId)>,
) -> Result<StatusCode> {
    super::remove(&app, actor, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Join.
#[utoipa::path(post, path = "/channels/{id}/join", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 200, body = Channel, description = "The channel")))]
pub async fn join(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    Ok(Json(super::join(&app, actor, id).await?))
}

/// Leave.
#[utoipa::path(post, path = "/channels/{id}/leave", tag = "channels", params(("id" = ChannelId, Path)),
    responses((status = 204, description = "Left")))]
pub async fn leave(State(app): State<App>, actor: Actor, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    super::leave(&app, actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What changed since a version.
#[utoipa::path(get, path = "/channels/{id}/changes", tag = "channels", params(("id" = ChannelId, Path), ChangesQuery),
    responses((status = 200, body = ChannelChanges, description = "States newer than the version")))]
pub async fn changes(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<ChannelId>,
    Query(query): Query<ChangesQuery>,
) -> Result<Json<ChannelChanges>> {
    Ok(Json(super::changes(&app, actor, id, query.after).await?))
}
