//! Presence and typing: told to those who are there, never stored.

pub mod http;

use std::collections::{HashMap, HashSet};

use madang_proto::{
    ChannelId, Event, UserId, WorkspaceId, input,
    limits::PRESENCE_LISTED,
    permissions::ChannelPermission,
    presence::{ChosenStatus, Presence, Status, Typing, UpdateStatus},
};
use madang_realtime::{Class, Topic, presence::Transition};
use parking_lot::Mutex;

use crate::{
    access,
    app::{Actor, App},
    change::envelope,
    error::{Error, Field, Result},
};

/// Who is there, and in which workspaces that is of interest.
#[derive(Debug, Default)]
pub struct Board(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    presence: madang_realtime::Presence,
    homes: HashMap<UserId, HashSet<WorkspaceId>>,
    present: HashMap<WorkspaceId, HashSet<UserId>>,
}

/// A transition and whom to tell.
type News = (Transition, Vec<WorkspaceId>);

impl Inner {
    fn news(&mut self, transition: Transition) -> News {
        let homes = self.homes.get(&transition.user_id).into_iter().flatten().copied().collect::<Vec<_>>();
        if transition.status == Status::Offline {
            self.homes.remove(&transition.user_id);
            for home in &homes {
                self.move_out(transition.user_id, *home);
            }
        }
        (transition, homes)
    }

    fn move_out(&mut self, user: UserId, workspace: WorkspaceId) {
        if let Some(present) = self.present.get_mut(&workspace) {
            present.remove(&user);
            if present.is_empty() {
                self.present.remove(&workspace);
            }
        }
    }
}

impl Board {
    /// A connection opened.
    pub fn connected(
        &self,
        user: UserId,
        workspaces: impl IntoIterator<Item = WorkspaceId>,
        now_ms: i64,
    ) -> Option<News> {
        let mut inner = self.0.lock();
        for workspace in workspaces {
            inner.homes.entry(user).or_default().insert(workspace);
            inner.present.entry(workspace).or_default().insert(user);
        }
        let transition = inner.presence.connected(user, now_ms)?;
        Some(inner.news(transition))
    }

    /// A connection closed.
    pub fn disconnected(&self, user: UserId, now_ms: i64) -> Option<News> {
        let mut inner = self.0.lock();
        let transition = inner.presence.disconnected(user, now_ms)?;
        Some(inner.news(transition))
    }

    /// A user did something.
    pub fn active(&self, user: UserId, now_ms: i64) -> Option<News> {
        let mut inner = self.0.lock();
        let transition = inner.presence.active(user, now_ms)?;
        Some(inner.news(transition))
    }

    fn choose(&self, user: UserId, away: bool, custom: Option<String>, now_ms: i64) -> Option<News> {
        let mut inner = self.0.lock();
        let transition = inner.presence.choose(user, away, custom, now_ms)?;
        Some(inner.news(transition))
    }

    /// A user came into a workspace.
    pub fn moved_in(&self, user: UserId, workspace: WorkspaceId) {
        let mut inner = self.0.lock();
        if inner.presence.get(user).status != Status::Offline {
            inner.homes.entry(user).or_default().insert(workspace);
            inner.present.entry(workspace).or_default().insert(user);
        }
    }

    /// A user went out of a workspace.
    pub fn moved_out(&self, user: UserId, workspace: WorkspaceId) {
        let mut inner = self.0.lock();
        if let Some(homes) = inner.homes.get_mut(&user) {
            homes.remove(&workspace);
        }
        inner.move_out(user, workspace);
    }

    /// How a user is.
    pub fn get(&self, user: UserId) -> Presence {
        self.0.lock().presence.get(user)
    }

    /// Those in these workspaces who are not offline, up to [`PRESENCE_LISTED`].
    pub fn listed(&self, workspaces: impl IntoIterator<Item = WorkspaceId>) -> Vec<Presence> {
        let inner = self.0.lock();
        let mut users: HashSet<UserId> = HashSet::new();
        for present in workspaces.into_iter().filter_map(|w| inner.present.get(&w)) {
            users.extend(present.iter().take(PRESENCE_LISTED - users.len().min(PRESENCE_LISTED)));
        }
        let mut listed = inner.presence.of(users);
        listed.retain(|p| p.status != Status::Offline);
        listed.sort_by_key(|p| p.user_id);
        listed
    }

    fn sweep(&self, now_ms: i64) -> Vec<News> {
        let mut inner = self.0.lock();
        let transitions = inner.presence.sweep(now_ms);
        transitions.into_iter().map(|t| inner.news(t)).collect()
    }
}

/// Tells a transition, if there is one, to those who share a workspace with the user.
pub async fn announce(app: &App, news: Option<News>) {
    let Some((transition, workspaces)) = news else { return };
    for workspace in workspaces {
        let event = Event::Presence(transition.clone());
        app.bus.publish(envelope(Topic::Workspace(workspace), Class::Ephemeral, event).into()).await;
    }
}

/// Finds who became away or offline by the passing of time.
pub async fn sweep(app: &App) {
    for news in app.presence.sweep(app.now().millis()) {
        announce(app, Some(news)).await;
    }
}

/// How a user is, for those who share a workspace with them.
pub async fn show(app: &App, actor: Actor, id: UserId) -> Result<Presence> {
    let user = crate::accounts::user(app, actor, id).await?;
    Ok(app.presence.get(user.summary.id))
}

/// Says how one is.
pub async fn update(app: &App, actor: Actor, id: UserId, new: &UpdateStatus) -> Result<Presence> {
    let custom = new.custom_status.as_deref().map(input::custom_status).transpose().field("custom_status")?;
    crate::accounts::user(app, actor, id).await?;
    if id != actor.user {
        return Err(Error::Forbidden("only your own status can be changed"));
    }
    let custom = custom.filter(|text| !text.is_empty());
    let news = app.presence.choose(id, new.status == ChosenStatus::Away, custom, app.now().millis());
    announce(app, news).await;
    Ok(app.presence.get(id))
}

/// Says that one is typing, or no more. `heard` says that the actor's membership is known already.
pub async fn typing(app: &App, actor: Actor, channel_id: ChannelId, typing: bool, heard: bool) -> Result<()> {
    if !heard {
        let mut tx = app.db.read().await?;
        access::channel(&mut tx, actor, channel_id, ChannelPermission::Take).await?;
    }
    let event = Event::Typing(Typing { channel_id, user_id: actor.user, typing });
    app.bus.publish(envelope(Topic::Channel(channel_id), Class::Ephemeral, event).into()).await;
    Ok(())
}
