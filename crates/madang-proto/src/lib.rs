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
pub mod audit;
pub mod channels;
pub mod close;
mod code;
pub mod command;
pub mod direct;
pub mod drafts;
pub mod edits;
pub mod emoji;
pub mod encoding;
pub mod error;
pub mod event;
pub mod exports;
pub mod files;
pub mod ids;
pub mod input;
pub mod invites;
pub mod limits;
pub mod mentions;
pub mod messages;
pub mod msgpack;
pub mod notifications;
pub mod overrides;
pub mod page;
pub mod permissions;
pub mod pins;
pub mod presence;
pub mod previews;
pub mod profiles;
pub mod reactions;
pub mod reads;
pub mod reminders;
pub mod reports;
pub mod retention;
pub mod sanctions;
pub mod saved;
pub mod scheduled;
pub mod schema;
pub mod search;
pub mod settings;
mod text;
pub mod threads;
pub mod time;
pub mod workspaces;

pub use command::Command;
pub use encoding::Encoding;
pub use event::Event;
pub use ids::{
    AuditId, ChannelId, ConnectionId, ExportId, FileId, InviteId, MessageId, NotificationId, ReminderId,
    ReportId, SanctionId, ScheduledId, SessionId, UserId, WorkspaceId,
};
pub use time::Timestamp;
