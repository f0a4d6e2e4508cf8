//! What a shard gave out and how long that took: a few additions for a pass, whatever its receivers.
//!
//! Measured is the time from the commit of a change (on a node that heard of it, from its arrival) until the pass
//! over its receivers on the shard is over. By then its frame is in each of their sockets, or in the outbox where
//! a socket had no room or its session was at work.
//!
//! Invariants:
//! - Only the thread of the shard adds; whoever reads may see a pass half.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::{Class, batch::Batch};

/// Upper bounds of the classes of delays, in seconds; there is one class more, above them.
pub const DELAYS: [f64; 13] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const CLASSES: usize = DELAYS.len() + 1;

/// What was given out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Delivered {
    /// Frames that were given to connections.
    pub frames: u64,
    /// How many passes of durable envelopes took so long, by the class of [`DELAYS`].
    pub delays: [u64; CLASSES],
    /// The sum of these times.
    pub total: Duration,
}

impl Delivered {
    pub(crate) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.total += other.total;
        self.delays.iter_mut().zip(other.delays).for_each(|(sum, more)| *sum += more);
    }
}

/// The same as a shard counts it.
#[derive(Default)]
pub(crate) struct Deliveries {
    frames: AtomicU64,
    delays: [AtomicU64; CLASSES],
    nanos: AtomicU64,
}

impl Deliveries {
    /// A batch was given to so many.
    pub(crate) fn given(&self, batch: &Batch, receivers: usize) {
        self.frames.fetch_add((receivers * batch.len()) as u64, Relaxed);
    }

    /// The pass of a batch is over.
    pub(crate) fn passed(&self, batch: &Batch) {
        if batch.class() == Class::Ephemeral {
            return;
        }
        let now = Instant::now();
        for took in batch.since().map(|since| now.saturating_duration_since(since)) {
            let seconds = took.as_secs_f64();
            let class = DELAYS.iter().take_while(|bound| seconds > **bound).count();
            self.delays[class].fetch_add(1, Relaxed);
            self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Delivered {
        Delivered {
            frames: self.frames.load(Relaxed),
            delays: std::array::from_fn(|class| self.delays[class].load(Relaxed)),
            total: Duration::from_nanos(self.nanos.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{change, channel};

    #[test]
    fn a_pass_counts_each_of_its_envelopes_by_its_own_age() {
        let deliveries = Deliveries::default();
        let (old, new) = (change(channel(1), 1), change(channel(1), 2));
        let now = Instant::now();
        old.committed_at(now.checked_sub(Duration::from_secs(3)).unwrap());
        new.committed_at(now);
        new.committed_at(now.checked_sub(Duration::from_secs(60)).unwrap());
        let mut batch = Batch::from(old);
        assert!(batch.join(&new));
        deliveries.given(&batch, 7);
        deliveries.passed(&batch);
        let read = deliveries.read();
        assert_eq!((read.frames, read.delays.iter().sum()), (14, 2));
        assert_eq!(read.delays[12], 1, "between 2.5 and 10 seconds: {:?}", read.delays);
        assert!(read.total >= Duration::from_secs(3) && read.total < Duration::from_secs(13));
    }
}
