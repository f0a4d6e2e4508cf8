//! The wire: everything that Madang's processes say to each other, as plain types.
//!
//! The server, the clients and the tests share these types; the OpenAPI document and the
//! TypeScript types are generated from them. One file per feature, named as everywhere else.
//!
//! Invariants:
//! - No IO, no async, no clock, no randomness.
//! - No secret has a type here but the ones that the contract itself carries (tokens, passwords in
//!   requests), and those types do not implement `Debug` in a way that prints them.
//! - Every request type refuses unknown fields; every response type may grow.

#![warn(missing_docs)]

pub mod accounts;
pub mod channels;
pub mod close;
pub mod command;
pub mod direct;
pub mod edits;
pub mod encoding;
pub mod error;
pub mod event;
pub mod ids;
pub mod input;
pub mod limits;
pub mod messages;
pub mod msgpack;
pub mod page;
pub mod permissions;
pub mod pins;
pub mod presence;
pub mod reactions;
pub mod reads;
pub mod saved;
pub mod search;
mod text;
pub mod threads;
pub mod time;
pub mod workspaces;

pub use command::Command;
pub use encoding::Encoding;
pub use event::Event;
pub use ids::{ChannelId, ConnectionId, MessageId, SessionId, UserId, WorkspaceId};
pub use time::Timestamp;
