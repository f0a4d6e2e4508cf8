//! Read marks: up to where someone has read a channel.
//!
//! A mark moves on with what a device shows, and back only when its user marks a channel as unread. A device that
//! names the version it knew does not undo that with a mark from before.
//!
//! Invariants:
//! - Who does not share their marks is told to nobody else, neither at once nor when someone asks.

pub mod http;

use madang_proto::{
    ChannelId, Event, MessageId, limits,
    permissions::ChannelPermission,
    reads::{MarkRead, MarkUnread, ReadMark, SeenBy, SeenQuery, UnreadMark},
};
use madang_realtime::Topic;
use madang_store::{
    messages,
    reads::{self as store, Advance},
};

use crate::{
    access,
    app::{Actor, App},
    error::{Error, Result},
    http::page_limit,
    notifications,
};

/// Marks a channel as read up to a message.
pub async fn mark(app: &App, actor: Actor, id: ChannelId, asked: MarkRead) -> Result<ReadMark> {
    let MarkRead { message_id, read_version } = asked;
    let mut change = app.change().await?;
    let at = access::channel(change.tx(), actor, id, ChannelPermission::Take).await?;
    let seq = messages::seq_of(change.tx(), id, message_id).await?;
    let seq = seq.ok_or_else(|| Error::field("message_id", "no such message in this channel"))?;
    let mark = ReadMark { channel_id: id, user_id: actor.user, message_id, seq, read_version: None };
    let advanced = store::advance(change.tx(), id, actor.user, seq, read_version).await?;
    if advanced == Advance::Overtaken {
        return Err(Error::Conflict("the channel was marked as unread since".to_owned()));
    }
    let known = app.memory.known_person(actor.user);
    let notified = known.is_none_or(|person| person.has_unread_in(id))
        && notifications::read_channel(&mut change, actor, at.channel(), seq).await?;
    let own = match advanced {
        Advance::Moved { version, .. } | Advance::Stood(version) => {
            ReadMark { read_version: Some(version), ..mark.clone() }
        }
        Advance::Missing | Advance::Overtaken => mark.clone(),
    };
    if let Advance::Moved { shared, .. } = advanced {
        // The user's own devices must hear it, at once; the others may.
        change.emit(Topic::User(actor.user), Event::ReadReceipt(own.clone()));
        if shared && at.channel().member_count <= limits::READ_RECEIPT_MEMBERS {
            change.after(move |app| app.conflation.mark(mark));
        }
    }
    if notified || matches!(advanced, Advance::Moved { .. }) {
        change.commit().await?;
    }
    Ok(own)
}

/// Marks a channel as unread from a message on. Others learn nothing of it: what was seen was seen.
pub async fn unmark(app: &App, actor: Actor, id: ChannelId, asked: MarkUnread) -> Result<UnreadMark> {
    let message_id = asked.message_id;
    let mut change = app.change().await?;
    let at = access::channel_to_change(change.tx(), actor, id, ChannelPermission::Take).await?;
    let seq = messages::seq_of(change.tx(), id, message_id).await?;
    let seq = seq.ok_or_else(|| Error::field("message_id", "no such message in this channel"))?;
    let last_seq = at.channel().last_seq;
    let read_version = store::move_back(change.tx(), id, actor.user, seq, last_seq).await?;
    let read_version = read_version.ok_or_else(|| Error::Conflict("follow the thread first".to_owned()))?;
    let mark = UnreadMark { channel_id: id, message_id, last_read_seq: seq - 1, read_version };
    change.emit(Topic::User(actor.user), Event::Unread(mark));
    change.commit().await?;
    Ok(mark)
}

/// Who has seen a message, as far as they let others know.
pub async fn seen(app: &App, actor: Actor, id: MessageId, query: SeenQuery) -> Result<SeenBy> {
    let limit = page_limit(query.limit)?;
    let mut tx = app.db.read().await?;
    let (message, _) = access::message(&mut tx, actor, id, ChannelPermission::Take).await?;
    Ok(store::seen(&mut tx, &message, query.after, limit).await?)
}
