//! Up to where a person has read a channel.
//!
//! A mark that moves back forgets the person, so a version is for good here. What is told late (a mark of an
//! earlier version, a message that was there when the person was read) changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};

use madang_proto::channels::Channel;

/// A read mark.
pub struct Read {
    version: i64,
    seq: AtomicI64,
    /// The channel's newest message when this was read.
    last_seq: i64,
    /// One's own messages after the mark.
    pub own: Vec<i64>,
}

impl Read {
    /// As the database has it.
    pub fn of(channel: &Channel) -> Self {
        Self {
            version: channel.read_version,
            seq: AtomicI64::new(channel.last_read_seq.unwrap_or_default()),
            last_seq: channel.last_seq,
            own: channel.unread_skipped.clone(),
        }
    }

    /// Where it is, and its version.
    pub fn now(&self) -> (i64, i64) {
        (self.seq.load(Ordering::Acquire), self.version)
    }

    /// It moved on in a version. False when that is not known here.
    pub fn move_on(&self, version: i64, seq: i64) -> bool {
        if version == self.version {
            self.seq.fetch_max(seq, Ordering::AcqRel);
        }
        version <= self.version
    }

    /// Whether a message is newer than what was read.
    pub const fn is_new(&self, seq: i64) -> bool {
        seq > self.last_seq
    }

    /// The person wrote this.
    pub fn wrote(&self, seq: i64) {
        if self.is_new(seq) {
            self.seq.fetch_max(seq, Ordering::AcqRel);
        }
    }
}
