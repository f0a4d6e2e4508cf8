//! Notifications: what someone is told of beside the channels themselves, on all their devices, until they read it.
//!
//! A message that may concern someone brings a job ([`may_concern`]), due a moment later and one for all that a channel
//! gains until then; [`job`] stores a row for each person concerned, by the pure [`rules`]. Whether anyone wants to
//! hear of what is said in a channel to nobody in particular is held in memory, so that a message that concerns
//! nobody costs nothing.
//!
//! Invariants:
//! - Of a message there is one notification for a user at most, and none that a crash takes away.
//! - Who may not see the message is not told of it; what can no longer be seen is removed.
//! - The numbers of unread ones that a user hears have a version: the largest is true.

pub mod http;
mod job;
mod quiet;
mod rules;
mod settings;

use std::collections::{BTreeMap, HashMap};

use madang_proto::{
    ChannelId, Event, NotificationId, UserId,
    channels::{Channel, ChannelAction},
    limits,
    notifications::{
        NewNotification, Notification, NotificationCount, NotificationKind, NotificationQuery,
        NotificationsChange, ReadNotifications,
    },
    page::Page,
    workspaces::MemberAction,
};
use madang_realtime::Topic;
use madang_store::{
    accounts,
    notification_settings::{self as wanted, Around},
    notifications::{self as store, Difference, NewRow, Touched},
};

pub use self::{
    job::{notify, notify_mentioned, remove},
    settings::{show, update, update_channel, update_workspace},
};
use crate::{
    access::InChannel,
    app::{Actor, App},
    change::Change,
    error::{Error, Result},
    http::{page_limit, page_of},
    jobs::{Gone, Job},
    memory::{self, Person},
};

/// How long after a message people are notified of it, in milliseconds: what comes meanwhile is done with it, and
/// who is looking at the channel has read it.
pub const AFTER: i64 = 500;
/// How many more than are kept there may be before the oldest go, so that not each new one removes one.
const SLACK: i64 = 50;

/// Whether a message that the actor is about to send may concern notifications: someone's, or their own unread
/// ones, which are read by writing.
pub async fn may_concern(app: &App, at: &InChannel, author: &Person, mentions: bool) -> Result<bool> {
    let channel = at.channel();
    let personal = channel.kind.is_direct() || channel.thread.is_some();
    // Whether one follows a thread is not known here: somebody does.
    let others = channel.member_count > i64::from(channel.joined == Some(true));
    if mentions || (personal && others) || author.has_unread_in(channel.id) {
        return Ok(true);
    }
    let home = channel.thread.map_or(channel.id, |of| of.channel_id);
    app.memory.is_heeded(&app.db, home, channel.workspace_id).await
}

/// Stores notifications, those that are new, and announces them, in a change.
pub async fn deliver(change: &mut Change, app: &App, news: Vec<(NewRow, Notification)>) -> Result<()> {
    let (rows, shown): (Vec<_>, Vec<_>) = news.into_iter().unzip();
    if rows.is_empty() {
        return Ok(());
    }
    let stored = store::insert(change.tx(), &rows).await?;
    let mut differences = BTreeMap::<UserId, Difference>::new();
    for row in &stored {
        let by = differences.entry(row.user_id).or_default();
        (by.unread, by.kept) = (by.unread + i64::from(!row.is_read), by.kept + 1);
    }
    let numbers = store::count(change.tx(), &differences).await?;
    let stored: HashMap<NotificationId, UserId> = stored.iter().map(|row| (row.id, row.user_id)).collect();
    for notification in shown {
        let Some(user) = stored.get(&notification.id) else { continue };
        let Some(count) = numbers.get(user).map(|numbers| numbers.count) else { continue };
        let new = NewNotification { notification, count };
        change.emit(Topic::User(*user), Event::Notification(Box::new(new)));
    }
    for (user, numbers) in numbers {
        if numbers.kept > limits::NOTIFICATIONS_KEPT + SLACK {
            change.enqueue(&Job::Unnotify(Gone::Old(user)), app.now()).await?;
        }
    }
    Ok(())
}

/// Announces that notifications of messages that are gone for good were removed, in a change.
pub async fn purged(change: &mut Change, removed: Vec<Touched>) -> Result<()> {
    tell(change, removed, true).await.map(drop)
}

/// Announces that notifications were read, or removed, in a change; gives the new numbers of whose they are.
async fn tell(
    change: &mut Change,
    touched: Vec<Touched>,
    removed: bool,
) -> Result<BTreeMap<UserId, NotificationCount>> {
    let mut differences = BTreeMap::<UserId, Difference>::new();
    let mut of_users = BTreeMap::<UserId, Vec<NotificationId>>::new();
    for row in touched {
        let by = differences.entry(row.user_id).or_default();
        by.kept -= i64::from(removed);
        // One that was removed unread, or that is read from now on.
        by.unread -= i64::from(!removed || !row.is_read);
        of_users.entry(row.user_id).or_default().push(row.id);
    }
    let numbers = store::count(change.tx(), &differences).await?;
    let mut counts = BTreeMap::new();
    for (user, mut ids) in of_users {
        let Some(count) = numbers.get(&user).map(|numbers| numbers.count) else { continue };
        ids.sort_unstable();
        let (read, removed) = if removed { (Vec::new(), ids) } else { (ids, Vec::new()) };
        let event = Event::Notifications(NotificationsChange { read, removed, count });
        change.emit(Topic::User(user), event);
        counts.insert(user, count);
    }
    Ok(counts)
}

/// The actor read a channel up to a place, in a change: so they did its notifications. True where there were any.
pub async fn read_channel(change: &mut Change, actor: Actor, channel: &Channel, seq: i64) -> Result<bool> {
    let read = store::read_channel(change.tx(), actor.user, channel.id, seq).await?;
    let counts = tell(change, read, false).await?;
    if let Some(count) = counts.get(&actor.user)
        && seq >= channel.last_seq
    {
        change.touch([memory::Silent::AllRead(actor.user, channel.id, count.version)]);
    }
    Ok(!counts.is_empty())
}

/// The actor read some, or all up to one.
pub async fn read(app: &App, actor: Actor, what: ReadNotifications) -> Result<NotificationCount> {
    let mut change = app.change().await?;
    let read = match (what.ids, what.up_to) {
        (Some(ids), None) => {
            let most = usize::try_from(limits::PAGE_MAX).unwrap_or(usize::MAX);
            if ids.len() > most {
                return Err(Error::field("ids", format!("at most {most}")));
            }
            store::read(change.tx(), actor.user, &ids).await?
        }
        (None, Some(id)) => store::read_up_to(change.tx(), actor.user, id).await?,
        _ => return Err(Error::field("ids", "either ids or up_to")),
    };
    match tell(&mut change, read, false).await?.remove(&actor.user) {
        Some(count) => {
            change.commit().await?;
            Ok(count)
        }
        None => Ok(store::count_of(change.tx(), actor.user).await?),
    }
}

/// The actor's notifications of what they may still see, the newest first.
pub async fn index(app: &App, actor: Actor, query: NotificationQuery) -> Result<Page<Notification>> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    Ok(page_of(store::of_user(&mut tx, actor.user, &query, limit + 1).await?, limit))
}

/// Notifies those whom the actor just brought into a channel, in a change.
pub async fn invited(
    app: &App,
    change: &mut Change,
    actor: Actor,
    channel: &Channel,
    users: &[UserId],
) -> Result<()> {
    let (id, workspace) = (channel.id, channel.workspace_id);
    let around = Around { channel: id, home: id, workspace, named: users, everyone: false };
    let candidates = wanted::candidates(change.tx(), around).await?;
    let author = accounts::by_id(change.tx(), actor.user).await?.ok_or(Error::NotFound("user"))?.summary;
    let now = app.now();
    let mut news = Vec::new();
    for who in
        candidates.iter().filter(|who| users.contains(&who.user) && rules::hears(who, channel.kind, now))
    {
        let notification = Notification {
            id: app.id(),
            kind: NotificationKind::Invite,
            workspace_id: workspace,
            channel_id: id,
            message_id: None,
            thread: None,
            author: author.clone(),
            excerpt: channel.name.clone(),
            created_at: now,
            silent: rules::is_quiet(who, now),
            read: false,
        };
        news.push((row(&notification, who.user, id, 0), notification));
    }
    deliver(change, app, news).await
}

/// The row of a notification for a user.
fn row(of: &Notification, user: UserId, home: ChannelId, seq: i64) -> NewRow {
    NewRow {
        id: of.id,
        user,
        kind: of.kind,
        channel: of.channel_id,
        home,
        message: of.message_id,
        seq,
        author: of.author.id,
        created_at: of.created_at,
        silent: of.silent,
        read: of.read,
    }
}

/// What is to be removed after an event: notifications of what is gone, or is no longer seen by someone.
pub fn gone_by(event: &Event) -> Option<Gone> {
    match event {
        Event::Message(message) => message.deleted_at.map(|_| Gone::Message(message.id)),
        Event::Channel(change) => {
            (change.action == ChannelAction::Deleted).then_some(Gone::Channel(change.channel.id))
        }
        Event::Member(change) => {
            (change.action == MemberAction::Left).then(|| Gone::Unseen(change.user_id()))
        }
        Event::Ready(_)
        | Event::Typing(_)
        | Event::Presence(_)
        | Event::Online(_)
        | Event::Watched(_)
        | Event::ReadReceipt(_)
        | Event::Reaction(_)
        | Event::Saved(_)
        | Event::Draft(_)
        | Event::Scheduled(_)
        | Event::Reminder(_)
        | Event::Notification(_)
        | Event::Notifications(_)
        | Event::NotificationSettings(_)
        | Event::Workspace(_)
        | Event::User(_)
        | Event::Unread(_)
        | Event::Settings(_)
        | Event::Emoji(_)
        | Event::Export(_)
        | Event::Sanction(_)
        | Event::Resync(_)
        | Event::Ack(_)
        | Event::Error(_)
        | Event::Pong(_) => None,
    }
}
