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

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: i64 = limits::AWAY_MS as i64;
    const OFFLINE: i64 = limits::OFFLINE_MS as i64;

    fn alice() -> UserId {
        1.into()
    }

    /// Alice's presence as it is shown.
    fn is(status: Status, custom: &str) -> Transition {
        let custom_status = Some(custom.to_owned()).filter(|text| !text.is_empty());
        Transition { user_id: alice(), status, custom_status }
    }

    fn online() -> Presence {
        let mut presence = Presence::new();
        assert_eq!(presence.connected(alice(), 0), Some(is(Status::Online, "")));
        presence
    }

    #[test]
    fn online_with_the_first_connection_and_offline_a_while_after_the_last() {
        let mut presence = online();
        assert_eq!(presence.connected(alice(), 10), None, "a second connection shows nothing");
        assert_eq!(presence.disconnected(alice(), 20), None);
        assert_eq!(presence.sweep(20 + OFFLINE), []);
        assert_eq!(presence.disconnected(alice(), 30_000), None);
        assert_eq!(presence.sweep(30_000 + OFFLINE - 1), []);
        assert_eq!(presence.sweep(30_000 + OFFLINE), [is(Status::Offline, "")]);
        assert_eq!(presence.sweep(90_000), []);
        assert!(presence.users.is_empty(), "nothing is left of who is offline");
    }

    #[test]
    fn a_reload_shows_nothing_and_keeps_what_was_chosen() {
        let mut presence = online();
        assert_eq!(presence.choose(alice(), true, Some("lunch".into()), 5), Some(is(Status::Away, "lunch")));
        presence.disconnected(alice(), 10);
        assert_eq!(presence.connected(alice(), 900), None);
        assert_eq!(presence.sweep(9 * OFFLINE), []);
        assert_eq!(presence.get(alice()), is(Status::Away, "lunch"));
    }

    #[test]
    fn what_was_chosen_ends_with_going_offline() {
        let mut presence = online();
        presence.choose(alice(), true, Some("lunch".into()), 5);
        presence.disconnected(alice(), 10);
        assert_eq!(presence.sweep(10 + OFFLINE), [is(Status::Offline, "")]);
        assert_eq!(presence.connected(alice(), 60_000), Some(is(Status::Online, "")));
    }

    #[test]
    fn coming_back_late_but_before_a_sweep_shows_nothing_but_forgets_nothing_either() {
        let mut presence = online();
        presence.disconnected(alice(), 10);
        assert_eq!(presence.connected(alice(), 10 + 2 * OFFLINE), None);
    }

    #[test]
    fn idle_is_away_and_activity_brings_back() {
        let mut presence = online();
        assert_eq!(presence.sweep(AWAY - 1), []);
        assert_eq!(presence.sweep(AWAY), [is(Status::Away, "")]);
        assert_eq!(presence.sweep(AWAY + 1), []);
        assert_eq!(presence.active(alice(), AWAY + 2), Some(is(Status::Online, "")));
        assert_eq!(presence.active(alice(), AWAY + 3), None);
    }

    #[test]
    fn away_by_choice_stays_through_activity_until_chosen_otherwise() {
        let mut presence = online();
        presence.choose(alice(), true, None, 1);
        assert_eq!(presence.active(alice(), 2), None);
        assert_eq!(presence.choose(alice(), true, None, 3), None, "nothing new is not told");
        assert_eq!(presence.choose(alice(), false, None, AWAY * 2), Some(is(Status::Online, "")));
    }

    #[test]
    fn who_is_not_there_has_no_say() {
        let mut presence = Presence::new();
        assert_eq!(presence.choose(alice(), true, None, 0), None);
        assert_eq!(presence.active(alice(), 0), None);
        assert_eq!(presence.disconnected(alice(), 0), None);
        assert_eq!(presence.get(alice()), is(Status::Offline, ""));
    }

    #[test]
    fn a_sweep_tells_of_each_user_once_and_of_lists_only_those_who_are_there() {
        let mut presence = online();
        presence.connected(2.into(), 0);
        presence.disconnected(2.into(), AWAY - OFFLINE);
        let swept: Vec<_> = presence.sweep(AWAY).into_iter().map(|t| (t.user_id.get(), t.status)).collect();
        assert_eq!(swept, [(1, Status::Away), (2, Status::Offline)]);
        assert_eq!(presence.of([alice(), 2.into(), 3.into()]), [is(Status::Away, "")]);
    }
}
