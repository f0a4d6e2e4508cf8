//! The jobs of notifications: they tell people of messages, and remove what is gone.
//!
//! Invariants:
//! - Done again, they change nothing: of a message there is one row for a user, and what is there stays.
//! - A transaction stores [`CHUNK`] rows at most, so that nobody waits long for a message to many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use madang_proto::{
    ChannelId, MessageId, UserId,
    mentions::{self, MentionKind},
    messages::Message,
    notifications::{Notification, NotificationKind, excerpt_of},
};
use madang_store::{
    channels,
    messages::{self, Place, Window},
    notification_settings::{self as wanted, Around, Candidate},
    notifications::{self as store, NewRow},
    search::{Keyword, tokens},
    unread::{self, Everyone},
};

use super::rules::{self, Said};
use crate::{
    app::App,
    error::Result,
    jobs::{Gone, Job},
};

/// How many messages are looked at before the rest becomes another job.
const MESSAGES: usize = 100;
/// Rows of a transaction.
const CHUNK: usize = 500;

/// Tells of the messages of a channel from one on.
pub async fn notify(app: &App, channel: ChannelId, from: MessageId) -> Result<()> {
    let Some((place, mut messages)) = read(app, channel, from, MESSAGES + 1).await? else { return Ok(()) };
    let next = messages.get(MESSAGES).map(|message| message.id);
    messages.truncate(MESSAGES);
    read_by_writing(app, channel, &messages).await?;
    let news = concerned(app, place, &messages, |_| true).await?;
    deliver(app, news).await?;
    if let Some(next) = next {
        let mut change = app.change().await?;
        change.enqueue(&Job::NotifyRest(channel, next), app.now()).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Tells those whom an edited message mentions of it, who were not told of it before.
pub async fn notify_mentioned(app: &App, channel: ChannelId, id: MessageId) -> Result<()> {
    let Some((place, messages)) = read(app, channel, id, 1).await? else { return Ok(()) };
    let news = concerned(app, place, &messages, |kind| kind == NotificationKind::Mention).await?;
    deliver(app, news).await
}

/// Removes what is gone.
pub async fn remove(app: &App, gone: Gone) -> Result<()> {
    let mut change = app.change().await?;
    let removed = match gone {
        Gone::Message(id) => store::remove_of_message(change.tx(), id).await?,
        Gone::Channel(id) => store::remove_of_channel(change.tx(), id).await?,
        Gone::Unseen(user) => store::remove_unseen(change.tx(), user).await?,
        Gone::Old(user) => store::trim(change.tx(), user).await?,
    };
    super::tell(&mut change, removed, true).await?;
    change.commit().await
}

/// A channel and its messages from one on; `None` where either is gone.
async fn read(
    app: &App,
    id: ChannelId,
    from: MessageId,
    most: usize,
) -> Result<Option<(channels::Found, Vec<Message>)>> {
    let nobody = UserId::from(0);
    let Some(found) = channels::find(&mut app.db.read().await?, id, nobody).await? else { return Ok(None) };
    let newer = u32::try_from(most).unwrap_or(u32::MAX);
    let ends = (found.channel.first_seq, found.channel.last_seq);
    let window = Window { place: Place::Around(from), older: 0, newer, ends };
    match messages::page(&app.db, id, nobody, window).await {
        Ok(messages) => Ok(Some((found, messages))),
        Err(madang_store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Who wrote has read the channel up to there, and so its notifications.
async fn read_by_writing(app: &App, channel: ChannelId, messages: &[Message]) -> Result<()> {
    let mut marks: BTreeMap<UserId, i64> = messages.iter().map(|m| (m.author.id, m.seq)).collect();
    marks.retain(|user, _| app.memory.known_person(*user).is_none_or(|person| person.has_unread_in(channel)));
    if marks.is_empty() {
        return Ok(());
    }
    let mut change = app.change().await?;
    let read = store::read_by_writing(change.tx(), channel, &marks).await?;
    super::tell(&mut change, read, false).await?;
    change.commit().await
}

/// The notifications that messages of a channel make, those of a kind that is asked for.
async fn concerned(
    app: &App,
    found: channels::Found,
    messages: &[Message],
    asked: impl Fn(NotificationKind) -> bool,
) -> Result<Vec<(NewRow, Notification)>> {
    let channel = found.channel;
    let home = channel.thread.map_or(channel.id, |of| of.channel_id);
    let place = rules::Place {
        home: found.parent.map_or(channel.kind, |parent| parent.kind),
        thread: channel.thread.is_some(),
    };
    let has = |kind| messages.iter().any(|m| mentions::has(&m.mentions, kind));
    let (whole, here) = (has(MentionKind::Channel), has(MentionKind::Here));
    let named: BTreeSet<UserId> = messages.iter().flat_map(|m| mentions::people(&m.mentions)).collect();
    let around = Around {
        channel: channel.id,
        home,
        workspace: channel.workspace_id,
        named: &named.into_iter().collect::<Vec<_>>(),
        everyone: whole || here || place.thread || channel.kind.is_direct(),
    };
    let mut tx = app.db.read().await?;
    let candidates = wanted::candidates(&mut tx, around).await?;
    let everyone = if here { unread::of_channel(&mut tx, channel.id).await?.everyone } else { Vec::new() };
    drop(tx);
    let keywords = keywords(&candidates);
    let now = app.now();
    let mut news = Vec::new();
    for message in messages {
        let tokens = if keywords.is_empty() { Vec::new() } else { tokens::tokens(&message.content) };
        let everyone: &[Everyone] = &everyone;
        let said = Said { message, tokens: &tokens, everyone };
        for who in &candidates {
            let words = keywords.get(&who.user).map_or(&[][..], Vec::as_slice);
            let Some(kind) = rules::reason(who, words, place, said, now).filter(|kind| asked(*kind)) else {
                continue;
            };
            let notification = Notification {
                id: app.id(),
                kind,
                workspace_id: channel.workspace_id,
                channel_id: channel.id,
                message_id: Some(message.id),
                thread: channel.thread,
                author: (*message.author).clone(),
                excerpt: excerpt_of(message),
                created_at: message.created_at,
                silent: rules::is_quiet(who, now),
                read: who.read.is_some_and(|read| read >= message.seq),
            };
            news.push((super::row(&notification, who.user, home, message.seq), notification));
        }
        // Many words of many people take a while.
        tokio::task::yield_now().await;
    }
    Ok(news)
}

fn keywords(candidates: &[Candidate]) -> HashMap<UserId, Vec<Keyword>> {
    let worded = candidates.iter().filter(|who| !who.keywords.is_empty());
    let of = |who: &Candidate| who.keywords.iter().filter_map(|word| Keyword::new(word)).collect();
    worded.map(|who| (who.user, of(who))).collect()
}

async fn deliver(app: &App, news: Vec<(NewRow, Notification)>) -> Result<()> {
    let mut news = news.into_iter().peekable();
    while news.peek().is_some() {
        let chunk: Vec<_> = news.by_ref().take(CHUNK).collect();
        let mut change = app.change().await?;
        super::deliver(&mut change, app, chunk).await?;
        change.commit().await?;
        app.faults.point("notifications");
    }
    Ok(())
}
