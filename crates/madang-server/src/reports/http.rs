//! Routes of reports.

use axum::{extract::State, http::StatusCode};
use madang_proto::{
    MessageId, ReportId, WorkspaceId,
    page::Page,
    reports::{CreateReport, Report, ReportsQuery, ResolveReport},
};

use crate::{
    app::{Actor, App},
    error::Result,
    http::{Json, PageAnswer, Path, Query, page},
};

/// Report a message to those who keep order.
#[utoipa::path(post, path = "/messages/{id}/report", tag = "moderation", params(("id" = MessageId, Path)),
    request_body = CreateReport, responses((status = 201, body = Report, description = "Reported")))]
pub async fn create(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(body): Json<CreateReport>,
) -> Result<(StatusCode, Json<Report>)> {
    Ok((StatusCode::CREATED, Json(super::create(&app, actor, id, &body).await?)))
}

/// The open reports, or those that are decided on; the newest first.
#[utoipa::path(get, path = "/workspaces/{id}/reports", tag = "moderation",
    params(("id" = WorkspaceId, Path), ReportsQuery),
    responses((status = 200, body = Page<Report>, description = "Reports")))]
pub async fn index(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<ReportsQuery>,
) -> Result<PageAnswer<Report>> {
    Ok(page(super::index(&app, actor, id, query).await?))
}

/// Decide on a report, and so on all open ones of its message.
#[utoipa::path(put, path = "/workspaces/{id}/reports/{report_id}", tag = "moderation",
    params(("id" = WorkspaceId, Path), ("report_id" = ReportId, Path)), request_body = ResolveReport,
    responses((status = 200, body = Report, description = "Decided on")))]
pub async fn resolve(
    State(app): State<App>,
    actor: Actor,
    Path((workspace, id)): Path<(WorkspaceId, ReportId)>,
    Json(body): Json<ResolveReport>,
) -> Result<Json<Report>> {
    Ok(Json(super::resolve(&app, actor, workspace, id, &body).await?))
}
