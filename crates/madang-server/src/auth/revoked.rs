//! Sessions that ended while their access tokens still look valid. Small: it forgets each after the
//! life of an access token.

use std::collections::HashMap;

use madang_proto::{SessionId, Timestamp, limits};
use parking_lot::RwLock;

/// The ended sessions.
#[derive(Debug, Default)]
pub struct Revoked(RwLock<HashMap<SessionId, Timestamp>>);

impl Revoked {
    /// Remembers that a session ended.
    pub fn insert(&self, session: SessionId, ended_at: Timestamp) {
        self.0.write().insert(session, ended_at);
    }

    /// Whether a session ended.
    #[must_use]
    pub fn contains(&self, session: SessionId) -> bool {
        self.0.read().contains_key(&session)
    }

    /// The oldest end that still matters.
    #[must_use]
    pub const fn since(now: Timestamp) -> Timestamp {
        now.plus_millis(-limits::ACCESS_SECONDS * 1000)
    }

    /// Forgets those whose access tokens are expired by now.
    pub fn sweep(&self, now: Timestamp) {
        self.0.write().retain(|_, ended| *ended >= Self::since(now));
    }
}
