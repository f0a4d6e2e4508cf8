//! From an id that a user gave to the thing itself: the only way, and the only place that decides.
//!
//! Invariants:
//! - What a user may not see and what is not there give the same answer.
//! - [`InChannel`] and [`InWorkspace`] cannot be made elsewhere; operations take them.

use std::sync::Arc;

use madang_proto::{
    ChannelId, MessageId, WorkspaceId,
    channels::{Channel, ChannelKind},
    messages::Message,
    permissions::{self, ChannelPermission, Role, Verdict, WorkspacePermission},
    workspaces::Workspace,
};
use madang_store::{Tx, channels, messages, workspaces};

use crate::{
    app::{Actor, App},
    error::{Error, Result},
    memory::Person,
};

/// A channel in which the actor may do what was asked.
#[derive(Debug, Clone)]
pub struct InChannel {
    found: channels::Found,
}

impl InChannel {
    /// The channel, with the actor's own fields.
    pub const fn channel(&self) -> &Channel {
        &self.found.channel
    }

    /// The channel, given away.
    pub fn into_channel(self) -> Channel {
        self.found.channel
    }

    /// Whether the actor may also do this here.
    pub fn may(&self, actor: Actor, permission: ChannelPermission) -> bool {
        verdict(&self.found, actor, permission) == Verdict::Allowed
    }
}

/// A workspace in which the actor may do what was asked.
#[derive(Debug, Clone)]
pub struct InWorkspace {
    workspace: Workspace,
    role: Role,
}

impl InWorkspace {
    /// The workspace, with the actor's role.
    pub const fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The workspace, given away.
    pub fn into_workspace(self) -> Workspace {
        self.workspace
    }

    /// The actor's role.
    pub const fn role(&self) -> Role {
        self.role
    }
}

fn verdict(found: &channels::Found, actor: Actor, permission: ChannelPermission) -> Verdict {
    let channels::Found { channel, role, parent } = found;
    if let Some(parent) = parent {
        return permissions::in_thread(*role, *parent, permission);
    }
    let at = permissions::InChannel {
        kind: channel.kind,
        member: channel.joined == Some(true),
        creator: channel.created_by == Some(actor.user),
    };
    permissions::in_channel(*role, at, permission)
}

const fn refusal(kind: ChannelKind, permission: ChannelPermission) -> &'static str {
    match permission {
        _ if matches!(kind, ChannelKind::Thread) => "only those in the channel take part in its threads",
        ChannelPermission::Invite if kind.is_direct() => "open one with everyone in it instead",
        ChannelPermission::Remove | ChannelPermission::Manage if kind.is_direct() => {
            "direct messages and groups belong to all of their people"
        }
        ChannelPermission::Moderate if kind.is_direct() => "only the author can delete a message here",
        ChannelPermission::View => "you may not see this channel",
        ChannelPermission::Join => "you may not join this channel",
        ChannelPermission::Take => "join the channel first",
        ChannelPermission::Pin => "only the channel's members can pin messages, and not guests",
        ChannelPermission::Invite => "only members can invite to this channel",
        ChannelPermission::Remove => "only the channel's creator and admins can remove members",
        ChannelPermission::Manage => "only the channel's creator and admins can change it",
        ChannelPermission::Moderate => "only admins can delete other people's messages",
    }
}

fn decide(found: Option<channels::Found>, actor: Actor, permission: ChannelPermission) -> Result<InChannel> {
    let Some(found) = found else { return Err(Error::NotFound("channel")) };
    match verdict(&found, actor, permission) {
        Verdict::Allowed => Ok(InChannel { found }),
        Verdict::Forbidden => Err(Error::Forbidden(refusal(found.channel.kind, permission))),
        Verdict::Unseen => Err(Error::NotFound("channel")),
    }
}

/// The channel with this id, if the actor may do this in it.
///
/// # Errors
/// `NotFound` when the actor may not see it, `Forbidden` when they may not do this.
pub async fn channel(
    tx: &mut Tx,
    actor: Actor,
    id: ChannelId,
    permission: ChannelPermission,
) -> Result<InChannel> {
    decide(channels::find(tx, id, actor.user).await?, actor, permission)
}

/// The same from memory, if all that it takes is known there.
pub fn known_channel(
    app: &App,
    actor: Actor,
    id: ChannelId,
    permission: ChannelPermission,
) -> Option<Result<(InChannel, Arc<Person>)>> {
    let (person, room) = (app.memory.known_person(actor.user)?, app.memory.known_room(id)?);
    let parent = match room.parent() {
        Some(parent) => Some((parent, app.memory.known_room(parent)?)),
        None => None,
    };
    let at = decide(Some(person.found(id, &room, parent)), actor, permission);
    Some(at.map(|at| (at, person)))
}

/// The same from memory, which asks the database for what is not known. For what changes nothing but
/// messages: other changes decide in their transaction.
///
/// # Errors
/// As [`channel`].
pub async fn channel_now(
    app: &App,
    actor: Actor,
    id: ChannelId,
    permission: ChannelPermission,
) -> Result<(InChannel, Arc<Person>)> {
    if let Some(known) = known_channel(app, actor, id, permission) {
        return known;
    }
    let missing = || Error::NotFound("channel");
    let standing = app.memory.person(&app.db, actor.user, app.now()).await?.ok_or_else(missing)?;
    let room = app.memory.room(&app.db, id, app.now()).await?.ok_or_else(missing)?;
    let parent = match room.parent() {
        Some(parent) => {
            let of = app.memory.room(&app.db, parent, app.now()).await?.ok_or_else(missing)?;
            Some((parent, of))
        }
        None => None,
    };
    let at = decide(Some(standing.person.found(id, &room, parent)), actor, permission)?;
    Ok((at, standing.person))
}

/// The same, in a change: nobody else changes the channel until its end.
///
/// # Errors
/// As [`channel`].
pub async fn channel_to_change(
    tx: &mut Tx,
    actor: Actor,
    id: ChannelId,
    permission: ChannelPermission,
) -> Result<InChannel> {
    decide(channels::lock(tx, id, actor.user).await?, actor, permission)
}

/// The channels in which the actor may read, of a workspace or of all that they are in.
///
/// # Errors
/// `NotFound` when the actor is not in the workspace.
pub async fn visible_channels(
    tx: &mut Tx,
    actor: Actor,
    within: Option<WorkspaceId>,
) -> Result<Vec<InChannel>> {
    if let Some(id) = within {
        workspace(tx, actor, id, WorkspacePermission::View).await?;
    }
    let around = channels::around(tx, actor.user).await?.into_iter();
    Ok(around.filter_map(|found| decide(Some(found), actor, ChannelPermission::View).ok()).collect())
}

/// Of a message in a channel that is not seen, one learns no more than of a missing message.
fn of_message(at: Result<InChannel>) -> Result<InChannel> {
    at.map_err(|e| if matches!(e, Error::NotFound(_)) { Error::NotFound("message") } else { e })
}

/// The message with this id and its channel, if the actor may do this there.
///
/// # Errors
/// `NotFound` when the actor may not see it, `Forbidden` when they may not do this.
pub async fn message(
    tx: &mut Tx,
    actor: Actor,
    id: MessageId,
    permission: ChannelPermission,
) -> Result<(Message, InChannel)> {
    let missing = || Error::NotFound("message");
    let message = messages::find(tx, id).await?.ok_or_else(missing)?;
    let at = of_message(channel(tx, actor, message.channel_id, permission).await)?;
    Ok((message, at))
}

/// The same, in a change: the message is read after its channel is locked.
///
/// # Errors
/// As [`message`].
pub async fn message_to_change(
    tx: &mut Tx,
    actor: Actor,
    id: MessageId,
    permission: ChannelPermission,
) -> Result<(Message, InChannel)> {
    let missing = || Error::NotFound("message");
    let before = messages::find(tx, id).await?.ok_or_else(missing)?;
    let at = of_message(channel_to_change(tx, actor, before.channel_id, permission).await)?;
    Ok((messages::find(tx, id).await?.ok_or_else(missing)?, at))
}

/// The workspace with this id, if the actor may do this in it.
///
/// # Errors
/// `NotFound` when the actor is not in it, `Forbidden` when they may not do this.
pub async fn workspace(
    tx: &mut Tx,
    actor: Actor,
    id: WorkspaceId,
    permission: WorkspacePermission,
) -> Result<InWorkspace> {
    let missing = || Error::NotFound("workspace");
    let workspace = workspaces::find(tx, id, actor.user).await?.ok_or_else(missing)?;
    match (permissions::in_workspace(workspace.role, permission), workspace.role) {
        (Verdict::Allowed, Some(role)) => Ok(InWorkspace { workspace, role }),
        (Verdict::Forbidden, _) => Err(Error::Forbidden(match permission {
            WorkspacePermission::View => "you may not see this workspace",
            WorkspacePermission::Edit => "only admins can change a workspace",
            WorkspacePermission::CreateChannel => "guests cannot create channels",
            WorkspacePermission::OpenDirect => "guests cannot open direct messages",
            WorkspacePermission::ManageMembers => "only admins can manage members",
        })),
        _ => Err(missing()),
    }
}
