//! Presence: who is online, away or offline, from connections, activity and choice.
//!
//! Someone is online while a connection is open, away when they chose so or were idle for
//! [`limits::AWAY_MS`], and offline [`limits::OFFLINE_MS`] after their last connection closed, so
//! that a page being reloaded shows nothing. What they chose lasts until then.
//!
//! What changes is gathered until [`Presence::settle`]: whoever comes and goes in between is told of
//! once, and who is as before not at all.
//!
//! Invariants:
//! - Pure: times are arguments, in Unix milliseconds.
//! - A transition is settled exactly when what is shown of a user differs from what was settled last,
//!   so at most one for each user and call.
//! - After settling, whoever is shown as offline has no entry.

use std::collections::{HashMap, HashSet};

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
    changed: HashSet<UserId>,
}

/// What changed since it was settled last.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What is to be told, sorted by user.
    pub transitions: Vec<Transition>,
    /// Who is not there any more, also those whose coming was not told either.
    pub gone: Vec<UserId>,
}

type Shown = (Status, Option<String>);

#[derive(Debug, Default)]
struct Entry {
    connections: u32,
    /// When the last connection closed, if none is open.
    left_ms: i64,
    active_ms: i64,
    away: bool,
    custom: Option<String>,
    shown: Shown,
    settled: Shown,
}

impl Presence {
    /// Everyone is offline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection of the user opened.
    pub fn connected(&mut self, user: UserId, now_ms: i64) {
        let entry = self.users.entry(user).or_default();
        entry.connections += 1;
        entry.active_ms = now_ms;
        self.show(user, now_ms);
    }

    /// A connection of the user closed. Nothing is shown before [`Self::sweep`] finds that none
    /// came back.
    pub fn disconnected(&mut self, user: UserId, now_ms: i64) {
        if let Some(entry) = self.users.get_mut(&user) {
            entry.connections = entry.connections.saturating_sub(1);
            entry.left_ms = now_ms;
        }
    }

    /// The user did something.
    pub fn active(&mut self, user: UserId, now_ms: i64) {
        if let Some(entry) = self.users.get_mut(&user) {
            entry.active_ms = now_ms;
            self.show(user, now_ms);
        }
    }

    /// The user says whether they are away, and what to show beside it; that is an activity too.
    /// Lost on someone who is offline.
    pub fn choose(&mut self, user: UserId, away: bool, custom: Option<String>, now_ms: i64) {
        if let Some(entry) = self.users.get_mut(&user) {
            (entry.away, entry.custom, entry.active_ms) = (away, custom, now_ms);
            self.show(user, now_ms);
        }
    }

    /// Finds what changed by time alone. To be called about once a second.
    pub fn sweep(&mut self, now_ms: i64) {
        for (user, entry) in &mut self.users {
            if entry.show(now_ms) {
                self.changed.insert(*user);
            }
        }
    }

    /// What changed since the last call.
    pub fn settle(&mut self) -> Settled {
        let mut settled = Settled::default();
        for user in std::mem::take(&mut self.changed) {
            let Some(entry) = self.users.get_mut(&user) else { continue };
            if entry.shown != entry.settled {
                entry.settled.clone_from(&entry.shown);
                settled.transitions.push(shown(user, &entry.shown));
            }
            if entry.shown.0 == Status::Offline {
                self.users.remove(&user);
                settled.gone.push(user);
            }
        }
        settled.transitions.sort_unstable_by_key(|transition| transition.user_id);
        settled.gone.sort_unstable();
        settled
    }

    /// What is shown of a user.
    #[must_use]
    pub fn get(&self, user: UserId) -> presence::Presence {
        self.users.get(&user).map_or_else(|| shown(user, &(Status::Offline, None)), |e| shown(user, &e.shown))
    }

    fn show(&mut self, user: UserId, now_ms: i64) {
        if self.users.get_mut(&user).is_some_and(|entry| entry.show(now_ms)) {
            self.changed.insert(user);
        }
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

    /// Whether something else is shown than before.
    fn show(&mut self, now_ms: i64) -> bool {
        let status = self.status(now_ms);
        let now = (status, if status == Status::Offline { None } else { self.custom.clone() });
        let changed = now != self.shown;
        self.shown = now;
        changed
    }
}

fn shown(user_id: UserId, (status, custom_status): &Shown) -> presence::Presence {
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

    fn told(presence: &mut Presence) -> Vec<Transition> {
        presence.settle().transitions
    }

    fn told_at(presence: &mut Presence, now_ms: i64) -> Vec<Transition> {
        presence.sweep(now_ms);
        told(presence)
    }

    fn online() -> Presence {
        let mut presence = Presence::new();
        presence.connected(alice(), 0);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
        presence
    }

    #[test]
    fn online_with_the_first_connection_and_offline_a_while_after_the_last() {
        let mut presence = online();
        presence.connected(alice(), 10);
        assert_eq!(told(&mut presence), [], "a second connection shows nothing");
        presence.disconnected(alice(), 20);
        assert_eq!(told_at(&mut presence, 20 + OFFLINE), []);
        presence.disconnected(alice(), 30_000);
        assert_eq!(told_at(&mut presence, 30_000 + OFFLINE - 1), []);
        presence.sweep(30_000 + OFFLINE);
        let settled = Settled { transitions: vec![is(Status::Offline, "")], gone: vec![alice()] };
        assert_eq!(presence.settle(), settled);
        assert_eq!(told_at(&mut presence, 90_000), []);
        assert!(
            presence.users.is_empty() && presence.changed.is_empty(),
            "nothing is left of who is offline"
        );
    }

    #[test]
    fn a_reload_shows_nothing_and_keeps_what_was_chosen() {
        let mut presence = online();
        presence.choose(alice(), true, Some("lunch".into()), 5);
        assert_eq!(told(&mut presence), [is(Status::Away, "lunch")]);
        presence.disconnected(alice(), 10);
        presence.connected(alice(), 900);
        assert_eq!(told_at(&mut presence, 9 * OFFLINE), []);
        assert_eq!(presence.get(alice()), is(Status::Away, "lunch"));
    }

    #[test]
    fn what_was_chosen_ends_with_going_offline() {
        let mut presence = online();
        presence.choose(alice(), true, Some("lunch".into()), 5);
        presence.disconnected(alice(), 10);
        assert_eq!(told_at(&mut presence, 10 + OFFLINE), [is(Status::Offline, "")]);
        presence.connected(alice(), 60_000);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
    }

    #[test]
    fn coming_back_late_but_before_it_is_settled_shows_nothing_but_forgets_nothing_either() {
        let mut presence = online();
        presence.disconnected(alice(), 10);
        presence.sweep(10 + 2 * OFFLINE);
        presence.connected(alice(), 10 + 2 * OFFLINE);
        assert_eq!(presence.settle(), Settled::default());
    }

    #[test]
    fn who_comes_and_goes_before_it_is_settled_is_not_told_of_but_gone() {
        let mut presence = Presence::new();
        presence.connected(alice(), 0);
        presence.disconnected(alice(), 1);
        presence.sweep(1 + OFFLINE);
        assert_eq!(presence.settle(), Settled { transitions: vec![], gone: vec![alice()] });
        assert!(presence.users.is_empty());
    }

    #[test]
    fn of_many_changes_the_last_is_told() {
        let mut presence = online();
        for at in 1..100 {
            presence.choose(alice(), at % 2 == 1, Some(at.to_string()), at);
        }
        assert_eq!(told(&mut presence), [is(Status::Away, "99")]);
        presence.choose(alice(), false, None, 100);
        presence.choose(alice(), true, Some("99".into()), 101);
        assert_eq!(told(&mut presence), [], "it is as it was");
    }

    #[test]
    fn idle_is_away_and_activity_brings_back() {
        let mut presence = online();
        assert_eq!(told_at(&mut presence, AWAY - 1), []);
        assert_eq!(told_at(&mut presence, AWAY), [is(Status::Away, "")]);
        assert_eq!(told_at(&mut presence, AWAY + 1), []);
        presence.active(alice(), AWAY + 2);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
        presence.active(alice(), AWAY + 3);
        assert_eq!(told(&mut presence), []);
    }

    #[test]
    fn away_by_choice_stays_through_activity_until_chosen_otherwise() {
        let mut presence = online();
        presence.choose(alice(), true, None, 1);
        assert_eq!(told(&mut presence), [is(Status::Away, "")]);
        presence.active(alice(), 2);
        presence.choose(alice(), true, None, 3);
        assert_eq!(told(&mut presence), [], "nothing new is not told");
        presence.choose(alice(), false, None, AWAY * 2);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
    }

    #[test]
    fn who_is_not_there_has_no_say() {
        let mut presence = Presence::new();
        presence.choose(alice(), true, None, 0);
        presence.active(alice(), 0);
        presence.disconnected(alice(), 0);
        assert_eq!(presence.settle(), Settled::default());
        assert_eq!(presence.get(alice()), is(Status::Offline, ""));
    }

    #[test]
    fn a_sweep_finds_each_user_once() {
        let mut presence = online();
        presence.connected(2.into(), 0);
        presence.disconnected(2.into(), AWAY - OFFLINE);
        told(&mut presence);
        let swept: Vec<_> =
            told_at(&mut presence, AWAY).into_iter().map(|t| (t.user_id.get(), t.status)).collect();
        assert_eq!(swept, [(1, Status::Away), (2, Status::Offline)]);
    }
}
