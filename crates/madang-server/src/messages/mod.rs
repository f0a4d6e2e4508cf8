//! Messages: send, read, edit, delete.

pub mod http;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use madang_proto::{
    ChannelId, Event, FileId, MessageId, Timestamp,
    audit::AuditAction,
    input,
    mentions::{Mention, people},
    messages::{Message, SendMessage},
    page::{MessagePageQuery, Page},
    permissions::ChannelPermission,
    threads::{CreateReply, MessageThread},
};
use madang_realtime::{Class, Topic};
use madang_store::{
    NewMessage, Sent, edits, files as store_files, mentions as store_mentions, messages as store,
    messages::{Place, Window},
    pins, previews as store_previews, reactions,
    writer::Listener,
};

use crate::{
    access,
    app::{Actor, App},
    audit::{self, Act},
    change::{Change, envelope},
    doubts,
    error::{Error, Field, Result},
    files,
    http::page_limit,
    jobs::Job,
    memory::Silent,
    mentions::{self, Mentioned},
    notifications, previews,
    ratelimit::Limit,
    slow_mode, threads,
};

/// Whether this message of the actor needs no answer from the database before it is stored.
pub fn is_known(app: &App, actor: Actor, new: &SendMessage) -> bool {
    new.thread_root_id.is_none()
        && !mentions::possible(&new.content)
        && new.file_ids.is_empty()
        && app.memory.known_person(actor.user).is_some()
        && app.memory.known_room(new.channel_id).is_some_and(|room| {
            room.is_direct() || (room.parent().is_none() && app.memory.known_heeded(new.channel_id).is_some())
        })
}

/// A text that may be sent.
#[derive(Debug, Clone)]
pub struct Draft {
    /// In NFC.
    pub content: String,
    /// What the author's client calls it.
    pub nonce: Option<String>,
    /// What it carries.
    pub file_ids: Vec<FileId>,
}

/// Checks what a message says; with files it may say nothing.
fn text(content: &str, has_files: bool) -> Result<String> {
    if has_files { input::caption(content) } else { input::content(content) }.field("content")
}

/// Checks what someone wants to send.
pub fn draft(
    app: &App,
    actor: Actor,
    content: &str,
    nonce: Option<&str>,
    file_ids: Vec<FileId>,
) -> Result<Draft> {
    let content = text(content, !file_ids.is_empty())?;
    let nonce = nonce.map(input::nonce).transpose().field("nonce")?;
    app.limits.check(Limit::SendByUser, actor.user)?;
    Ok(Draft { content, nonce, file_ids })
}

/// Sends a message. True when it is new, false when its nonce was used before.
pub async fn send(app: &App, actor: Actor, new: SendMessage) -> Result<(Message, bool)> {
    let SendMessage { channel_id, content, file_ids, nonce, thread_root_id, also_to_channel } = new;
    if let Some(root) = thread_root_id {
        let reply = CreateReply { content, file_ids, nonce, also_to_channel };
        return threads::reply(app, actor, root, Some(channel_id), &reply).await;
    }
    if also_to_channel {
        return Err(Error::field("also_to_channel", "only with thread_root_id"));
    }
    write(app, actor, channel_id, draft(app, actor, &content, nonce.as_deref(), file_ids)?, None).await
}

/// Stores a message. In a thread it is a reply, and whoever replies follows; in a channel it may refer to one.
pub async fn write(
    app: &App,
    actor: Actor,
    id: ChannelId,
    Draft { content, nonce, file_ids }: Draft,
    refers: Option<MessageThread>,
) -> Result<(Message, bool)> {
    let (at, author) = access::channel_now(app, actor, id, ChannelPermission::Write).await?;
    let slow = (at.channel().thread.map_or(id, |of| of.channel_id), actor.user);
    // A copy of a reply has waited as the reply.
    let pause = if refers.is_some() { 0 } else { at.pause(actor) };
    let took = pause > 0 && slow_mode::take(app, slow, pause, nonce.as_deref()).await?;
    let thread = at.channel().thread.map(|of| MessageThread::refer(id, of.root_id));
    if thread.is_some() {
        threads::follow_by_writing(app, actor, id).await?;
    }
    let Mentioned { all: mentions, here } = mentions::of_new(app, actor, &at, &content).await?;
    let files = files::to_send(app, actor, at.channel().workspace_id, &file_ids).await?;
    let (message_id, now) = (app.id(), app.now());
    let mut jobs: Vec<_> = previews::job_of(app, message_id, &content)?.into_iter().collect();
    if notifications::may_concern(app, &at, &author, !mentions.is_empty()).await? {
        jobs.push(Job::Notify(id, message_id).row(app, now.plus_millis(notifications::AFTER))?);
    }
    let new = NewMessage {
        id: message_id,
        channel_id: id,
        author: Arc::new(author.user.summary.clone()),
        content,
        nonce,
        mentions,
        here,
        thread: thread.or(refers),
        files,
        created_at: now,
        jobs,
    };
    let sent = app.writer.send(new).await;
    if took && !sent.as_ref().is_ok_and(|sent| sent.created) {
        slow_mode::give_back(app, slow).await;
    }
    let Sent { message, created } = sent?;
    Ok((message, created))
}

/// Announces what the writer stored.
pub struct Announcer<'a>(pub &'a App);

impl Listener for Announcer<'_> {
    fn before_batch(&self, _messages: usize) {
        self.0.faults.point("writer");
    }

    fn after_batch(&self, messages: usize, took: Duration) {
        self.0.metrics.batch(messages, took);
    }

    fn enqueued(&self, due: Timestamp) {
        self.0.jobs.wake_by(due);
    }

    fn doubtful(&self, messages: &[NewMessage]) {
        messages.iter().for_each(|m| self.0.memory.doubtful_message(m.channel_id, m.author.id, &m.mentions));
    }

    fn committed(&self, messages: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let committed = Instant::now();
        self.0.metrics.stored(messages.len());
        Box::pin(async move {
            doubts::settle(self.0, &messages).await;
            self.0.indexing.note(messages.iter().map(|m| m.channel_id));
            for message in messages {
                self.0.memory.stored(&message);
                if message.thread.is_some() {
                    self.0.replies.notify_one();
                }
                let topic = Topic::Channel(message.channel_id);
                let envelope = envelope(topic, Class::Durable, Event::Message(message));
                envelope.committed_at(committed);
                self.0.bus.publish(envelope.into()).await;
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

/// Which page is asked for: how many messages, and the place with its name.
pub fn asked(query: MessagePageQuery) -> Result<(u32, &'static str, Place)> {
    let limit = page_limit(query.limit)?;
    let mut places = [
        query.before.map(|id| ("before", Place::Before(id))),
        query.after.map(|id| ("after", Place::After(id))),
        query.around.map(|id| ("around", Place::Around(id))),
        query.around_seq.map(|seq| ("around_seq", Place::AroundSeq(seq))),
    ]
    .into_iter()
    .flatten();
    let (field, place) = places.next().unwrap_or(("", Place::Newest));
    if places.next().is_some() {
        return Err(Error::field("before", "only one of before, after, around and around_seq"));
    }
    if query.around_seq.is_some_and(|seq| seq < 1) {
        return Err(Error::field("around_seq", "the first message is 1"));
    }
    Ok((limit, field, place))
}

/// A page of a channel's messages.
pub async fn index(app: &App, actor: Actor, id: ChannelId, query: MessagePageQuery) -> Result<Page<Message>> {
    let (limit, field, place) = asked(query)?;
    let (at, _) = access::channel_now(app, actor, id, ChannelPermission::View).await?;
    let ends = (at.channel().first_seq, at.channel().last_seq);
    let (room_before, room_after) = match place {
        Place::Newest | Place::Before(_) => (limit, 0),
        Place::After(_) => (0, limit),
        Place::Around(_) | Place::AroundSeq(_) => (limit / 2, limit - limit / 2),
    };
    let is_around = matches!(place, Place::Around(_) | Place::AroundSeq(_));
    // One more than there is room for tells whether there is more on that side.
    let one_more = |room: u32| if room == 0 && !is_around { 0 } else { room + 1 };
    let (older, newer) = (one_more(room_before), one_more(room_after));
    let mut items = store::page(&app.db, id, actor.user, Window { place, older, newer, ends })
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
        Place::AroundSeq(seq) => items.iter().position(|m| m.seq >= seq).unwrap_or(items.len()),
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
    let mut change = app.change().await?;
    let (mut message, at) =
        access::message_to_change(change.tx(), actor, id, ChannelPermission::Write).await?;
    if message.author.id != actor.user {
        return Err(Error::Forbidden("only the author can edit a message"));
    }
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    let content = text(content, !message.files.is_empty())?;
    if message.content != content {
        edits::remember(change.tx(), &message).await?;
        let mentions = mentions::of_edit(change.tx(), actor, &at, &message, &content).await?;
        if message.mentions != mentions && !mentions.is_empty() {
            let due = app.now().plus_millis(notifications::AFTER);
            change.enqueue(&Job::NotifyMentioned(message.channel_id, id), due).await?;
        }
        mention(&mut change, &mut message, mentions).await?;
        previews::edited(app, &mut change, &mut message, &content).await?;
    }
    message.content = content;
    message.edited_at = Some(app.now());
    store_change(change, actor, message).await
}

/// Deletes a message: one's own, or as a moderator. What is left is a tombstone.
pub async fn destroy(app: &App, actor: Actor, id: MessageId) -> Result<()> {
    let mut change = app.change().await?;
    let (message, at) = access::message_to_change(change.tx(), actor, id, ChannelPermission::View).await?;
    let own = message.author.id == actor.user;
    let needed = if own { ChannelPermission::Take } else { ChannelPermission::Moderate };
    if !at.may(actor, needed) {
        return Err(Error::Forbidden(
            "only the author, and moderators where they have a say, can delete a message",
        ));
    }
    if message.deleted_at.is_some() {
        return Ok(());
    }
    if !own {
        let place = Some(message.channel_id);
        let act = Act::new(AuditAction::MessageDeleted).on(message.author.id).within(place).message(id);
        audit::note(app, &mut change, actor, at.channel().workspace_id, act).await?;
    }
    erase(app, &mut change, message, at.channel().thread.is_some()).await?;
    change.commit().await
}

/// Leaves a tombstone of a message that is not deleted, in a change (its channel is locked).
pub async fn erase(app: &App, change: &mut Change, mut message: Message, in_thread: bool) -> Result<()> {
    message.content.clear();
    message.deleted_at = Some(app.now());
    mention(change, &mut message, Vec::new()).await?;
    message.reactions.clear();
    if !message.previews.is_empty() {
        message.previews.clear();
        store_previews::set(change.tx(), &message).await?;
        store_files::remove_of_message(change.tx(), message.id).await?;
        change.after(|app| app.storage.removed.notify_one());
    }
    if !message.files.is_empty() {
        message.files.clear();
        store_files::remove_of_message(change.tx(), message.id).await?;
        change.after(|app| app.storage.removed.notify_one());
    }
    reactions::clear(change.tx(), message.id).await?;
    edits::clear(change.tx(), message.id).await?;
    if message.pinned {
        message.pinned = false;
        pins::set(change.tx(), message.id, None).await?;
    }
    if in_thread {
        threads::lose_reply(change, message.channel_id).await?;
    }
    tell_change(change, &mut message).await
}

async fn tell_change(change: &mut Change, message: &mut Message) -> Result<()> {
    message.version = madang_store::channels::next_version(change.tx(), message.channel_id).await?;
    store::update(change.tx(), message).await?;
    change.emit(Topic::Channel(message.channel_id), Event::Message(message.clone()));
    Ok(())
}

/// Lets a message mention these from now on, in a change.
async fn mention(change: &mut Change, message: &mut Message, mentions: Vec<Mention>) -> Result<()> {
    if message.mentions != mentions {
        let people = [people(&message.mentions), people(&mentions)].concat();
        change.touch(people.into_iter().map(Silent::Person));
        message.mentions = mentions;
        store_mentions::replace(change.tx(), message).await?;
    }
    Ok(())
}

/// Stores and tells how a message is now; gives it as the actor sees it.
pub async fn store_change(mut change: Change, actor: Actor, mut message: Message) -> Result<Message> {
    tell_change(&mut change, &mut message).await?;
    reactions::tell_own(change.tx(), &mut message, actor.user).await?;
    change.commit().await?;
    Ok(message)
}
