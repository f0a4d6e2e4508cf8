//! The bus: carries what is published to the hub of every node.
//!
//! Invariants that each implementation keeps, and the conformance suite tests:
//! - At most once. An item may be lost between nodes, never doubled; nothing is kept for a node
//!   that is away. The log is the truth.
//! - Items published one after the other by one task reach each shard of each node in that order,
//!   events and controls alike.
//! - The publishing node hears its own items.

#[cfg(test)]
mod conformance;
mod local;

use std::{future::Future, pin::Pin, sync::Arc};

use madang_proto::{SessionId, UserId, close::CloseCode};

pub use self::local::LocalBus;
use crate::{BoxError, Envelope, Topic};

/// A boxed future, so that a [`Bus`] can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way from a publisher to every hub.
pub trait Bus: Send + Sync {
    /// Carries an item to every node. Called after the commit. It does not fail: what is lost is
    /// noticed by its version; it may wait when this node cannot keep up.
    fn publish(&self, item: BusItem) -> BoxFuture<'_, ()>;

    /// Carries what other nodes publish into this node's hub, until that is closed; a supervised
    /// child.
    fn run(&self) -> BoxFuture<'_, Result<(), BoxError>>;

    /// Whether other nodes are reached.
    fn health(&self) -> BusHealth;
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
