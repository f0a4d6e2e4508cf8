//! The newest version of each channel that somebody hears, compared with the log: what the bus lost, also the last event
//! before a silence, is read there and given to those who are connected here.
//!
//! One question every few seconds, however many channels. A channel is behind when a version that was in the log at the
//! last look is still not delivered, and nothing else of it was since: what is on its way has that long, and where a node is
//! slow but goes on, the same is not given out twice, nor is work added to what it has.

use std::collections::HashMap;

use madang_proto::ChannelId;
use madang_realtime::{Class, Topic};
use madang_store::heads;

use crate::{
    app::App,
    change::envelope,
    doubts,
    error::Result,
    memory::{Silent, Touched},
};

/// What was in the log at the last look.
#[derive(Default)]
pub struct Heads {
    seen: HashMap<ChannelId, Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    /// The version in the log.
    head: i64,
    /// Up to here all was delivered, or read by whoever came.
    known: i64,
}

impl Seen {
    /// Whether nothing came since, where something should have.
    const fn is_stuck_at(&self, known: i64) -> bool {
        self.head > known && self.known == known
    }
}

impl Heads {
    /// Looks, and gives out what was missed.
    pub async fn look(&mut self, app: &App) {
        let delivered = app.hub.heads();
        let ids: Vec<_> = delivered.keys().copied().collect();
        let versions = match versions(app, &ids).await {
            Ok(versions) => versions,
            Err(error) => {
                tracing::debug!(error = error.reason(), "the channels' versions");
                return;
            }
        };
        let mut seen = HashMap::with_capacity(versions.len());
        for (id, head) in versions {
            let last = self.seen.get(&id);
            // Where nothing is known, what is there now is taken as the beginning.
            let known =
                delivered.get(&id).copied().flatten().max(last.map(|last| last.known)).unwrap_or(head);
            let mut now = Seen { head, known };
            if last.is_some_and(|last| last.is_stuck_at(known)) && give_out(app, id, known).await {
                now.known = head;
            }
            seen.insert(id, now);
        }
        self.seen = seen;
    }
}

async fn versions(app: &App, ids: &[ChannelId]) -> Result<Vec<(ChannelId, i64)>> {
    Ok(heads::versions(&mut app.db.read().await?, ids).await?)
}

/// Gives what a channel gained since a version to those who are connected here; whether that could be read.
async fn give_out(app: &App, id: ChannelId, version: i64) -> bool {
    app.memory.changed(vec![Touched::from(Silent::Room(id))]);
    match doubts::missed(app, id, Some(version)).await {
        Ok(events) => {
            for event in events {
                app.memory.missed(&event);
                app.hub.publish(envelope(Topic::Channel(id), Class::Durable, event).into()).await;
            }
            true
        }
        Err(error) => {
            tracing::warn!(error = error.reason(), "what was missed in a channel is still not known");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slow_but_goes_on_is_not_stuck() {
        let seen = Seen { head: 9, known: 4 };
        assert!(seen.is_stuck_at(4), "5 was in the log, and did not come");
        assert!(!seen.is_stuck_at(5), "it came, and the rest is on its way");
        assert!(!seen.is_stuck_at(9) && !seen.is_stuck_at(12));
        assert!(!Seen { head: 4, known: 4 }.is_stuck_at(4), "there was nothing more");
    }
}
