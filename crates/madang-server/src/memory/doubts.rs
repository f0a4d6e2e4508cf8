//! Channels in which something may have been stored that was not announced: the database went away in
//! the middle of a commit. Once it is back, they are settled ([`crate::doubts`]).
//!
//! Invariants:
//! - Of several doubts of a channel, one settles all: the one that goes back furthest.

use std::collections::HashMap;

use madang_proto::ChannelId;
use parking_lot::Mutex;

/// The channels, and up to which version all was announced, where that is known and only messages are
/// in doubt.
#[derive(Default)]
pub struct Doubts(Mutex<HashMap<ChannelId, Option<i64>>>);

impl Doubts {
    /// Notes a channel.
    pub fn add(&self, channel: ChannelId, announced: Option<i64>) {
        let mut doubts = self.0.lock();
        let earliest = doubts.entry(channel).or_insert(announced);
        *earliest = (*earliest).min(announced);
    }

    /// All that are noted, which are noted no more.
    pub fn take(&self) -> HashMap<ChannelId, Option<i64>> {
        std::mem::take(&mut *self.0.lock())
    }
}
