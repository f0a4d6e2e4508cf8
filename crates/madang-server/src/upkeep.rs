//! Upkeep: work on all that is stored, which is done at the start and once a day, by one node at a time.
//!
//! Invariants:
//! - What failed, or another node was at, is tried again, a minute later; what did not end, because others were busy,
//!   an hour later.

use std::time::Duration;

use madang_proto::Timestamp;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use crate::{app::App, error::Result};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long it sleeps at most before it looks at the clock, which may have been set.
const LOOK: Duration = Duration::from_secs(60);

/// When one such work is done, and how the last time went.
#[derive(Debug, Default)]
pub struct Upkeep {
    state: Mutex<State>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When next; at once where it was never done.
    next: Option<Timestamp>,
    done_at: Option<Timestamp>,
    failed: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All of it.
    All,
    /// As much as others let it.
    Some,
}

impl Upkeep {
    /// Says that it is to be done now.
    pub fn want(&self) {
        self.wanted.notify_one();
    }

    /// Whether the last time went well.
    pub fn is_well(&self) -> bool {
        !self.state.lock().failed
    }

    /// When all was done last.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.state.lock().done_at
    }

    /// Waits until it is time; gives which time that is. Nothing when the server stops.
    pub async fn time(&self, app: &App) -> Option<Timestamp> {
        loop {
            let next = self.state.lock().next.unwrap_or_else(|| app.now());
            if app.now() >= next {
                return Some(app.now());
            }
            tokio::select! {
                () = app.clock.until(next) => {}
                () = self.wanted.notified() => return Some(app.now()),
                () = sleep(LOOK) => {}
                () = app.shutdown.wait() => return None,
            }
        }
    }

    /// Notes what became of it that began at `now`; nothing, where another node is at it.
    pub fn note(&self, now: Timestamp, what: &str, result: Result<Option<Done>>) {
        let mut state = self.state.lock();
        state.failed = result.is_err();
        let pause = match result {
            Ok(Some(Done::All)) => {
                state.done_at = Some(now);
                DAY_MS
            }
            Ok(Some(Done::Some)) => HOUR_MS,
            Ok(None) => MINUTE_MS,
            Err(error) => {
                tracing::warn!(error = error.reason(), "{what}; tried again in a minute");
                MINUTE_MS
            }
        };
        state.next = Some(now.plus_millis(pause));
    }
}
