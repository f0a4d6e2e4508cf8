//! The clock and the ids that are made from it.
//!
//! Invariants:
//! - This is the only place that reads the system's clock.
//! - Ids of one process are unique and rise, also when the clock is set back.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use madang_proto::{Timestamp, ids};
use parking_lot::Mutex;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that a test holds in its hand: Unix milliseconds.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at this time until it is moved.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.millis())))
    }

    /// What time it is.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock of App")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX).into()
            }
            Self::Manual(ms) => ms.load(Ordering::SeqCst).into(),
        }
    }

    /// Moves a manual clock; does nothing to the system's.
    pub fn advance(&self, ms: i64) {
        if let Self::Manual(at) = self {
            at.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

/// Makes ids.
#[derive(Debug, Default)]
pub struct Ids {
    /// The millisecond and the sequence of the newest id.
    last: Mutex<(i64, u16)>,
}

/// Ids of one millisecond. One bit of the sequence is left to say "guest" in user ids.
const PER_MS: u16 = 1 << (ids::SEQUENCE_BITS - 1);

impl Ids {
    /// Ids that come after one that is there already, also when the clock was set back meanwhile.
    #[must_use]
    pub fn after(newest: i64) -> Self {
        Self { last: Mutex::new((ids::made_at(newest), PER_MS - 1)) }
    }

    /// A new id.
    pub fn next<T: From<i64>>(&self, now: Timestamp) -> T {
        let mut last = self.last.lock();
        let (ms, sequence) = *last;
        *last = if now.millis() > ms {
            (now.millis(), 0)
        } else if sequence + 1 < PER_MS {
            (ms, sequence + 1)
        } else {
            (ms + 1, 0)
        };
        T::from(ids::compose(last.0, 0, last.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_whatever_the_clock_does() {
        let ids = Ids::default();
        let now = Timestamp::from(ids::EPOCH_MS + 10_000);
        let mut last = 0;
        for step in 0..10_000 {
            let id: i64 = ids.next(now.plus_millis(-(step % 7)));
            assert!(id > last && id & ids::GUEST_BIT == 0);
            last = id;
        }
        assert!(Ids::after(last).next::<i64>(now.plus_millis(-5_000)) > last, "after a restart, too");
    }
}
