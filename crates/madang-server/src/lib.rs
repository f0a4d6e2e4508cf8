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
pub mod app;
mod auth;
mod change;
mod channels;
pub mod clock;
pub mod config;
mod direct;
mod doubts;
mod edits;
mod error;
mod gateway;
mod http;
mod memory;
mod messages;
mod pins;
mod presence;
mod ratelimit;
mod reactions;
mod reads;
mod saved;
mod search;
mod server;
mod threads;
mod tls;
mod workspaces;

pub use config::Config;
pub use error::Error;
pub use http::openapi;
pub use madang_realtime::Faults;
pub use presence::Limit as PresenceLimit;
pub use server::{Hands, Server, StartError};

/// Which migrations the database of these settings has.
///
/// # Errors
/// When it is away, or newer than this binary.
pub async fn migration_status(
    config: &Config,
) -> Result<Vec<madang_store::MigrationStatus>, madang_store::Error> {
    madang_store::Db::connect(&config.store()).await?.migration_status().await
}

/// Empties the index of search, which the server then fills anew.
///
/// # Errors
/// When the database is away, or newer than this binary.
pub async fn reindex(config: &Config) -> Result<(), madang_store::Error> {
    let db = madang_store::Db::connect(&config.store()).await?;
    db.migrate().await?;
    madang_store::search::clear(&db).await
}
