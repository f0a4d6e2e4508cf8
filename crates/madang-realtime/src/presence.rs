//! Presence: who is online, away or offline, from connections, activity and choice.
//!
//! Someone is online while a connection is open, away when they chose so or were idle for
//! [`limits::AWAY_MS`], and offline [`limits::OFFLINE_MS`] after their last connection closed, so
//! that a page being reloaded shows nothing. What they chose lasts until then.
//!
//! Invariants:
//! - Pure: times are arguments, in Unix milliseconds.
//! - A transition is returned exactly when what is shown of a user changes, so at most one for each
//!   user and call.
//! - Whoever is shown as offline has no entry.

use std::collections::HashMap;

use madang_proto::{
    UserId, limits,
    presence::{self, Status},
};

/// What is shown of a user from now on.
pub type Transition = presence::Presence;

/// The presence of all users of this node.
#[derive(Debug, Default)]
pub struct Presence {
    users: HashMap<UserId, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    connections: u32,
    /// When the last connection closed, if none is open.
    left_ms: i64,
    active_ms: i64,
    away: bool,
    custom: Option<String>,
    shown: (Status, Option<String>),
}

impl Presence {
    /// Everyone is offline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection of the user opened.
    pub fn connected(&mut self, user: UserId, now_ms: i64) -> Option<Transition> {
        let entry = self.users.entry(user).or_default();
        entry.connections += 1;
        entry.active_ms = now_ms;
        entry.show(user, now_ms)
    }

    /// A connection of the user closed. Nothing is shown before [`Self::sweep`] finds that none
    /// came back.
    pub fn disconnected(&mut self, user: UserId, now_ms: i64) -> Option<Transition> {
        let entry = self.users.get_mut(&user)?;
        entry.connections = entry.connections.saturating_sub(1);
        entry.left_ms = now_ms;
        None
    }

    /// The user did something.
    pub fn active(&mut self, user: UserId, now_ms: i64) -> Option<Transition> {
        let entry = self.users.get_mut(&user)?;
        entry.active_ms = now_ms;
        entry.show(user, now_ms)
    }

    /// The user says whether they are away, and what to show beside it; that is an activity too.
    /// Lost on someone who is offline.
    pub fn choose(
        &mut self,
        user: UserId,
        away: bool,
        custom: Option<String>,
        now_ms: i64,
    ) -> Option<Transition> {
        let entry = self.users.get_mut(&user)?;
        (entry.away, entry.custom, entry.active_ms) = (away, custom, now_ms);
        entry.show(user, now_ms)
    }

    /// What changed by time alone, sorted by user. To be called about once a second.
    pub fn sweep(&mut self, now_ms: i64) -> Vec<Transition> {
        let mut transitions = Vec::new();
        self.users.retain(|user, entry| {
            transitions.extend(entry.show(*user, now_ms));
            entry.shown.0 != Status::Offline
        });
        transitions.sort_unstable_by_key(|transition| transition.user_id);
        transitions
    }

    /// What is shown of a user.
    #[must_use]
    pub fn get(&self, user: UserId) -> presence::Presence {
        self.users.get(&user).map_or_else(|| shown(user, &(Status::Offline, None)), |e| shown(user, &e.shown))
    }

    /// What is shown of those of these users who are not offline.
    pub fn of(&self, users: impl IntoIterator<Item = UserId>) -> Vec<presence::Presence> {
        users.into_iter().filter_map(|user| Some(shown(user, &self.users.get(&user)?.shown))).collect()
    }
}

impl Entry {
    fn status(&self, now_ms: i64) -> Status {
        if self.connections == 0 && now_ms - self.left_ms >= i64::from(limits::OFFLINE_MS) {
            Status::Offline
        } else if self.away || now_ms - self.active_ms >= i64::from(limits::AWAY_MS) {
            Status::Away
        } else {
            Status::Online
        }
    }

    fn show(&mut self, user: UserId, now_ms: i64) -> Option<Transition> {
        let status = self.status(now_ms);
        let now = (status, if status == Status::Offline { None } else { self.custom.clone() });
        if now == self.shown {
            return None;
        }
        self.shown = now;
        Some(shown(user, &self.shown))
    }
}

fn shown(user_id: UserId, (status, custom_status): &(Status, Option<String>)) -> presence::Presence {
    presence::Presence { user_id, status: *status, custom_status: custom_status.clone() }
}
