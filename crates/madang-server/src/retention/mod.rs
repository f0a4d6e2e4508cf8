//! Retention: how long messages are kept, and the child `retention`, which removes those that are too old.
//!
//! A channel begins at its `first_seq`. That moves, once a day and by one event, past all that is too old; what is
//! below is deleted afterwards, in small transactions with pauses between them.
//!
//! Invariants:
//! - A rule is for admins, also in a channel that someone else made: who makes channels does not thereby decide how
//!   long a workspace keeps its messages.
//! - A new rule removes nothing before the next run.

pub mod http;

use std::time::Duration;

use madang_proto::{
    ChannelId, Event, Timestamp, UserId, WorkspaceId,
    audit::AuditAction,
    channels::{Channel, ChannelAction, ChannelChange, ChannelKind},
    limits,
    permissions::{self, ChannelPermission, Verdict, WorkspacePermission},
    retention::Retention,
    workspaces::Workspace,
};
use madang_realtime::{BoxError, Topic};
use madang_store::{
    channels as store_channels,
    retention::{self as store, Due},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    channels,
    error::{Error, Result},
    memory::Silent,
    nodes::leases,
    notifications,
    upkeep::Done,
    workspaces,
};

/// Channels that are asked for at once.
const PASS: u32 = 100;
/// Messages that are deleted by one transaction.
const BATCH: u32 = 500;
/// Longest pause between two transactions.
const PAUSE: Duration = Duration::from_secs(1);

fn checked(rule: Retention) -> Result<Retention> {
    match rule.days {
        Some(days) if days == 0 || days > limits::RETENTION_DAYS => {
            Err(Error::field("days", format!("1 to {}", limits::RETENTION_DAYS)))
        }
        _ => Ok(rule),
    }
}

fn act(from: impl serde::Serialize, to: impl serde::Serialize) -> Act {
    let [from, to] = [json!({"retention": from}), json!({"retention": to})];
    Act::new(AuditAction::RetentionChanged).changed(Some(from), Some(to))
}

/// Decides how long a workspace keeps messages.
pub async fn set_of_workspace(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    rule: Retention,
) -> Result<Workspace> {
    let rule = checked(rule)?;
    let mut change = app.change().await?;
    let mut workspace =
        access::workspace(change.tx(), actor, id, WorkspacePermission::Edit).await?.into_workspace();
    if workspace.retention == rule {
        return Ok(workspace);
    }
    store::set_of_workspace(change.tx(), id, rule).await?;
    audit::note(app, &mut change, actor, id, act(workspace.retention, rule)).await?;
    workspace.retention = rule;
    let told = Event::Workspace(Workspace { role: None, ..workspace.clone() });
    change.emit_to_all(&workspaces::everyone(id), &told);
    change.commit().await?;
    Ok(workspace)
}

/// Decides how long a channel keeps messages, or that it does as its workspace.
pub async fn set_of_channel(
    app: &App,
    actor: Actor,
    id: ChannelId,
    rule: Option<Retention>,
) -> Result<Channel> {
    let rule = rule.map(checked).transpose()?;
    let mut change = app.change().await?;
    let at = access::channel_to_change(change.tx(), actor, id, ChannelPermission::Manage).await?;
    if permissions::in_workspace(at.role(), WorkspacePermission::Edit) != Verdict::Allowed {
        return Err(Error::Forbidden("only admins can say how long messages are kept"));
    }
    let before = at.into_channel();
    if before.retention != rule {
        store::set_of_channel(change.tx(), id, rule).await?;
        let act = act(before.retention, rule).within(Some(id));
        audit::note(app, &mut change, actor, before.workspace_id, act).await?;
        let channel = channels::found(change.tx(), id, actor.user).await?;
        change.emit(Topic::Channel(id), updated(channel.clone()));
        if channel.kind == ChannelKind::Public {
            channels::announce_to_workspace(&mut change, ChannelAction::Updated, &channel);
        }
        change.commit().await?;
    }
    channels::show(app, actor, id).await
}

fn updated(channel: Channel) -> Event {
    Event::Channel(ChannelChange { action: ChannelAction::Updated, channel: channel.for_everyone() })
}

/// Removes what is too old, once a day, until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    while let Some(now) = app.retention.time(&app).await {
        app.faults.point("retention");
        let result = tokio::select! {
            result = leases::alone(&app, "retention", remove(&app, now)) => result,
            () = app.shutdown.wait() => break,
        };
        app.retention.note(now, "removing old messages", result);
    }
    Ok(())
}

async fn remove(app: &App, now: Timestamp) -> Result<Done> {
    let mut after = None;
    loop {
        let due = store::due(&app.db, now, after, PASS).await?;
        let Some(last) = due.last() else { break };
        after = Some(last.channel());
        for due in &due {
            raise(app, due, now).await?;
        }
    }
    let mut removed = 0;
    loop {
        let left = store::leftovers(&app.db, PASS).await?;
        if left.is_empty() {
            break;
        }
        for channel in left {
            while let count @ 1.. = purge(app, channel).await? {
                removed += count;
            }
        }
    }
    if removed > 0 {
        tracing::info!(messages = removed, "removed messages that were too old");
    }
    Ok(Done::All)
}

/// Lets a channel begin with the first message that is not too old.
async fn raise(app: &App, due: &Due, now: Timestamp) -> Result<()> {
    let (id, first) = (due.channel(), store::first_to_stay(&app.db, due, now).await?);
    let mut change = app.change().await?;
    if !store::raise(change.tx(), due, first).await? {
        return Ok(());
    }
    change.touch([Silent::Room(id)]);
    // Nobody hears a deleted one. Nobody's own fields are told, so it does not matter who asks.
    if let Some(found) = store_channels::find(change.tx(), id, UserId::from(0)).await? {
        change.emit(Topic::Channel(id), updated(found.channel));
    }
    change.commit().await
}

/// Deletes some messages of a channel that are below its first; gives how many.
async fn purge(app: &App, id: ChannelId) -> Result<usize> {
    let begun = Instant::now();
    let mut change = app.change().await?;
    let mut purged = store::purge(change.tx(), id, app.now(), BATCH).await?;
    if purged.ids.is_empty() {
        return Ok(0);
    }
    change.touch(purged.threads.iter().map(|thread| Silent::Room(*thread)));
    notifications::purged(&mut change, std::mem::take(&mut purged.notifications)).await?;
    if purged.files {
        change.after(|app| app.storage.removed.notify_one());
    }
    change.commit().await?;
    app.faults.point("retention-purged");
    store::forget(&app.db, &purged).await?;
    sleep(begun.elapsed().min(PAUSE)).await;
    Ok(purged.ids.len())
}
