//! The server: accounts, workspaces, channels and messages behind REST and the gateway.
//!
//! Features are modules with two halves: `mod.rs` holds the operations, `http.rs` the handlers. REST
//! and the gateway both enter through the operations. A handler goes to an operation, an operation to
//! the store: no other hops.
//!
//! Invariants:
//! - From an id that a user gave, `access` is the only way to the thing itself.
//! - Nothing is announced before its commit (`change`).
//! - Time, ids and randomness come from [`app`].

mod access;
mod accounts;
pub mod admin;
pub mod app;
mod audit;
mod auth;
mod change;
mod channels;
pub mod clock;
mod cluster;
pub mod config;
mod direct;
mod doubts;
mod drafts;
mod drain;
mod edits;
mod emoji;
mod error;
mod exports;
mod files;
mod gateway;
mod http;
mod invites;
mod jobs;
mod memory;
mod mentions;
mod message_archive;
mod messages;
mod metrics;
pub mod moving;
mod nodes;
mod notifications;
mod pins;
mod presence;
mod previews;
mod profiles;
mod pulse;
mod ratelimit;
mod reactions;
mod reads;
mod reminders;
mod reports;
mod retention;
mod sanctions;
mod saved;
mod scheduled;
mod search;
mod server;
mod settings;
mod slow_mode;
mod spans;
mod threads;
mod tls;
pub mod transfer;
mod upkeep;
mod visits;
mod workspaces;

pub use config::Config;
pub use error::Error;
pub use http::openapi;
pub use madang_realtime::Faults;
pub use madang_store::SPANS;
pub use presence::Limit as PresenceLimit;
pub use server::{Hands, Server, StartError};
