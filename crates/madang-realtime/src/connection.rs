//! A connection as the hub sees it: who it is, what it hears, and its outbox.
//!
//! Subscribing changes the shard directly, not through its queue, so it is in place when the call
//! returns, it cannot be refused by a full queue, and dropping the handle always cleans up.
//!
//! To miss nothing, a session subscribes first and reads the store afterwards: what was published
//! before is stored already, what is published later is heard, and what is both is known by its
//! version. For the same reason it asks again whether the user may hear a channel *after*
//! subscribing: a [`crate::Control::Unsubscribe`] in between found nothing to end.
//!
//! Invariants:
//! - A connection is in its shard exactly as long as its [`Connection`] lives.

use std::{fmt, sync::Arc};

use madang_proto::{ChannelId, ConnectionId, SessionId, UserId, close::CloseCode};

use crate::{Codec, Outbox, Topic, shard::Shard};

/// Who a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The connection itself.
    pub id: ConnectionId,
    /// Whose it is.
    pub user: UserId,
    /// The session that it was opened with.
    pub session: SessionId,
    /// How its frames are written.
    pub codec: Codec,
    /// Whether it hears what its user comes to hear ([`crate::Control::Subscribe`]), or only what
    /// it asks for itself.
    pub follows: bool,
}

/// A connection in the hub. Dropping it removes it.
pub struct Connection {
    shard: Arc<Shard>,
    key: usize,
    info: ConnectionInfo,
    outbox: Arc<Outbox>,
}

impl Connection {
    pub(crate) fn new(shard: &Arc<Shard>, info: ConnectionInfo, outbox: Outbox) -> Self {
        let outbox = Arc::new(outbox);
        let key = shard.insert(info, Arc::clone(&outbox));
        Self { shard: Arc::clone(shard), key, info, outbox }
    }

    /// Who it is.
    #[must_use]
    pub const fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// What waits to be written to it.
    #[must_use]
    pub const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Hears these topics from now on. Topics that it hears already stay as they are.
    pub fn subscribe(&self, topics: &[Topic]) {
        self.shard.subscribe(self.key, topics);
    }

    /// Hears this topic no more.
    pub fn unsubscribe(&self, topic: Topic) {
        self.shard.unsubscribe(self.key, topic);
    }

    /// Watches the presence of these users from now on, in the place of those before.
    pub fn watch(&self, users: &[UserId]) {
        self.shard.watch(self.key, users);
    }

    /// Whether it hears this topic.
    #[must_use]
    pub fn hears(&self, topic: Topic) -> bool {
        self.shard.hears(self.key, topic)
    }

    /// Notes which versions of channels whoever is connected has read, of those that it hears.
    pub fn read(&self, versions: &[(ChannelId, i64)]) {
        self.shard.read(versions);
    }

    /// Waits until what was published before this call is in the outboxes; giant topics may take longer.
    pub async fn settled(&self) {
        self.shard.settled().await;
    }

    /// The newest version of each channel that it hears, as far as one was delivered here. What
    /// these versions name is in the outbox already (or was dropped with it).
    #[must_use]
    pub fn versions(&self) -> Vec<(ChannelId, i64)> {
        self.shard.versions(self.key)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shard.remove(self.key);
        // Nobody fills it any more, so nobody shall wait for it.
        self.outbox.close(CloseCode::Fault);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("info", &self.info).finish_non_exhaustive()
    }
}
