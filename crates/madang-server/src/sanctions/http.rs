//! Routes of sanctions.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    SanctionId, WorkspaceId,
    page::Page,
    sanctions::{CreateSanction, Sanction, SanctionsQuery},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page},
};

/// Those in force, the newest first.
#[utoipa::path(get, path = "/workspaces/{id}/sanctions", tag = "moderation",
    params(("id" = WorkspaceId, Path), SanctionsQuery),
    responses((status = 200, body = Page<Sanction>, description = "Sanctions")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<SanctionsQuery>,
) -> Result<PageAnswer<Sanction>> {
    Ok(page(super::index(&app, actor, id, query).await?))
}

/// Mute or ban someone, in a channel or in all of the workspace.
#[utoipa::path(post, path = "/workspaces/{id}/sanctions", tag = "moderation", params(("id" = WorkspaceId, Path)),
    request_body = CreateSanction, responses((status = 201, body = Sanction, description = "In force")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<CreateSanction>,
) -> Result<(StatusCode, Json<Sanction>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, id, &body).await?)))
}

/// Lift a sanction before its time.
#[utoipa::path(delete, path = "/workspaces/{id}/sanctions/{sanction_id}", tag = "moderation",
    params(("id" = WorkspaceId, Path), ("sanction_id" = SanctionId, Path)),
    responses((status = 204, description = "Lifted")))]
pub async fn destroy(
    State(app): State<App>,
    actor: Actor,
    Path((workspace, id)): Path<(WorkspaceId, SanctionId)>,
) -> Result<StatusCode> {
    super::destroy(&app, actor, workspace, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
