//! Reminders: what someone wants to be told of at a time, on all their devices. One that is due stays in the list until
//! it is deleted.

pub mod http;

use madang_proto::{
    Event, ReminderId, UserId, input, limits,
    page::List,
    permissions::ChannelPermission,
    reminders::{CreateReminder, Reminder, ReminderChange},
};
use madang_realtime::Topic;
use madang_store::{jobs, reminders as store};

use crate::{
    access,
    app::{Actor, App},
    change::Change,
    error::{Error, Field, Result},
    jobs::Job,
};

/// Sets a reminder, of a message that the actor sees, or of a text of theirs.
pub async fn create(app: &App, actor: Actor, new: CreateReminder) -> Result<Reminder> {
    let CreateReminder { message_id, text, remind_at } = new;
    let text = text.map(|text| input::reminder(&text).field("text")).transpose()?;
    let remind_at = input::ahead(remind_at, app.now()).field("remind_at")?;
    let mut change = app.change().await?;
    let channel_id = match message_id {
        Some(id) => {
            Some(access::message(change.tx(), actor, id, ChannelPermission::View).await?.0.channel_id)
        }
        None if text.is_none() => return Err(Error::field("text", "say what of: a message_id, or a text")),
        None => None,
    };
    if store::count(change.tx(), actor.user).await? >= limits::REMINDERS_PER_USER {
        return Err(Error::Conflict(format!("at most {} reminders", limits::REMINDERS_PER_USER)));
    }
    let reminder = Reminder { id: app.id(), message_id, channel_id, text, remind_at, due: false };
    let job = change.enqueue(&Job::Reminder(reminder.id), remind_at).await?;
    store::insert(change.tx(), actor.user, &reminder, job).await?;
    tell(change, actor.user, reminder.id, Some(reminder.clone())).await?;
    Ok(reminder)
}

/// Deletes a reminder, due or not.
pub async fn destroy(app: &App, actor: Actor, id: ReminderId) -> Result<()> {
    let mut change = app.change().await?;
    let job = store::remove(change.tx(), actor.user, id).await?.ok_or(Error::NotFound("reminder"))?;
    jobs::cancel(change.tx(), job).await?;
    tell(change, actor.user, id, None).await
}

/// The actor's reminders, the next first.
pub async fn index(app: &App, actor: Actor) -> Result<List<Reminder>> {
    Ok(List { items: store::of_user(&mut app.db.read().await?, actor.user).await? })
}

async fn tell(mut change: Change, user: UserId, id: ReminderId, reminder: Option<Reminder>) -> Result<()> {
    change.emit(Topic::User(user), Event::Reminder(ReminderChange { id, reminder }));
    change.commit().await
}

/// The job: its time has come.
pub async fn run(app: &App, id: ReminderId) -> Result<()> {
    let mut change = app.change().await?;
    let Some((user, reminder)) = store::fall_due(change.tx(), id).await? else { return Ok(()) };
    tell(change, user, id, Some(reminder)).await
}
