//! Fan-out: from one published envelope to the frames of every connection that hears its topic.
//!
//! `bus` carries an [`Envelope`] to each node, the [`Hub`] hands it to the shards that have its
//! [`Topic`], a shard puts its [`Frame`] into the [`Outbox`] of each receiver, and the session that
//! owns the connection writes all that waits there at once. Beside it stand [`presence`] (who is
//! there) and [`supervise`] (who keeps tasks alive).
//!
//! Invariants:
//! - Nothing here knows a variant of `Event`, a database or a socket.
//! - An envelope is encoded at most once per codec, however many hear it.
//! - Delivery is at most once and a hint: whoever sees a gap in versions reads the log.
//! - Every queue has a bound, and a slow reader costs only itself.
//! - Every task has a name and an owner; `tokio::spawn` is called in `supervise` alone.

#![warn(missing_docs)]

mod batch;
pub mod bus;
pub mod connection;
mod deliveries;
pub mod frame;
mod gaps;
pub mod hub;
mod lanes;
mod order;
pub mod outbox;
pub mod presence;
#[cfg(any(test, feature = "testing"))]
pub mod redis_server;
mod registry;
mod repairs;
mod shard;
pub mod supervise;
#[cfg(test)]
mod testing;
pub mod topic;

pub use bus::{Bus, BusItem, Control};
pub use connection::{Connection, ConnectionInfo};
pub use deliveries::{DELAYS, Delivered};
pub use frame::{Audience, Class, Codec, Envelope, Frame, Payload};
pub use hub::{Hub, HubStats};
pub use outbox::{Outbox, Sink};
pub use presence::Presence;
pub use shard::Opening;
pub use supervise::{BoxError, Faults, Shutdown, Supervisor};
pub use topic::Topic;
