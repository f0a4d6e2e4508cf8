//! Giant topics: served by slices, and in rounds while many connections are being opened.
//!
//! When everybody comes back at once, the passes over giant topics would take the core from those who are
//! still outside, one write for each receiver and event. So while more than [`MANY`] connections of the
//! shard are being opened, what is due in all giant topics is gathered for [`GATHER`] and given out in one
//! round, slice by slice of all of them: a receiver of several of them costs one write, and joins what
//! came meanwhile.
//!
//! Invariants:
//! - A round serves what waited when it began; what comes meanwhile waits for the next.
//! - A hub that is closed waits for nothing.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::Shard;
use crate::{
    Topic,
    lanes::{SLICE, Step},
};

/// More connections than this that are being opened are many.
const MANY: usize = 64;
/// How long is gathered between two rounds.
const GATHER: Duration = Duration::from_millis(500);

/// A connection that is being opened; dropped when it is open, or given up.
pub struct Opening(Arc<Shard>);

impl Opening {
    pub(crate) fn new(shard: &Arc<Shard>) -> Self {
        shard.opening.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shard))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.opening.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shard {
    /// Serves giant topics for a while: a slice of one, or of each in a round. Says until when they wait,
    /// if they do.
    pub(super) fn serve_giants(&self, closed: bool) -> Option<Instant> {
        let many = !closed && self.opening.load(Ordering::Relaxed) > MANY;
        let turns = {
            let state = &mut *self.state.lock();
            if many {
                let round = state.lanes.round();
                if !round.is_empty() && !state.lanes.is_under_way() {
                    let now = Instant::now();
                    if let Some(until) = state.gathering.filter(|until| now < *until) {
                        return Some(until);
                    }
                    state.gathering = Some(now + GATHER);
                }
                round
            } else {
                state.gathering = None;
                state.lanes.turn().into_iter().collect()
            }
        };
        for topic in turns {
            self.serve_giant(topic);
        }
        None
    }

    /// Does the next step of a giant topic.
    fn serve_giant(&self, topic: Topic) {
        let mut state = self.state.lock();
        let super::State { registry, lanes, .. } = &mut *state;
        let Some(step) = lanes.step(topic) else { return };
        match step {
            Step::Slice(pass) => {
                if pass.at == 0 {
                    pass.as_of = registry.receivers(topic, &mut pass.receivers);
                }
                let (mut meant, batch) = (Vec::with_capacity(SLICE), Arc::clone(&pass.batch));
                registry.meant(&batch, pass.slice(), pass.as_of, &mut meant);
                let last = pass.at + SLICE >= pass.receivers.len();
                drop(state);
                self.deliveries.given(&batch, meant.len());
                batch.give_now(&mut meant);
                if last {
                    self.deliveries.passed(&batch);
                    self.state.lock().registry.delivered(&batch);
                }
                self.faults.point(&self.name);
            }
            Step::Control(control) => {
                drop(state);
                self.faults.point(&self.name);
                self.control(control);
            }
            Step::Drop(what) => {
                drop(state);
                self.dropped(&what);
            }
        }
        let left = self.state.lock().lanes.step_done(topic);
        if let Some(control) = left {
            self.controlled(control);
        }
    }
}
