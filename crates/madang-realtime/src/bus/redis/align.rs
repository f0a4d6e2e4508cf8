//! The order of what came over several links.
//!
//! A cluster of Redis has a link to each of its primaries, and each carries the events of its topics; what is for all
//! nodes comes over every link. So it is a mark in each of these streams: what follows it on one link waits until it
//! came over all of them, and then takes effect once, at its place (the barrier alignment of stream processors). With
//! one link there is nothing to wait for.
//!
//! Invariants:
//! - What one bus sent over one link leaves in that order, and a mark leaves after all that was sent before it and
//!   before all that was sent after it, unless a link did not bring it within [`PATIENCE`].
//! - Nothing leaves twice: the numbers of a bus grow on each link, and what does not is refused.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::wire::{Content, Message};

/// How long a mark waits for the links that did not bring it yet: longer than Redis takes, but when it was lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How many buses are remembered. Each start of a node is one.
const MAX_SENDERS: usize = 1024;

pub(super) struct Align {
    links: usize,
    senders: HashMap<u64, Sender>,
}

struct Sender {
    /// The highest number that came over each link.
    last: Vec<u64>,
    /// The highest number of a mark that left.
    marked: u64,
    /// What waits, by link. What is in front is a mark.
    waiting: Vec<VecDeque<Message>>,
    /// Since when something waits for the same mark.
    since: Option<Instant>,
}

/// It was sent before, by somebody who repeats what was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated;

impl Align {
    pub(super) fn new() -> Self {
        Self { links: 1, senders: HashMap::new() }
    }

    /// Begins anew with so many links; gives what waited. What was refused before still is.
    pub(super) fn restart(&mut self, links: usize) -> Vec<Message> {
        let mut left = Vec::new();
        for sender in self.senders.values_mut() {
            sender.advance(true, &mut left);
            let highest = sender.last.iter().copied().max().unwrap_or_default();
            sender.last = vec![highest; links];
            sender.waiting = vec![VecDeque::new(); links];
            sender.since = None;
        }
        self.links = links;
        left
    }

    /// Takes what came over a link; gives what may take effect now.
    pub(super) fn accept(
        &mut self,
        link: usize,
        message: Message,
        now: Instant,
    ) -> Result<Vec<Message>, Repeated> {
        if self.senders.len() >= MAX_SENDERS && !self.senders.contains_key(&message.start) {
            self.senders.retain(|_, sender| sender.since.is_some());
        }
        let links = self.links;
        let sender = self.senders.entry(message.start).or_insert_with(|| Sender::new(links));
        let (Some(last), Some(waiting)) = (sender.last.get_mut(link), sender.waiting.get_mut(link)) else {
            return Ok(Vec::new());
        };
        if message.number <= *last {
            return Err(Repeated);
        }
        *last = message.number;
        let mut left = Vec::new();
        if is_mark(&message) && message.number <= sender.marked {
            return Ok(left);
        }
        waiting.push_back(message);
        let moved = sender.advance(false, &mut left);
        let waits = sender.waiting.iter().any(|waiting| !waiting.is_empty());
        sender.since = waits.then(|| sender.since.filter(|_| !moved).unwrap_or(now));
        Ok(left)
    }

    /// When [`Self::expire`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.senders.values().filter_map(|sender| sender.since).min();
        since.map(|since| since + PATIENCE)
    }

    /// Gives what waited for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Message> {
        let mut left = Vec::new();
        for sender in self.senders.values_mut() {
            if sender.since.is_some_and(|since| since + PATIENCE <= now) {
                sender.advance(true, &mut left);
                sender.since = None;
            }
        }
        left
    }
}

impl Sender {
    fn new(links: usize) -> Self {
        Self { last: vec![0; links], marked: 0, waiting: vec![VecDeque::new(); links], since: None }
    }

    /// Lets out what waits for nothing, or everything when `forced`. Whether a mark left.
    fn advance(&mut self, forced: bool, left: &mut Vec<Message>) -> bool {
        let mut moved = false;
        loop {
            for waiting in &mut self.waiting {
                while let Some(event) = waiting.pop_front_if(|message| !is_mark(message)) {
                    left.push(event);
                }
            }
            if !forced && self.waiting.iter().any(VecDeque::is_empty) {
                return moved;
            }
            // A link that shows a later mark lost this one: numbers only grow.
            let fronts = self.waiting.iter().filter_map(VecDeque::front);
            let Some(number) = fronts.map(|mark| mark.number).min() else { return moved };
            let of_it = |message: &mut Message| message.number == number;
            let mut copies =
                self.waiting.iter_mut().filter_map(|waiting| waiting.pop_front_if(of_it)).collect::<Vec<_>>();
            left.extend(copies.pop());
            self.marked = number;
            moved = true;
        }
    }
}

/// Whether it is for all nodes, and so comes over every link.
const fn is_mark(message: &Message) -> bool {
    match message.content {
        Content::Event(_) => false,
        Content::Control(_) | Content::Notice(_) | Content::Gap => true,
    }
}
