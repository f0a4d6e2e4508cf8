//! Profiles: how people show to each other, and how those who show them learn that it changed.
//!
//! A change takes the next version of all profiles and is told, as `USER`, to the workspaces of its user, to those
//! with whom only a direct message is left, and to the visitors of their channels; not to each channel. Who was away asks for what changed after the version
//! that they know, if `READY` names a newer one.
//!
//! Invariants:
//! - Changes of profiles are stored one after the other: the version is taken before the user is read.
//! - A profile is told without what is private.

pub mod http;

use bytes::Bytes;
use futures_util::Stream;
use madang_proto::{
    Event, UserId, WorkspaceId,
    accounts::User,
    input, limits,
    profiles::{UpdateUser, UserChange, UserChanges},
};
use madang_realtime::Topic;
use madang_store::{accounts, files, profiles as store, workspaces};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Field, Result},
    files::avatars,
    ratelimit::Limit,
};

/// A change of the actor's own profile.
struct Editing {
    change: Change,
    user: User,
    version: i64,
}

impl Editing {
    async fn of(app: &App, actor: Actor, id: UserId) -> Result<Self> {
        let mut change = app.change().await?;
        let version = store::next_version(change.tx()).await?;
        let user = access::oneself(change.tx(), actor, id).await?;
        Ok(Self { change, user, version })
    }

    /// Stores and tells it.
    async fn commit(self) -> Result<User> {
        let Self { mut change, user, version } = self;
        let id = user.summary.id;
        store::update(change.tx(), &user, version).await?;
        let mut topics = vec![Topic::User(id)];
        let homes = workspaces::of_user(change.tx(), id).await?;
        topics.extend(homes.into_iter().map(|workspace| Topic::Workspace(workspace.id)));
        topics.extend(store::outside(change.tx(), id).await?.into_iter().map(Topic::User));
        let told = UserChange { user: User { email: None, ..user.clone() }, version };
        change.emit_to_all(&topics, &Event::User(told));
        change.commit().await?;
        Ok(user)
    }
}

/// Changes one's own profile.
pub async fn update(app: &App, actor: Actor, id: UserId, new: UpdateUser) -> Result<User> {
    let name = new.display_name.as_deref().map(input::display_name).transpose().field("display_name")?;
    let about = new.about.as_deref().map(input::about).transpose().field("about")?;
    let time_zone = new.time_zone.as_deref().map(input::time_zone).transpose().field("time_zone")?;
    app.limits.check(Limit::ProfileByUser, actor.user)?;
    let mut editing = Editing::of(app, actor, id).await?;
    let before = editing.user.clone();
    let user = &mut editing.user;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    name.into_iter().for_each(|name| user.summary.display_name = name);
    about.into_iter().for_each(|about| user.about = filled(about));
    time_zone.into_iter().for_each(|zone| user.time_zone = filled(zone));
    if *user == before {
        return Ok(before);
    }
    editing.commit().await
}

/// Makes a picture of at most `size` bytes one's own avatar.
pub async fn set_avatar(
    app: &App,
    actor: Actor,
    id: UserId,
    size: i64,
    body: impl Stream<Item = Result<Bytes>> + Unpin,
) -> Result<User> {
    access::oneself(&mut app.db.read().await?, actor, id).await?;
    app.limits.check(Limit::ProfileByUser, actor.user)?;
    let avatar = avatars::create(app, actor, size, body).await?;
    let mut editing = Editing::of(app, actor, id).await?;
    if !files::complete_avatar(editing.change.tx(), avatar.file()).await? {
        return Err(Error::NotFound("upload"));
    }
    editing.user.summary.avatar_url = Some(avatar.url());
    let user = editing.commit().await?;
    avatar.settled();
    Ok(user)
}

/// Removes one's own avatar.
pub async fn remove_avatar(app: &App, actor: Actor, id: UserId) -> Result<()> {
    app.limits.check(Limit::ProfileByUser, actor.user)?;
    let mut editing = Editing::of(app, actor, id).await?;
    if editing.user.summary.avatar_url.take().is_none() {
        return Ok(());
    }
    files::remove_avatar(editing.change.tx(), id).await?;
    editing.commit().await?;
    app.storage.removed.notify_one();
    Ok(())
}

/// Tells a workspace how someone who came into it shows, where that ever changed: they may have been in it before, and
/// be shown as they were then.
pub async fn introduce(change: &mut Change, workspace: WorkspaceId, id: UserId) -> Result<()> {
    if store::version_of(change.tx(), id).await? == 0 {
        return Ok(());
    }
    let version = store::next_version(change.tx()).await?;
    if let Some(user) = accounts::by_id(change.tx(), id).await? {
        store::update(change.tx(), &user, version).await?;
        let told = UserChange { user: User { email: None, ..user }, version };
        change.emit(Topic::Workspace(workspace), Event::User(told));
    }
    Ok(())
}

/// Whose profile changed after a version, of those whom the actor sees.
pub async fn changes(app: &App, actor: Actor, after: i64) -> Result<UserChanges> {
    if after < 0 {
        return Err(Error::field("after", "a version, or 0 for all"));
    }
    let mut tx = app.db.read().await?;
    let most = usize::try_from(limits::CHANGES_MAX).unwrap_or(usize::MAX);
    let mut changed = store::changed(&mut tx, actor.user, after, limits::CHANGES_MAX + 1).await?;
    let more = changed.len() > most;
    changed.truncate(most);
    let version = match changed.last() {
        Some((_, last)) if more => *last,
        _ => store::newest_version(&mut tx).await?,
    };
    let users = changed.into_iter().map(|(user, _)| User { email: None, ..user }).collect();
    Ok(UserChanges { users, version, more })
}

/// What the start of the server has to know: how new the newest profile is.
pub async fn load(app: &App) -> Result<()> {
    app.memory.profiles.begin(store::newest_version(&mut app.db.read().await?).await?);
    Ok(())
}
