//! Messages: send, read, edit, delete.

pub mod http;

use std::{future::Future, pin::Pin};

use madang_proto::{
    ChannelId, Event, MessageId, input,
    messages::{Message, SendMessage},
    page::{MessagePageQuery, Page},
    permissions::ChannelPermission,
    threads::{CreateReply, MessageThread},
};
use madang_realtime::{Class, Topic};
use madang_store::{
    NewMessage, Sent, edits, messages as store, messages::Place, pins, reactions, writer::Listener,
};

use crate::{
    access,
    app::{Actor, App},
    change::{Change, envelope},
    doubts,
    error::{Error, Field, Result},
    http::page_limit,
    ratelimit::Limit,
    threads,
};

/// Whether this message of the actor needs no answer from the database before it is stored.
pub fn is_known(app: &App, actor: Actor, new: &SendMessage) -> bool {
    new.thread_root_id.is_none()
        && app.memory.known_person(actor.user).is_some()
        && app.memory.known_room(new.channel_id).is_some_and(|room| room.parent().is_none())
}

/// A text that may be sent.
#[derive(Debug, Clone)]
pub struct Draft {
    /// In NFC.
    pub content: String,
    /// What the author's client calls it.
    pub nonce: Option<String>,
}

/// Checks what someone wants to send.
pub fn draft(app: &App, actor: Actor, content: &str, nonce: Option<&str>) -> Result<Draft> {
    let content = input::content(content).field("content")?;
    let nonce = nonce.map(input::nonce).transpose().field("nonce")?;
    app.limits.check(Limit::SendByUser, actor.user)?;
    Ok(Draft { content, nonce })
}

/// Sends a message. True when it is new, false when its nonce was used before.
pub async fn send(app: &App, actor: Actor, new: SendMessage) -> Result<(Message, bool)> {
    let SendMessage { channel_id, content, nonce, thread_root_id, also_to_channel } = new;
    if let Some(root) = thread_root_id {
        let reply = CreateReply { content, nonce, also_to_channel };
        return threads::reply(app, actor, root, Some(channel_id), &reply).await;
    }
    if also_to_channel {
        return Err(Error::field("also_to_channel", "only with thread_root_id"));
    }
    write(app, actor, channel_id, draft(app, actor, &content, nonce.as_deref())?, None).await
}

/// Stores a message. In a thread it is a reply, and whoever replies follows; in a channel it may refer to one.
pub async fn write(
    app: &App,
    actor: Actor,
    id: ChannelId,
    Draft { content, nonce }: Draft,
    refers: Option<MessageThread>,
) -> Result<(Message, bool)> {
    let (at, author) = access::channel_now(app, actor, id, ChannelPermission::Take).await?;
    let thread = at.channel().thread.map(|of| MessageThread::refer(id, of.root_id));
    if thread.is_some() {
        threads::follow_by_writing(app, actor, id).await?;
    }
    let new = NewMessage {
        id: app.id(),
        channel_id: id,
        author: author.user.summary.clone(),
        content,
        nonce,
        thread: thread.or(refers),
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

    fn doubtful(&self, messages: &[NewMessage]) {
        messages.iter().for_each(|m| self.0.memory.doubtful_message(m.channel_id, m.author.id));
    }

    fn committed(&self, messages: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            doubts::settle(self.0, &messages).await;
            self.0.indexing.note(messages.len());
            for message in messages {
                self.0.memory.sent(&message);
                if message.thread.is_some() {
                    self.0.replies.notify_one();
                }
                let topic = Topic::Channel(message.channel_id);
                self.0.bus.publish(envelope(topic, Class::Durable, Event::Message(message)).into()).await;
            }
        })
    }
}

/// One message, or its tombstone.
pub async fn show(app: &App, actor: Actor, id: MessageId) -> Result<Message> {
    let mut tx = app.db.read().await?;
    let (mut message, _) = access::message(&mut tx, actor, id, ChannelPermission::View).await?;
    reactions::tell_own(&mut tx, &mut message, actor.user).await?;
    Ok(message)
}

/// A page of a channel's messages.
pub async fn index(app: &App, actor: Actor, id: ChannelId, query: MessagePageQuery) -> Result<Page<Message>> {
    let limit = page_limit(query.limit)?;
    access::channel_now(app, actor, id, ChannelPermission::View).await?;
    let (field, place) = match (query.before, query.after, query.around) {
        (None, None, None) => ("", Place::Newest),
        (Some(place), None, None) => ("before", Place::Before(place)),
        (None, Some(place), None) => ("after", Place::After(place)),
        (None, None, Some(place)) => ("around", Place::Around(place)),
        _ => return Err(Error::field("before", "only one of before, after and around")),
    };
    let (room_before, room_after) = match place {
        Place::Newest | Place::Before(_) => (limit, 0),
        Place::After(_) => (0, limit),
        Place::Around(_) => (limit / 2, limit - limit / 2),
    };
    // One more than there is room for tells whether there is more on that side.
    let one_more = |room: u32| if room == 0 && !matches!(place, Place::Around(_)) { 0 } else { room + 1 };
    let mut items = store::page(&app.db, id, actor.user, place, one_more(room_before), one_more(room_after))
        .await
        .map_err(|e| match e {
            madang_store::Error::NotFound => Error::field(field, "no such message in this channel"),
            e => e.into(),
        })?;
    let count = |room: u32| usize::try_from(room).unwrap_or(usize::MAX);
    let older = match place {
        Place::Newest | Place::Before(_) => items.len(),
        Place::After(_) => 0,
        Place::Around(place) => items.iter().position(|m| m.id == place).unwrap_or(items.len()),
    };
    let has_older = matches!(place, Place::After(_)) || older > count(room_before);
    let has_newer = matches!(place, Place::Before(_)) || items.len() - older > count(room_after);
    items.truncate(older + count(room_after));
    items.drain(..older.saturating_sub(count(room_before)));
    let older = items.first().filter(|_| has_older).map(|m| m.id.to_string());
    let newer = items.last().filter(|_| has_newer).map(|m| m.id.to_string());
    let forward = matches!(place, Place::After(_));
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
    if message.content != content {
        edits::remember(change.tx(), &message).await?;
    }
    message.content = content;
    message.edited_at = Some(app.now());
    store_change(change, actor, message).await
}

/// Deletes a message: one's own, or as a moderator. What is left is a tombstone.
pub async fn destroy(app: &App, actor: Actor, id: MessageId) -> Result<()> {
    let mut change = app.change().await?;
    let (mut message, at) =
        access::message_to_change(change.tx(), actor, id, ChannelPermission::View).await?;
    let own = message.author.id == actor.user;
    let needed = if own { ChannelPermission::Take } else { ChannelPermission::Moderate };
    if !at.may(actor, needed) {
        return Err(Error::Forbidden(
            "only the author, and admins where they have a say, can delete a message",
        ));
    }
    if message.deleted_at.is_some() {
        return Ok(());
    }
    message.content.clear();
    message.deleted_at = Some(app.now());
    message.reactions.clear();
    reactions::clear(change.tx(), id).await?;
    edits::clear(change.tx(), id).await?;
    if message.pinned {
        message.pinned = false;
        pins::set(change.tx(), id, None).await?;
    }
    if at.channel().thread.is_some() {
        threads::lose_reply(&mut change, message.channel_id).await?;
    }
    store_change(change, actor, message).await.map(drop)
}

/// Stores and tells how a message is now; gives it as the actor sees it.
pub async fn store_change(mut change: Change, actor: Actor, mut message: Message) -> Result<Message> {
    message.version = madang_store::channels::next_version(change.tx(), message.channel_id).await?;
    store::update(change.tx(), &message).await?;
    change.emit(Topic::Channel(message.channel_id), Event::Message(message.clone()));
    reactions::tell_own(change.tx(), &mut message, actor.user).await?;
    change.commit().await?;
    Ok(message)
}
