//! Messages: send, read, edit, delete.

pub mod http;

use std::{future::Future, pin::Pin};

use madang_proto::{
    ChannelId, Event, MessageId, input,
    messages::{Message, SendMessage},
    page::{MessagePageQuery, Page},
    permissions::ChannelPermission,
};
use madang_realtime::{Class, Topic};
use madang_store::{NewMessage, Sent, messages as store, messages::Side, writer::Listener};

use crate::{
    access,
    app::{Actor, App},
    change::envelope,
    error::{Error, Field, Result},
    http::page_limit,
    ratelimit::Limit,
};

/// Whether a message of the actor to this channel needs no answer from the database before it is stored.
pub fn is_known(app: &App, actor: Actor, channel: ChannelId) -> bool {
    app.memory.known_person(actor.user).is_some() && app.memory.known_room(channel).is_some()
}

/// Sends a message. True when it is new, false when its nonce was used before.
pub async fn send(app: &App, actor: Actor, new: SendMessage) -> Result<(Message, bool)> {
    let content = input::content(&new.content).field("content")?;
    let nonce = new.nonce.as_deref().map(input::nonce).transpose().field("nonce")?;
    app.limits.check(Limit::SendByUser, actor.user)?;
    let (at, author) = access::channel_now(app, actor, new.channel_id, ChannelPermission::Take).await?;
    let new = NewMessage {
        id: app.id(),
        channel_id: at.channel().id,
        author: author.user.summary.clone(),
        content,
        nonce,
        created_at: app.now(),
    };
    let Sent { message, created } = app.writer.send(new).await?;
    Ok((message, created))
}

/// Announces what the writer stored.
pub struct Announcer<'a>(pub &'a App);

impl Listener for Announcer<'_> {
    fn before_batch(&self, _messages: usize) {
        self.0.faults.point("writer");
    }

    fn committed(&self, messages: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            for message in messages {
                self.0.memory.sent(&message);
                let topic = Topic::Channel(message.channel_id);
                self.0.bus.publish(envelope(topic, Class::Durable, Event::Message(message)).into()).await;
            }
        })
    }
}

/// One message, or its tombstone.
pub async fn show(app: &App, actor: Actor, id: MessageId) -> Result<Message> {
    let mut tx = app.db.read().await?;
    Ok(access::message(&mut tx, actor, id, ChannelPermission::View).await?.0)
}

/// A page of a channel's messages.
pub async fn index(app: &App, actor: Actor, id: ChannelId, query: MessagePageQuery) -> Result<Page<Message>> {
    let limit = page_limit(query.limit)?;
    access::channel_now(app, actor, id, ChannelPermission::View).await?;
    let mut tx = app.db.read().await?;
    let place = match (query.before, query.after, query.around) {
        (None, None, None) => None,
        (Some(place), None, None) => Some(("before", place)),
        (None, Some(place), None) => Some(("after", place)),
        (None, None, Some(place)) => Some(("around", place)),
        _ => return Err(Error::field("before", "only one of before, after and around")),
    };
    let seq = match place {
        None => i64::MAX,
        Some((field, place)) => store::seq_of(&mut tx, id, place)
            .await?
            .ok_or_else(|| Error::field(field, "no such message in this channel"))?,
    };
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than asked for tells whether there is more on that side.
    let (older, newer) = match place {
        Some(("after", _)) => (Vec::new(), store::beside(&mut tx, id, Side::After(seq), limit + 1).await?),
        Some(("around", _)) => {
            let half = limit / 2;
            let older = store::beside(&mut tx, id, Side::Before(seq), half + 1).await?;
            (older, store::beside(&mut tx, id, Side::After(seq - 1), limit - half + 1).await?)
        }
        _ => (store::beside(&mut tx, id, Side::Before(seq), limit + 1).await?, Vec::new()),
    };
    let (room_before, room_after) = match place {
        Some(("around", _)) => (take / 2, take - take / 2),
        Some(("after", _)) => (0, take),
        _ => (take, 0),
    };
    let (mut has_older, mut has_newer) = (older.len() > room_before, newer.len() > room_after);
    let skipped = older.len().saturating_sub(room_before);
    let items: Vec<Message> =
        older.into_iter().skip(skipped).chain(newer.into_iter().take(room_after)).collect();
    match place {
        Some(("after", _)) => has_older = true,
        Some(("before", _)) => has_newer = true,
        _ => {}
    }
    let older = items.first().filter(|_| has_older).map(|m| m.id.to_string());
    let newer = items.last().filter(|_| has_newer).map(|m| m.id.to_string());
    let forward = matches!(place, Some(("after", _)));
    let (next_cursor, prev_cursor) = if forward { (newer, older) } else { (older, newer) };
    Ok(Page { items, next_cursor, prev_cursor })
}

/// Changes the text of one's own message.
pub async fn update(app: &App, actor: Actor, id: MessageId, content: &str) -> Result<Message> {
    let content = input::content(content).field("content")?;
    let mut change = app.change().await?;
    let (mut message, _) = access::message_to_change(change.tx(), actor, id, ChannelPermission::Take).await?;
    if message.author.id != actor.user {
        return Err(Error::Forbidden("only the author can edit a message"));
    }
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    message.content = content;
    message.edited_at = Some(app.now());
    store_change(change, message).await
}

/// Deletes a message: one's own, or as a moderator. What is left is a tombstone.
pub async fn destroy(app: &App, actor: Actor, id: MessageId) -> Result<()> {
    let mut change = app.change().await?;
    let (mut message, at) =
        access::message_to_change(change.tx(), actor, id, ChannelPermission::View).await?;
    let own = message.author.id == actor.user;
    let needed = if own { ChannelPermission::Take } else { ChannelPermission::Moderate };
    if !at.may(actor, needed) {
        return Err(Error::Forbidden("only the author and admins can delete a message"));
    }
    if message.deleted_at.is_some() {
        return Ok(());
    }
    message.content.clear();
    message.deleted_at = Some(app.now());
    store_change(change, message).await.map(drop)
}

async fn store_change(mut change: crate::change::Change, mut message: Message) -> Result<Message> {
    message.version = madang_store::channels::next_version(change.tx(), message.channel_id).await?;
    store::update(change.tx(), &message).await?;
    change.emit(Topic::Channel(message.channel_id), Event::Message(message.clone()));
    change.commit().await?;
    Ok(message)
}
