//! The newest version of each channel that somebody hears, compared with the log: what the bus lost, also the last event
//! before a silence, is read there and given to those who are connected here.
//!
//! One question every few seconds, however many channels, and one each second about those that seem to be behind. A channel
//! is behind when a version that was in the log two seconds ago is still not delivered, and nothing else of it was since: what
//! is on its way has that long, and where a node is slow but goes on, the same is not given out twice, nor is work added to
//! what it has.

use std::collections::HashMap;

use madang_proto::ChannelId;
use madang_store::heads;

use super::gaps::give_out;
use crate::{
    app::App,
    error::{Error, Result},
};

/// After how many seconds all channels are looked at.
const LOOK: u64 = 5;
/// For how many seconds nothing comes until a channel counts as behind.
const WAIT: u64 = 2;

/// What was seen at the last looks.
#[derive(Default)]
pub struct Heads {
    seen: HashMap<ChannelId, Seen>,
    seconds: u64,
    /// How often the bus had been away.
    outages: u64,
}

/// A channel, as it was when something of it came last.
#[derive(Clone, Copy)]
struct Seen {
    /// The version in the log.
    head: i64,
    /// Up to here all was delivered, or read by whoever came.
    known: i64,
    /// In which second that was.
    at: u64,
}

impl Seen {
    /// The same as long as nothing comes that should.
    const fn or(self, now: Self) -> Self {
        if self.known == now.known && self.head > self.known { self } else { now }
    }

    /// Whether nothing came for too long, where something should have.
    const fn is_stuck(self, second: u64) -> bool {
        self.head > self.known && second - self.at >= WAIT
    }
}

impl Heads {
    /// A second is over, or more.
    pub async fn tick(&mut self, app: &App) {
        let outages = app.relay.as_ref().map_or(0, |relay| relay.outages());
        if outages != self.outages || self.seconds.is_multiple_of(LOOK) {
            self.look(app).await;
        } else {
            self.look_again(app).await;
        }
        self.outages = outages;
        self.seconds += 1;
    }

    /// Looks at all channels, and gives out what was missed.
    async fn look(&mut self, app: &App) {
        let delivered = app.hub.heads();
        let ids: Vec<_> = delivered.keys().copied().collect();
        if let Some(seen) = self.compare(app, &delivered, &ids).await {
            self.seen = seen;
        }
    }

    /// Looks again at those that seemed to be behind.
    async fn look_again(&mut self, app: &App) {
        let behind = |(id, seen): (&ChannelId, &Seen)| (seen.head > seen.known).then_some(*id);
        let ids: Vec<_> = self.seen.iter().filter_map(behind).collect();
        if ids.is_empty() {
            return;
        }
        let seen = self.compare(app, &app.hub.heads(), &ids).await;
        self.seen.extend(seen.into_iter().flatten());
    }

    /// Compares these with the log, gives out what was missed, and tells what was seen, unless there is no answer.
    async fn compare(
        &self,
        app: &App,
        delivered: &HashMap<ChannelId, Option<i64>>,
        ids: &[ChannelId],
    ) -> Option<HashMap<ChannelId, Seen>> {
        let versions = versions(app, ids).await;
        let reason = |error: &Error| tracing::debug!(error = error.reason(), "the channels' versions");
        let mut seen = HashMap::with_capacity(ids.len());
        for (id, head) in versions.inspect_err(reason).ok()? {
            let last = self.seen.get(&id);
            // Where nothing is known, what is there now is taken as the beginning.
            let known =
                delivered.get(&id).copied().flatten().max(last.map(|last| last.known)).unwrap_or(head);
            let now = Seen { head, known, at: self.seconds };
            let mut first = last.map_or(now, |last| last.or(now));
            if first.is_stuck(self.seconds) && give_out(app, id, known).await {
                first = Seen { known: head, ..now };
            }
            seen.insert(id, first);
        }
        Some(seen)
    }
}

async fn versions(app: &App, ids: &[ChannelId]) -> Result<Vec<(ChannelId, i64)>> {
    Ok(heads::versions(&mut app.db.read().await?, ids).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slow_but_goes_on_is_not_stuck() {
        let at = |second, head, known| Seen { head, known, at: second };
        let first = at(7, 9, 4);
        assert!(!first.is_stuck(8), "5 was in the log, and has a while to come");
        assert!(first.or(at(9, 12, 4)).is_stuck(9), "it did not come");
        assert!(!first.or(at(9, 12, 5)).is_stuck(9), "it came, and the rest is on its way");
        assert!(!first.or(at(9, 9, 9)).is_stuck(99), "all came");
        let whole = at(7, 4, 4);
        assert!(!whole.is_stuck(99), "there was nothing more");
        assert!(!whole.or(at(12, 5, 4)).is_stuck(13), "there is something now");
    }
}
