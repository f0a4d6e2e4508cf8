//! The Rust SDK of Madang: a chat server's accounts, channels and messages as a program sees them.
//!
//! There are two doors. [`Http`] is the REST interface: one typed method for each route, no state but
//! the tokens. [`Client`] is a person at a desk: it stays connected, keeps a [`State`] true by the
//! events it hears, and sends through an [`Outbox`] that survives lost connections.
//!
//! How it goes: signing in gives tokens; [`Client`] starts one background task (`driver`) which
//! connects ([`socket`]), says where it stands, and from then on applies every event to the state.
//! The state is pure: [`State`] answers each event with the [`state::Effect`]s that it needs (fetch
//! the changes of a channel after a gap, fetch it anew), and the driver carries them out. When the
//! connection is lost the driver comes back with growing random delays ([`backoff`]), resumes by the
//! versions that it has, and sends what is still in the outbox.
//!
//! Invariants:
//! - What the server acknowledged is in the state once, in the order of `seq`.
//! - A message is never doubled: a resend carries the nonce of the first attempt.
//! - The state knows no IO, no clock and no randomness.

#![warn(missing_docs)]

pub use madang_proto as proto;

pub mod accounts;
pub mod backoff;
pub mod channels;
mod client;
pub mod direct;
pub mod drafts;
mod driver;
pub mod emoji;
mod error;
pub mod exports;
pub mod files;
mod http;
pub mod invites;
pub mod later;
pub mod messages;
pub mod moderation;
pub mod notifications;
pub mod outbox;
pub mod pins;
pub mod presence;
mod previews;
mod profiles;
pub mod reactions;
pub mod reads;
pub mod reminders;
pub mod retention;
pub mod saved;
pub mod scheduled;
pub mod search;
pub mod settings;
pub mod socket;
pub mod state;
pub mod status;
pub mod threads;
pub mod workspaces;

pub use client::{Client, Options};
pub use error::Error;
pub use http::{Http, RawResponse};
pub use outbox::Outbox;
pub use socket::{Incoming, RawSocket};
pub use state::State;
pub use status::ConnectionStatus;
