//! Reactions: emoji on messages, one of a kind from each person.

pub mod http;

use madang_proto::{
    Event, MessageId,
    accounts::UserSummary,
    input, limits,
    messages::Message,
    page::Page,
    permissions::ChannelPermission,
    reactions::{ReactionChange, ReactorsQuery},
};
use madang_realtime::Topic;
use madang_store::{channels, messages, reactions as store};

use crate::{
    access,
    app::{Actor, App},
    emoji,
    error::{Error, Field, Result},
    http::{page_limit, page_of},
};

/// Puts an emoji on a message (`add`) or takes the actor's own away; gives the message after it. What is so
/// already stays as it is, and nobody is told.
pub async fn set(app: &App, actor: Actor, id: MessageId, emoji: &str, add: bool) -> Result<Message> {
    let emoji = input::reaction(emoji).field("emoji")?;
    let mut change = app.change().await?;
    let (mut message, at) =
        access::message_to_change(change.tx(), actor, id, ChannelPermission::React).await?;
    if message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    emoji::reaction(&mut change, at.channel().workspace_id, &emoji, add).await?;
    store::tell_own(change.tx(), &mut message, actor.user).await?;
    let (channel_id, user_id) = (message.channel_id, actor.user);
    let version = channels::next_version(change.tx(), channel_id).await?;
    let changed = match add {
        true => store::add(change.tx(), id, user_id, &emoji, version).await?,
        false => store::remove(change.tx(), id, user_id, &emoji).await?,
    };
    if !changed {
        return Ok(message);
    }
    let told = ReactionChange { channel_id, message_id: id, emoji, user_id, added: add, version };
    told.apply_to(&mut message.reactions, Some(user_id));
    if message.reactions.len() > limits::REACTION_KINDS {
        return Err(Error::Conflict(format!(
            "at most {} kinds of emoji on a message",
            limits::REACTION_KINDS
        )));
    }
    message.version = version;
    messages::update(change.tx(), &message).await?;
    change.emit(Topic::Channel(channel_id), Event::Reaction(told));
    change.commit().await?;
    Ok(message)
}

/// Who put an emoji on a message, the first one first.
pub async fn index(
    app: &App,
    actor: Actor,
    id: MessageId,
    query: &ReactorsQuery,
) -> Result<Page<UserSummary>> {
    let limit = page_limit(query.limit)?;
    let emoji = input::reaction(&query.emoji).field("emoji")?;
    let mut tx = app.db.read().await?;
    access::message(&mut tx, actor, id, ChannelPermission::View).await?;
    let people = store::by_emoji(&mut tx, id, &emoji, query.after.unwrap_or(0), limit + 1).await?;
    Ok(page_of(people, limit))
}
