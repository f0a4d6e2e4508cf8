//! The only SQL: one store over SQLite and PostgreSQL.
//!
//! Functions are plain: they take a [`Tx`], ids and values, and give back wire types. One SQL text
//! runs on both databases through the macros of [`db`]; where the dialects really differ, the
//! difference stands in [`writer`] (batches), `packed` (many messages at once), [`partitions`] and [`search`].
//!
//! Invariants:
//! - Nothing outside this crate knows SQL or sqlx.
//! - Every durable change of a channel takes the channel's next `version` in the transaction that
//!   stores it.
//! - No access checks here: who may do what is decided before.

pub mod accounts;
mod authors;
pub mod channels;
pub mod db;
pub mod direct;
pub mod edits;
mod error;
#[cfg(feature = "floor")]
pub mod floor;
mod kept;
pub mod members;
pub mod messages;
mod packed;
pub mod partitions;
pub mod pins;
#[cfg(feature = "testing")]
pub mod prose;
pub mod reactions;
pub mod reads;
pub mod saved;
pub mod search;
pub mod sessions;
#[cfg(feature = "testing")]
pub mod testing;
pub mod threads;
pub mod workspaces;
pub mod writer;

pub use db::{Db, MigrationStatus, Options, Tx};
pub use error::{Error, Result};
pub use writer::{NewMessage, Sent, Writer};
