//! The audit log: what those who keep a workspace or its channels did, noted in the change that did it.
//!
//! Invariants:
//! - What was not done is not noted, and the other way round: it is one transaction.
//! - It has no message's text, and of private channels neither name nor topic.

pub mod http;

use madang_proto::{
    ChannelId, MessageId, UserId, WorkspaceId,
    audit::{AuditAction, AuditEntry, AuditQuery},
    channels::{Channel, ChannelKind},
    page::Page,
    permissions::WorkspacePermission,
    workspaces::Workspace,
};
use madang_store::audit as store;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::Result,
    http::{page_limit, page_of},
};

/// Something that was done.
#[derive(Debug, Clone)]
pub struct Act {
    action: AuditAction,
    user: Option<UserId>,
    channel: Option<ChannelId>,
    message: Option<MessageId>,
    from: Option<Value>,
    to: Option<Value>,
}

impl Act {
    /// This.
    pub const fn new(action: AuditAction) -> Self {
        Self { action, user: None, channel: None, message: None, from: None, to: None }
    }

    /// On this person.
    pub fn on(self, user: UserId) -> Self {
        Self { user: Some(user), ..self }
    }

    /// In this channel.
    pub fn within(self, channel: Option<ChannelId>) -> Self {
        Self { channel, ..self }
    }

    /// On this message.
    pub fn message(self, message: MessageId) -> Self {
        Self { message: Some(message), ..self }
    }

    /// What changed.
    pub fn changed(self, from: Option<Value>, to: Option<Value>) -> Self {
        Self { from, to, ..self }
    }

    /// What became different of a workspace.
    pub fn of_workspace(before: &Workspace, after: &Workspace) -> Self {
        let fields = ["name", "open", "allow_guests", "edit_history"];
        let (from, to) = differences(before, after, &fields);
        Self::new(AuditAction::WorkspaceUpdated).changed(Some(from), Some(to))
    }

    /// What became different of a channel.
    pub fn of_channel(before: &Channel, after: &Channel) -> Self {
        let public = before.kind == ChannelKind::Public && after.kind == ChannelKind::Public;
        let named: &[_] = if public { &["name", "topic"] } else { &[] };
        let fields = [named, &["kind", "overrides", "slow_mode", "archived_at"]].concat();
        let (from, to) = differences(before, after, &fields);
        Self::new(AuditAction::ChannelUpdated).within(Some(after.id)).changed(Some(from), Some(to))
    }
}

/// Of some fields, those that differ, before and after.
fn differences(before: &impl Serialize, after: &impl Serialize, fields: &[&str]) -> (Value, Value) {
    let values = |of: Value| fields.iter().map(move |field| of.get(*field).cloned().unwrap_or_default());
    let object = |value: serde_json::Result<Value>| value.unwrap_or_default();
    let (before, after) = (object(serde_json::to_value(before)), object(serde_json::to_value(after)));
    let (mut from, mut to) = (Map::new(), Map::new());
    for ((field, before), after) in fields.iter().zip(values(before)).zip(values(after)) {
        if before != after {
            from.insert((*field).to_owned(), before);
            to.insert((*field).to_owned(), after);
        }
    }
    (Value::Object(from), Value::Object(to))
}

/// Notes an act, in the change that does it.
pub async fn note(
    app: &App,
    change: &mut Change,
    actor: Actor,
    workspace: WorkspaceId,
    act: Act,
) -> Result<()> {
    let Act { action, user, channel, message, from, to } = act;
    let new = store::NewEntry {
        id: app.id(),
        workspace_id: workspace,
        actor: actor.user,
        action,
        user,
        channel_id: channel,
        message_id: message,
        from,
        to,
        created_at: app.now(),
    };
    Ok(store::insert(change.tx(), &new).await?)
}

/// What was done in a workspace, the newest first.
pub async fn index(app: &App, actor: Actor, id: WorkspaceId, query: AuditQuery) -> Result<Page<AuditEntry>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    access::workspace(&mut tx, actor, id, WorkspacePermission::Audit).await?;
    Ok(page_of(store::of_workspace(&mut tx, id, query, limit + 1).await?, limit))
}
