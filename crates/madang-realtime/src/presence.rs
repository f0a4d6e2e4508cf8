//! Presence: who is online, away, not to be disturbed or offline, from connections, activity and choice.
//!
//! Someone is online while a connection is open, away when they chose so or were idle on all their devices for
//! [`limits::AWAY_MS`], and offline [`limits::OFFLINE_MS`] after their last connection closed, so
//! that a page being reloaded shows nothing. What they chose holds for all their devices, before idleness, until they
//! choose otherwise or its time is over; it is stored elsewhere and brought along when they come.
//!
//! What changes is gathered until [`Presence::settle`]: whoever comes and goes in between is told of
//! once, and who is as before not at all.
//!
//! Invariants:
//! - Pure: times are arguments, in Unix milliseconds.
//! - A transition is settled exactly when what is shown of a user differs from what was settled last,
//!   so at most one for each user and call.
//! - After settling, whoever is shown as offline has no entry.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use madang_proto::{
    Timestamp, UserId, limits,
    presence::{self, ChosenStatus, Status, UserStatus},
};

/// What is shown of a user from now on.
pub type Transition = presence::Presence;

/// The presence of all users that this node knows of.
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

/// What is shown of someone: of who is offline, no more than that.
type Shown = (Status, Option<Arc<UserStatus>>);

#[derive(Debug, Default)]
struct Entry {
    connections: u32,
    /// When the last connection closed, if none is open.
    left_ms: i64,
    active_ms: i64,
    /// What they say of themself; nothing, where that is what everyone says.
    said: Option<Arc<UserStatus>>,
    shown: Shown,
    settled: Shown,
}

impl Presence {
    /// Everyone is offline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection of the user opened, of whom this is stored; who is there already has said it.
    pub fn connected(&mut self, user: UserId, said: UserStatus, now_ms: i64) {
        let new = || Entry { said: said.at(now_ms.into()).map(Arc::new), ..Entry::default() };
        let entry = self.users.entry(user).or_insert_with(new);
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

    /// The user did something; whether that shows.
    pub fn active(&mut self, user: UserId, now_ms: i64) -> bool {
        let Some(entry) = self.users.get_mut(&user) else { return false };
        entry.active_ms = entry.active_ms.max(now_ms);
        self.show(user, now_ms)
    }

    /// What a user says of themself, and when they did something last, if they are there.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<(UserStatus, i64)> {
        let entry = self.users.get(&user)?;
        Some((entry.said.as_deref().cloned().unwrap_or_default(), entry.active_ms))
    }

    /// The user says how they are; that is an activity too. Of someone who is offline, nothing is known here.
    pub fn choose(&mut self, user: UserId, said: UserStatus, now_ms: i64) {
        if let Some(entry) = self.users.get_mut(&user) {
            (entry.said, entry.active_ms) = (said.at(now_ms.into()).map(Arc::new), now_ms);
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

    fn show(&mut self, user: UserId, now_ms: i64) -> bool {
        let changed = self.users.get_mut(&user).is_some_and(|entry| entry.show(now_ms));
        if changed {
            self.changed.insert(user);
        }
        changed
    }
}

impl Entry {
    fn status(&self, now_ms: i64) -> Status {
        if self.connections == 0 && now_ms - self.left_ms >= i64::from(limits::OFFLINE_MS) {
            return Status::Offline;
        }
        match self.said.as_ref().map_or(ChosenStatus::Online, |said| said.status) {
            ChosenStatus::Dnd => Status::Dnd,
            ChosenStatus::Away => Status::Away,
            ChosenStatus::Online if now_ms - self.active_ms >= i64::from(limits::AWAY_MS) => Status::Away,
            ChosenStatus::Online => Status::Online,
        }
    }

    /// Whether something else is shown than before.
    fn show(&mut self, now_ms: i64) -> bool {
        let now = Timestamp::from(now_ms);
        if let Some(said) = self.said.as_ref().filter(|said| said.next_end().is_some_and(|end| end <= now)) {
            self.said = UserStatus::clone(said).at(now).map(Arc::new);
        }
        let status = self.status(now_ms);
        let now = (status, if status == Status::Offline { None } else { self.said.clone() });
        let changed = now != self.shown;
        self.shown = now;
        changed
    }
}

fn shown(user_id: UserId, (status, said): &Shown) -> presence::Presence {
    presence::Presence::of(user_id, *status, said.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: i64 = limits::AWAY_MS as i64;
    const OFFLINE: i64 = limits::OFFLINE_MS as i64;

    fn alice() -> UserId {
        1.into()
    }

    /// What someone says; nothing beside it where `custom` is empty.
    fn say(status: ChosenStatus, custom: &str) -> UserStatus {
        let custom_status = Some(custom.to_owned()).filter(|text| !text.is_empty());
        UserStatus { status, custom_status, ..UserStatus::default() }
    }

    fn away(custom: &str) -> UserStatus {
        say(ChosenStatus::Away, custom)
    }

    fn here(custom: &str) -> UserStatus {
        say(ChosenStatus::Online, custom)
    }

    /// Alice's presence as it is shown.
    fn is(status: Status, custom: &str) -> Transition {
        Transition::of(alice(), status, Some(&here(custom)))
    }

    fn comes(presence: &mut Presence, user: UserId, now_ms: i64) {
        presence.connected(user, UserStatus::default(), now_ms);
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
        comes(&mut presence, alice(), 0);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
        presence
    }

    #[test]
    fn online_with_the_first_connection_and_offline_a_while_after_the_last() {
        let mut presence = online();
        comes(&mut presence, alice(), 10);
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
        presence.choose(alice(), away("lunch"), 5);
        assert_eq!(told(&mut presence), [is(Status::Away, "lunch")]);
        presence.disconnected(alice(), 10);
        comes(&mut presence, alice(), 900);
        assert_eq!(told_at(&mut presence, 9 * OFFLINE), []);
        assert_eq!(presence.get(alice()), is(Status::Away, "lunch"));
    }

    #[test]
    fn what_was_chosen_does_not_show_while_offline_and_is_brought_along_again() {
        let mut presence = online();
        presence.choose(alice(), away("lunch"), 5);
        presence.disconnected(alice(), 10);
        assert_eq!(told_at(&mut presence, 10 + OFFLINE), [is(Status::Offline, "")]);
        presence.connected(alice(), away("lunch"), 60_000);
        assert_eq!(told(&mut presence), [is(Status::Away, "lunch")]);
        presence.connected(alice(), here("from before"), 60_001);
        assert_eq!(told(&mut presence), [], "who is there has said it");
    }

    #[test]
    fn with_two_devices_one_that_is_used_keeps_the_user_online_and_a_choice_holds_for_both() {
        let mut presence = online();
        comes(&mut presence, alice(), 0);
        presence.active(alice(), AWAY - 1);
        assert_eq!(told_at(&mut presence, AWAY), [], "one is idle, the other is not");
        presence.choose(alice(), say(ChosenStatus::Dnd, ""), AWAY);
        assert_eq!(told(&mut presence).remove(0).status, Status::Dnd);
        presence.active(alice(), AWAY + 1);
        presence.disconnected(alice(), AWAY + 2);
        assert_eq!(
            told_at(&mut presence, 3 * AWAY),
            [],
            "neither a device that goes nor idleness changes it"
        );
        presence.disconnected(alice(), 3 * AWAY);
        assert_eq!(told_at(&mut presence, 3 * AWAY + OFFLINE), [is(Status::Offline, "")]);
    }

    #[test]
    fn what_was_said_until_a_time_goes_at_it() {
        let mut presence = online();
        let until = |ms: i64| Some(Timestamp::from(ms));
        let said = UserStatus {
            dnd_until: until(2_000),
            emoji: Some("🍜".into()),
            expires_at: until(1_000),
            ..say(ChosenStatus::Dnd, "lunch")
        };
        presence.choose(alice(), said.clone(), 5);
        assert_eq!(told(&mut presence), [Transition::of(alice(), Status::Dnd, Some(&said))]);
        assert_eq!(told_at(&mut presence, 999), []);
        let left = UserStatus { dnd_until: until(2_000), ..say(ChosenStatus::Dnd, "") };
        assert_eq!(told_at(&mut presence, 1_000), [Transition::of(alice(), Status::Dnd, Some(&left))]);
        assert_eq!(told_at(&mut presence, 2_000), [is(Status::Online, "")]);
        let mut late = Presence::new();
        late.connected(alice(), said, 3_000);
        assert_eq!(told(&mut late), [is(Status::Online, "")], "what was over before one came is not shown");
    }

    #[test]
    fn coming_back_late_but_before_it_is_settled_shows_nothing_but_forgets_nothing_either() {
        let mut presence = online();
        presence.disconnected(alice(), 10);
        presence.sweep(10 + 2 * OFFLINE);
        comes(&mut presence, alice(), 10 + 2 * OFFLINE);
        assert_eq!(presence.settle(), Settled::default());
    }

    #[test]
    fn who_comes_and_goes_before_it_is_settled_is_not_told_of_but_gone() {
        let mut presence = Presence::new();
        comes(&mut presence, alice(), 0);
        presence.disconnected(alice(), 1);
        presence.sweep(1 + OFFLINE);
        assert_eq!(presence.settle(), Settled { transitions: vec![], gone: vec![alice()] });
        assert!(presence.users.is_empty());
    }

    #[test]
    fn of_many_changes_the_last_is_told() {
        let mut presence = online();
        for at in 1..100 {
            let said = at.to_string();
            presence.choose(alice(), if at % 2 == 1 { away(&said) } else { here(&said) }, at);
        }
        assert_eq!(told(&mut presence), [is(Status::Away, "99")]);
        presence.choose(alice(), here(""), 100);
        presence.choose(alice(), away("99"), 101);
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
        presence.choose(alice(), away(""), 1);
        assert_eq!(told(&mut presence), [is(Status::Away, "")]);
        presence.active(alice(), 2);
        presence.choose(alice(), away(""), 3);
        assert_eq!(told(&mut presence), [], "nothing new is not told");
        presence.choose(alice(), here(""), AWAY * 2);
        assert_eq!(told(&mut presence), [is(Status::Online, "")]);
    }

    #[test]
    fn who_is_not_there_has_no_say() {
        let mut presence = Presence::new();
        presence.choose(alice(), away(""), 0);
        presence.active(alice(), 0);
        presence.disconnected(alice(), 0);
        assert_eq!(presence.settle(), Settled::default());
        assert_eq!(presence.get(alice()), is(Status::Offline, ""));
    }

    #[test]
    fn a_sweep_finds_each_user_once() {
        let mut presence = online();
        comes(&mut presence, 2.into(), 0);
        presence.disconnected(2.into(), AWAY - OFFLINE);
        told(&mut presence);
        let swept: Vec<_> =
            told_at(&mut presence, AWAY).into_iter().map(|t| (t.user_id.get(), t.status)).collect();
        assert_eq!(swept, [(1, Status::Away), (2, Status::Offline)]);
    }
}
