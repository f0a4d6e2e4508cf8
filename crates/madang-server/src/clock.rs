//! The clock and the ids that are made from it.
//!
//! Invariants:
//! - This is the only place that reads the system's clock.
//! - Ids of one process are unique and rise, also when the clock is set back.

use std::{sync::Arc, time::Duration};

use madang_proto::{Timestamp, ids};
use madang_store::Fence;
use parking_lot::Mutex;
use tokio::{sync::watch, time::sleep};

use crate::nodes::NOBODY;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that a test holds in its hand: Unix milliseconds.
    Manual(Arc<watch::Sender<i64>>),
}

impl Clock {
    /// A clock that stands at this time until it is moved.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(at.millis())))
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
            Self::Manual(ms) => (*ms.borrow()).into(),
        }
    }

    /// Moves a manual clock; does nothing to the system's.
    pub fn advance(&self, ms: i64) {
        if let Self::Manual(at) = self {
            at.send_modify(|at| *at += ms);
        }
    }

    /// Waits until this time. Whoever waits for long looks again: the system's clock may be set meanwhile.
    pub async fn until(&self, time: Timestamp) {
        match self {
            Self::System => {
                let ms = time.millis().saturating_sub(self.now().millis());
                sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
            }
            Self::Manual(at) => {
                // It fails only without a sender, and `self` is one.
                let _ = at.subscribe().wait_for(|at| *at >= time.millis()).await;
            }
        }
    }
}

/// Makes ids, with the number of this node; with nobody's while it holds none (`nodes`).
#[derive(Debug, Default)]
pub struct Ids {
    last: Mutex<Last>,
    fence: Arc<Fence>,
}

/// The newest id, and who makes them.
#[derive(Debug, Default)]
struct Last {
    ms: i64,
    sequence: u16,
    number: u16,
}

/// Ids of one millisecond. One bit of the sequence is left to say "guest" in user ids.
const PER_MS: u16 = 1 << (ids::SEQUENCE_BITS - 1);

impl Last {
    /// The next comes after this id.
    fn pass(&mut self, newest: i64) {
        let ms = ids::made_at(newest);
        if ms >= self.ms {
            (self.ms, self.sequence) = (ms, PER_MS - 1);
        }
    }
}

impl Ids {
    /// Ids of a node that come after one that is there already, also when the clock was set back meanwhile; as long as
    /// the fence lets it.
    #[must_use]
    pub fn new(number: u16, newest: i64, fence: Arc<Fence>) -> Self {
        let mut last = Last { number, ..Last::default() };
        last.pass(newest);
        Self { last: Mutex::new(last), fence }
    }

    /// The number in them.
    pub fn number(&self) -> u16 {
        self.last.lock().number
    }

    /// From now on they have another number, and come after this one.
    pub fn renumber(&self, number: u16, newest: i64) {
        let mut last = self.last.lock();
        last.number = number;
        last.pass(newest);
    }

    /// A new id.
    pub fn next<T: From<i64>>(&self, now: Timestamp) -> T {
        let mut last = self.last.lock();
        (last.ms, last.sequence) = if now.millis() > last.ms {
            (now.millis(), 0)
        } else if last.sequence + 1 < PER_MS {
            (last.ms, last.sequence + 1)
        } else {
            (last.ms + 1, 0)
        };
        let number = if self.fence.is_open() { last.number } else { NOBODY };
        T::from(ids::compose(last.ms, number, last.sequence))
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
        let again = Ids::new(0, last, Arc::default());
        assert!(again.next::<i64>(now.plus_millis(-5_000)) > last, "after a restart, too");
        again.renumber(7, last);
        assert!(again.next::<i64>(now) > last && again.number() == 7);
    }

    #[test]
    fn behind_a_closed_fence_ids_are_nobodys_and_rise_on() {
        let (fence, now) = (Arc::<Fence>::default(), Timestamp::from(ids::EPOCH_MS + 10_000));
        let ids = Ids::new(3, 0, Arc::clone(&fence));
        let number = |id: i64| (id >> ids::SEQUENCE_BITS) & ((1 << ids::NODE_BITS) - 1);
        let first = ids.next(now);
        fence.set(tokio::time::Instant::now());
        let second = ids.next(now);
        assert_eq!((number(first), number(second)), (3, i64::from(NOBODY)));
        assert!(second > first);
    }
}
