//! Routes of the audit log.

use axum::extract::State;
use madang_proto::{
    WorkspaceId,
    audit::{AuditEntry, AuditQuery},
    page::Page,
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{PageAnswer, Path, Query, page},
};

/// What those who keep a workspace did, the newest first.
#[utoipa::path(get, path = "/workspaces/{id}/audit", tag = "moderation",
    params(("id" = WorkspaceId, Path), AuditQuery),
    responses((status = 200, body = Page<AuditEntry>, description = "Acts")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<AuditQuery>,
) -> Result<PageAnswer<AuditEntry>> {
    Ok(page(super::index(&app, actor, id, query).await?))
}
