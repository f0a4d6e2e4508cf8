//! The only SQL: one store over SQLite and PostgreSQL.
//!
//! Functions are plain: they take a [`Tx`], ids and values, and give back wire types. One SQL text
//! runs on both databases through the macros of [`db`]; where the dialects really differ, the
//! difference stands in [`writer`] (batches), `packed` (many messages at once), [`partitions`], [`message_archive`],
//! [`search`], and [`nodes`] and [`leases`], which PostgreSQL alone needs; and in [`moving`], which leads from the one
//! to the other.
//!
//! Invariants:
//! - Nothing outside this crate knows SQL or sqlx.
//! - Every durable change of a channel takes the channel's next `version` in the transaction that
//!   stores it.
//! - No access checks here: who may do what is decided before.

pub mod accounts;
pub mod audit;
mod authors;
mod bounded;
pub mod channels;
pub mod db;
pub mod direct;
pub mod drafts;
pub mod edits;
pub mod emoji;
mod error;
pub mod exports;
mod fence;
pub mod files;
#[cfg(feature = "floor")]
pub mod floor;
pub mod heads;
pub mod invites;
pub mod jobs;
mod kept;
pub mod leases;
pub mod members;
pub mod mentions;
pub mod message_archive;
pub mod messages;
mod migrations;
pub mod moving;
pub mod nodes;
pub mod notification_settings;
pub mod notifications;
mod packed;
pub mod partitions;
pub mod pins;
mod pools;
pub mod previews;
pub mod profiles;
#[cfg(feature = "testing")]
pub mod prose;
mod pulse;
pub mod reactions;
pub mod reads;
pub mod reminders;
pub mod reports;
pub mod retention;
pub mod sanctions;
pub mod saved;
pub mod scheduled;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod slow_mode;
#[cfg(feature = "testing")]
pub mod testing;
pub mod threads;
pub mod transfer;
pub mod unread;
pub mod visits;
pub mod workspaces;
pub mod writer;

/// The target of all spans, by which they are told apart from the log.
pub const SPANS: &str = "madang::spans";

pub use db::{Db, Options, Tx};
pub use error::{Error, Result};
pub use fence::Fence;
pub use migrations::MigrationStatus;
pub use pools::{Begun, Usage};
pub use writer::{NewMessage, Sent, Writer};
