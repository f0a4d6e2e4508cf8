//! Who is there and in which workspaces, and what is to be told of it.
//!
//! Where few are there each of them is named; where more than [`Limit::people`] are there, only their
//! number is told, and of people only those whom someone watches. What changes is gathered until
//! [`Board::tick`], so that whoever comes and goes, and a crowd that comes at once, is told once.
//!
//! Invariants:
//! - Pure: it tells nothing itself, and times are arguments.
//! - A workspace turns from naming to counting the moment that one too many comes, before any of them is
//!   told of. Each turn is told, so whoever was given the picture before it asks anew.
//! - Every user in `homes` and in a crowd has an entry in `presence`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use madang_proto::{
    UserId, WorkspaceId,
    limits::{PRESENCE_LISTED, PRESENCE_PEOPLE, PRESENCE_PEOPLE_AGAIN},
    presence::{Online, Presence, Status, UserStatus, Watched},
};
use madang_realtime::presence::Settled;
use parking_lot::Mutex;

/// How many seconds pass until a number is told that moved by less than a hundredth.
const QUIET_SECONDS: u32 = 5;

/// When people are counted and no longer named.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Above so many they are counted.
    pub people: usize,
    /// At so many they are named again.
    pub again: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self { people: PRESENCE_PEOPLE, again: PRESENCE_PEOPLE_AGAIN }
    }
}

/// Who is there, and in which workspaces that is of interest.
#[derive(Debug, Default)]
pub struct Board {
    limit: Limit,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    presence: madang_realtime::Presence,
    homes: HashMap<UserId, BTreeSet<WorkspaceId>>,
    crowds: BTreeMap<WorkspaceId, Crowd>,
    /// Who came into or went out of a workspace while they were there.
    moved: BTreeSet<(UserId, WorkspaceId)>,
}

/// Those who are there in one workspace.
#[derive(Debug, Default)]
struct Crowd {
    present: HashSet<UserId>,
    counted: bool,
    /// It counts where it named or the other way, and that was not told.
    turned: bool,
    told: usize,
    /// Someone who looked was given another number than was told.
    differs: bool,
    quiet: u32,
}

/// How one person is, and who shall hear it.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// How they are.
    pub presence: Presence,
    /// Workspaces in which everyone hears it.
    pub named: Vec<WorkspaceId>,
    /// Workspaces in which those hear it who watch.
    pub counted: Vec<WorkspaceId>,
    /// Workspaces in which it is known.
    pub known: Vec<WorkspaceId>,
}

/// What is to be told, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Workspaces that turned.
    pub turned: Vec<Online>,
    /// Numbers that moved.
    pub counts: Vec<Online>,
    /// How people are.
    pub people: Vec<Told>,
}

impl Crowd {
    fn online(&self, workspace_id: WorkspaceId) -> Online {
        let online = u32::try_from(self.present.len()).unwrap_or(u32::MAX);
        Online { workspace_id, online, named: !self.counted }
    }

    /// Whether the number has moved enough, or waited long enough, to be told.
    fn is_due(&mut self) -> bool {
        let moved = self.present.len().abs_diff(self.told);
        self.quiet = if moved > 0 || self.differs { self.quiet + 1 } else { 0 };
        (moved > 0 && moved * 100 >= self.told) || self.quiet >= QUIET_SECONDS
    }

    fn say(&mut self, workspace: WorkspaceId) -> Online {
        (self.turned, self.differs) = (false, false);
        (self.told, self.quiet) = (self.present.len(), 0);
        self.online(workspace)
    }
}

impl Inner {
    fn move_in(&mut self, user: UserId, workspace: WorkspaceId, limit: Limit) {
        self.homes.entry(user).or_default().insert(workspace);
        let crowd = self.crowds.entry(workspace).or_default();
        crowd.present.insert(user);
        if !crowd.counted && crowd.present.len() > limit.people {
            (crowd.counted, crowd.turned) = (true, true);
        }
    }

    /// Whether people are named again from now on.
    fn move_out(&mut self, user: UserId, workspace: WorkspaceId, limit: Limit) -> bool {
        let Some(crowd) = self.crowds.get_mut(&workspace) else { return false };
        crowd.present.remove(&user);
        let turns = crowd.counted && crowd.present.len() <= limit.again;
        if turns {
            (crowd.counted, crowd.turned) = (false, true);
        }
        if crowd.present.is_empty() {
            self.crowds.remove(&workspace);
        }
        turns
    }

    /// Who hears of someone, of these workspaces.
    fn told(&self, presence: Presence, at: impl IntoIterator<Item = WorkspaceId>) -> Told {
        let counts = |w: &WorkspaceId| self.crowds.get(w).is_some_and(|crowd| crowd.counted);
        let (counted, named) = at.into_iter().partition(counts);
        Told { presence, named, counted, known: Vec::new() }
    }

    fn homes(&self, user: UserId) -> impl Iterator<Item = WorkspaceId> {
        self.homes.get(&user).into_iter().flatten().copied()
    }

    /// What those of one workspace are told of someone who came into it or went out of it; whoever
    /// shares another one with them knows it.
    fn told_of_move(&self, user: UserId, workspace: WorkspaceId) -> Told {
        let inside = self.homes(user).any(|home| home == workspace);
        let offline = Presence::offline(user);
        let presence = if inside { self.presence.get(user) } else { offline };
        let known = self.homes(user).filter(|home| *home != workspace).collect();
        Told { known, ..self.told(presence, [workspace]) }
    }

    fn picture(&self, user: UserId, workspaces: &[WorkspaceId], watched: &[UserId]) -> Watched {
        let crowds = || workspaces.iter().filter_map(|w| Some((*w, self.crowds.get(w)?)));
        let shares = |other: UserId| self.homes(other).any(|home| workspaces.contains(&home));
        let of = |id: UserId| {
            if id == user || shares(id) { self.presence.get(id) } else { Presence::offline(id) }
        };
        let mut presence: BTreeMap<UserId, Presence> = watched.iter().map(|id| (*id, of(*id))).collect();
        let named = crowds().filter(|(_, crowd)| !crowd.counted).flat_map(|(_, crowd)| &crowd.present);
        for id in [&user].into_iter().chain(named) {
            if presence.len() >= PRESENCE_LISTED + watched.len() {
                break;
            }
            let how = self.presence.get(*id);
            if how.status != Status::Offline {
                presence.insert(*id, how);
            }
        }
        let none = |w: &WorkspaceId| Online { workspace_id: *w, online: 0, named: true };
        let online =
            workspaces.iter().map(|w| self.crowds.get(w).map_or_else(|| none(w), |crowd| crowd.online(*w)));
        Watched { presence: presence.into_values().collect(), online: online.collect() }
    }
}

impl Board {
    /// Nobody is there.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self { limit, inner: Mutex::default() }
    }

    /// A connection opened, of a user of whom this is stored.
    pub fn connected(
        &self,
        user: UserId,
        said: UserStatus,
        workspaces: impl IntoIterator<Item = WorkspaceId>,
        now_ms: i64,
    ) {
        let mut inner = self.inner.lock();
        inner.presence.connected(user, said, now_ms);
        for workspace in workspaces {
            inner.move_in(user, workspace, self.limit);
        }
    }

    /// A connection closed.
    pub fn disconnected(&self, user: UserId, now_ms: i64) {
        self.inner.lock().presence.disconnected(user, now_ms);
    }

    /// A user did something; whether that shows.
    pub fn active(&self, user: UserId, now_ms: i64) -> bool {
        self.inner.lock().presence.active(user, now_ms)
    }

    /// What a user says of themself, when they did something last, and in which workspaces they are, if they are there.
    pub fn of(&self, user: UserId) -> Option<(UserStatus, i64, Vec<WorkspaceId>)> {
        let inner = self.inner.lock();
        let (said, active_ms) = inner.presence.of(user)?;
        Some((said, active_ms, inner.homes(user).collect()))
    }

    /// A user says how they are.
    pub fn choose(&self, user: UserId, said: UserStatus, now_ms: i64) {
        self.inner.lock().presence.choose(user, said, now_ms);
    }

    /// A user came into a workspace.
    pub fn moved_in(&self, user: UserId, workspace: WorkspaceId) {
        let mut inner = self.inner.lock();
        if inner.presence.get(user).status != Status::Offline {
            inner.move_in(user, workspace, self.limit);
            inner.moved.insert((user, workspace));
        }
    }

    /// A user went out of a workspace.
    pub fn moved_out(&self, user: UserId, workspace: WorkspaceId) {
        let mut inner = self.inner.lock();
        if inner.homes.get_mut(&user).is_some_and(|homes| homes.remove(&workspace)) {
            inner.move_out(user, workspace, self.limit);
            inner.moved.insert((user, workspace));
        }
    }

    /// How a user is.
    pub fn get(&self, user: UserId) -> Presence {
        self.inner.lock().presence.get(user)
    }

    /// What a user of these workspaces is told, with those watched; up to [`PRESENCE_LISTED`] others.
    /// Nothing changes until `tell` is done: whatever it gives this to hears what comes later, later.
    pub fn picture<T>(
        &self,
        user: UserId,
        workspaces: &[WorkspaceId],
        watched: &[UserId],
        tell: impl FnOnce(Watched) -> T,
    ) -> T {
        let mut inner = self.inner.lock();
        for workspace in workspaces {
            if let Some(crowd) = inner.crowds.get_mut(workspace) {
                crowd.differs |= crowd.counted && crowd.present.len() != crowd.told;
            }
        }
        tell(inner.picture(user, workspaces, watched))
    }

    /// Those of `people` who are connected and in a workspace.
    pub fn there(&self, workspace: WorkspaceId, mut people: Vec<UserId>) -> Vec<UserId> {
        let inner = self.inner.lock();
        people.retain(|user| inner.crowds.get(&workspace).is_some_and(|crowd| crowd.present.contains(user)));
        people
    }

    /// The workspaces of someone who is there.
    pub fn homes(&self, user: UserId) -> Vec<WorkspaceId> {
        self.inner.lock().homes(user).collect()
    }

    /// What is to be told now. `second` says that about a second passed: what changes by time alone, and
    /// numbers, are looked at then.
    pub fn tick(&self, now_ms: i64, second: bool) -> News {
        let mut inner = self.inner.lock();
        if second {
            inner.presence.sweep(now_ms);
        }
        let Settled { transitions, gone } = inner.presence.settle();
        let at: Vec<_> =
            transitions.into_iter().map(|t| (inner.homes(t.user_id).collect::<Vec<_>>(), t)).collect();
        // Where people are named again everyone asks for all of them, so nobody needs to hear who of the
        // many went. Nobody has asked yet: it turns here and now.
        let mut turns = BTreeSet::new();
        for user in gone {
            for home in inner.homes.remove(&user).unwrap_or_default() {
                if inner.move_out(user, home, self.limit) {
                    turns.insert(home);
                }
            }
        }
        let mut news = News::default();
        for (workspace, crowd) in &mut inner.crowds {
            if crowd.turned {
                news.turned.push(crowd.say(*workspace));
            } else if second && crowd.counted && crowd.is_due() {
                news.counts.push(crowd.say(*workspace));
            }
        }
        let mut moved = std::mem::take(&mut inner.moved);
        // Who has changed is told of in all workspaces that they are in.
        for (homes, transition) in &at {
            moved.retain(|(user, home)| *user != transition.user_id || !homes.contains(home));
        }
        let told = |(homes, transition): (Vec<_>, _)| {
            inner.told(transition, homes.into_iter().filter(|home| !turns.contains(home)))
        };
        news.people = at.into_iter().map(told).collect();
        news.people.extend(moved.into_iter().map(|(user, workspace)| inner.told_of_move(user, workspace)));
        news
    }
}
