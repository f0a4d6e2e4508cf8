//! The bus: carries what is published to the hub of every node.
//!
//! Invariants that each implementation keeps, and the conformance suite tests:
//! - At most once. An item may be lost between nodes, never doubled; nothing is kept for a node
//!   that is away. The log is the truth.
//! - Items published one after the other by one task reach each shard of each node in that order,
//!   events and controls alike.
//! - The publishing node hears its own items, whether or not the others are reached, and without waiting
//!   for them.

#[cfg(test)]
mod conformance;
mod local;
mod redis;
mod remote;

use std::{future::Future, pin::Pin, sync::Arc, time::Instant};

use bytes::Bytes;
use madang_proto::{SessionId, UserId, close::CloseCode};

pub use self::{
    local::LocalBus,
    redis::{BadSettings, RedisBus, RedisServers, RedisSettings},
    remote::{Arriving, NodeId, Remote},
};
use crate::{BoxError, Envelope, Topic};

/// A boxed future, so that a [`Bus`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way from a publisher to every hub.
pub trait Bus: Send + Sync {
    /// Carries an item to every node. Called after the commit. It does not fail: what is lost is
    /// noticed by its version; it may wait when this node cannot keep up.
    fn publish(&self, item: BusItem) -> BoxFuture<'_, ()>;

    /// Tells all other nodes something that only the layer above reads, in order with what is published.
    /// It neither waits nor fails.
    fn notify(&self, notice: Bytes);

    /// Carries what other nodes publish into this node's hub, until that is closed; a supervised
    /// child.
    fn run(&self) -> BoxFuture<'_, Result<(), BoxError>>;

    /// Whether other nodes are reached.
    fn health(&self) -> BusHealth;

    /// Waits until whatever any node publishes to these topics from now on reaches this node. Topics that
    /// nobody here hears are not waited for, and nothing is while the bus is down.
    fn listening<'a>(&'a self, topics: &'a [Topic]) -> BoxFuture<'a, ()>;

    /// Whether whatever any node publishes to the topic now reaches this node. What was read from the log while
    /// it did is kept right by what comes; what was read before is not.
    fn hears(&self, topic: Topic) -> bool;

    /// What it carried until now.
    fn stats(&self) -> BusStats;
}

/// What a bus carried between nodes since the start; for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BusStats {
    /// Items and notices that were sent.
    pub published: u64,
    /// Their bytes.
    pub published_bytes: u64,
    /// Items and notices of other nodes that came.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Those of this node that were not sent, or perhaps not: the queue was full, or the connection broke.
    pub dropped: u64,
    /// What came and was not of this cluster, or not to be read.
    pub refused: u64,
    /// What came in a format of another version.
    pub unknown: u64,
    /// How often the bus came up again.
    pub reconnects: u64,
    /// Topics that this node hears of other nodes now.
    pub topics: u64,
    /// Bytes that wait to be sent now.
    pub queued_bytes: u64,
}

/// Whether a bus reaches all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusHealth {
    /// It does.
    Up,
    /// Only this node is reached, for this reason.
    Down(String),
}

/// What is published.
#[derive(Debug, Clone)]
pub enum BusItem {
    /// For those who hear a topic.
    Event(Arc<Envelope>),
    /// For the hubs themselves.
    Control(Control),
}

impl BusItem {
    /// Says when the change was stored that it tells of.
    pub fn committed_at(&self, time: Instant) {
        if let Self::Event(envelope) = self {
            envelope.committed_at(time);
        }
    }
}

impl From<Arc<Envelope>> for BusItem {
    fn from(envelope: Arc<Envelope>) -> Self {
        Self::Event(envelope)
    }
}

impl From<Control> for BusItem {
    fn from(control: Control) -> Self {
        Self::Control(control)
    }
}

/// A change of who hears what, on every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// The user's connections that follow it hear a topic from now on.
    Subscribe {
        /// Whose connections.
        user: UserId,
        /// What they hear.
        topic: Topic,
    },
    /// None of the user's connections hears a topic any more.
    Unsubscribe {
        /// Whose connections.
        user: UserId,
        /// What they hear no more.
        topic: Topic,
    },
    /// The connections of a session are closed.
    CloseSession {
        /// Which session.
        session: SessionId,
        /// Why.
        code: CloseCode,
    },
    /// The connections of a user are closed.
    CloseUser {
        /// Which user.
        user: UserId,
        /// Why.
        code: CloseCode,
    },
    /// All connections are closed.
    CloseAll {
        /// Why.
        code: CloseCode,
    },
}
