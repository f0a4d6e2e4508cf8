//! What is due in a shard, and whose turn it is: quick items first, giant topics by slices between.
//!
//! An event of a topic with more than [`SLICE`] receivers goes to that topic's own line; everything
//! else stands in the quick lane, in the order in which it came; events of one topic that stand there one
//! behind the other are done together. Giant topics are served a slice at a
//! time: that of the fewest receivers left, so that a room of a thousand does not wait for a room of ten
//! thousand, and each [`ROUND`]th time the next in the round, so that one is not forgotten.
//!
//! Invariants:
//! - Items of one topic, events and controls, are done in the order in which they came. Items of
//!   different topics are too, unless one of the topics is giant.
//! - An item leaves when it is done. One that was begun [`TRIES`] times without an end is dropped.
//! - What was taken out of a line into a [`Pass`] is in no line any more.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{BusItem, Control, Envelope, Topic, batch::Batch, registry::AsOf};

/// How many receivers are served at a time.
pub(crate) const SLICE: usize = 512;
/// One turn of so many is that of the next giant topic in the round, however many receivers it has.
const ROUND: u8 = 8;
/// How often an item is tried.
const TRIES: u8 = 2;

#[derive(Default)]
pub(crate) struct Lanes {
    quick: VecDeque<BusItem>,
    /// How often the head of the quick lane was begun.
    tries: u8,
    /// Quick items that came, and that are done.
    came: u64,
    done: u64,
    giants: HashMap<Topic, Giant>,
    round: VecDeque<Topic>,
    /// Turns since one of the round.
    turns: u8,
    /// Items in all lines.
    len: usize,
}

struct Giant {
    line: VecDeque<BusItem>,
    pass: Option<Pass>,
    tries: u8,
    receivers: usize,
    /// Quick items that came before it: of its own topic, some of them.
    after: u64,
}

/// A batch on its way to its receivers.
pub(crate) struct Pass {
    pub(crate) batch: Arc<Batch>,
    pub(crate) receivers: Vec<usize>,
    pub(crate) as_of: AsOf,
    pub(crate) at: usize,
}

impl Pass {
    /// Those who are next.
    pub(crate) fn slice(&self) -> &[usize] {
        let end = self.receivers.len().min(self.at + SLICE);
        self.receivers.get(self.at..end).unwrap_or_default()
    }
}

/// What is due in the quick lane.
pub(crate) enum Quick {
    Events(Batch),
    Control(Control),
    /// This was tried often enough.
    Drop(BusItem),
}

/// What is to be done for a giant topic.
pub(crate) enum Step<'a> {
    /// A slice of this pass; it has no receivers yet when it is new.
    Slice(&'a mut Pass),
    /// A control of the topic.
    Control(Control),
    /// This was tried often enough.
    Drop(String),
}

impl Lanes {
    /// Takes an event in; `receivers` is how many its topic has now.
    pub(crate) fn event(&mut self, envelope: Arc<Envelope>, receivers: usize) {
        let topic = envelope.topic();
        if receivers > SLICE && !self.giants.contains_key(&topic) {
            let giant = Giant { line: VecDeque::new(), pass: None, tries: 0, receivers, after: self.came };
            self.giants.insert(topic, giant);
            self.round.push_back(topic);
        }
        self.add(Some(topic), envelope.into());
    }

    /// Takes a control in.
    pub(crate) fn control(&mut self, control: Control) {
        let topic = match control {
            Control::Subscribe { topic, .. } | Control::Unsubscribe { topic, .. } => Some(topic),
            Control::CloseSession { .. } | Control::CloseUser { .. } | Control::CloseAll { .. } => None,
        };
        self.add(topic, control.into());
    }

    fn add(&mut self, topic: Option<Topic>, item: BusItem) {
        self.len += 1;
        match topic.and_then(|topic| self.giants.get_mut(&topic)) {
            Some(giant) => giant.line.push_back(item),
            None => {
                self.came += 1;
                self.quick.push_back(item);
            }
        }
    }

    /// How many items are not done.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Whether the quick lane is empty.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quick.is_empty()
    }

    /// How many quick items came so far.
    pub(crate) const fn came(&self) -> u64 {
        self.came
    }

    /// How many quick items are done.
    pub(crate) const fn done(&self) -> u64 {
        self.done
    }

    /// Whether a pass over a giant topic is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.giants.values().any(|giant| giant.pass.is_some())
    }

    /// The giant topics that a round goes on with: those under way, or at its beginning all that may be
    /// served. To be told to [`Self::step`], each.
    pub(crate) fn round(&self) -> Vec<Topic> {
        let begins = !self.is_under_way();
        let goes_on = |topic: &&Topic| {
            let giant = self.giants.get(topic);
            giant.is_some_and(|giant| giant.pass.is_some() || (begins && giant.after <= self.done))
        };
        self.round.iter().filter(goes_on).copied().collect()
    }

    /// Begins the head of the quick lane.
    pub(crate) fn quick(&mut self) -> Option<Quick> {
        let head = self.quick.front()?;
        self.tries += 1;
        Some(if self.tries > TRIES {
            Quick::Drop(head.clone())
        } else {
            match head {
                BusItem::Event(first) => Quick::Events(batch(first, self.quick.iter().skip(1), self.tries)),
                BusItem::Control(control) => Quick::Control(*control),
            }
        })
    }

    /// So many items at the head of the quick lane are done.
    pub(crate) fn quick_done(&mut self, items: usize) {
        let done = self.quick.drain(..items.min(self.quick.len())).len();
        (self.done, self.len, self.tries) = (self.done + done as u64, self.len - done, 0);
    }

    /// The giant topic whose turn it is, if one may be served now. To be told to [`Self::step`].
    pub(crate) fn turn(&mut self) -> Option<Topic> {
        let ready = |topic: &&Topic| self.giants.get(topic).is_some_and(|giant| giant.after <= self.done);
        self.turns = (self.turns + 1) % ROUND;
        let topic = if self.turns == 0 {
            self.round.iter().find(ready).copied()
        } else {
            let left = |topic: &&Topic| self.giants.get(topic).map(Giant::left);
            self.round.iter().filter(ready).min_by_key(left).copied()
        }?;
        self.round.retain(|other| *other != topic);
        self.round.push_back(topic);
        Some(topic)
    }

    /// Begins the next step of a giant topic.
    pub(crate) fn step(&mut self, topic: Topic) -> Option<Step<'_>> {
        let giant = self.giants.get_mut(&topic)?;
        giant.tries += 1;
        if giant.tries > TRIES {
            return Some(Step::Drop(giant.head()));
        }
        if giant.pass.is_none() {
            if let Some(BusItem::Control(control)) = giant.line.front() {
                return Some(Step::Control(*control));
            }
            giant.begin();
        }
        giant.pass.as_mut().map(Step::Slice)
    }

    /// The step that was begun is done, or given up; gives the control that left its line with it.
    pub(crate) fn step_done(&mut self, topic: Topic) -> Option<Control> {
        let giant = self.giants.get_mut(&topic)?;
        let mut left = None;
        let given_up = giant.tries > TRIES;
        giant.tries = 0;
        match &mut giant.pass {
            Some(pass) => {
                pass.at += SLICE;
                giant.receivers = pass.receivers.len();
                if given_up || pass.at >= pass.receivers.len() {
                    self.len -= pass.batch.len();
                    giant.pass = None;
                }
            }
            None => {
                let item = giant.line.pop_front();
                self.len -= usize::from(item.is_some());
                left = item;
            }
        }
        if giant.pass.is_none() && giant.line.is_empty() {
            self.giants.remove(&topic);
            self.round.retain(|other| *other != topic);
        }
        match left? {
            BusItem::Control(control) => Some(control),
            BusItem::Event(_) => None,
        }
    }
}

/// An event and those behind it that can be given out with it; after a failure, it alone.
fn batch<'a>(first: &Arc<Envelope>, behind: impl Iterator<Item = &'a BusItem>, tries: u8) -> Batch {
    let mut batch = Batch::from(Arc::clone(first));
    if tries == 1 {
        for item in behind {
            let BusItem::Event(next) = item else { break };
            if !batch.join(next) {
                break;
            }
        }
    }
    batch
}

impl Giant {
    /// Makes a pass of the events at the head of the line.
    fn begin(&mut self) {
        let Some(BusItem::Event(first)) = self.line.front() else { return };
        let batch = batch(first, self.line.iter().skip(1), self.tries);
        self.line.drain(..batch.len());
        self.pass =
            Some(Pass { batch: Arc::new(batch), receivers: Vec::new(), as_of: AsOf::default(), at: 0 });
    }

    fn left(&self) -> usize {
        self.pass.as_ref().map_or(self.receivers, |pass| pass.receivers.len() - pass.at)
    }

    fn head(&self) -> String {
        match &self.pass {
            Some(pass) => format!("{} events of {:?}", pass.batch.len(), pass.batch.topic()),
            None => format!("{:?}", self.line.front()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{change, channel};

    #[test]
    fn a_control_of_a_giant_topic_is_given_back_when_it_is_given_up_too() {
        let (mut lanes, topic) = (Lanes::default(), channel(1));
        lanes.event(change(topic, 1), SLICE + 1);
        lanes.control(Control::Subscribe { user: 1.into(), topic });
        assert!(matches!(lanes.step(topic), Some(Step::Slice(_))));
        assert_eq!(lanes.step_done(topic), None);
        for _ in 0..TRIES {
            assert!(matches!(lanes.step(topic), Some(Step::Control(_))));
        }
        assert!(matches!(lanes.step(topic), Some(Step::Drop(_))));
        assert!(lanes.step_done(topic).is_some(), "whoever waits for it can be told");
        assert_eq!(lanes.len(), 0);
    }
}
