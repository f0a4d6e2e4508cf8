//! How many notifications a user has not read, and in which channels some of these are.

use std::collections::HashSet;

use madang_proto::{ChannelId, notifications::NotificationCount};

/// Invariants:
/// - Where an unread one is, its channel is among `channels`; there may be more.
#[derive(Debug, Default)]
pub struct Notified {
    pub count: NotificationCount,
    pub channels: HashSet<ChannelId>,
}

impl Notified {
    /// Takes in the newest numbers, and the channel of one that is unread. What is older says nothing of how many
    /// there are.
    pub fn take(&mut self, count: NotificationCount, channel: Option<ChannelId>) {
        self.channels.extend(channel);
        if count.version > self.count.version {
            self.count = count;
            if count.unread == 0 {
                self.channels.clear();
            }
        }
    }

    /// All of a channel are read as of a version.
    pub fn read(&mut self, channel: ChannelId, version: i64) {
        if version >= self.count.version {
            self.channels.remove(&channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_takes_nothing_away() {
        let count = |unread, version| NotificationCount { unread, version };
        let mut unread = Notified::default();
        unread.take(count(2, 5), Some(1.into()));
        unread.take(count(0, 4), None);
        assert_eq!((unread.count, unread.channels.len()), (count(2, 5), 1));
        unread.read(1.into(), 4);
        assert_eq!(unread.channels.len(), 1, "another came since");
        unread.read(1.into(), 5);
        assert!(unread.channels.is_empty());
        unread.take(count(1, 7), Some(2.into()));
        unread.take(count(0, 8), None);
        assert!(unread.channels.is_empty());
    }
}
