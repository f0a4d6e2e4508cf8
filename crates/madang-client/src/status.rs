//! Whether the client is connected, and why not.

use std::time::Instant;

use madang_proto::error::ErrorCode;

/// Where the connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ConnectionStatus {
    /// Reaching the server, for the first time or again.
    #[default]
    Connecting,
    /// Connected, and the state follows the server.
    Online,
    /// Not connected; the client tries again by itself at `retry_at`, or waits for
    /// [`crate::Client::reconnect`] when there is no time.
    Offline {
        /// Why.
        reason: OfflineReason,
        /// When the next attempt begins.
        retry_at: Option<Instant>,
    },
    /// Over: it does not come back by itself.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

impl ConnectionStatus {
    /// Whether events come in.
    #[must_use]
    pub const fn is_online(&self) -> bool {
        matches!(self, Self::Online)
    }
}

/// Why there is no connection at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfflineReason {
    /// The server was not reached.
    Unreachable(String),
    /// The connection broke.
    Lost,
    /// Nothing came from the server for too long.
    Silent,
    /// The server closed the connection with this code and expects the client back.
    Closed(u16),
    /// The server refused the connection this time.
    Refused(ErrorCode),
    /// [`crate::Client::disconnect`] was called.
    Asked,
}

/// Why there will be no connection any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndReason {
    /// The session is over: sign in again.
    SignedOut,
    /// The server closed the connection with a code that says not to come back.
    Closed(u16),
    /// The server refused the connection for good.
    Refused(String),
    /// [`crate::Client::close`] was called.
    Asked,
}
