//! Pins: messages that a channel keeps at hand.

pub mod http;

use madang_proto::{
    ChannelId, MessageId, limits, messages::Message, permissions::ChannelPermission, pins::Pin,
};
use madang_store::{pins as store, reactions};

use crate::{
    access,
    app::{Actor, App},
    error::{Error, Result},
    messages,
};

/// Pins a message, or unpins it; gives the message after it. What is so already stays as it is, and nobody is
/// told.
pub async fn set(app: &App, actor: Actor, id: MessageId, pin: bool) -> Result<Message> {
    let mut change = app.change().await?;
    let (mut message, _) = access::message_to_change(change.tx(), actor, id, ChannelPermission::Pin).await?;
    if pin && message.deleted_at.is_some() {
        return Err(Error::Conflict("the message is deleted".to_owned()));
    }
    if message.pinned == pin {
        reactions::tell_own(change.tx(), &mut message, actor.user).await?;
        return Ok(message);
    }
    if pin && store::count(change.tx(), message.channel_id).await? >= limits::PINS_PER_CHANNEL {
        let most = limits::PINS_PER_CHANNEL;
        return Err(Error::Conflict(format!("at most {most} pinned messages a channel")));
    }
    message.pinned = pin;
    store::set(change.tx(), id, pin.then(|| (actor.user, app.now()))).await?;
    messages::store_change(change, actor, message).await
}

/// The pinned messages of a channel, the newest pin first.
pub async fn index(app: &App, actor: Actor, id: ChannelId) -> Result<Vec<Pin>> {
    let mut tx = app.db.read().await?;
    access::channel(&mut tx, actor, id, ChannelPermission::View).await?;
    Ok(store::of_channel(&mut tx, id, actor.user).await?)
}
