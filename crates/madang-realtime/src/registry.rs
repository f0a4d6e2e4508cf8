//! What a shard knows: its connections, and who of them hears which topic.
//!
//! A topic lists its receivers' keys; a connection knows its place in each of those lists, so
//! leaving is one swap and never a search.
//!
//! Invariants:
//! - `connections[key].topics` has `(topic, place)` if and only if `topics[topic].keys[place] == key`.
//! - A topic, a user or a session without connections has no entry.
//! - A list of keys that was taken before a subscription ended may name connections that hear the topic
//!   no more, or others that came to their place since: [`AsOf`] tells.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

use madang_proto::{ChannelId, SessionId, UserId};
use slab::Slab;

use crate::{Codec, ConnectionInfo, Outbox, Topic, batch::Batch};

#[derive(Default)]
pub(crate) struct Registry {
    connections: Slab<Member>,
    topics: HashMap<Topic, Receivers>,
    users: HashMap<UserId, Vec<usize>>,
    sessions: HashMap<SessionId, Vec<usize>>,
    now: AsOf,
}

/// When a list of keys was taken: how many subscriptions had ended, and how many connections had come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AsOf {
    removals: u64,
    came: u64,
}

/// Whom a batch is for, and how it is written for them.
pub(crate) type Meant = (Arc<Outbox>, Codec);

struct Member {
    /// The how manieth connection it is.
    came: u64,
    info: ConnectionInfo,
    outbox: Arc<Outbox>,
    /// What it hears, sorted, and its place among the receivers of each: there are few, and many connections.
    topics: Vec<(Topic, usize)>,
}

impl Member {
    fn find(&self, topic: Topic) -> Result<usize, usize> {
        self.topics.binary_search_by_key(&topic, |(topic, _)| *topic)
    }

    fn hears(&self, topic: Topic) -> bool {
        self.find(topic).is_ok()
    }
}

#[derive(Default)]
struct Receivers {
    keys: Vec<usize>,
    delivered: Option<i64>,
    /// What the first of them had read when they came.
    read: Option<i64>,
}

impl Registry {
    pub(crate) fn insert(&mut self, info: ConnectionInfo, outbox: Arc<Outbox>) -> usize {
        self.now.came += 1;
        let came = self.now.came;
        let key = self.connections.insert(Member { came, info, outbox, topics: Vec::new() });
        self.users.entry(info.user).or_default().push(key);
        self.sessions.entry(info.session).or_default().push(key);
        key
    }

    /// Removes a connection; calls `emptied` with each topic that nobody here hears any more.
    pub(crate) fn remove(&mut self, key: usize, mut emptied: impl FnMut(Topic)) {
        let Some(member) = self.connections.get(key) else { return };
        let (info, topics) = (member.info, member.topics.iter().map(|(topic, _)| *topic).collect::<Vec<_>>());
        for topic in topics {
            if self.unsubscribe(key, topic) {
                emptied(topic);
            }
        }
        self.connections.remove(key);
        forget(&mut self.users, info.user, key);
        forget(&mut self.sessions, info.session, key);
    }

    /// Whether the topic is new here.
    pub(crate) fn subscribe(&mut self, key: usize, topic: Topic) -> bool {
        let Some(member) = self.connections.get_mut(key) else { return false };
        let Err(at) = member.find(topic) else { return false };
        let receivers = self.topics.entry(topic).or_default();
        member.topics.insert(at, (topic, receivers.keys.len()));
        receivers.keys.push(key);
        receivers.keys.len() == 1
    }

    /// Whether nobody here hears the topic any more.
    pub(crate) fn unsubscribe(&mut self, key: usize, topic: Topic) -> bool {
        let Some(member) = self.connections.get_mut(key) else { return false };
        let Ok(at) = member.find(topic) else { return false };
        let (_, place) = member.topics.remove(at);
        self.now.removals += 1;
        let Some(receivers) = self.topics.get_mut(&topic) else { return false };
        receivers.keys.swap_remove(place);
        if let Some(&moved) = receivers.keys.get(place)
            && let Some(member) = self.connections.get_mut(moved)
            && let Ok(at) = member.find(topic)
        {
            member.topics[at].1 = place;
        }
        let emptied = receivers.keys.is_empty();
        if emptied {
            self.topics.remove(&topic);
        }
        emptied
    }

    pub(crate) fn hears(&self, key: usize, topic: Topic) -> bool {
        self.connections.get(key).is_some_and(|member| member.hears(topic))
    }

    /// How many hear the topic.
    pub(crate) fn heard_by(&self, topic: Topic) -> usize {
        self.topics.get(&topic).map_or(0, |receivers| receivers.keys.len())
    }

    /// Whose presence a connection watches.
    pub(crate) fn watched(&self, key: usize) -> Vec<Topic> {
        let topics = self.connections.get(key).into_iter().flat_map(|member| &member.topics);
        topics.map(|(topic, _)| *topic).filter(|topic| matches!(topic, Topic::Presence(_))).collect()
    }

    /// Copies the keys of a topic's receivers, and says as of when.
    pub(crate) fn receivers(&self, topic: Topic, into: &mut Vec<usize>) -> AsOf {
        into.clear();
        if let Some(receivers) = self.topics.get(&topic) {
            into.extend_from_slice(&receivers.keys);
        }
        self.now
    }

    /// Finds whom of these receivers, as they were then, a batch is for: their outboxes, and how it is written for them.
    pub(crate) fn meant(&self, batch: &Batch, keys: &[usize], as_of: AsOf, into: &mut Vec<Meant>) {
        let unchanged = self.now.removals == as_of.removals;
        for member in keys.iter().filter_map(|key| self.connections.get(*key)) {
            let hears = |topic: &Topic| member.hears(*topic);
            // Who came since took the snapshot that it begins with later than this was stored.
            let meant = unchanged || (member.came <= as_of.came && hears(&batch.topic()));
            if meant && batch.audience().takes(hears) {
                into.push((Arc::clone(&member.outbox), member.info.codec));
            }
        }
    }

    /// The same of all who hear it now; how many these are.
    pub(crate) fn all_meant(&self, batch: &Batch, into: &mut Vec<Meant>) -> usize {
        let Some(receivers) = self.topics.get(&batch.topic()) else { return 0 };
        self.meant(batch, &receivers.keys, self.now, into);
        receivers.keys.len()
    }

    /// Notes that a batch reached all its receivers.
    pub(crate) fn delivered(&mut self, batch: &Batch) {
        if let Some(receivers) = self.topics.get_mut(&batch.topic()) {
            receivers.delivered = receivers.delivered.max(batch.version());
        }
    }

    pub(crate) fn versions(&self, key: usize) -> Vec<(ChannelId, i64)> {
        let Some(member) = self.connections.get(key) else { return Vec::new() };
        let version = |(topic, _): &(Topic, usize)| match topic {
            Topic::Channel(id) => Some((*id, self.topics.get(topic)?.delivered?)),
            Topic::Workspace(_) | Topic::Lobby(_) | Topic::User(_) | Topic::Presence(_) => None,
        };
        member.topics.iter().filter_map(version).collect()
    }

    /// Notes which version of a channel someone who hears it has read.
    pub(crate) fn read(&mut self, channel: ChannelId, version: i64) {
        if let Some(receivers) = self.topics.get_mut(&Topic::Channel(channel)) {
            receivers.read.get_or_insert(version);
        }
    }

    /// Every channel that somebody hears, and the newest version that all of them have, as far as that is known.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (ChannelId, Option<i64>)> {
        self.topics.iter().filter_map(|(topic, receivers)| match topic {
            Topic::Channel(id) => Some((*id, receivers.delivered.max(receivers.read))),
            Topic::Workspace(_) | Topic::Lobby(_) | Topic::User(_) | Topic::Presence(_) => None,
        })
    }

    /// Everyone who has a connection.
    pub(crate) fn people(&self) -> impl Iterator<Item = UserId> {
        self.users.keys().copied()
    }

    pub(crate) fn of_user(&self, user: UserId) -> Vec<usize> {
        self.users.get(&user).cloned().unwrap_or_default()
    }

    pub(crate) fn follows(&self, key: usize) -> bool {
        self.connections.get(key).is_some_and(|member| member.info.follows)
    }

    pub(crate) fn outboxes_of_user(&self, user: UserId) -> impl Iterator<Item = &Outbox> {
        self.outboxes(self.users.get(&user))
    }

    pub(crate) fn outboxes_of_session(&self, session: SessionId) -> impl Iterator<Item = &Outbox> {
        self.outboxes(self.sessions.get(&session))
    }

    pub(crate) fn all_outboxes(&self) -> impl Iterator<Item = &Arc<Outbox>> {
        self.connections.iter().map(|(_, member)| &member.outbox)
    }

    fn outboxes<'a>(&'a self, keys: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Outbox> {
        keys.into_iter().flatten().filter_map(|key| Some(&*self.connections.get(*key)?.outbox))
    }

    /// Connections, topics and subscriptions.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let subscriptions = self.topics.values().map(|receivers| receivers.keys.len()).sum();
        (self.connections.len(), self.topics.len(), subscriptions)
    }

    /// Whether nothing at all is left.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
            && self.topics.is_empty()
            && self.users.is_empty()
            && self.sessions.is_empty()
    }
}

fn forget<K: Eq + Hash>(map: &mut HashMap<K, Vec<usize>>, of: K, key: usize) {
    if let Entry::Occupied(mut entry) = map.entry(of) {
        entry.get_mut().retain(|other| *other != key);
        if entry.get().is_empty() {
            entry.remove();
        }
    }
}
