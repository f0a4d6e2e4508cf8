//! Threads: a message's replies are a channel of their own, kind `thread`, whose members are those who follow
//! it. Who may do what in it is decided in the channel of its root.
//!
//! The root shows how many replies there are. That is a state of the root with a version of its channel, so
//! telling it for each reply would make every reply a change of the channel too. A reply only marks its thread,
//! in its own transaction; the child `threads` tells the roots of marked threads what is new, at once when
//! nothing was told just before, and else a quarter of a second later, whatever came meanwhile.
//!
//! Invariants:
//! - A message has one thread at most, and no message of a thread has one.
//! - What is marked is told, also after a crash; by another node within a minute.

pub mod http;

use std::time::Duration;

use madang_proto::{
    ChannelId, Event, MessageId,
    channels::{Channel, ChannelKind},
    messages::Message,
    page::{MessagePageQuery, Page},
    permissions::ChannelPermission,
    threads::{CreateReply, FollowedThread, MessageThread, ThreadOf},
};
use madang_realtime::{BoxError, Topic};
use madang_store::{
    channels as store_channels, members, messages as store_messages, threads as store, unread,
};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    channels,
    error::{Error, Result},
    http::page_limit,
    messages,
};

/// How long the newest state of a root is told after the one before, at the earliest.
const PAUSE: Duration = Duration::from_millis(250);
/// How long it sleeps where nothing wakes it: a node that crashed may have left something.
const SLEEP: Duration = Duration::from_secs(60);
/// How long to wait after the database was away.
const LATER: Duration = Duration::from_secs(1);
/// How many roots are told in one pass.
const PASS: u32 = 100;

/// Replies to a message, which opens its thread when it is the first. `named` is the channel in which the
/// client believes the message to stand. True when the reply is new.
pub async fn reply(
    app: &App,
    actor: Actor,
    root: MessageId,
    named: Option<ChannelId>,
    new: &CreateReply,
) -> Result<(Message, bool)> {
    let draft = messages::draft(app, actor, &new.content, new.nonce.as_deref(), new.file_ids.clone())?;
    if new.also_to_channel {
        if draft.content.is_empty() {
            return Err(Error::field("also_to_channel", "only with a text: the files stay with the reply"));
        }
        access::message(&mut app.db.read().await?, actor, root, ChannelPermission::Write).await?;
    }
    let (thread, of) = open(app, actor, root, named, ChannelPermission::Reply).await?;
    let sent = messages::write(app, actor, thread, draft.clone(), None).await?;
    if new.also_to_channel {
        let refers = MessageThread::refer(thread, of.root_id);
        // Nobody can choose a nonce like this one: it has a control character.
        let copy = messages::Draft {
            nonce: draft.nonce.map(|nonce| format!("{nonce}\n")),
            file_ids: Vec::new(),
            ..draft
        };
        messages::write(app, actor, of.channel_id, copy, Some(refers)).await?;
    }
    Ok(sent)
}

/// The thread of a message, which is made when there is none.
async fn open(
    app: &App,
    actor: Actor,
    root_id: MessageId,
    named: Option<ChannelId>,
    permission: ChannelPermission,
) -> Result<(ChannelId, ThreadOf)> {
    let mut tx = app.db.read().await?;
    let (root, _) = access::message(&mut tx, actor, root_id, permission).await?;
    let of = ThreadOf { channel_id: root.channel_id, root_id };
    if named.is_some_and(|named| named != root.channel_id) {
        return Err(Error::field("thread_root_id", "no such message in this channel"));
    }
    if root.thread.is_some_and(|thread| thread.root_id.is_some()) {
        return Err(Error::Conflict("there is no thread in a thread: reply to its root".to_owned()));
    }
    if let Some(id) = store::find(&mut tx, root_id).await? {
        return Ok((id, of));
    }
    drop(tx);
    let mut change = app.change().await?;
    let (root, at) = access::message_to_change(change.tx(), actor, root_id, permission).await?;
    if let Some(id) = store::find(change.tx(), root_id).await? {
        return Ok((id, of));
    }
    if root.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    let made = channels::made(app, at.channel().workspace_id, ChannelKind::Thread, Some(actor.user));
    let channel = Channel { thread: Some(of), ..made };
    store::insert(change.tx(), &channel, of, root.author.id).await?;
    change.commit().await?;
    Ok((channel.id, of))
}

/// A page of the replies; empty where there is no thread.
pub async fn index(
    app: &App,
    actor: Actor,
    root_id: MessageId,
    query: MessagePageQuery,
) -> Result<Page<Message>> {
    match known(app, actor, root_id, ChannelPermission::View).await? {
        Some(thread) => messages::index(app, actor, thread, query).await,
        None => {
            messages::asked(query)?;
            Ok(Page { items: Vec::new(), next_cursor: None, prev_cursor: None })
        }
    }
}

async fn known(
    app: &App,
    actor: Actor,
    root_id: MessageId,
    permission: ChannelPermission,
) -> Result<Option<ChannelId>> {
    let mut tx = app.db.read().await?;
    let (root, _) = access::message(&mut tx, actor, root_id, permission).await?;
    if root.thread.is_some_and(|thread| thread.root_id.is_some()) {
        return Err(Error::NotFound("thread"));
    }
    Ok(store::find(&mut tx, root_id).await?)
}

/// Follows the thread of a message.
pub async fn follow(app: &App, actor: Actor, root_id: MessageId) -> Result<Channel> {
    let (thread, _) = open(app, actor, root_id, None, ChannelPermission::Take).await?;
    set_following(app, actor, thread, true).await?;
    channels::show(app, actor, thread).await
}

/// Follows it no more; nothing happens where one did not.
pub async fn unfollow(app: &App, actor: Actor, root_id: MessageId) -> Result<()> {
    match known(app, actor, root_id, ChannelPermission::Take).await? {
        Some(thread) => set_following(app, actor, thread, false).await,
        None => Ok(()),
    }
}

/// Makes the actor, who may write in a thread, follow it or not.
async fn set_following(app: &App, actor: Actor, thread: ChannelId, wanted: bool) -> Result<()> {
    let mut change = app.change().await?;
    store_channels::lock(change.tx(), thread, actor.user).await?;
    if members::is_member(change.tx(), thread, actor.user).await? == wanted {
        return Ok(());
    }
    let changed = if wanted {
        members::add(change.tx(), thread, actor.user, app.now()).await?
    } else {
        members::remove(change.tx(), thread, actor.user, app.now()).await?
    };
    change.emit(Topic::Channel(thread), Event::Member(changed));
    change.commit().await
}

/// Makes the actor follow a thread that they are about to write in.
pub async fn follow_by_writing(app: &App, actor: Actor, thread: ChannelId) -> Result<()> {
    if members::is_member(&mut app.db.read().await?, thread, actor.user).await? {
        return Ok(());
    }
    set_following(app, actor, thread, true).await
}

/// The threads that the actor follows: those with unread replies first, then the newest reply.
pub async fn followed(
    app: &App,
    actor: Actor,
    limit: Option<u32>,
    after: Option<&str>,
) -> Result<Page<FollowedThread>> {
    let limit = page_limit(limit)?;
    let after = after.map(|cursor| {
        let parts: Option<Vec<i64>> = cursor.split('-').map(|part| part.parse().ok()).collect();
        <[i64; 3]>::try_from(parts.unwrap_or_default()).map_err(|_| Error::field("after", "not a cursor"))
    });
    let mut tx = app.db.read().await?;
    let mut found =
        store_channels::threads_of_user(&mut tx, actor.user, after.transpose()?, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        found.pop();
    }
    let next_cursor =
        found.last().filter(|_| more).map(|(_, [unread, at, id])| format!("{unread}-{at}-{id}"));
    let (mut channels, _): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    unread::tell(&mut tx, actor.user, &mut channels).await?;
    let roots = channels.iter().filter_map(|channel| Some(channel.thread?.root_id)).collect::<Vec<_>>();
    let roots = store_messages::of_ids(&mut tx, actor.user, &roots).await?;
    let whole = |channel: Channel| {
        let root_id = channel.thread?.root_id;
        let root = roots.iter().find(|root| root.id == root_id)?.clone();
        Some(FollowedThread { channel, root })
    };
    Ok(Page { items: channels.into_iter().filter_map(whole).collect(), next_cursor, prev_cursor: None })
}

/// A reply was deleted, in a change.
pub async fn lose_reply(change: &mut Change, thread: ChannelId) -> Result<()> {
    store::lose_reply(change.tx(), thread).await?;
    change.after(|app| app.replies.notify_one());
    Ok(())
}

/// Tells the roots of threads what is new in them, until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    loop {
        app.faults.point("threads");
        let pause = match tell(&app).await {
            Ok(()) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "roots of threads");
                app.replies.notify_one();
                LATER
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = app.shutdown.wait() => break,
        }
        tokio::select! {
            () = app.replies.notified() => {}
            () = tokio::time::sleep(SLEEP) => {}
            () = app.shutdown.wait() => break,
        }
    }
    Ok(())
}

async fn tell(app: &App) -> Result<()> {
    loop {
        let untold = store::untold(&mut app.db.read().await?, PASS).await?;
        for (thread, channel) in &untold {
            tell_root(app, *thread, *channel).await?;
        }
        if untold.len() < usize::try_from(PASS).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

async fn tell_root(app: &App, thread: ChannelId, channel: ChannelId) -> Result<()> {
    let mut change = app.change().await?;
    // The channel first, as everyone does who locks it and a thread.
    let version = match store_channels::next_version(change.tx(), channel).await {
        Ok(version) => version,
        Err(madang_store::Error::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let Some((root_id, news)) = store::tell(change.tx(), thread).await? else { return Ok(()) };
    let Some(mut root) = store_messages::find_to_change(change.tx(), root_id).await? else { return Ok(()) };
    root.version = version;
    root.thread = Some(news);
    store_messages::update(change.tx(), &root).await?;
    change.emit(Topic::Channel(channel), Event::Message(root));
    change.commit().await
}
