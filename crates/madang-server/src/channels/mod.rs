//! Channels: make, change, join, leave, invite, remove.

pub mod http;
mod overrides;

use madang_proto::{
    ChannelId, Event, UserId, WorkspaceId,
    audit::AuditAction,
    channels::{
        Channel, ChannelAction, ChannelChange, ChannelChanges, ChannelKind, ChannelsQuery, CreateChannel,
        UpdateChannel,
    },
    input, limits,
    page::Page,
    permissions::{ChannelPermission, Role, WorkspacePermission},
    workspaces::{Member, MemberChange},
};
use madang_realtime::{Control, Topic};
use madang_store::{
    Tx, channels as store, direct, members, messages, threads, unread, visits as store_visits,
    workspaces as store_workspaces,
};
use serde_json::json;

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::Change,
    error::{Error, Field, Result},
    notifications, sanctions, visits, workspaces,
};

/// The channels that the actor is a member of.
pub async fn index(app: &App, actor: Actor, query: ChannelsQuery) -> Result<Vec<Channel>> {
    let mut tx = app.db.read().await?;
    let mut channels = store::of_user(&mut tx, actor.user).await?;
    channels.retain(|channel| query.lists(channel));
    unread::tell(&mut tx, actor.user, &mut channels).await?;
    Ok(channels)
}

/// The channels of a workspace that the actor may see.
pub async fn of_workspace(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    query: ChannelsQuery,
) -> Result<Vec<Channel>> {
    let mut tx = app.db.read().await?;
    let at = access::workspace(&mut tx, actor, id, WorkspacePermission::View).await?;
    let mut channels = store::of_workspace(&mut tx, id, actor.user).await?;
    channels.retain(|channel| query.lists(channel) && at.shows(actor, channel));
    unread::tell(&mut tx, actor.user, &mut channels).await?;
    Ok(channels)
}

/// One channel.
pub async fn show(app: &App, actor: Actor, id: ChannelId) -> Result<Channel> {
    let mut tx = app.db.read().await?;
    let channel = access::channel(&mut tx, actor, id, ChannelPermission::View).await?.into_channel();
    told(&mut tx, actor, channel).await
}

/// A channel with the messages that mention the actor.
async fn told(tx: &mut Tx, actor: Actor, mut channel: Channel) -> Result<Channel> {
    unread::tell(tx, actor.user, std::slice::from_mut(&mut channel)).await?;
    Ok(channel)
}

fn name_taken(error: madang_store::Error) -> Error {
    match error {
        madang_store::Error::Conflict(_) => {
            Error::Conflict("a channel of this name is there already".to_owned())
        }
        other => other.into(),
    }
}

/// The others have their own ways of being made, and nothing becomes one of them.
fn named(kind: ChannelKind) -> Result<ChannelKind> {
    match kind {
        ChannelKind::Public | ChannelKind::Private => Ok(kind),
        ChannelKind::Dm | ChannelKind::Group | ChannelKind::Thread => {
            Err(Error::field("kind", "public or private"))
        }
    }
}

/// Makes a channel with the actor as its first member.
pub async fn create(app: &App, actor: Actor, new: &CreateChannel) -> Result<Channel> {
    let name = input::channel_name(&new.name).field("name")?;
    let topic = new.topic.as_deref().map(input::topic).transpose().field("topic")?.unwrap_or_default();
    let mut change = app.change().await?;
    let workspace_id = match new.workspace_id {
        Some(id) => id,
        None => {
            let first = store_workspaces::of_user(change.tx(), actor.user).await?.into_iter().next();
            first.ok_or(Error::NotFound("workspace"))?.id
        }
    };
    access::workspace(change.tx(), actor, workspace_id, WorkspacePermission::CreateChannel).await?;
    if store::count(change.tx(), workspace_id).await? >= limits::CHANNELS_PER_WORKSPACE {
        return Err(Error::Conflict(format!(
            "at most {} channels a workspace",
            limits::CHANNELS_PER_WORKSPACE
        )));
    }
    let made = made(app, workspace_id, named(new.kind)?, Some(actor.user));
    let channel = Channel { name, topic, ..made };
    store::insert(change.tx(), &channel, &input::name_key(&channel.name)).await.map_err(name_taken)?;
    enter(app, &mut change, channel.id, actor.user).await?;
    let channel = found(change.tx(), channel.id, actor.user).await?;
    if channel.kind == ChannelKind::Public {
        announce_to_workspace(&mut change, ChannelAction::Created, &channel);
    }
    change.commit().await?;
    Ok(channel)
}

/// A channel as it is made: without a name, with nobody and nothing in it.
pub fn made(app: &App, workspace_id: WorkspaceId, kind: ChannelKind, created_by: Option<UserId>) -> Channel {
    Channel {
        id: app.id(),
        workspace_id,
        kind,
        name: String::new(),
        topic: String::new(),
        is_default: false,
        created_by,
        member_count: 0,
        last_seq: 0,
        first_seq: 1,
        version: 0,
        created_at: app.now(),
        joined: None,
        last_read_seq: None,
        read_version: 0,
        unread_count: None,
        unread_skipped: Vec::new(),
        mention_count: None,
        unread_mentions: Vec::new(),
        people: Vec::new(),
        thread: None,
        overrides: Vec::new(),
        slow_mode: 0,
        archived_at: None,
        retention: None,
    }
}

/// Tells everyone in the workspace of a public channel.
pub fn announce_to_workspace(change: &mut Change, action: ChannelAction, channel: &Channel) {
    let event = Event::Channel(ChannelChange { action, channel: channel.clone().for_everyone() });
    change.emit(Topic::Workspace(channel.workspace_id), event);
}

/// A channel that is there, as a user stands to it.
pub async fn found(tx: &mut Tx, id: ChannelId, user: UserId) -> Result<Channel> {
    Ok(store::find(tx, id, user).await?.ok_or(Error::NotFound("channel"))?.channel)
}

/// Changes name, topic, kind and what it allows; archives and restores.
pub async fn update(app: &App, actor: Actor, id: ChannelId, new: &UpdateChannel) -> Result<Channel> {
    let name = new.name.as_deref().map(input::channel_name).transpose().field("name")?;
    let topic = new.topic.as_deref().map(input::topic).transpose().field("topic")?;
    let mut change = app.change().await?;
    let at = access::channel_to_change(change.tx(), actor, id, ChannelPermission::Manage).await?;
    let overrides = overrides::checked(&mut change, actor, &at, new.overrides.as_deref()).await?;
    let before = told(change.tx(), actor, at.into_channel()).await?;
    let mut channel = before.clone();
    channel.name = name.unwrap_or(channel.name);
    channel.topic = topic.unwrap_or(channel.topic);
    channel.kind = new.kind.map(named).transpose()?.unwrap_or(channel.kind);
    channel.slow_mode = new.slow_mode.unwrap_or(channel.slow_mode);
    if channel.slow_mode > limits::SLOW_MODE_SECONDS {
        return Err(Error::field("slow_mode", format!("at most {} seconds", limits::SLOW_MODE_SECONDS)));
    }
    channel.overrides = overrides;
    channel.archived_at = match new.archived {
        Some(true) => channel.archived_at.or_else(|| Some(app.now())),
        Some(false) => None,
        None => channel.archived_at,
    };
    if channel.is_default && channel.archived_at.is_some() {
        return Err(Error::Conflict("the default channel cannot be archived".to_owned()));
    }
    if channel.is_default && channel.kind != ChannelKind::Public {
        return Err(Error::Conflict("the default channel stays public: everyone is in it".to_owned()));
    }
    if channel != before {
        let act = Act::of_channel(&before, &channel);
        audit::note(app, &mut change, actor, channel.workspace_id, act).await?;
    }
    channel.version =
        store::update(change.tx(), &channel, &input::name_key(&channel.name)).await.map_err(name_taken)?;
    let event = Event::Channel(ChannelChange {
        action: ChannelAction::Updated,
        channel: channel.clone().for_everyone(),
    });
    change.emit(Topic::Channel(id), event);
    // Those who are not members know public channels only.
    match (before.kind, channel.kind) {
        (_, ChannelKind::Public) => announce_to_workspace(&mut change, ChannelAction::Updated, &channel),
        (ChannelKind::Public, ChannelKind::Private) => {
            // Without name and topic: who is not a member learns only that it is no longer there.
            let gone = Channel {
                name: before.name,
                topic: String::new(),
                overrides: Vec::new(),
                slow_mode: 0,
                retention: None,
                ..channel.clone()
            };
            announce_to_workspace(&mut change, ChannelAction::Updated, &gone);
        }
        _ => {}
    }
    change.commit().await?;
    Ok(channel)
}

/// Deletes a channel.
pub async fn destroy(app: &App, actor: Actor, id: ChannelId) -> Result<()> {
    let mut change = app.change().await?;
    let mut channel =
        access::channel_to_change(change.tx(), actor, id, ChannelPermission::Manage).await?.into_channel();
    if channel.is_default {
        return Err(Error::Conflict("the default channel cannot be deleted".to_owned()));
    }
    let name = (channel.kind == ChannelKind::Public).then(|| json!({"name": channel.name}));
    let act = Act::new(AuditAction::ChannelDeleted).within(Some(id)).changed(name, None);
    audit::note(app, &mut change, actor, channel.workspace_id, act).await?;
    visits::end_of_channel(app, &mut change, id).await?;
    channel.version = store::delete(change.tx(), id, app.now()).await?;
    let event = Event::Channel(ChannelChange {
        action: ChannelAction::Deleted,
        channel: channel.clone().for_everyone(),
    });
    change.emit(Topic::Channel(id), event);
    if channel.kind == ChannelKind::Public {
        announce_to_workspace(&mut change, ChannelAction::Deleted, &channel);
    }
    change.commit().await
}

/// Puts someone who is not in a channel into it, in a change, and tells everyone concerned.
pub async fn enter(app: &App, change: &mut Change, id: ChannelId, user: UserId) -> Result<MemberChange> {
    let at = store::lock(change.tx(), id, user).await?.filter(|at| at.channel.joined != Some(true));
    let channel = at.ok_or(Error::NotFound("channel"))?.channel;
    sanctions::check(change, channel.workspace_id, Some(id), user).await?;
    let direct = channel.kind.is_direct();
    let most = if direct { limits::DIRECTS_PER_USER } else { limits::CHANNELS_PER_USER };
    if members::count_of_user(change.tx(), user, direct).await? >= most {
        return Err(Error::Conflict(format!("at most {most} channels a person")));
    }
    let joined = members::add(change.tx(), id, user, app.now()).await?;
    let channel = found(change.tx(), id, user).await?;
    change.control(Control::Subscribe { user, topic: Topic::Channel(id) });
    change.emit(Topic::User(user), Event::Channel(ChannelChange { action: ChannelAction::Created, channel }));
    change.emit(Topic::Channel(id), Event::Member(joined.clone()));
    Ok(joined)
}

/// Takes someone who is in a channel out of it, in a change, and tells everyone concerned.
pub async fn exit(app: &App, change: &mut Change, id: ChannelId, user: UserId) -> Result<()> {
    let at = store::lock(change.tx(), id, user).await?.filter(|at| at.channel.joined == Some(true));
    if at.ok_or(Error::NotFound("member"))?.channel.kind == ChannelKind::Group {
        direct::forget_people(change.tx(), id).await?;
    }
    store_visits::leave_channel(change.tx(), id, user).await?;
    let left = members::remove(change.tx(), id, user, app.now()).await?;
    change.emit(Topic::Channel(id), Event::Member(left));
    for id in threads::of_channel(change.tx(), id).await?.into_iter().chain([id]) {
        change.control(Control::Unsubscribe { user, topic: Topic::Channel(id) });
    }
    Ok(())
}

/// Tells in a channel that what it shows of a member changed, in a change.
pub async fn renew(change: &mut Change, id: ChannelId, user: UserId) -> Result<()> {
    store::lock(change.tx(), id, user).await?;
    let renewed = members::renew(change.tx(), id, user).await?;
    change.emit(Topic::Channel(id), Event::Member(renewed));
    Ok(())
}

/// Joins a channel; nothing happens to who is in it already.
pub async fn join(app: &App, actor: Actor, id: ChannelId) -> Result<Channel> {
    let mut change = app.change().await?;
    let at = access::channel_to_change(change.tx(), actor, id, ChannelPermission::Join).await?;
    // Who may hear a thread need not follow it.
    if at.channel().joined == Some(true) || at.channel().thread.is_some() {
        return told(change.tx(), actor, at.into_channel()).await;
    }
    enter(app, &mut change, id, actor.user).await?;
    let channel = found(change.tx(), id, actor.user).await?;
    change.commit().await?;
    Ok(channel)
}

/// Leaves a channel.
pub async fn leave(app: &App, actor: Actor, id: ChannelId) -> Result<()> {
    remove(app, actor, id, actor.user).await
}

/// The members, by id.
pub async fn list_members(
    app: &App,
    actor: Actor,
    id: ChannelId,
    after: i64,
    limit: u32,
) -> Result<Page<Member>> {
    let mut tx = app.db.read().await?;
    access::channel(&mut tx, actor, id, ChannelPermission::View).await?;
    Ok(workspaces::member_page(members::list(&mut tx, id, after, limit + 1).await?, limit))
}

/// Brings someone of the workspace into a channel.
pub async fn invite(app: &App, actor: Actor, id: ChannelId, user: UserId) -> Result<Member> {
    let mut change = app.change().await?;
    let at = access::channel_to_change(change.tx(), actor, id, ChannelPermission::Invite).await?;
    let there = store_workspaces::member(change.tx(), at.channel().workspace_id, user).await?;
    let there = there.ok_or_else(|| Error::field("user_id", "nobody of this workspace has this id"))?;
    if there.role == Role::Visitor {
        return Err(Error::Conflict("a visitor comes in by a guest link of the channel".to_owned()));
    }
    if members::is_member(change.tx(), id, user).await? {
        // Who is in it for a time, by a guest link, stays from now on.
        if !store_visits::leave_channel(change.tx(), id, user).await? {
            return Err(Error::Conflict("is a member already".to_owned()));
        }
        return change.commit().await.map(|()| there);
    }
    let joined = enter(app, &mut change, id, user).await?;
    if at.channel().kind != ChannelKind::Public {
        notifications::invited(app, &mut change, actor, at.channel(), &[user]).await?;
    }
    change.commit().await?;
    Ok(joined.member)
}

/// Takes someone out of a channel, oneself or another.
pub async fn remove(app: &App, actor: Actor, id: ChannelId, user: UserId) -> Result<()> {
    let mut change = app.change().await?;
    let needed = if user == actor.user { ChannelPermission::Take } else { ChannelPermission::Remove };
    let at = access::channel_to_change(change.tx(), actor, id, needed).await?;
    let member = store_workspaces::member(change.tx(), at.channel().workspace_id, user).await?;
    if at.channel().is_default && member.is_some_and(|member| member.role > Role::Visitor) {
        return Err(Error::Conflict("everyone in the workspace is in its default channel".to_owned()));
    }
    if at.channel().kind == ChannelKind::Dm {
        return Err(Error::Conflict("a direct message of two stays theirs".to_owned()));
    }
    exit(app, &mut change, id, user).await?;
    visits::settle(app, &mut change, at.channel().workspace_id, user).await?;
    if user != actor.user {
        let act = Act::new(AuditAction::ChannelMemberRemoved).on(user).within(Some(id));
        audit::note(app, &mut change, actor, at.channel().workspace_id, act).await?;
    }
    change.commit().await
}

/// What changed since a version.
pub async fn changes(app: &App, actor: Actor, id: ChannelId, after: i64) -> Result<ChannelChanges> {
    if after < 0 {
        return Err(Error::field("after", "a version, or 0 for all"));
    }
    let mut tx = app.db.read().await?;
    let channel = access::channel(&mut tx, actor, id, ChannelPermission::View).await?.into_channel();
    let channel = told(&mut tx, actor, channel).await?;
    changes_since(&mut tx, channel, actor.user, after).await
}

/// What changed in a channel since a version, as a user sees it, in a snapshot.
pub async fn changes_since(
    tx: &mut Tx,
    channel: Channel,
    user: UserId,
    after: i64,
) -> Result<ChannelChanges> {
    let most = limits::CHANGES_MAX;
    let mut messages = messages::changed_since(tx, channel.id, user, after, most + 1).await?;
    let mut members = members::changed_since(tx, channel.id, after, most + 1).await?;
    // A list that was cut ends the answer at its last version that is surely whole.
    let cut = usize::try_from(most).unwrap_or(usize::MAX);
    let last = |len: usize, version: Option<i64>| if len > cut { version } else { None };
    let until = [
        last(messages.len(), messages.get(cut.saturating_sub(1)).map(|m| m.version)),
        last(members.len(), members.get(cut.saturating_sub(1)).and_then(|m| m.version)),
    ]
    .into_iter()
    .flatten()
    .min();
    let version = until.unwrap_or(channel.version);
    messages.retain(|m| m.version <= version);
    members.retain(|m| m.version.is_some_and(|v| v <= version));
    Ok(ChannelChanges { channel, messages, members, version, more: until.is_some() })
}
