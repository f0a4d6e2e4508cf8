//! Routes of invites.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    InviteId, WorkspaceId,
    invites::{AcceptInvite, CreateInvite, Invite, InvitePreview, InvitesQuery},
    page::List,
    workspaces::Workspace,
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, Path, Query, extract::Address},
    ratelimit::Limit,
};

/// The invites that can be used, or the guest links of a channel, without their codes.
#[utoipa::path(get, path = "/workspaces/{id}/invites", tag = "invites",
    params(("id" = WorkspaceId, Path), InvitesQuery),
    responses((status = 200, body = List<Invite>, description = "Invites")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<InvitesQuery>,
) -> Result<Json<List<Invite>>> {
    Ok(Json(List { items: super::index(&app, actor, id, query).await? }))
}

/// Make an invite; only this answer has its code.
#[utoipa::path(post, path = "/workspaces/{id}/invites", tag = "invites", params(("id" = WorkspaceId, Path)),
    request_body = CreateInvite, responses((status = 201, body = Invite, description = "Made")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<CreateInvite>,
) -> Result<(StatusCode, Json<Invite>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, id, &body).await?)))
}

/// Revoke an invite.
#[utoipa::path(delete, path = "/workspaces/{id}/invites/{invite_id}", tag = "invites",
    params(("id" = WorkspaceId, Path), ("invite_id" = InviteId, Path)),
    responses((status = 204, description = "Revoked")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path((workspace, id)): Path<(WorkspaceId, InviteId)>,
) -> Result<StatusCode> {
    super::destroy(&app, actor, workspace, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the code of an invite opens, before one signs in.
#[utoipa::path(post, path = "/invites/preview", tag = "invites", request_body = AcceptInvite,
    responses((status = 200, body = InvitePreview, description = "The workspace, and the channel")))]
pub async fn preview(
    State(app): State<App>,
    Address(address): Address,
    Json(body): Json<AcceptInvite>,
) -> Result<Json<InvitePreview>> {
    // Trying codes costs as much as coming without a token, also with one that nobody looks at.
    app.limits.check(Limit::AnonymousByAddress, address)?;
    Ok(Json(super::preview(&app, body.code).await?))
}

/// Come in by the code of an invite.
#[utoipa::path(post, path = "/invites/accept", tag = "invites", request_body = AcceptInvite,
    responses((status = 200, body = Workspace, description = "The workspace that one is in")))]
pub async fn accept(
    State(app): State<App>,
    actor: Actor,
    Json(body): Json<AcceptInvite>,
) -> Result<Json<Workspace>> {
    Ok(Json(super::accept(&app, actor, body.code).await?))
}
