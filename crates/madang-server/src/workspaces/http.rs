//! Routes of workspaces.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    UserId, WorkspaceId,
    page::{List, MemberPageQuery, Page},
    workspaces::{
        AddWorkspaceMember, CreateWorkspace, Member, UpdateWorkspace, UpdateWorkspaceMember, Workspace,
    },
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page, page_limit},
};

/// Own workspaces.
#[utoipa::path(get, path = "/workspaces", tag = "workspaces",
    responses((status = 200, body = List<Workspace>, description = "Workspaces")))]
pub async fn index(State(app): State<App>, actor: Actor) -> Result<Json<List<Workspace>>> {
    Ok(Json(List { items: super::index(&app, actor).await? }))
}

/// Make a workspace.
#[utoipa::path(post, path = "/workspaces", tag = "workspaces", request_body = CreateWorkspace,
    responses((status = 201, body = Workspace, description = "Made")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<CreateWorkspace>,
) -> Result<(StatusCode, Json<Workspace>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, &body).await?)))
}

/// A workspace.
#[utoipa::path(get, path = "/workspaces/{id}", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    responses((status = 200, body = Workspace, description = "The workspace")))]
pub async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
) -> Result<Json<Workspace>> {
    Ok(Json(super::show(&app, actor, id).await?))
}

/// Change name and settings.
#[utoipa::path(put, path = "/workspaces/{id}", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    request_body = UpdateWorkspace, responses((status = 200, body = Workspace, description = "Changed")))]
pub async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<UpdateWorkspace>,
) -> Result<Json<Workspace>> {
    Ok(Json(super::update(&app, actor, id, &body).await?))
}

/// The members, by id.
#[utoipa::path(get, path = "/workspaces/{id}/members", tag = "workspaces",
    params(("id" = WorkspaceId, Path), MemberPageQuery),
    responses((status = 200, body = Page<Member>, description = "Members")))]
pub async fn members(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<MemberPageQuery>,
) -> Result<PageAnswer<Member>> {
    let after = query.after.map_or(0, UserId::get);
    Ok(page(super::members(&app, actor, id, after, page_limit(query.limit)?).await?))
}

/// Bring someone in by name.
#[utoipa::path(post, path = "/workspaces/{id}/members", tag = "workspaces", params(("id" = WorkspaceId, Path)),
    request_body = AddWorkspaceMember, responses((status = 201, body = Member, description = "Came in")))]
pub async fn add_member(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<AddWorkspaceMember>,
) -> Result<(StatusCode, Json<Member>)> {
    Ok((StatusCode::CREATED, Json(super::add_member(&app, actor, id, &body.username).await?)))
}

/// Give someone another role.
#[utoipa::path(put, path = "/workspaces/{id}/members/{user_id}", tag = "workspaces",
    params(("id" = WorkspaceId, Path), ("user_id" = UserId, Path)), request_body = UpdateWorkspaceMember,
    responses((status = 200, body = Member, description = "Changed")))]
pub async fn update_member(
    State(app): State<App>,
    actor: Actor,
    Path((id, user)): Path<(WorkspaceId, UserId)>,
    Json(body): Json<UpdateWorkspaceMember>,
) -> Result<Json<Member>> {
    Ok(Json(super::update_member(&app, actor, id, user, body.role).await?))
}

/// Take someone out, or leave oneself.
#[utoipa::path(delete, path = "/workspaces/{id}/members/{user_id}", tag = "workspaces",
    params(("id" = WorkspaceId, Path), ("user_id" = UserId, Path)), responses((status = 204, description = "Went out")))]
pub async fn remove_member(
    State(app): State<App>,
    actor: Actor,
    Path((id, user)): Path<(WorkspaceId, UserId)>,
) -> Result<StatusCode> {
    super::remove_member(&app, actor, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
