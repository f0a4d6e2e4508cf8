//! Who is connected to which node. Each tells the others, once a second, who came and who went, and every half a minute
//! all of it, with when each did something last; that also is its sign of life.
//!
//! To the board of presence a user of another node is one connection more, so what is shown is decided in one place, and
//! each node tells those who are connected to it.
//!
//! Invariants:
//! - A node that was not heard for [`SILENCE`] has nobody.
//! - For each node and user there is at most one connection on the board.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use madang_proto::{UserId, WorkspaceId, presence::UserStatus};
use madang_realtime::bus::NodeId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Notice;
use crate::app::App;

/// After how many tellings everything is told.
const ALL_EVERY: u64 = 30;
/// A node that said nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(10);

/// What one node tells of its people.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct News {
    /// Whether those who are not in it are not there.
    all: bool,
    here: Vec<Here>,
    gone: Vec<UserId>,
    /// Who did something after they had been away.
    active: Vec<UserId>,
}

/// Someone who is connected.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Here {
    user: UserId,
    said: UserStatus,
    workspaces: Vec<WorkspaceId>,
    /// Milliseconds since they did something.
    idle: i64,
}

/// Who is where.
#[derive(Default)]
pub struct People(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    tellings: u64,
    /// Of whom the others were told.
    told: HashSet<UserId>,
    active: Vec<UserId>,
    others: HashMap<NodeId, Other>,
}

struct Other {
    people: HashSet<UserId>,
    heard: Instant,
}

impl People {
    /// Someone who is connected here did something, and was away before.
    pub fn active(&self, user: UserId) {
        self.0.lock().active.push(user);
    }

    /// From the next telling on everyone is told of: the others may have missed some.
    pub fn again(&self) {
        self.0.lock().tellings = 0;
    }

    /// Tells the others, and forgets nodes that are silent.
    pub fn tell(&self, app: &App) {
        let (now, people) = (app.now().millis(), app.hub.people());
        let here = |user: &UserId| {
            let (said, active_ms, workspaces) = app.presence.of(*user)?;
            Some(Here { user: *user, said, workspaces, idle: now - active_ms })
        };
        let silent: Vec<_> = {
            let inner = &mut *self.0.lock();
            let all = inner.tellings.is_multiple_of(ALL_EVERY);
            inner.tellings += 1;
            let new = |user: &&UserId| all || !inner.told.contains(user);
            let news = News {
                all,
                here: people.iter().filter(new).filter_map(here).collect(),
                gone: inner.told.difference(&people).copied().collect(),
                active: std::mem::take(&mut inner.active),
            };
            inner.told = people;
            Notice::People(news).tell(&*app.bus);
            let silent =
                |(node, other): (&NodeId, &Other)| (other.heard.elapsed() > SILENCE).then_some(*node);
            inner.others.iter().filter_map(silent).collect()
        };
        silent.into_iter().for_each(|node| self.left(app, node));
    }

    /// Takes in what another node told.
    pub fn heard(&self, app: &App, from: NodeId, news: News) {
        let now = app.now().millis();
        let inner = &mut *self.0.lock();
        let other = inner.others.entry(from).or_insert_with(|| {
            // It does not know of this node's people either.
            inner.tellings = 0;
            Other { people: HashSet::new(), heard: Instant::now() }
        });
        other.heard = Instant::now();
        let named: HashSet<_> = news.here.iter().map(|here| here.user).collect();
        let gone: Vec<_> =
            if news.all { other.people.difference(&named).copied().collect() } else { news.gone };
        for user in gone.iter().filter(|user| other.people.remove(user)) {
            app.presence.disconnected(*user, now);
        }
        for Here { user, said, workspaces, idle } in news.here {
            if other.people.insert(user) {
                app.presence.connected(user, said, workspaces, now);
            } else {
                app.presence.active(user, now - idle);
            }
        }
        for user in news.active {
            app.presence.active(user, now);
        }
    }

    /// A node is gone, and its people with it.
    pub fn left(&self, app: &App, node: NodeId) {
        let Some(other) = self.0.lock().others.remove(&node) else { return };
        let now = app.now().millis();
        other.people.into_iter().for_each(|user| app.presence.disconnected(user, now));
    }
}
