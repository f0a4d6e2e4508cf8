//! The bus of several nodes: over the pub/sub of a Redis that they share.
//!
//! `outgoing` is the queue of what this node publishes, `wire` how an item is written and sealed, `topics` which
//! channels of Redis this node hears, `place` where Redis is, `link` the connections, `align` the order over several,
//! `session` one life of the connections.
//!
//! What holds beside the invariants of every bus:
//! - An event goes over the network once for each node that hears its topic, and to no other. What is for all nodes
//!   goes to all.
//! - A node that hears a topic only because of a `Subscribe` that just came hears the topic's events from when Redis
//!   confirms it on: what was published before is a gap, which its receivers see by the version. No node does
//!   anything twice, nor an event before a control that was published before it.
//! - While Redis is away the hub of this node gets its own items as ever. What other nodes should have got waits in a
//!   queue with a bound, but for what is true only for a moment. When something was lost of it, the others are told.
//! - On a Cluster, too, with one exception: a server of it that does not bring what is for all nodes within a second
//!   holds the others up no longer.

mod align;
mod channels;
mod link;
mod outgoing;
mod place;
mod session;
mod stats;
mod topics;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_lc_rs::rand;
use bytes::Bytes;
use parking_lot::Mutex;

pub use self::place::RedisServers;
use self::{
    align::Align,
    outgoing::{Outgoing, To},
    stats::Counters,
    topics::Topics,
    wire::Sealer,
};
use super::{BoxFuture, Bus, BusHealth, BusItem, BusStats, NodeId, Remote};
use crate::{BoxError, Class, Hub, Topic};

/// Fewest bytes of a secret.
const MIN_SECRET: usize = 16;
/// Most letters of a prefix.
const MAX_PREFIX: usize = 64;

/// What a [`RedisBus`] has to know.
pub struct RedisSettings<'a> {
    /// Where Redis is.
    pub servers: RedisServers,
    /// What the names of its channels begin with. Clusters of nodes that share a Redis have different ones.
    pub prefix: &'a str,
    /// What only the nodes of this cluster know, and all of them do. The key of the seals is made from it.
    pub secret: &'a [u8],
    /// Which node this is.
    pub node: NodeId,
}

/// Why a bus cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// It does not say where Redis is.
    #[error(
        "not a place of Redis: expected redis://host:6379, redis+cluster://host:6379,host:6379 or \
         redis+sentinel://host:26379/name, with user:password@ in front of the host where needed"
    )]
    Url,
    /// There are Sentinels, but not of what.
    #[error("the name that the Sentinels watch is missing: redis+sentinel://host:26379/name")]
    NoName,
    /// The prefix cannot be one.
    #[error("the prefix of the channels has to be 1 to 64 of the letters a-z A-Z 0-9 - _ . :")]
    Prefix,
    /// The secret could be guessed.
    #[error("the secret of the bus has to have at least 16 bytes")]
    Secret,
}

/// Carries items over Redis.
pub struct RedisBus {
    hub: Arc<Hub>,
    remote: Arc<dyn Remote>,
    servers: RedisServers,
    prefix: String,
    sealer: Sealer,
    topics: Arc<Topics>,
    outgoing: Outgoing,
    counters: Counters,
    health: Mutex<BusHealth>,
    /// Held by the call of `run` that serves.
    align: tokio::sync::Mutex<Align>,
}

impl RedisBus {
    /// A bus between this hub and those of other nodes. Nothing is sent or heard until [`Bus::run`] is called.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(
        hub: Arc<Hub>,
        remote: Arc<dyn Remote>,
        settings: RedisSettings<'_>,
    ) -> Result<Self, BadSettings> {
        let RedisSettings { servers, prefix, secret, node } = settings;
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.:".contains(&letter);
        if prefix.is_empty() || prefix.len() > MAX_PREFIX || !prefix.bytes().all(plain) {
            return Err(BadSettings::Prefix);
        }
        if secret.len() < MIN_SECRET {
            return Err(BadSettings::Secret);
        }
        let mut start = [0; 8];
        // Where there is no randomness, nothing that the server does is safe.
        rand::fill(&mut start).map_err(|_| BadSettings::Secret)?;
        let topics = Arc::new(Topics::default());
        hub.watch_interest(Arc::clone(&topics) as Arc<_>);
        Ok(Self {
            hub,
            remote,
            servers,
            prefix: prefix.to_owned(),
            sealer: Sealer::new(secret, node, u64::from_be_bytes(start)),
            topics,
            outgoing: Outgoing::default(),
            counters: Counters::default(),
            health: Mutex::new(BusHealth::Down("not connected yet".to_owned())),
            align: tokio::sync::Mutex::new(Align::new()),
        })
    }

    /// Puts an item in line for the other nodes.
    fn send(&self, item: &BusItem) {
        let (to, item) = match item {
            BusItem::Event(envelope) => {
                if envelope.class() == Class::Ephemeral && self.health() != BusHealth::Up {
                    return self.counters.dropped(1);
                }
                (To::Hearing(envelope.topic()), wire::event(envelope))
            }
            BusItem::Control(control) => (To::All, Some(wire::control(*control))),
        };
        match item {
            Some(item) => self.outgoing.push(to, item, &self.counters),
            None => self.outgoing.lost(1, &self.counters),
        }
    }
}

impl Bus for RedisBus {
    fn publish(&self, item: BusItem) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.send(&item);
            self.hub.publish(item).await;
        })
    }

    fn notify(&self, notice: Bytes) {
        self.outgoing.push(To::All, wire::notice(&notice), &self.counters);
    }

    fn run(&self) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(async {
            self.serve().await;
            Ok(())
        })
    }

    fn health(&self) -> BusHealth {
        self.health.lock().clone()
    }

    fn listening<'a>(&'a self, topics: &'a [Topic]) -> BoxFuture<'a, ()> {
        Box::pin(self.topics.listening(topics))
    }

    fn hears(&self, topic: Topic) -> bool {
        self.topics.hears(topic)
    }

    fn stats(&self) -> BusStats {
        self.counters.stats(self.topics.asked(), self.outgoing.bytes())
    }
}
