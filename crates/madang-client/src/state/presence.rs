//! Who is there: each by name where few are, the number where many are, and whoever one watches.
//!
//! The server tells by itself of those in workspaces that are named. Where a workspace turns from naming
//! to counting or back, or one comes into a workspace or goes out of one, the whole picture is asked for
//! anew, since nothing tells which of those known belonged to it.
//!
//! Invariants:
//! - Whoever is in `known` is told of by events, or was in the newest picture.

use std::collections::{BTreeMap, BTreeSet};

use madang_proto::{
    UserId, WorkspaceId,
    command::Watch,
    limits,
    presence::{Online, Presence, Status, Watched},
};

use super::{Effect, State};

/// What is known of people's presence.
#[derive(Debug, Clone, Default)]
pub(super) struct People {
    known: BTreeMap<UserId, Presence>,
    online: BTreeMap<WorkspaceId, Online>,
    watched: BTreeSet<UserId>,
}

impl People {
    fn put(&mut self, presence: Presence) {
        if presence.status == Status::Offline {
            self.known.remove(&presence.user_id);
        } else {
            self.known.insert(presence.user_id, presence);
        }
    }

    fn replace(&mut self, presence: Vec<Presence>, online: Vec<Online>) {
        self.known.clear();
        presence.into_iter().for_each(|presence| self.put(presence));
        self.online = online.into_iter().map(|online| (online.workspace_id, online)).collect();
    }
}

impl State {
    /// Whether someone is there; in workspaces where people are counted, of those watched.
    #[must_use]
    pub fn status_of(&self, user: UserId) -> Status {
        self.people.known.get(&user).map_or(Status::Offline, |presence| presence.status)
    }

    /// How someone is and what they say of it, if they are known to be there.
    #[must_use]
    pub fn presence_of(&self, user: UserId) -> Option<&Presence> {
        self.people.known.get(&user)
    }

    /// Everyone who is known to be there.
    pub fn presence(&self) -> impl Iterator<Item = &Presence> {
        self.people.known.values()
    }

    /// How many are there in a workspace where that is all that is told; nothing where they are named.
    #[must_use]
    pub fn online(&self, workspace: WorkspaceId) -> Option<u32> {
        self.people.online.get(&workspace).filter(|online| !online.named).map(|online| online.online)
    }

    /// Watches the first 100 of these people, in the place of those before.
    pub fn watch_people(&mut self, users: impl IntoIterator<Item = UserId>) -> Vec<Effect> {
        let users = users.into_iter().take(limits::WATCH_PEOPLE).collect();
        if self.people.watched == users {
            return Vec::new();
        }
        self.people.watched = users;
        vec![Effect::Watch]
    }

    /// What to say in `WATCH`.
    #[must_use]
    pub fn watched(&self) -> Watch {
        Watch { user_ids: self.people.watched.iter().copied().collect() }
    }

    pub(super) fn put_presence(&mut self, presence: Presence) {
        self.people.put(presence);
    }

    pub(super) fn put_online(&mut self, online: Online) -> Vec<Effect> {
        let before = self.people.online.insert(online.workspace_id, online);
        if before.is_some_and(|before| before.named == online.named) {
            Vec::new()
        } else {
            vec![Effect::Watch]
        }
    }

    pub(super) fn put_watched(&mut self, watched: Watched) {
        self.people.replace(watched.presence, watched.online);
    }

    /// What `READY` tells; it knows of no one whom one watches.
    pub(super) fn begin_presence(&mut self, presence: Vec<Presence>, online: Vec<Online>) -> Vec<Effect> {
        self.people.replace(presence, online);
        if self.people.watched.is_empty() { Vec::new() } else { vec![Effect::Watch] }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use madang_proto::Event;

    use super::*;

    fn is(user: i64, status: Status) -> Presence {
        Presence::of(user.into(), status, None)
    }

    fn counts(online: u32, named: bool) -> Online {
        Online { workspace_id: 10.into(), online, named }
    }

    fn hear(state: &mut State, event: Event) -> Vec<Effect> {
        state.apply(event, Instant::now())
    }

    #[test]
    fn the_picture_is_asked_for_anew_when_a_workspace_turns_and_takes_the_place_of_what_was_known() {
        let mut state = State::default();
        let few = Watched {
            presence: vec![is(1, Status::Online), is(2, Status::Away)],
            online: vec![counts(2, true)],
        };
        hear(&mut state, Event::Watched(few));
        assert_eq!((state.status_of(2.into()), state.online(10.into())), (Status::Away, None));
        assert_eq!(hear(&mut state, Event::Online(counts(300, false))), [Effect::Watch]);
        assert_eq!(hear(&mut state, Event::Online(counts(303, false))), []);
        let many = Watched { presence: vec![is(1, Status::Online)], online: vec![counts(304, false)] };
        hear(&mut state, Event::Watched(many));
        assert_eq!((state.status_of(2.into()), state.online(10.into())), (Status::Offline, Some(304)));
        assert_eq!(hear(&mut state, Event::Online(counts(150, true))), [Effect::Watch]);
        assert_eq!(state.online(10.into()), None);
    }

    #[test]
    fn whom_one_watches_is_said_when_it_changes_and_never_too_many() {
        let mut state = State::default();
        assert_eq!(state.watch_people([2.into(), 1.into()]), [Effect::Watch]);
        assert_eq!(state.watch_people([1.into(), 2.into()]), []);
        assert_eq!(state.watch_people((1..=500).map(UserId::from)), [Effect::Watch]);
        assert_eq!(state.watched().user_ids.len(), limits::WATCH_PEOPLE);
    }
}
