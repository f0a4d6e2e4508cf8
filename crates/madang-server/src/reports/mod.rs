//! Reports: messages that someone wants looked at, and what those who keep order decide.
//!
//! A report shows its message to those who keep order, as it was, wherever it stands: whoever reports it wants
//! that. For the same reason they may delete that message where they could not otherwise.
//!
//! Invariants:
//! - Nobody decides on a report of their own message.
//! - Deciding, and what comes of it, is one change.

pub mod http;

use std::sync::Arc;

use madang_proto::{
    MessageId, ReportId, WorkspaceId,
    audit::AuditAction,
    input, limits,
    page::Page,
    permissions::{ChannelPermission, Role, WorkspacePermission},
    reports::{CreateReport, Report, ReportsQuery, Resolution, ResolveReport},
    sanctions::{CreateSanction, SanctionKind},
};
use madang_store::{accounts, channels, messages as store_messages, reports as store, workspaces};

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::Change,
    error::{Error, Field, Result},
    http::{page_limit, page_of},
    messages, sanctions,
};

/// What the author of a reported message is told where nobody says more.
const REASON: &str = "a reported message";

/// Reports a message.
pub async fn create(app: &App, actor: Actor, id: MessageId, new: &CreateReport) -> Result<Report> {
    let reason = input::reason(&new.reason).field("reason")?;
    let mut change = app.change().await?;
    let (message, at) = access::message(change.tx(), actor, id, ChannelPermission::View).await?;
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    if message.author.id == actor.user {
        return Err(Error::Conflict("this is your own message".to_owned()));
    }
    if store::open_of(change.tx(), actor.user).await? >= limits::REPORTS_PER_USER {
        return Err(Error::Conflict(format!("at most {} open reports a person", limits::REPORTS_PER_USER)));
    }
    let reporter = accounts::by_id(change.tx(), actor.user).await?.ok_or(Error::NotFound("user"))?;
    let report = Report {
        id: app.id(),
        workspace_id: at.channel().workspace_id,
        channel_id: message.channel_id,
        message_id: id,
        author: Arc::unwrap_or_clone(message.author),
        content: message.content,
        reporter: reporter.summary,
        reason,
        created_at: app.now(),
        resolution: None,
        resolved_by: None,
        resolved_at: None,
    };
    if !store::insert(change.tx(), &report).await? {
        return Err(Error::Conflict("you reported it already".to_owned()));
    }
    change.commit().await?;
    Ok(report)
}

/// The open reports of a workspace, or those that are decided on; the newest first.
pub async fn index(app: &App, actor: Actor, id: WorkspaceId, query: ReportsQuery) -> Result<Page<Report>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    access::workspace(&mut tx, actor, id, WorkspacePermission::Moderate).await?;
    Ok(page_of(store::of_workspace(&mut tx, id, query, limit + 1).await?, limit))
}

/// Decides on a report, and so on all open ones of its message.
pub async fn resolve(
    app: &App,
    actor: Actor,
    workspace: WorkspaceId,
    id: ReportId,
    new: &ResolveReport,
) -> Result<Report> {
    let mut change = app.change().await?;
    let at = access::workspace(change.tx(), actor, workspace, WorkspacePermission::Moderate).await?;
    let missing = || Error::NotFound("report");
    let report = store::find(change.tx(), workspace, id).await?.ok_or_else(missing)?;
    if report.author.id == actor.user {
        return Err(Error::Forbidden("someone else decides on what you wrote"));
    }
    let resolved =
        store::resolve(change.tx(), report.message_id, new.resolution, actor.user, app.now()).await?;
    if resolved == 0 {
        return Err(Error::Conflict("the report is decided on".to_owned()));
    }
    match new.resolution {
        Resolution::Dismissed => {}
        Resolution::MessageDeleted => erase(app, &mut change, actor, &report).await?,
        Resolution::AuthorMuted => {
            sanction(app, &mut change, actor, at.role(), &report, SanctionKind::Mute, new).await?;
        }
        Resolution::AuthorBanned => {
            sanction(app, &mut change, actor, at.role(), &report, SanctionKind::Ban, new).await?;
        }
    }
    let act = Act::new(AuditAction::ReportResolved)
        .on(report.author.id)
        .within(Some(report.channel_id))
        .message(report.message_id)
        .changed(None, Some(serde_json::json!({"resolution": new.resolution})));
    audit::note(app, &mut change, actor, workspace, act).await?;
    let report = store::find(change.tx(), workspace, id).await?.ok_or_else(missing)?;
    change.commit().await?;
    Ok(report)
}

async fn erase(app: &App, change: &mut Change, actor: Actor, report: &Report) -> Result<()> {
    let Some(at) = channels::lock(change.tx(), report.channel_id, actor.user).await? else { return Ok(()) };
    match store_messages::find_to_change(change.tx(), report.message_id).await? {
        Some(message) if message.deleted_at.is_none() => {
            messages::erase(app, change, message, at.channel.thread.is_some()).await
        }
        _ => Ok(()),
    }
}

async fn sanction(
    app: &App,
    change: &mut Change,
    actor: Actor,
    role: Role,
    report: &Report,
    kind: SanctionKind,
    asked: &ResolveReport,
) -> Result<()> {
    let member = workspaces::member(change.tx(), report.workspace_id, report.author.id).await?;
    let gone = || Error::Conflict("the author is not in the workspace any more".to_owned());
    let member = member.ok_or_else(gone)?;
    let new = CreateSanction {
        user_id: report.author.id,
        kind,
        channel_id: None,
        reason: asked.reason.clone().unwrap_or_else(|| REASON.to_owned()),
        expires_at: asked.expires_at,
    };
    sanctions::impose(app, change, actor, role, report.workspace_id, &member, &new).await.map(drop)
}
