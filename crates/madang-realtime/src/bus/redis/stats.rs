//! What the bus counts, and what of it is worth a line in the log.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::bus::BusStats;

/// How often the log tells of what is refused.
const LOG_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Counters {
    published: AtomicU64,
    published_bytes: AtomicU64,
    received: AtomicU64,
    received_bytes: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
    rises: AtomicU64,
    logged: Mutex<Option<Instant>>,
}

impl Counters {
    pub(super) fn published(&self, items: usize, bytes: usize) {
        self.published.fetch_add(items as u64, Relaxed);
        self.published_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(1, Relaxed);
        self.received_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn dropped(&self, items: usize) {
        self.dropped.fetch_add(items as u64, Relaxed);
    }

    /// The bus came up.
    pub(super) fn came_up(&self) {
        self.rises.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        let refused = self.refused.fetch_add(1, Relaxed) + 1;
        if self.may_log() {
            tracing::warn!(
                refused,
                "the bus got what no node of this cluster sent: have all nodes the same secret and version, and who \
                 else writes to this Redis under this prefix?"
            );
        }
    }

    pub(super) fn unknown(&self) {
        let unknown = self.unknown.fetch_add(1, Relaxed) + 1;
        if self.may_log() {
            tracing::warn!(unknown, "the bus got a format of another version: run one version on all nodes");
        }
    }

    fn may_log(&self) -> bool {
        let (now, mut logged) = (Instant::now(), self.logged.lock());
        let may = logged.is_none_or(|last| now - last >= LOG_EVERY);
        if may {
            *logged = Some(now);
        }
        may
    }

    pub(super) fn stats(&self, topics: usize, queued_bytes: u64) -> BusStats {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        BusStats {
            published: read(&self.published),
            published_bytes: read(&self.published_bytes),
            received: read(&self.received),
            received_bytes: read(&self.received_bytes),
            dropped: read(&self.dropped),
            refused: read(&self.refused),
            unknown: read(&self.unknown),
            reconnects: read(&self.rises).saturating_sub(1),
            topics: topics as u64,
            queued_bytes,
        }
    }
}
