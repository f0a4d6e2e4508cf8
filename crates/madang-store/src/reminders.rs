//! Reminders.

use madang_proto::{ChannelId, MessageId, ReminderId, Timestamp, UserId, reminders::Reminder};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: ReminderId,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    message_id: Option<i64>,
    channel_id: Option<i64>,
    text: Option<String>,
    #[sqlx(try_from = "i64")]
    remind_at: Timestamp,
    due: bool,
}

impl From<Row> for (UserId, Reminder) {
    fn from(row: Row) -> Self {
        let Row { id, user_id, message_id, channel_id, text, remind_at, due } = row;
        let (message_id, channel_id) = (message_id.map(Into::into), channel_id.map(Into::into));
        (user_id, Reminder { id, message_id, channel_id, text, remind_at, due })
    }
}

/// Stores a reminder, and the job that is to remind.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, user: UserId, new: &Reminder, job: i64) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO reminders (id, user_id, message_id, channel_id, text, remind_at, job_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.id.get(),
        user.get(),
        new.message_id.map(MessageId::get),
        new.channel_id.map(ChannelId::get),
        new.text.as_deref(),
        new.remind_at.millis(),
        job
    )?;
    Ok(())
}

/// How many a user has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, user: UserId) -> Result<i64> {
    let row = optional!(tx, (i64,), "SELECT COUNT(*) FROM reminders WHERE user_id = $1", user.get())?;
    Ok(row.map_or(0, |r| r.0))
}

/// All of a user, the next first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Reminder>> {
    let rows = all!(
        tx,
        Row,
        "SELECT id, user_id, message_id, channel_id, text, remind_at, due FROM reminders
         WHERE user_id = $1 ORDER BY remind_at, id",
        user.get()
    )?;
    Ok(rows.into_iter().map(|row| <(UserId, Reminder)>::from(row).1).collect())
}

/// Deletes a user's reminder; gives its job.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId, id: ReminderId) -> Result<Option<i64>> {
    let sql = "DELETE FROM reminders WHERE id = $1 AND user_id = $2 RETURNING job_id";
    Ok(optional!(tx, (i64,), sql, id.get(), user.get())?.map(|row| row.0))
}

/// Its time has come; gives it and whose it is, if it is there and was not due before.
///
/// # Errors
/// When the database fails.
pub async fn fall_due(tx: &mut Tx, id: ReminderId) -> Result<Option<(UserId, Reminder)>> {
    let row = optional!(
        tx,
        Row,
        "UPDATE reminders SET due = TRUE WHERE id = $1 AND NOT due
         RETURNING id, user_id, message_id, channel_id, text, remind_at, due",
        id.get()
    )?;
    Ok(row.map(Into::into))
}
