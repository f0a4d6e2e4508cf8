//! What the bus did not bring is read from the log and given to those who are connected here.
//!
//! - A gap: a change that was stored and not told, as its node died in between, is looked for as soon as the next change of
//!   its channel shows that it is missing. It is in its place before those who hear the channel see the gap, and read the
//!   log all at once.
//! - What nothing followed is found by comparing ([`Heads`]), where there are other nodes.

use madang_proto::ChannelId;
use madang_realtime::{BoxError, Topic};
use tokio::time::{MissedTickBehavior, interval};

use super::{EVERY, heads::Heads};
use crate::{
    app::App,
    change::from_log,
    doubts,
    memory::{Silent, Touched},
};

/// The child `gaps`: closes them.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn close(app: App) -> Result<(), BoxError> {
    let mut heads = Heads::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            missing = app.hub.missing() => {
                for (id, version) in missing {
                    // What cannot be read now is found by comparing.
                    if !give_out(&app, id, version).await {
                        break;
                    }
                }
            }
            _ = ticks.tick(), if app.relay.is_some() => heads.tick(&app).await,
            () = app.shutdown.wait() => return Ok(()),
        }
    }
}

/// Gives what a channel gained since a version to those who are connected here; whether that could be read.
pub(super) async fn give_out(app: &App, id: ChannelId, version: i64) -> bool {
    app.memory.changed(vec![Touched::from(Silent::Room(id))]);
    match doubts::missed(app, id, Some(version)).await {
        Ok(events) => {
            for event in events {
                app.memory.missed(&event);
                app.hub.publish(from_log(Topic::Channel(id), event).into()).await;
            }
            true
        }
        Err(error) => {
            tracing::warn!(error = error.reason(), "what was missed in a channel is still not known");
            false
        }
    }
}
