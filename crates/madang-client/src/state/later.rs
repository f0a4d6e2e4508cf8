//! What one writes down for later, once it was loaded.
//!
//! It takes several requests: what is heard while it is fetched is applied to it afterwards.
//!
//! Invariants:
//! - What is loaded is true as of the newest change that was heard.

use std::collections::BTreeMap;

use madang_proto::{
    ChannelId, ReminderId, ScheduledId,
    drafts::{Draft, DraftChange},
    reminders::{Reminder, ReminderChange},
    scheduled::{Scheduled, ScheduledChange},
};

use super::{Effect, State};

/// Drafts, scheduled messages and reminders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Later {
    /// One a channel.
    pub drafts: BTreeMap<ChannelId, Draft>,
    /// What is to be sent, or failed.
    pub scheduled: BTreeMap<ScheduledId, Scheduled>,
    /// What one is to be told of, or was.
    pub reminders: BTreeMap<ReminderId, Reminder>,
}

/// One of them is like this now.
#[derive(Debug, Clone)]
pub(super) enum LaterChange {
    Draft(DraftChange),
    Scheduled(ScheduledChange),
    Reminder(ReminderChange),
}

/// All of them, and what was heard while they are fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Laters {
    loaded: Option<Later>,
    fetching: u32,
    epoch: u64,
    heard: Vec<LaterChange>,
}

fn put<K: Ord, V>(all: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => drop(all.insert(key, value)),
        None => drop(all.remove(&key)),
    }
}

impl Later {
    fn change(&mut self, change: LaterChange) {
        match change {
            LaterChange::Draft(change) => put(&mut self.drafts, change.channel_id, change.draft),
            LaterChange::Scheduled(change) => put(&mut self.scheduled, change.id, change.scheduled),
            LaterChange::Reminder(change) => put(&mut self.reminders, change.id, change.reminder),
        }
    }
}

impl State {
    /// One's drafts, scheduled messages and reminders, if they were loaded.
    #[must_use]
    pub const fn later(&self) -> Option<&Later> {
        self.later.loaded.as_ref()
    }

    /// One of them changed.
    pub(super) fn change_later(&mut self, change: LaterChange) {
        if self.later.fetching > 0 {
            self.later.heard.push(change.clone());
        }
        if let Some(later) = &mut self.later.loaded {
            later.change(change);
        }
    }

    /// Something may have been missed: what was asked for before this is not good enough.
    pub(super) fn distrust_later(&mut self) -> Option<Effect> {
        self.later.epoch += 1;
        self.later.fetching = 0;
        self.later.heard.clear();
        self.later.loaded.is_some().then_some(Effect::Later)
    }

    /// They are being fetched; [`State::put_later`] follows with the number.
    pub const fn expect_later(&mut self) -> u64 {
        self.later.fetching += 1;
        self.later.epoch
    }

    /// What was fetched, or that it did not come. `false` when it is to be fetched again.
    pub fn put_later(&mut self, number: u64, fetched: Option<Later>) -> bool {
        if number != self.later.epoch {
            return false;
        }
        self.later.fetching = self.later.fetching.saturating_sub(1);
        let heard = self.later.heard.clone();
        if self.later.fetching == 0 {
            self.later.heard.clear();
        }
        if let Some(mut fetched) = fetched {
            heard.into_iter().for_each(|change| fetched.change(change));
            self.later.loaded = Some(fetched);
        }
        true
    }
}
