//! Settling doubts: once the database answers again, what may have been stored without being announced is
//! read from the log and announced, so that nobody waits for the channel's next change to learn of it.
//!
//! Invariants:
//! - A doubt that cannot be settled stays.

use madang_proto::{ChannelId, Event, UserId, event::Resync, messages::Message};
use madang_realtime::{Class, Topic};
use madang_store::channels as store;

use crate::{app::App, change::envelope, channels, error::Result};

/// Settles all doubts there are; `announced` are messages that are about to be.
pub async fn settle(app: &App, announced: &[Message]) {
    let mut doubts = app.memory.doubts.take().into_iter();
    for (id, version) in doubts.by_ref() {
        match missed(app, id, version).await {
            Ok(events) => {
                let known = |event: &Event| matches!(event, Event::Message(m) if announced.contains(m));
                for event in events.into_iter().filter(|event| !known(event)) {
                    app.bus.publish(envelope(Topic::Channel(id), Class::Durable, event).into()).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what was stored last in a channel is still not known");
                app.memory.doubts.again(id, version);
                // Writers wait for this: they do not wait for each channel while the database is away.
                break;
            }
        }
    }
    doubts.for_each(|(id, version)| app.memory.doubts.again(id, version));
}

/// What tells those who hear a channel what they missed since a version, or to fetch it anew.
pub async fn missed(app: &App, id: ChannelId, version: Option<i64>) -> Result<Vec<Event>> {
    let anew = vec![Event::Resync(Resync { channel_id: id })];
    let Some(version) = version else { return Ok(anew) };
    let mut tx = app.db.read().await?;
    // Nobody's own fields are told.
    let Some(found) = store::find(&mut tx, id, UserId::from(0)).await? else { return Ok(anew) };
    let changes = channels::changes_since(&mut tx, found.channel, UserId::from(0), version).await?;
    if changes.more || !changes.members.is_empty() {
        return Ok(anew);
    }
    let mut messages = changes.messages;
    messages.sort_by_key(|message| message.version);
    Ok(messages.into_iter().map(Message::for_everyone).map(Event::Message).collect())
}
