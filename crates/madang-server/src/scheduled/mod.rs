//! Scheduled messages: sent at a time as their author would send them then.
//!
//! A job begins to send one, from which moment it cannot be changed, and sends it as any message is sent, by a nonce of
//! its own, so that doing it again after a crash gives the same message. Then it is deleted. Rights, limits and
//! access are those of the moment of sending.
//!
//! Invariants:
//! - A scheduled message is sent once, or is kept with the reason; its author hears which.

pub mod http;

use madang_proto::{
    ChannelId, Event, ScheduledId, UserId,
    error::ErrorCode,
    input, limits,
    page::List,
    permissions::ChannelPermission,
    scheduled::{CreateScheduled, Scheduled, ScheduledChange, ScheduledFailure, UpdateScheduled},
};
use madang_realtime::Topic;
use madang_store::{
    jobs,
    scheduled::{self as store, Stored},
};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Field, Result},
    jobs::Job,
    messages::{self, Draft},
};

/// Schedules a message to a channel where the actor may write now.
pub async fn create(app: &App, actor: Actor, channel: ChannelId, new: &CreateScheduled) -> Result<Scheduled> {
    let content = input::content(&new.content).field("content")?;
    let send_at = input::ahead(new.send_at, app.now()).field("send_at")?;
    let mut change = app.change().await?;
    access::channel(change.tx(), actor, channel, ChannelPermission::Take).await?;
    if store::count(change.tx(), actor.user).await? >= limits::SCHEDULED_PER_USER {
        return Err(Error::Conflict(format!("at most {} scheduled messages", limits::SCHEDULED_PER_USER)));
    }
    let scheduled = Scheduled { id: app.id(), channel_id: channel, content, send_at, failed: None };
    let job = change.enqueue(&Job::Scheduled(scheduled.id), send_at).await?;
    let stored = Stored { scheduled, user: actor.user, job };
    store::insert(change.tx(), &stored).await?;
    tell(change, actor.user, stored.scheduled.id, Some(stored.scheduled.clone())).await?;
    Ok(stored.scheduled)
}

/// Changes the text or the time. One that failed is tried again.
pub async fn update(app: &App, actor: Actor, id: ScheduledId, new: UpdateScheduled) -> Result<Scheduled> {
    let content = new.content.map(|content| input::content(&content).field("content")).transpose()?;
    let mut change = app.change().await?;
    let mut stored = own(&mut change, actor, id).await?;
    let scheduled = &mut stored.scheduled;
    scheduled.content = content.unwrap_or_else(|| scheduled.content.clone());
    scheduled.send_at = input::ahead(new.send_at.unwrap_or(scheduled.send_at), app.now()).field("send_at")?;
    scheduled.failed = None;
    jobs::cancel(change.tx(), stored.job).await?;
    stored.job = change.enqueue(&Job::Scheduled(id), stored.scheduled.send_at).await?;
    if !store::update(change.tx(), &stored).await? {
        return Err(being_sent());
    }
    tell(change, actor.user, id, Some(stored.scheduled.clone())).await?;
    Ok(stored.scheduled)
}

/// Deletes it unsent.
pub async fn destroy(app: &App, actor: Actor, id: ScheduledId) -> Result<()> {
    let mut change = app.change().await?;
    let stored = own(&mut change, actor, id).await?;
    if !store::remove(change.tx(), id).await? {
        return Err(being_sent());
    }
    jobs::cancel(change.tx(), stored.job).await?;
    tell(change, actor.user, id, None).await
}

async fn own(change: &mut Change, actor: Actor, id: ScheduledId) -> Result<Stored> {
    store::find(change.tx(), actor.user, id).await?.ok_or(Error::NotFound("scheduled message"))
}

fn being_sent() -> Error {
    Error::Conflict("it is being sent".to_owned())
}

/// What the actor scheduled, the next first.
pub async fn index(app: &App, actor: Actor) -> Result<List<Scheduled>> {
    Ok(List { items: store::of_user(&mut app.db.read().await?, actor.user).await? })
}

async fn tell(mut change: Change, user: UserId, id: ScheduledId, scheduled: Option<Scheduled>) -> Result<()> {
    change.emit(Topic::User(user), Event::Scheduled(ScheduledChange { id, scheduled }));
    change.commit().await
}

/// The job: sends it. What another attempt may change is an error; what not, is told to the author.
pub async fn run(app: &App, id: ScheduledId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let Some(stored) = store::begin(&mut tx, id, app.now()).await? else { return Ok(()) };
    tx.commit().await?;
    match send(app, &stored).await {
        Ok(()) => {
            app.faults.point("scheduled");
            let mut change = app.change().await?;
            store::sent(change.tx(), id).await?;
            tell(change, stored.user, id, None).await
        }
        Err(error) if error.code().is_temporary() || matches!(error, Error::Internal(_)) => Err(error),
        Err(error) => fail(app, stored, error.code(), error.to_string()).await,
    }
}

async fn send(app: &App, Stored { scheduled, user, .. }: &Stored) -> Result<()> {
    let author = Actor::absent(*user);
    let draft = messages::draft(app, author, &scheduled.content, None, Vec::new())?;
    // Nobody can choose a nonce like this one: it has a control character.
    let draft = Draft { nonce: Some(format!("scheduled\n{}", scheduled.id)), ..draft };
    messages::write(app, author, scheduled.channel_id, draft, None).await.map(drop)
}

async fn fail(app: &App, stored: Stored, code: ErrorCode, detail: String) -> Result<()> {
    let failed = ScheduledFailure { code, detail };
    let id = stored.scheduled.id;
    let mut change = app.change().await?;
    store::fail(change.tx(), id, &failed).await?;
    let scheduled = Scheduled { failed: Some(failed), ..stored.scheduled };
    tell(change, stored.user, id, Some(scheduled)).await
}

/// The job failed too often.
pub async fn give_up(app: &App, id: ScheduledId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let Some(stored) = store::begin(&mut tx, id, app.now()).await? else { return Ok(()) };
    tx.commit().await?;
    fail(app, stored, ErrorCode::Unavailable, "it could not be sent, again and again".to_owned()).await
}
