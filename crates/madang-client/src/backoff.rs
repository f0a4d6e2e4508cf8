//! How long to wait before trying again: exponential growth with full jitter.
//!
//! The n-th delay is drawn evenly from nothing to `base · 2ⁿ`, at most `cap`: after a restart of the
//! server its clients come back spread out instead of all at once ("Exponential Backoff And Jitter",
//! AWS Architecture Blog, 2015).
//!
//! Invariants:
//! - No delay is longer than `cap`.
//! - The random number is given from outside, so a test knows each delay.

use std::time::Duration;

/// The growth of the delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest that the first delay can be.
    pub base: Duration,
    /// The longest that any delay can be.
    pub cap: Duration,
    attempt: u32,
}

impl Default for Backoff {
    /// From half a second to half a minute.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

impl Backoff {
    /// Starts from the beginning.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, attempt: 0 }
    }

    /// The next delay; `fraction` is a random number from 0 to 1.
    pub fn next(&mut self, fraction: f64) -> Duration {
        let ceiling = self.base.saturating_mul(1 << self.attempt.min(20)).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        ceiling.mul_f64(fraction.clamp(0.0, 1.0))
    }

    /// After a success: the next failure starts small again.
    pub const fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_start_small_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let ceilings: Vec<u64> = (0..5).map(|_| backoff.next(1.0).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 5, 5]);
        assert_eq!(backoff.next(0.0), Duration::ZERO);
        backoff.reset();
        assert_eq!(backoff.next(0.5), Duration::from_millis(500));
    }

    #[test]
    fn a_long_outage_does_not_overflow() {
        let mut backoff = Backoff::default();
        for _ in 0..10_000 {
            assert!(backoff.next(1.0) <= backoff.cap);
        }
    }
}
