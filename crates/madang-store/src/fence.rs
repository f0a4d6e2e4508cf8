//! The fence: until when this process may write. Nodes that share a database hold a number each, for a time (`nodes`);
//! one that could not hold on to it in time must not write with it any more.
//!
//! Invariants:
//! - It is read for each transaction that writes and each id, and asks nobody.
//! - Its clock is this machine's, which nobody sets.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// Until when this process may write; without end until it is told one.
#[derive(Debug)]
pub struct Fence {
    since: Instant,
    /// Milliseconds after `since`.
    ends: AtomicU64,
}

impl Default for Fence {
    fn default() -> Self {
        Self { since: Instant::now(), ends: AtomicU64::new(u64::MAX) }
    }
}

impl Fence {
    /// From now on this is the end.
    pub fn set(&self, end: Instant) {
        self.ends.store(millis(end.saturating_duration_since(self.since)), Ordering::Release);
    }

    /// Whether the end is still to come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        millis(self.since.elapsed()) < self.ends.load(Ordering::Acquire)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_end_until_it_is_told_one() {
        let fence = Fence::default();
        assert!(fence.is_open());
        fence.set(Instant::now() + Duration::from_secs(60));
        assert!(fence.is_open());
        fence.set(Instant::now());
        assert!(!fence.is_open());
    }
}
