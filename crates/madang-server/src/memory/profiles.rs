//! The newest versions of profiles by who was told of them, so that a client that comes back knows whether it missed a
//! change, without a question to the database.
//!
//! Invariants:
//! - What is given is not below the version of the newest change that its user was to hear of; a change that concerns
//!   others may count as well.
//! - Bounded: [`KEPT`].

use std::collections::HashMap;

use madang_realtime::Topic;
use parking_lot::RwLock;

/// Topics that are told apart at most; past it all count as one.
const KEPT: usize = 65_536;

/// The newest versions.
#[derive(Debug, Default)]
pub struct Profiles(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// For every topic that is not in `of`, and for those that are.
    all: i64,
    of: HashMap<Topic, i64>,
}

impl Profiles {
    /// Says which version was the newest when nothing else was known.
    pub fn begin(&self, version: i64) {
        let mut inner = self.0.write();
        inner.all = inner.all.max(version);
    }

    /// A change was told to a topic.
    pub fn note(&self, topic: Topic, version: i64) {
        let mut inner = self.0.write();
        if inner.of.len() >= KEPT && !inner.of.contains_key(&topic) {
            let newest = inner.of.drain().map(|(_, version)| version).max();
            inner.all = inner.all.max(newest.unwrap_or_default());
        }
        let known = inner.of.entry(topic).or_default();
        *known = version.max(*known);
    }

    /// The newest version for whoever hears these topics.
    pub fn newest(&self, topics: impl IntoIterator<Item = Topic>) -> i64 {
        let inner = self.0.read();
        topics.into_iter().filter_map(|topic| inner.of.get(&topic).copied()).fold(inner.all, i64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: usize) -> Topic {
        Topic::User(i64::try_from(id).unwrap().into())
    }

    #[test]
    fn one_hears_of_what_one_was_told_and_never_of_less() {
        let profiles = Profiles::default();
        profiles.begin(3);
        profiles.note(user(1), 5);
        profiles.note(user(1), 4);
        assert_eq!((profiles.newest([user(1), user(2)]), profiles.newest([user(2)])), (5, 3));
        (0..=KEPT).for_each(|id| profiles.note(user(id), 6));
        assert!(profiles.0.read().of.len() < KEPT);
        assert_eq!(profiles.newest([user(3)]), 6);
    }
}
