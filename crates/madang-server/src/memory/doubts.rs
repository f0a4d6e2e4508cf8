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
    /// Notes a channel in which messages are in doubt. What is known once it is in doubt is no more than what
    /// was known before.
    pub fn messages(&self, channel: ChannelId, announced: Option<i64>) {
        self.0.lock().entry(channel).or_insert(announced);
    }

    /// Notes a channel in which anything is in doubt.
    pub fn anything(&self, channel: ChannelId) {
        self.0.lock().insert(channel, None);
    }

    /// Notes again what could not be settled.
    pub fn again(&self, channel: ChannelId, announced: Option<i64>) {
        let mut doubts = self.0.lock();
        let earliest = doubts.entry(channel).or_insert(announced);
        *earliest = (*earliest).min(announced);
    }

    /// All that are noted, which are noted no more.
    pub fn take(&self) -> HashMap<ChannelId, Option<i64>> {
        std::mem::take(&mut *self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_announced_before_the_first_doubt_is_what_counts() {
        let (doubts, channel) = (Doubts::default(), ChannelId::from(1));
        doubts.messages(channel, Some(7));
        doubts.messages(channel, None);
        doubts.messages(channel, Some(9));
        assert_eq!(doubts.take(), HashMap::from([(channel, Some(7))]));
        doubts.messages(channel, Some(9));
        doubts.again(channel, Some(7));
        assert_eq!(doubts.take(), HashMap::from([(channel, Some(7))]));
        doubts.messages(channel, Some(9));
        doubts.anything(channel);
        assert_eq!(doubts.take(), HashMap::from([(channel, None)]));
        assert_eq!(doubts.take(), HashMap::new());
    }
}
