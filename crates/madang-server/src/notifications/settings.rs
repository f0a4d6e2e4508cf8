//! What someone wants to be notified of. Their other devices hear of each change.

use madang_proto::{
    ChannelId, Event, Timestamp, UserId, WorkspaceId, input, limits,
    notifications::{
        NotificationSettings, QuietHours, UpdateChannelNotifications, UpdateNotificationSettings,
        UpdateWorkspaceNotifications, Weekday,
    },
    permissions::{ChannelPermission, WorkspacePermission},
};
use madang_realtime::Topic;
use madang_store::{
    notification_settings::{self as store, Place},
    search::Keyword,
};

use super::quiet;
use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Field, Result},
    memory::Silent,
};

/// The actor's settings.
pub async fn show(app: &App, actor: Actor) -> Result<NotificationSettings> {
    Ok(store::of_user(&mut app.db.read().await?, actor.user).await?)
}

/// Changes what is not about a place.
pub async fn update(
    app: &App,
    actor: Actor,
    new: UpdateNotificationSettings,
) -> Result<NotificationSettings> {
    let keywords = keywords(&new.keywords)?;
    let quiet_hours = new.quiet_hours.map(quiet_hours).transpose()?;
    let snoozed_until = ahead(app, new.snoozed_until).field("snoozed_until")?;
    let mut change = app.change().await?;
    store::touch(change.tx(), actor.user).await?;
    let settings =
        NotificationSettings { keywords, quiet_hours, snoozed_until, ..NotificationSettings::default() };
    store::update(change.tx(), actor.user, &settings).await?;
    let channels = store::channels_of(change.tx(), actor.user).await?;
    change.touch([Silent::Heed(channels)]);
    tell(change, actor.user).await
}

/// Changes what the actor wants of a workspace.
pub async fn update_workspace(
    app: &App,
    actor: Actor,
    id: WorkspaceId,
    new: UpdateWorkspaceNotifications,
) -> Result<NotificationSettings> {
    let mut change = app.change().await?;
    access::workspace(change.tx(), actor, id, WorkspacePermission::View).await?;
    store::touch(change.tx(), actor.user).await?;
    store::put(change.tx(), actor.user, Place::Workspace(id), new.level, None).await?;
    let channels = store::channels_of(change.tx(), actor.user).await?;
    change.touch([Silent::Heed(channels)]);
    tell(change, actor.user).await
}

/// Changes what the actor wants of a channel that they are in.
pub async fn update_channel(
    app: &App,
    actor: Actor,
    id: ChannelId,
    new: UpdateChannelNotifications,
) -> Result<NotificationSettings> {
    let muted_until = ahead(app, new.muted_until).field("muted_until")?;
    let mut change = app.change().await?;
    let at = access::channel(change.tx(), actor, id, ChannelPermission::View).await?;
    if at.channel().thread.is_some() {
        return Err(Error::Conflict("follow a thread, or follow it no more".to_owned()));
    }
    if at.channel().joined != Some(true) {
        return Err(Error::Forbidden("join the channel first"));
    }
    store::touch(change.tx(), actor.user).await?;
    store::put(change.tx(), actor.user, Place::Channel(id), new.level, muted_until).await?;
    change.touch([Silent::Heed(vec![id])]);
    tell(change, actor.user).await
}

/// Tells the user's devices how all of it is now; of very many places that is refused.
async fn tell(mut change: Change, user: UserId) -> Result<NotificationSettings> {
    let settings = store::of_user(change.tx(), user).await?;
    if settings.channels.len() + settings.workspaces.len() > limits::NOTIFICATION_PLACES {
        let most = limits::NOTIFICATION_PLACES;
        return Err(Error::Conflict(format!("at most {most} workspaces and channels with settings")));
    }
    change.emit(Topic::User(user), Event::NotificationSettings(settings.clone()));
    change.commit().await?;
    Ok(settings)
}

/// A time that is set; one that is past is none.
fn ahead(app: &App, time: Option<Timestamp>) -> std::result::Result<Option<Timestamp>, input::Reason> {
    let now = app.now();
    time.filter(|time| *time > now).map(|time| input::ahead(time, now)).transpose()
}

fn keywords(texts: &[String]) -> Result<Vec<String>> {
    if texts.len() > limits::KEYWORDS_PER_USER {
        return Err(Error::field("keywords", format!("at most {}", limits::KEYWORDS_PER_USER)));
    }
    let (mut words, mut known) = (Vec::new(), Vec::new());
    for text in texts {
        let text = input::keyword(text).field("keywords")?;
        let keyword = Keyword::new(&text).ok_or_else(|| Error::field("keywords", "letters or digits"))?;
        // What differs in case only is the same.
        if !known.contains(&keyword) {
            known.push(keyword);
            words.push(text);
        }
    }
    Ok(words)
}

fn quiet_hours(hours: QuietHours) -> Result<QuietHours> {
    if quiet::time_zone(&hours.time_zone).is_none() {
        return Err(Error::field("quiet_hours.time_zone", "no time zone has this name; like Asia/Seoul"));
    }
    let mut days: Vec<Weekday> = Vec::new();
    for day in hours.days {
        if !days.contains(&day) {
            days.push(day);
        }
    }
    if days.is_empty() {
        return Err(Error::field("quiet_hours.days", "at least one"));
    }
    Ok(QuietHours { days, ..hours })
}
