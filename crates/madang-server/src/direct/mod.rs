//! Direct messages and groups: channels of certain people in a workspace.
//!
//! Invariants:
//! - Of one set of people there is one in a workspace, whoever asks for it and at the same time.
//! - A direct message of two stays theirs; whoever left the workspace and came back finds it again. A group
//!   that someone left is no longer found by its people: nobody is brought back into it.
//! - No role counts among the people.

pub mod http;

use std::collections::BTreeSet;

use madang_proto::{
    ChannelId, Event, UserId, WorkspaceId,
    channels::{Channel, ChannelAction, ChannelChange, ChannelKind},
    direct::OpenDirect,
    limits,
    messages::Message,
    page::{MessagePageQuery, Page},
    permissions::{ChannelPermission, Role, WorkspacePermission},
};
use madang_realtime::{Control, Topic};
use madang_store::{channels as store_channels, direct as store, members, unread, visits, workspaces};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    channels,
    error::{Error, Result},
    messages, notifications,
    ratelimit::Limit,
};

/// The actor's direct messages and groups, those with the newest message first.
pub async fn index(app: &App, actor: Actor) -> Result<Vec<Channel>> {
    let tx = &mut app.db.read().await?;
    let order = store::order_of_user(tx, actor.user).await?;
    let mut items = store_channels::of_user(tx, actor.user).await?;
    items.retain(|channel| channel.kind.is_direct());
    unread::tell(tx, actor.user, &mut items).await?;
    items.sort_by_cached_key(|channel| order.iter().position(|id| *id == channel.id));
    Ok(items)
}

/// The channel of the actor and these people, which is made when there is none. True when it was.
pub async fn open(app: &App, actor: Actor, new: &OpenDirect) -> Result<(Channel, bool)> {
    let people: BTreeSet<UserId> = new.user_ids.iter().copied().chain([actor.user]).collect();
    if new.user_ids.is_empty() || people.len() > limits::DIRECT_PEOPLE {
        return Err(Error::field(
            "user_ids",
            format!("1 to {} people, oneself included", limits::DIRECT_PEOPLE),
        ));
    }
    let mut change = app.change().await?;
    let nobody = || Error::field("user_ids", "someone is not there, or not in this workspace");
    let workspace = match new.workspace_id {
        Some(id) => id,
        None => store::shared_workspace(change.tx(), &people).await?.ok_or_else(nobody)?,
    };
    access::workspace(change.tx(), actor, workspace, WorkspacePermission::OpenDirect).await?;
    for user in &people {
        let member = workspaces::member(change.tx(), workspace, *user).await?.ok_or_else(nobody)?;
        if member.role == Role::Visitor {
            near(&mut change, workspace, *user, &people).await?;
        }
    }
    let made = match store::find(change.tx(), workspace, &people).await? {
        Some(id) => Err(id),
        None => make(app, &mut change, actor, workspace, &people).await?,
    };
    let id = match made {
        Ok(id) => id,
        Err(id) => return Ok((reopen(app, change, actor, id, &people).await?, false)),
    };
    let found = channels::found(change.tx(), id, actor.user).await?;
    // Everyone is in it from the beginning, and hears it before anything is said in it.
    for &user in &people {
        change.control(Control::Subscribe { user, topic: Topic::Channel(id) });
        let created = ChannelChange { action: ChannelAction::Created, channel: found.clone() };
        change.emit(Topic::User(user), Event::Channel(created));
    }
    if found.kind == ChannelKind::Group {
        let others: Vec<_> = people.into_iter().filter(|user| *user != actor.user).collect();
        notifications::invited(app, &mut change, actor, &found, &others).await?;
    }
    change.commit().await?;
    Ok((found, true))
}

/// Refuses people who are in no channel of a visitor.
async fn near(
    change: &mut Change,
    workspace: WorkspaceId,
    visitor: UserId,
    people: &BTreeSet<UserId>,
) -> Result<()> {
    for other in people.iter().filter(|other| **other != visitor) {
        if !visits::share_channel(change.tx(), workspace, visitor, *other).await? {
            return Err(Error::field("user_ids", "only those of a visitor's channel can write to them"));
        }
    }
    Ok(())
}

/// Makes the channel of these people, in a change; or it is the one that someone else made at the same time.
async fn make(
    app: &App,
    change: &mut Change,
    actor: Actor,
    workspace_id: WorkspaceId,
    people: &BTreeSet<UserId>,
) -> Result<std::result::Result<ChannelId, ChannelId>> {
    app.limits.check(Limit::DirectByUser, actor.user)?;
    for user in people {
        if members::count_of_user(change.tx(), *user, true).await? >= limits::DIRECTS_PER_USER {
            let most = limits::DIRECTS_PER_USER;
            return Err(Error::Conflict(format!("at most {most} direct messages and groups a person")));
        }
    }
    let kind = if people.len() > 2 { ChannelKind::Group } else { ChannelKind::Dm };
    let channel = channels::made(app, workspace_id, kind, Some(actor.user));
    if store::insert(change.tx(), &channel, people).await? {
        return Ok(Ok(channel.id));
    }
    let theirs = store::find(change.tx(), workspace_id, people).await?;
    theirs.map(Err).ok_or(Error::NotFound("channel"))
}

/// Brings those back who had left the workspace meanwhile.
async fn reopen(
    app: &App,
    mut change: Change,
    actor: Actor,
    id: ChannelId,
    people: &BTreeSet<UserId>,
) -> Result<Channel> {
    store_channels::lock(change.tx(), id, actor.user).await?;
    let mut back = false;
    for user in people {
        if !members::is_member(change.tx(), id, *user).await? {
            channels::enter(app, &mut change, id, *user).await?;
            back = true;
        }
    }
    let mut found = channels::found(change.tx(), id, actor.user).await?;
    unread::tell(change.tx(), actor.user, std::slice::from_mut(&mut found)).await?;
    if back {
        change.commit().await?;
    }
    Ok(found)
}

/// A page of the messages.
pub async fn messages(
    app: &App,
    actor: Actor,
    id: ChannelId,
    query: MessagePageQuery,
) -> Result<Page<Message>> {
    let (at, _) = access::channel_now(app, actor, id, ChannelPermission::View).await?;
    if !at.channel().kind.is_direct() {
        return Err(Error::NotFound("channel"));
    }
    messages::index(app, actor, id, query).await
}
