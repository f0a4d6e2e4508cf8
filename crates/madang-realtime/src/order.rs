//! Order within a topic: envelopes leave in the order of their versions.
//!
//! Two tasks that commit changes of one channel may publish them the other way round. An envelope
//! that comes too early is held until the missing ones came, until it waited [`HOLD`], or until
//! [`HELD`] of its topic wait; then it is passed on, and clients see the gap and read the log. Those that
//! did not come within [`SOON`] may never come: whoever can is told, once for each gap, and looks for them.
//!
//! Invariants:
//! - Pure: the time comes in as an argument, what is due goes out through one.
//! - Held envelopes of a topic are sorted by version, and all are past `last + 1`.
//! - The first version seen in a topic is taken as its beginning.
//! - A version that is not new is passed on as it is: clients know it by its number. What is read from the log is passed
//!   on where it was not told, and what is told where it was not read ([`Repairs`]).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{Envelope, Topic, repairs::Repairs};

/// How long an envelope waits for those before it until they are looked for.
pub(crate) const SOON: Duration = Duration::from_millis(100);
/// How long it waits for them at all.
pub(crate) const HOLD: Duration = Duration::from_millis(200);
/// How many envelopes of one topic wait.
pub(crate) const HELD: usize = 64;

/// Those before an envelope of this topic and version are waited for until then.
type Deadline = (Instant, Topic, i64);

#[derive(Default)]
pub(crate) struct Order {
    lines: HashMap<Topic, Line>,
    /// When they are looked for. All wait equally long, so those that began first are at the front.
    looks: VecDeque<Deadline>,
    /// When they are given up.
    deadlines: VecDeque<Deadline>,
}

struct Line {
    last: i64,
    held: VecDeque<(i64, Arc<Envelope>)>,
    /// The one after which some were looked for.
    looked: Option<i64>,
    repairs: Repairs,
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
        let line = self.lines.entry(topic).or_insert_with(|| Line::after(version.saturating_sub(1)));
        if line.has(version, &envelope) {
            return;
        }
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
            self.looks.push_back((now + SOON, topic, version));
            self.deadlines.push_back((now + HOLD, topic, version));
        }
    }

    /// When [`Self::missing`] or [`Self::expire`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let first = |deadlines: &VecDeque<Deadline>| deadlines.front().map(|(at, ..)| *at);
        first(&self.looks).into_iter().chain(first(&self.deadlines)).min()
    }

    /// Tells after which version of a topic some should have come by now.
    pub(crate) fn missing(&mut self, now: Instant, tell: &mut dyn FnMut(Topic, i64)) {
        while let Some((topic, version)) = pop_until(&mut self.looks, now) {
            if let Some(line) = self.lines.get_mut(&topic)
                && line.holds(version)
                && line.looked != Some(line.last)
            {
                line.looked = Some(line.last);
                tell(topic, line.last);
            }
        }
    }

    /// Passes on what waited long enough.
    pub(crate) fn expire(&mut self, now: Instant, due: &mut dyn FnMut(Arc<Envelope>)) {
        while let Some((topic, version)) = pop_until(&mut self.deadlines, now) {
            if let Some(line) = self.lines.get_mut(&topic)
                && line.holds(version)
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

/// The first that is over.
fn pop_until(deadlines: &mut VecDeque<Deadline>, now: Instant) -> Option<(Topic, i64)> {
    deadlines.pop_front_if(|(at, ..)| *at <= now).map(|(_, topic, version)| (topic, version))
}

impl Line {
    fn after(last: i64) -> Self {
        Self { last, held: VecDeque::new(), looked: None, repairs: Repairs::default() }
    }

    /// Whether it was passed on or is held, once told and once read from the log.
    fn has(&mut self, version: i64, envelope: &Arc<Envelope>) -> bool {
        let was_given_up = version <= self.last && self.repairs.take_skipped(version);
        if !envelope.is_from_log() {
            return version <= self.last && self.repairs.repeats(envelope);
        }
        let has = self.holds(version) || (version <= self.last && !was_given_up);
        if !has {
            self.repairs.read(Arc::clone(envelope));
        }
        has
    }

    fn holds(&self, version: i64) -> bool {
        self.held.iter().any(|(held, _)| *held == version)
    }

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
            let last = version.saturating_sub(1);
            self.repairs.skip(self.last.saturating_add(1)..*version);
            self.last = last;
            self.pass_on(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Text, change, channel, named, note};

    const MS: Duration = Duration::from_millis(1);
    const NOTHING: [i64; 0] = [];

    /// Runs `step` and tells the versions that are due with it.
    fn due(step: impl FnOnce(&mut dyn FnMut(Arc<Envelope>))) -> Vec<i64> {
        let mut versions = Vec::new();
        step(&mut |envelope| versions.extend(envelope.version()));
        versions
    }

    fn missing(order: &mut Order, now: Instant) -> Vec<i64> {
        let mut after = Vec::new();
        order.missing(now, &mut |_, last| after.push(last));
        after
    }

    fn accept(order: &mut Order, versions: impl IntoIterator<Item = i64>, now: Instant) -> Vec<i64> {
        due(|due| versions.into_iter().for_each(|v| order.accept(change(channel(1), v), now, due)))
    }

    #[test]
    fn what_comes_too_early_waits_for_those_before_it() {
        let (mut order, now) = (Order::default(), Instant::now());
        assert_eq!(accept(&mut order, [7], now), [7], "the first is the beginning");
        assert_eq!(accept(&mut order, [10, 9, 12], now), NOTHING);
        assert_eq!(accept(&mut order, [8], now), [8, 9, 10]);
        assert_eq!(accept(&mut order, [11], now), [11, 12]);
        assert_eq!(accept(&mut order, [3, 12], now), [3, 12], "what is not new passes");
        assert_eq!(order.held(), 0);
    }

    #[test]
    fn topics_do_not_wait_for_each_other_nor_for_what_has_no_version() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3], now);
        assert_eq!(due(|due| order.accept(change(channel(2), 9), now, due)), [9]);
        let mut notes = 0;
        order.accept(note(channel(1), "typing"), now, &mut |_| notes += 1);
        assert_eq!((notes, order.held()), (1, 1));
    }

    #[test]
    fn each_waits_for_its_time_and_not_longer() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3, 4], now);
        accept(&mut order, [6], now + 100 * MS);
        assert_eq!(missing(&mut order, now + HOLD - MS), [1]);
        assert_eq!(order.deadline(), Some(now + HOLD));
        assert_eq!(due(|due| order.expire(now + HOLD - MS, due)), NOTHING);
        assert_eq!(due(|due| order.expire(now + HOLD, due)), [3, 4]);
        assert_eq!(accept(&mut order, [5], now + HOLD), [5, 6]);
        assert_eq!(missing(&mut order, now + 9 * HOLD), NOTHING);
        assert_eq!(due(|due| order.expire(now + 9 * HOLD, due)), NOTHING);
        assert_eq!(order.deadline(), None);
    }

    #[test]
    fn what_does_not_come_soon_is_looked_for_once() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3], now);
        assert_eq!(order.deadline(), Some(now + SOON));
        assert_eq!(missing(&mut order, now + SOON - MS), NOTHING);
        accept(&mut order, [4], now + MS);
        assert_eq!(missing(&mut order, now + SOON), [1]);
        assert_eq!(missing(&mut order, now + SOON + MS), NOTHING, "the same gap");
        accept(&mut order, [6, 2], now + SOON);
        assert_eq!(missing(&mut order, now + SOON + SOON), [4], "another one");
        accept(&mut order, [8, 5, 7], now + SOON);
        assert_eq!(missing(&mut order, now + SOON + SOON), NOTHING, "it came");
    }

    /// A change that was read from the log.
    fn read(version: i64) -> Arc<Envelope> {
        Envelope::from_log(channel(1), Some(version), Arc::new(Text(version.to_string())))
    }

    fn accept_read(order: &mut Order, versions: impl IntoIterator<Item = i64>, now: Instant) -> Vec<i64> {
        due(|due| versions.into_iter().for_each(|v| order.accept(read(v), now, due)))
    }

    #[test]
    fn what_is_told_and_read_from_the_log_is_passed_on_once() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3], now);
        assert_eq!(accept_read(&mut order, [2, 3, 4], now), [2, 3, 4], "as it is in the log");
        assert_eq!(accept(&mut order, [2, 4, 5], now), [5], "told late");
        assert_eq!(accept_read(&mut order, [4, 5], now), NOTHING, "read late");
        let other =
            |due: &mut dyn FnMut(Arc<Envelope>)| order.accept(named(channel(1), 4, "other"), now, due);
        assert_eq!(due(other), [4], "of the same version, and not the same");
    }

    #[test]
    fn what_was_given_up_may_still_be_read_or_told() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 5], now);
        assert_eq!(due(|due| order.expire(now + HOLD, due)), [5]);
        assert_eq!(accept(&mut order, [3], now + HOLD), [3]);
        assert_eq!(accept_read(&mut order, 2..=5, now + HOLD), [2, 4]);
        assert_eq!(accept_read(&mut order, [2, 4], now + HOLD), NOTHING);
        assert_eq!(accept(&mut order, [2, 6], now + HOLD), [6]);
    }

    #[test]
    fn no_more_than_the_bound_are_held() {
        let (mut order, now) = (Order::default(), Instant::now());
        let held = 64;
        assert_eq!(accept(&mut order, [1], now), [1]);
        assert_eq!(accept(&mut order, (3..3 + held - 1).chain([100]), now), NOTHING);
        assert_eq!(order.held(), HELD);
        assert_eq!(accept(&mut order, [102], now), (3..3 + held - 1).collect::<Vec<_>>());
        assert_eq!(order.held(), 2);
    }

    #[test]
    fn changes_of_one_version_stay_together() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3, 3, 4], now);
        assert_eq!(accept(&mut order, [2], now), [2, 3, 3, 4]);
    }

    #[test]
    fn a_flush_gives_up_every_gap_of_its_topic() {
        let (mut order, now) = (Order::default(), Instant::now());
        accept(&mut order, [1, 3, 7, 5], now);
        order.accept(change(channel(2), 1), now, &mut |_| ());
        order.accept(named(channel(2), 3, "stays"), now, &mut |_| ());
        assert_eq!(due(|due| order.flush(channel(1), due)), [3, 5, 7]);
        assert_eq!(order.held(), 1);
    }

    /// Versions displaced by less than the bound come out sorted, each once.
    #[test]
    fn any_small_disorder_is_put_right() {
        let mut seed = 1_u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..200 {
            let mut versions: Vec<i64> = (1..=301).collect();
            for block in versions[1..].chunks_mut(60) {
                for at in (1..block.len()).rev() {
                    block.swap(at, usize::try_from(random(at as u64 + 1)).unwrap());
                }
            }
            let (mut order, now) = (Order::default(), Instant::now());
            assert_eq!(accept(&mut order, versions, now), (1..=301).collect::<Vec<_>>());
        }
    }
}
