//! From an id that a user gave to the thing itself: the only way, and the only place that decides.
//!
//! Invariants:
//! - What a user may not see and what is not there give the same answer.
//! - [`InChannel`] and [`InWorkspace`] cannot be made elsewhere; operations take them.

use std::sync::Arc;

use madang_proto::{
    ChannelId, FileId, MessageId, UserId, WorkspaceId,
    accounts::User,
    channels::{Channel, ChannelKind},
    messages::Message,
    permissions::{self, ChannelPermission, Role, Verdict, WorkspacePermission},
    workspaces::Workspace,
};
use madang_store::{Tx, accounts, channels, emoji, files, messages, profiles, workspaces};

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

    /// The actor's role in its workspace.
    pub const fn role(&self) -> Option<Role> {
        self.found.role
    }

    /// Seconds that the actor waits between two messages here.
    pub fn pause(&self, actor: Actor) -> u32 {
        if self.found.slow_mode == 0 || self.may(actor, ChannelPermission::Moderate) {
            return 0;
        }
        self.found.slow_mode
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

    /// Whether the actor sees this channel of it.
    pub fn shows(&self, actor: Actor, channel: &Channel) -> bool {
        let at = permissions::InChannel::of(channel, Some(self.role), actor.user);
        permissions::in_channel(Some(self.role), at, ChannelPermission::View) == Verdict::Allowed
    }
}

/// How the actor stands to a channel, and to that of the root where it is a thread.
fn standing(found: &channels::Found, actor: Actor) -> permissions::InChannel {
    let of_channel = || permissions::InChannel::of(&found.channel, found.role, actor.user);
    permissions::InChannel { muted: found.muted, ..found.parent.unwrap_or_else(of_channel) }
}

fn verdict(found: &channels::Found, actor: Actor, permission: ChannelPermission) -> Verdict {
    let decide = if found.parent.is_some() { permissions::in_thread } else { permissions::in_channel };
    decide(found.role, standing(found, actor), permission)
}

fn refusal(found: &channels::Found, actor: Actor, permission: ChannelPermission) -> &'static str {
    let (kind, at) = (found.channel.kind, standing(found, actor));
    match permission {
        _ if at.archived => "the channel is archived",
        _ if at.muted => "you are muted here",
        _ if at.member && at.overridden.rule(permission) == Some(false) => "the channel does not allow it",
        _ if at.member && matches!(kind, ChannelKind::Thread) => {
            "the channel does not allow it in its threads"
        }
        _ if matches!(kind, ChannelKind::Thread) => "only those in the channel take part in its threads",
        ChannelPermission::Invite if kind.is_direct() => "open one with everyone in it instead",
        ChannelPermission::Remove | ChannelPermission::Manage if kind.is_direct() => {
            "direct messages and groups belong to all of their people"
        }
        ChannelPermission::Moderate if kind.is_direct() => "only the author can delete a message here",
        ChannelPermission::View => "you may not see this channel",
        ChannelPermission::Join => "you may not join this channel",
        ChannelPermission::Take
        | ChannelPermission::Write
        | ChannelPermission::Reply
        | ChannelPermission::React => "join the channel first",
        ChannelPermission::Pin => "only the channel's members can pin messages, and not guests",
        ChannelPermission::Invite => "only members can invite to this channel",
        ChannelPermission::Remove => "only the channel's creator and moderators can remove members",
        ChannelPermission::Manage => "only the channel's creator and admins can change it",
        ChannelPermission::Moderate => "only moderators can delete other people's messages",
    }
}

fn decide(found: Option<channels::Found>, actor: Actor, permission: ChannelPermission) -> Result<InChannel> {
    let Some(found) = found else { return Err(Error::NotFound("channel")) };
    match verdict(&found, actor, permission) {
        Verdict::Allowed => Ok(InChannel { found }),
        Verdict::Forbidden => Err(Error::Forbidden(refusal(&found, actor, permission))),
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
    Ok((messages::find_to_change(tx, id).await?.ok_or_else(missing)?, at))
}

/// The file with this id, if the actor may see it: their own, or that of a message which they may see.
///
/// # Errors
/// `NotFound` when they may not.
pub async fn file(app: &App, actor: Actor, id: FileId) -> Result<files::Found> {
    let missing = || Error::NotFound("file");
    let found = files::find(&mut app.db.read().await?, id).await?.ok_or_else(missing)?;
    match found.channel {
        Some(channel) => {
            channel_now(app, actor, channel, ChannelPermission::View).await.map_err(|e| match e {
                Error::NotFound(_) => missing(),
                e => e,
            })?;
        }
        None if found.uploader != actor.user => return Err(missing()),
        None => {}
    }
    Ok(found)
}

/// The user with this id, whole, if the actor may see them: oneself, and those with whom one shares a workspace or a
/// direct message.
///
/// # Errors
/// `NotFound` when they may not.
pub async fn user(tx: &mut Tx, actor: Actor, id: UserId) -> Result<User> {
    let missing = || Error::NotFound("user");
    if id != actor.user && !profiles::may_see(tx, actor.user, id).await? {
        return Err(missing());
    }
    accounts::by_id(tx, id).await?.ok_or_else(missing)
}

/// The same, if it is the actor themself.
///
/// # Errors
/// `NotFound` when they may not see it, `Forbidden` when it is another.
pub async fn oneself(tx: &mut Tx, actor: Actor, id: UserId) -> Result<User> {
    let user = user(tx, actor, id).await?;
    if id != actor.user {
        return Err(Error::Forbidden("only your own profile and status can be changed"));
    }
    Ok(user)
}

/// The emoji with this id, if the actor may see it: it is of a workspace that they are in.
///
/// # Errors
/// `NotFound` when they may not.
pub async fn emoji(app: &App, actor: Actor, id: FileId) -> Result<emoji::Picture> {
    let missing = || Error::NotFound("emoji");
    let found = emoji::picture(&mut app.db.read().await?, id).await?.ok_or_else(missing)?;
    let standing = app.memory.person(&app.db, actor.user, app.now()).await?.ok_or_else(missing)?;
    standing.person.role(found.workspace).map(|_| found).ok_or_else(missing)
}

/// Refuses those who have to be silent in all of a workspace.
///
/// # Errors
/// `Forbidden` when the actor is one of them.
pub async fn unmuted(app: &App, actor: Actor, id: WorkspaceId) -> Result<()> {
    let standing = app.memory.person(&app.db, actor.user, app.now()).await?;
    match standing.is_some_and(|standing| standing.person.is_muted(id)) {
        true => Err(Error::Forbidden("you are muted here")),
        false => Ok(()),
    }
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
            WorkspacePermission::People => "visitors see only who is in their channels",
            WorkspacePermission::Edit => "only admins can change a workspace",
            WorkspacePermission::CreateChannel => "guests cannot create channels",
            WorkspacePermission::AddEmoji => "guests cannot add emoji",
            WorkspacePermission::OpenDirect => "guests cannot open direct messages",
            WorkspacePermission::ManageMembers => "only admins can manage members",
            WorkspacePermission::Moderate => "only moderators can do this",
            WorkspacePermission::Audit => "only admins can read the audit log",
            WorkspacePermission::Export => "only owners can take a workspace along",
        })),
        _ => Err(missing()),
    }
}
