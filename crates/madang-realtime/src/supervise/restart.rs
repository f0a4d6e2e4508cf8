//! When a child that failed is started again, and when that is given up.
//!
//! Invariants:
//! - Pure: the time comes in as an argument.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The pause before the first restart; it doubles with each that follows.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A child that ran this long was healthy: the pauses begin anew.
pub(super) const HEALTHY: Duration = Duration::from_secs(60);
/// This many restarts within [`WINDOW`] are allowed.
pub(super) const RESTARTS: usize = 10;
/// The time within which restarts are counted.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// The history of one child's restarts.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    recent: VecDeque<Instant>,
    in_a_row: u32,
}

impl Restarts {
    /// The child that was started at `started` failed at `now`: how long to wait before it is
    /// started again; `None` if it failed too often.
    pub(super) fn pause(&mut self, started: Instant, now: Instant) -> Option<Duration> {
        if now - started >= HEALTHY {
            self.in_a_row = 0;
        }
        while self.recent.front().is_some_and(|at| now - *at >= WINDOW) {
            self.recent.pop_front();
        }
        if self.recent.len() >= RESTARTS {
            return None;
        }
        self.recent.push_back(now);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.in_a_row));
        self.in_a_row += 1;
        Some(pause.min(LONGEST_PAUSE))
    }
}
