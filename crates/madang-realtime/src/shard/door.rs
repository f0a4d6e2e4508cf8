//! What connections ask of their shard, in place at once and past its queue, and what it tells of itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use madang_proto::{ChannelId, UserId};

use super::{Shard, State};
use crate::{ConnectionInfo, Outbox, Topic};

impl Shard {
    pub(crate) fn insert(&self, info: ConnectionInfo, outbox: Arc<Outbox>) -> usize {
        self.state.lock().registry.insert(info, outbox)
    }

    pub(crate) fn remove(&self, key: usize) {
        let State { registry, order, .. } = &mut *self.state.lock();
        registry.remove(key, |topic| self.emptied(order, topic));
    }

    pub(crate) fn subscribe(&self, key: usize, topics: &[Topic]) {
        let mut state = self.state.lock();
        topics.iter().for_each(|topic| self.add(&mut state, key, *topic));
    }

    pub(crate) fn unsubscribe(&self, key: usize, topic: Topic) {
        self.end(&mut self.state.lock(), key, topic);
    }

    /// Ends what a connection watches and begins with these users.
    pub(crate) fn watch(&self, key: usize, users: &[UserId]) {
        let mut state = self.state.lock();
        for topic in state.registry.watched(key) {
            if !matches!(topic, Topic::Presence(user) if users.contains(&user)) {
                self.end(&mut state, key, topic);
            }
        }
        users.iter().for_each(|user| self.add(&mut state, key, Topic::Presence(*user)));
    }

    pub(crate) fn hears(&self, key: usize, topic: Topic) -> bool {
        self.state.lock().registry.hears(key, topic)
    }

    pub(crate) fn versions(&self, key: usize) -> Vec<(ChannelId, i64)> {
        self.state.lock().registry.versions(key)
    }

    pub(crate) fn read(&self, versions: &[(ChannelId, i64)]) {
        let mut state = self.state.lock();
        versions.iter().for_each(|(channel, version)| state.registry.read(*channel, *version));
    }

    pub(crate) fn heads(&self, into: &mut HashMap<ChannelId, Option<i64>>) {
        for (channel, known) in self.state.lock().registry.heads() {
            let all = into.entry(channel).or_insert(known);
            *all = (*all).min(known);
        }
    }

    pub(crate) fn people(&self, into: &mut HashSet<UserId>) {
        into.extend(self.state.lock().registry.people());
    }

    pub(crate) fn outboxes(&self, into: &mut Vec<Arc<Outbox>>) {
        into.extend(self.state.lock().registry.all_outboxes().cloned());
    }

    /// Connections, topics and subscriptions; what waits in the queue; what is held for its order.
    pub(crate) fn counts(&self) -> ((usize, usize, usize), usize, usize) {
        let queued = self.sender.max_capacity() - self.sender.capacity();
        let state = self.state.lock();
        (state.registry.counts(), queued + state.lanes.len(), state.order.held())
    }
}
