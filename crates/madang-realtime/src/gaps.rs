//! What did not come: channels in which a change is known by those after it only, for whoever can read the log.
//!
//! Invariants:
//! - A channel is in here once, with the first gap that was found.

use std::collections::HashMap;

use madang_proto::ChannelId;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Topic;

#[derive(Default)]
pub(crate) struct Gaps {
    /// The version after which something is missing.
    found: Mutex<HashMap<ChannelId, i64>>,
    news: Notify,
}

impl Gaps {
    pub(crate) fn found(&self, topic: Topic, after: i64) {
        if let Topic::Channel(channel) = topic {
            let mut found = self.found.lock();
            let first = found.entry(channel).or_insert(after);
            *first = after.min(*first);
            self.news.notify_one();
        }
    }

    /// Those that were found since this was asked last; waits for some.
    pub(crate) async fn next(&self) -> HashMap<ChannelId, i64> {
        loop {
            let found = std::mem::take(&mut *self.found.lock());
            if !found.is_empty() {
                return found;
            }
            self.news.notified().await;
        }
    }
}
