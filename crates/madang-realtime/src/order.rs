//! Order within a topic: envelopes leave in the order of their versions.
//!
//! Two tasks that commit changes of one channel may publish them the other way round. An envelope
//! that comes too early is held until the missing ones came, until it waited [`HOLD`], or until
//! [`HELD`] of its topic wait; then it is passed on, and clients see the gap and read the log.
//!
//! Invariants:
//! - Pure: the time comes in as an argument, what is due goes out through one.
//! - Held envelopes of a topic are sorted by version, and all are past `last + 1`.
//! - The first version seen in a topic is taken as its beginning.
//! - A version that is not new is passed on as it is: clients know it by its number.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{Envelope, Topic};

/// How long an envelope waits for those before it.
pub(crate) const HOLD: Duration = Duration::from_millis(200);
/// How many envelopes of one topic wait.
pub(crate) const HELD: usize = 64;

#[derive(Default)]
pub(crate) struct Order {
    lines: HashMap<Topic, Line>,
    /// All wait equally long, so those that began first are at the front.
    deadlines: VecDeque<(Instant, Topic, i64)>,
}

struct Line {
    last: i64,
    held: VecDeque<(i64, Arc<Envelope>)>,
}

impl Order {
    /// Takes an envelope and passes on what is due with it.
    pub(crate) fn accept(
        &mut self,
        envelope: Arc<Envelope>,
        now: Instant,
        due: &mut dyn FnMut(Arc<Envelope>),
    ) {
        let Some(version) = envelope.version() else { return due(envelope) };
        let topic = envelope.topic();
        let line = self
            .lines
            .entry(topic)
            .or_insert_with(|| Line { last: version.saturating_sub(1), held: VecDeque::new() });
        if version > line.last + 1 && line.held.len() >= HELD {
            line.skip_gap(due);
        }
        if version <= line.last + 1 {
            line.last = line.last.max(version);
            due(envelope);
            line.pass_on(due);
        } else {
            let place = line.held.partition_point(|(held, _)| *held <= version);
            line.held.insert(place, (version, envelope));
            self.deadlines.push_back((now + HOLD, topic, version));
        }
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, ..)| *at)
    }

    /// Passes on what waited long enough.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut dyn FnMut(Arc<Envelope>)) {
        while let Some(&(at, topic, version)) = self.deadlines.front() {
            if at > now {
                break;
            }
            self.deadlines.pop_front();
            if let Some(line) = self.lines.get_mut(&topic)
                && line.held.iter().any(|(held, _)| *held == version)
            {
                while line.last < version {
                    line.skip_gap(due);
                }
            }
        }
    }

    /// Passes on all that waits in a topic.
    pub(crate) fn flush(&mut self, topic: Topic, due: &mut dyn FnMut(Arc<Envelope>)) {
        if let Some(line) = self.lines.get_mut(&topic) {
            while !line.held.is_empty() {
                line.skip_gap(due);
            }
        }
    }

    /// Forgets a topic that nobody hears any more, and what waits in it.
    pub(crate) fn forget(&mut self, topic: Topic) {
        self.lines.remove(&topic);
    }

    /// How many envelopes wait.
    pub(crate) fn held(&self) -> usize {
        self.lines.values().map(|line| line.held.len()).sum()
    }

    /// Whether no topic is known.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Line {
    /// Passes on what directly follows.
    fn pass_on(&mut self, due: &mut dyn FnMut(Arc<Envelope>)) {
        while self.held.front().is_some_and(|(version, _)| *version <= self.last + 1) {
            if let Some((version, envelope)) = self.held.pop_front() {
                self.last = version;
                due(envelope);
            }
        }
    }

    /// Gives up the first gap: passes on what waits behind it, up to the next one.
    fn skip_gap(&mut self, due: &mut dyn FnMut(Arc<Envelope>)) {
        if let Some((version, _)) = self.held.front() {
            self.last = version.saturating_sub(1);
            self.pass_on(due);
        }
    }
}
