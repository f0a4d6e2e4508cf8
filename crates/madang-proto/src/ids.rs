//! Ids: newtypes over 63-bit time-sorted integers, decimal strings on the wire.
//!
//! From the high bits: 42 bits of milliseconds since [`EPOCH_MS`], 9 bits of node, 12 bits of
//! sequence. The layout follows Twitter's Snowflake. The top bit of a *user's* sequence says
//! "guest" and shows as the prefix `guest_`.
//!
//! Invariants:
//! - An id is positive and fits 63 bits, so it is an SQLite rowid and a PostgreSQL `bigint`.
//! - On the wire an id is always a string: JavaScript numbers lose precision past 2^53.

use std::{fmt, str::FromStr};

use utoipa::ToSchema;

/// The first millisecond that an id can express: 2025-01-01T00:00:00Z, in Unix milliseconds.
pub const EPOCH_MS: i64 = 1_735_689_600_000;
/// Bits of the node number.
pub const NODE_BITS: u32 = 9;
/// Bits of the sequence within a millisecond.
pub const SEQUENCE_BITS: u32 = 12;
/// The bit of a user id that says guest.
pub const GUEST_BIT: i64 = 1 << (SEQUENCE_BITS - 1);
/// What a guest's id begins with on the wire.
pub const GUEST_PREFIX: &str = "guest_";

/// Puts an id together. `unix_ms` before [`EPOCH_MS`] counts as the epoch.
#[must_use]
pub fn compose(unix_ms: i64, node: u16, sequence: u16) -> i64 {
    let ms = (unix_ms - EPOCH_MS).max(0) & ((1 << 42) - 1);
    let node = i64::from(node) & ((1 << NODE_BITS) - 1);
    let sequence = i64::from(sequence) & ((1 << SEQUENCE_BITS) - 1);
    (ms << (NODE_BITS + SEQUENCE_BITS)) | (node << SEQUENCE_BITS) | sequence
}

/// The smallest id that can be made at `unix_ms`: the border of a partition or of a time filter.
#[must_use]
pub fn floor_at(unix_ms: i64) -> i64 {
    compose(unix_ms, 0, 0)
}

/// The Unix millisecond in which an id was made.
#[must_use]
pub const fn made_at(id: i64) -> i64 {
    (id >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MS
}

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected decimal digits")]
pub struct InvalidId;

fn digits(text: &str) -> Result<i64, InvalidId> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match text.parse::<i64>() {
        Ok(id) if plain && id > 0 => Ok(id),
        _ => Err(InvalidId),
    }
}

macro_rules! ids {
    ($pattern:literal $($(#[$doc:meta])* $name:ident $format:literal)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
        #[schema(value_type = String, format = $format, pattern = $pattern, example = "7340032000001")]
        pub struct $name(i64);

        impl $name {
            /// The number as the database keeps it.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        crate::text::as_text!($name);
    )*};
}

// What the document says of them: those of 63 bits, but for the last that begin with 9, which are of a time after 2160.
ids! {
    r"^(guest_)?([1-9][0-9]{0,17}|[1-8][0-9]{18})$"
    /// A person, a guest or a bot.
    UserId "user-id"
}

ids! {
    r"^([1-9][0-9]{0,17}|[1-8][0-9]{18})$"
    /// A workspace.
    WorkspaceId "workspace-id"
    /// A channel of any kind.
    ChannelId "channel-id"
    /// A message.
    MessageId "message-id"
    /// A file.
    FileId "file-id"
    /// A session: one login on one device.
    SessionId "session-id"
    /// A connection: one socket.
    ConnectionId "connection-id"
    /// A mute or a ban.
    SanctionId "sanction-id"
    /// A report of a message.
    ReportId "report-id"
    /// An entry of the audit log.
    AuditId "audit-id"
    /// An invite.
    InviteId "invite-id"
    /// A message that is to be sent at a time.
    ScheduledId "scheduled-id"
    /// A reminder.
    ReminderId "reminder-id"
    /// A notification.
    NotificationId "notification-id"
    /// What was made for someone to take away.
    ExportId "export-id"
}

macro_rules! plain_text {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                digits(text).map(Self)
            }
        }
    )*};
}

plain_text! {
    WorkspaceId ChannelId MessageId FileId SessionId ConnectionId SanctionId ReportId AuditId InviteId
    ScheduledId ReminderId NotificationId ExportId
}

impl UserId {
    /// Whether this user is a guest.
    #[must_use]
    pub const fn is_guest(self) -> bool {
        self.0 & GUEST_BIT != 0
    }

    /// The same id with the guest bit set or cleared.
    #[must_use]
    pub const fn with_guest(self, guest: bool) -> Self {
        Self(if guest { self.0 | GUEST_BIT } else { self.0 & !GUEST_BIT })
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.is_guest() { GUEST_PREFIX } else { "" };
        write!(f, "{prefix}{}", self.0)
    }
}

impl FromStr for UserId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (guest, rest) = match text.strip_prefix(GUEST_PREFIX) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let id = Self(digits(rest)?);
        if id.is_guest() == guest { Ok(id) } else { Err(InvalidId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_then_node_then_sequence() {
        let now = EPOCH_MS + 1_000;
        assert!(compose(now, 511, 4095) < compose(now + 1, 0, 0));
        assert!(compose(now, 1, 4095) < compose(now, 2, 0));
        assert!(compose(now, 1, 1) < compose(now, 1, 2));
        assert!(compose(i64::MAX, 511, 4095) > 0, "never negative");
        assert_eq!(made_at(compose(now, 511, 4095)), now);
    }

    #[test]
    fn a_guest_shows_in_the_id_and_the_prefix_must_tell_the_truth() {
        let user = UserId::from(compose(EPOCH_MS + 5, 0, 7));
        let guest = user.with_guest(true);
        assert!(guest.to_string().starts_with("guest_"));
        assert_eq!(guest.to_string().parse(), Ok(guest));
        assert_eq!(format!("guest_{}", user.get()).parse::<UserId>(), Err(InvalidId));
        assert_eq!(guest.get().to_string().parse::<UserId>(), Err(InvalidId));
    }

    #[test]
    fn only_plain_positive_decimals_are_ids() {
        for bad in ["", "0", "-1", "+1", "01", "1.0", "0x1", " 1", "9223372036854775808", "가"] {
            assert_eq!(bad.parse::<ChannelId>(), Err(InvalidId), "{bad:?}");
        }
        assert_eq!(serde_json::to_string(&ChannelId::from(42)).unwrap(), "\"42\"");
        assert!(serde_json::from_str::<ChannelId>("42").is_err(), "a number is refused");
    }
}
