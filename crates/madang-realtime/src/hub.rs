//! The hub: every connection of this node, spread over shards.
//!
//! Publishing puts one item into the queue of each shard that has the topic, never one per
//! connection. Each shard is served by one supervised task.
//!
//! Invariants:
//! - A shard that hears a topic gets its envelopes; one that does not may get them too.
//! - Items published one after the other by one task take effect in that order in every shard.
//! - Lock order: a shard's state, then the interest, then what watches it, or an outbox.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use madang_proto::{ChannelId, ConnectionId, UserId};

use parking_lot::RwLock;

use crate::{
    BoxError, BusItem, Connection, ConnectionInfo, Delivered, Faults, Outbox, Shutdown, Supervisor, Topic,
    gaps::Gaps,
    shard::{Opening, Shard},
};

/// Most shards: the set of those that hear a topic is a 64-bit mask.
const MAX_SHARDS: usize = 64;

/// All connections of a node.
pub struct Hub {
    shards: Vec<Arc<Shard>>,
    interest: Arc<Interest>,
    gaps: Arc<Gaps>,
    closing: Shutdown,
}

/// How much a hub holds; for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HubStats {
    /// Connections.
    pub connections: usize,
    /// Channels that somebody hears.
    pub channels: usize,
    /// Topics that somebody hears, counted per shard.
    pub topics: usize,
    /// Pairs of connection and topic.
    pub subscriptions: usize,
    /// Items that wait for a shard.
    pub queued: usize,
    /// Envelopes that wait for those before them.
    pub held: usize,
}

impl Hub {
    /// A hub of 1 to 64 shards. Nothing moves until [`Self::start`] or [`Self::run_shard`].
    #[must_use]
    pub fn new(shards: usize, faults: &Faults) -> Arc<Self> {
        let (interest, gaps, closing) = (Arc::default(), Arc::default(), Shutdown::new());
        let shard = |index| {
            Shard::new(index, Arc::clone(&interest), Arc::clone(&gaps), closing.clone(), faults.clone())
        };
        let shards = (0..shards.clamp(1, MAX_SHARDS)).map(shard).collect();
        Arc::new(Self { shards, interest, gaps, closing })
    }

    /// How many shards there are.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Serves one shard until the hub is closed. One call per shard serves at a time, a second one
    /// waits; a call after one that panicked or was aborted goes on where that stopped.
    pub fn run_shard(&self, index: usize) -> impl Future<Output = Result<(), BoxError>> + Send + use<> {
        let shard = self.shards.get(index).cloned();
        async move {
            let shard = shard.ok_or_else(|| format!("there is no shard {index}"))?;
            shard.run().await;
            Ok(())
        }
    }

    /// Has all shards served as children of a supervisor, `shard-0` and so on; each where `place`
    /// leads: it is called before a shard's task starts, and what it gives is dropped after.
    pub fn start<T>(self: &Arc<Self>, supervisor: &Supervisor, place: impl Fn(usize) -> T) {
        for (index, shard) in self.shards.iter().enumerate() {
            let hub = Arc::clone(self);
            let _there = place(index);
            supervisor.child(shard.name(), move || hub.run_shard(index));
        }
    }

    /// Stops taking items. The shards do what is queued and end.
    pub fn close(&self) {
        self.closing.signal();
    }

    /// Waits until the hub was closed.
    pub async fn closed(&self) {
        self.closing.wait().await;
    }

    /// Which shard a connection belongs to.
    #[must_use]
    pub fn shard_of(&self, id: ConnectionId) -> usize {
        // Ids made one after the other differ in few bits; multiplying spreads them.
        let hash = id.get().cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        usize::try_from(hash).unwrap_or_default() % self.shards.len()
    }

    /// Says that this connection is being opened, until what it gives is dropped: while many are, giant
    /// topics leave them room.
    #[must_use]
    pub fn opening(&self, id: ConnectionId) -> Opening {
        Opening::new(&self.shards[self.shard_of(id)])
    }

    /// Registers a connection. It hears nothing yet.
    #[must_use]
    pub fn connect(&self, info: ConnectionInfo) -> Connection {
        self.connect_with(info, Outbox::default())
    }

    /// Registers a connection with an outbox of another size.
    #[must_use]
    pub fn connect_with(&self, info: ConnectionInfo, outbox: Outbox) -> Connection {
        Connection::new(&self.shards[self.shard_of(info.id)], info, outbox)
    }

    /// Hands an item to the shards that it concerns. Waits while a shard's queue is full. Called by
    /// the bus; everyone else publishes there.
    pub async fn publish(&self, item: BusItem) {
        let concerned = match &item {
            BusItem::Event(envelope) => {
                envelope.since();
                self.interest.shards(envelope.topic())
            }
            BusItem::Control(_) => u64::MAX,
        };
        for (index, shard) in self.shards.iter().enumerate() {
            if concerned & (1 << index) != 0 {
                shard.send(item.clone()).await;
            }
        }
    }

    /// Has a watcher told which topics this node hears, from those that it hears now on.
    pub(crate) fn watch_interest(&self, watcher: Arc<dyn Watcher>) {
        self.interest.watch(watcher);
    }

    /// Waits until a change of a channel did not come that those after it show; gives, for each such channel, the
    /// version after which something is missing. What is published in time takes its place in the order.
    pub async fn missing(&self) -> HashMap<ChannelId, i64> {
        self.gaps.next().await
    }

    /// Every channel that somebody hears, and the newest version that all of them have, as far as that is known.
    #[must_use]
    pub fn heads(&self) -> HashMap<ChannelId, Option<i64>> {
        let mut heads = HashMap::new();
        self.shards.iter().for_each(|shard| shard.heads(&mut heads));
        heads
    }

    /// Everyone who has a connection.
    #[must_use]
    pub fn people(&self) -> HashSet<UserId> {
        let mut people = HashSet::new();
        self.shards.iter().for_each(|shard| shard.people(&mut people));
        people
    }

    /// What waits for each connection, to close them one after the other.
    #[must_use]
    pub fn outboxes(&self) -> Vec<Arc<Outbox>> {
        let mut outboxes = Vec::new();
        self.shards.iter().for_each(|shard| shard.outboxes(&mut outboxes));
        outboxes
    }

    /// How much it holds now.
    #[must_use]
    pub fn stats(&self) -> HubStats {
        let mut stats = HubStats::default();
        for shard in &self.shards {
            let ((connections, topics, subscriptions), queued, held) = shard.counts();
            stats.connections += connections;
            stats.topics += topics;
            stats.subscriptions += subscriptions;
            stats.queued += queued;
            stats.held += held;
        }
        stats.channels = self.interest.channels();
        stats
    }

    /// What it gave out until now.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        let mut sum = Delivered::default();
        self.shards.iter().for_each(|shard| sum.add(&shard.deliveries.read()));
        sum
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.interest.0.read().topics.is_empty() && self.shards.iter().all(|shard| shard.is_empty())
    }
}

/// Is told which topics this node hears. Called with a lock held: it may neither wait nor call the hub.
pub(crate) trait Watcher: Send + Sync {
    /// A first shard has reason to get the topic's envelopes.
    fn began(&self, topic: Topic);
    /// No shard has any more.
    fn ended(&self, topic: Topic);
}

/// Which shards have a topic: for each, how many reasons each shard has to get its envelopes.
#[derive(Default)]
pub(crate) struct Interest(RwLock<Interests>);

#[derive(Default)]
struct Interests {
    topics: HashMap<Topic, HashMap<usize, u32>>,
    watcher: Option<Arc<dyn Watcher>>,
}

impl Interest {
    pub(crate) fn hold(&self, topic: Topic, shard: usize) {
        let Interests { topics, watcher } = &mut *self.0.write();
        let shards = topics.entry(topic).or_default();
        if let Some(watcher) = watcher.as_ref().filter(|_| shards.is_empty()) {
            watcher.began(topic);
        }
        *shards.entry(shard).or_default() += 1;
    }

    pub(crate) fn release(&self, topic: Topic, shard: usize) {
        let Interests { topics, watcher } = &mut *self.0.write();
        let Some(shards) = topics.get_mut(&topic) else { return };
        if let Some(reasons) = shards.get_mut(&shard) {
            *reasons -= 1;
            if *reasons == 0 {
                shards.remove(&shard);
            }
        }
        if shards.is_empty() {
            topics.remove(&topic);
            if let Some(watcher) = watcher {
                watcher.ended(topic);
            }
        }
    }

    fn watch(&self, watcher: Arc<dyn Watcher>) {
        let mut interests = self.0.write();
        interests.topics.keys().for_each(|topic| watcher.began(*topic));
        interests.watcher = Some(watcher);
    }

    fn channels(&self) -> usize {
        self.0.read().topics.keys().filter(|topic| matches!(topic, Topic::Channel(_))).count()
    }

    fn shards(&self, topic: Topic) -> u64 {
        let interests = self.0.read();
        interests
            .topics
            .get(&topic)
            .map_or(0, |shards| shards.keys().fold(0, |mask, shard| mask | 1 << shard))
    }
}
