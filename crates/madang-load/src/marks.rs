//! Where the run stands when a part of it begins and ends, so that the report can say what happened within:
//! counts, the server's CPU time, its memory.
//!
//! The conductor looks ten times a second, so a part is cut where it looked, and rates are over the time
//! between the cuts.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use crate::{plan::Phase, proc::Process, worker::Shared};

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mark {
    /// Microseconds of the schedule.
    pub at: u64,
    pub acked: u64,
    pub heard: u64,
    pub cpu: Option<Duration>,
}

/// A part of the run as it was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    pub begin: Option<Mark>,
    pub end: Option<Mark>,
    /// Most resident memory of the server.
    pub memory_most: Option<u64>,
}

/// What was seen of all parts.
#[derive(Debug)]
pub struct Marks {
    phases: Vec<(Phase, Seen)>,
    pub memory_most: Option<u64>,
}

impl Marks {
    /// Nothing yet.
    #[must_use]
    pub fn new(phases: &[Phase]) -> Self {
        Self {
            phases: phases.iter().map(|phase| (phase.clone(), Seen::default())).collect(),
            memory_most: None,
        }
    }

    /// Looks, so many microseconds after the schedule began.
    pub fn look(&mut self, elapsed: u64, shared: &Shared, server: Option<Process>) {
        let memory = server.and_then(Process::memory);
        self.memory_most = self.memory_most.max(memory);
        let mark = || Mark {
            at: elapsed,
            acked: shared.acked.load(Relaxed),
            heard: shared.heard.load(Relaxed),
            cpu: server.and_then(Process::cpu),
        };
        for (phase, seen) in &mut self.phases {
            if seen.begin.is_none() && elapsed >= phase.from * 1_000_000 {
                seen.begin = Some(mark());
            }
            if seen.begin.is_some() && seen.end.is_none() {
                seen.memory_most = seen.memory_most.max(memory);
                if elapsed >= phase.to * 1_000_000 {
                    seen.end = Some(mark());
                }
            }
        }
    }

    /// What was seen, part by part.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.phases.iter().map(|(_, seen)| *seen).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_where_one_looks() {
        let shared = Shared::default();
        let mut marks = Marks::new(&[Phase::new("a", 0, 1), Phase::new("b", 1, 2)]);
        for (elapsed, heard) in [(50_000, 1), (900_000, 5), (1_100_000, 7), (2_000_000, 20)] {
            shared.heard.store(heard, Relaxed);
            marks.look(elapsed, &shared, Some(Process::own()));
        }
        let cut = |mark: Option<Mark>| mark.map(|m| (m.at, m.heard));
        let seen: Vec<_> = marks.seen().iter().map(|s| (cut(s.begin), cut(s.end))).collect();
        assert_eq!(
            seen,
            [(Some((50_000, 1)), Some((1_100_000, 7))), (Some((1_100_000, 7)), Some((2_000_000, 20)))]
        );
        assert!(
            marks.memory_most.is_some()
                && marks.memory_most == marks.seen().iter().map(|s| s.memory_most).max().unwrap()
        );
    }
}
