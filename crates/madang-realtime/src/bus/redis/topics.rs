//! Which topics this node hears at Redis: what the hub wants, what was asked for, and what is confirmed.
//!
//! The hub says when its interest in a topic begins and ends; the session takes from here what to ask Redis for, and
//! says what was confirmed. A topic that nobody wants any more is heard for [`LINGER`] longer, so that somebody who
//! comes and goes costs nothing.
//!
//! Invariants:
//! - A topic is confirmed only while Redis delivers it to this node; while the bus is down none is.
//! - An entry that is neither held nor asked for does not exist.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry as MapEntry},
    future,
    time::Duration,
};

use parking_lot::RwLock;
use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, sleep_until},
};

use crate::{Topic, hub::Watcher};

/// How long a topic is heard that nobody here wants any more.
pub(super) const LINGER: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Topics {
    state: RwLock<State>,
    /// There is something to ask Redis for.
    work: Notify,
    /// Something was confirmed, or the bus went down.
    news: Notify,
}

#[derive(Default)]
struct State {
    up: bool,
    entries: HashMap<Topic, Entry>,
    /// Topics that were not asked for yet, and some that are gone or were asked for since.
    new: VecDeque<Topic>,
    /// Topics that nobody wants any more, and until when they are heard; some are wanted again.
    lingering: VecDeque<(Instant, Topic)>,
}

struct Entry {
    stage: Stage,
    /// Until when it is heard when nobody wants it any more.
    until: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Asked,
    Confirmed,
}

impl Watcher for Topics {
    fn began(&self, topic: Topic) {
        let State { entries, new, .. } = &mut *self.state.write();
        match entries.entry(topic) {
            MapEntry::Occupied(mut entry) => entry.get_mut().until = None,
            MapEntry::Vacant(place) => {
                place.insert(Entry { stage: Stage::New, until: None });
                new.push_back(topic);
                self.work.notify_one();
            }
        }
    }

    fn ended(&self, topic: Topic) {
        let State { entries, lingering, .. } = &mut *self.state.write();
        let MapEntry::Occupied(mut entry) = entries.entry(topic) else { return };
        if entry.get().stage == Stage::New {
            entry.remove();
            return;
        }
        let until = Instant::now() + LINGER;
        entry.get_mut().until = Some(until);
        if lingering.is_empty() {
            self.work.notify_one();
        }
        lingering.push_back((until, topic));
    }
}

impl Topics {
    /// Takes up to `most` topics that Redis is to be asked for.
    pub(super) fn take_new(&self, most: usize) -> Vec<Topic> {
        let State { entries, new, .. } = &mut *self.state.write();
        let mut taken = Vec::new();
        while let Some(topic) = (taken.len() < most).then(|| new.pop_front()).flatten() {
            if let Some(entry) = entries.get_mut(&topic).filter(|entry| entry.stage == Stage::New) {
                entry.stage = Stage::Asked;
                taken.push(topic);
            }
        }
        taken
    }

    /// Takes up to `most` topics whose time is over.
    pub(super) fn take_over(&self, most: usize, now: Instant) -> Vec<Topic> {
        let State { entries, lingering, .. } = &mut *self.state.write();
        let mut taken = Vec::new();
        while let Some((until, topic)) =
            lingering.front().copied().filter(|(until, _)| *until <= now && taken.len() < most)
        {
            lingering.pop_front();
            if entries.get(&topic).is_some_and(|entry| entry.until == Some(until)) {
                entries.remove(&topic);
                taken.push(topic);
            }
        }
        taken
    }

    /// Waits until there may be something to take.
    pub(super) async fn work(&self) {
        let (new, over) = {
            let state = self.state.read();
            (!state.new.is_empty(), state.lingering.front().map(|(until, _)| *until))
        };
        if new {
            return;
        }
        let over = async {
            match over {
                Some(until) => sleep_until(until).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            () = self.work.notified() => {}
            () = over => {}
        }
    }

    /// Redis delivers these from now on.
    pub(super) fn confirm(&self, topics: &[Topic]) {
        let mut state = self.state.write();
        for topic in topics {
            if let Some(entry) = state.entries.get_mut(topic) {
                entry.stage = Stage::Confirmed;
            }
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Says that the bus is up, if there is nothing left to ask for.
    pub(super) fn rise(&self) -> bool {
        let mut state = self.state.write();
        state.up = state.new.is_empty();
        let up = state.up;
        drop(state);
        self.news.notify_waiters();
        up
    }

    /// The bus is down: all topics that are wanted have to be asked for anew. Whether it was up.
    pub(super) fn fall(&self) -> bool {
        let State { up, entries, new, lingering } = &mut *self.state.write();
        entries.retain(|_, entry| entry.until.is_none());
        entries.values_mut().for_each(|entry| entry.stage = Stage::New);
        lingering.clear();
        new.clear();
        new.extend(entries.keys());
        self.news.notify_waiters();
        std::mem::take(up)
    }

    pub(super) fn hears(&self, topic: Topic) -> bool {
        let state = self.state.read();
        state.up && state.entries.get(&topic).is_some_and(|entry| entry.stage == Stage::Confirmed)
    }

    /// Waits until all of these that are wanted are confirmed, or the bus is down.
    pub(super) async fn listening(&self, topics: &[Topic]) {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            Notified::enable(news.as_mut());
            if !self.misses(topics) {
                return;
            }
            news.await;
        }
    }

    /// Whether one of these is not confirmed yet.
    fn misses(&self, topics: &[Topic]) -> bool {
        let state = self.state.read();
        let entry = |topic| state.entries.get(topic);
        state.up && topics.iter().filter_map(entry).any(|entry| entry.stage != Stage::Confirmed)
    }

    /// How many are confirmed or asked for.
    pub(super) fn asked(&self) -> usize {
        let state = self.state.read();
        state.entries.values().filter(|entry| entry.stage != Stage::New).count()
    }
}
