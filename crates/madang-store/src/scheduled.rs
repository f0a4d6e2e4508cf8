//! Scheduled messages.
//!
//! Invariants:
//! - Once one is being sent, only whoever sends it changes it.

use madang_proto::{
    ChannelId, ScheduledId, Timestamp, UserId,
    scheduled::{Scheduled, ScheduledFailure},
};

use crate::{
    Error, Result, Tx,
    db::{all, execute, optional},
    packed,
};

/// A scheduled message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What its author sees of it.
    pub scheduled: Scheduled,
    /// Its author.
    pub user: UserId,
    /// The job that is to send it.
    pub job: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: ScheduledId,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    content: String,
    #[sqlx(try_from = "i64")]
    send_at: Timestamp,
    job_id: i64,
    failed: Option<String>,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let failed = packed::object(row.failed.as_deref())?;
        let Row { id, user_id, channel_id, content, send_at, job_id, .. } = row;
        let scheduled = Scheduled { id, channel_id, content, send_at, failed };
        Ok(Self { scheduled, user: user_id, job: job_id })
    }
}

/// Stores a scheduled message, and the job that is to send it.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &Stored) -> Result<()> {
    let Stored { scheduled, user, job } = new;
    execute!(
        tx,
        "INSERT INTO scheduled_messages (id, user_id, channel_id, content, send_at, job_id)
         VALUES ($1, $2, $3, $4, $5, $6)",
        scheduled.id.get(),
        user.get(),
        scheduled.channel_id.get(),
        scheduled.content.as_str(),
        scheduled.send_at.millis(),
        *job
    )?;
    Ok(())
}

/// The scheduled message of a user with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user: UserId, id: ScheduledId) -> Result<Option<Stored>> {
    let row = optional!(
        tx,
        Row,
        "SELECT id, user_id, channel_id, content, send_at, job_id, failed FROM scheduled_messages
         WHERE id = $1 AND user_id = $2",
        id.get(),
        user.get()
    )?;
    row.map(Stored::try_from).transpose()
}

/// How many a user has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, user: UserId) -> Result<i64> {
    let row =
        optional!(tx, (i64,), "SELECT COUNT(*) FROM scheduled_messages WHERE user_id = $1", user.get())?;
    Ok(row.map_or(0, |r| r.0))
}

/// All of a user, the next first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Scheduled>> {
    let rows = all!(
        tx,
        Row,
        "SELECT id, user_id, channel_id, content, send_at, job_id, failed FROM scheduled_messages
         WHERE user_id = $1 ORDER BY send_at, id",
        user.get()
    )?;
    rows.into_iter().map(|row| Ok(Stored::try_from(row)?.scheduled)).collect()
}

/// Changes text, time and job; it is no longer failed. False when it is being sent.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &mut Tx, now: &Stored) -> Result<bool> {
    let Stored { scheduled, job, .. } = now;
    let touched = execute!(
        tx,
        "UPDATE scheduled_messages SET content = $2, send_at = $3, job_id = $4, failed = NULL
         WHERE id = $1 AND NOT sending",
        scheduled.id.get(),
        scheduled.content.as_str(),
        scheduled.send_at.millis(),
        *job
    )?;
    Ok(touched == 1)
}

/// Deletes it. False when it is being sent.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: ScheduledId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM scheduled_messages WHERE id = $1 AND NOT sending", id.get())? == 1)
}

/// Begins to send it, or goes on with that; `None` when it is not there, not yet due, or failed.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, id: ScheduledId, now: Timestamp) -> Result<Option<Stored>> {
    let row = optional!(
        tx,
        Row,
        "UPDATE scheduled_messages SET sending = TRUE WHERE id = $1 AND send_at <= $2 AND failed IS NULL
         RETURNING id, user_id, channel_id, content, send_at, job_id, failed",
        id.get(),
        now.millis()
    )?;
    row.map(Stored::try_from).transpose()
}

/// It was sent.
///
/// # Errors
/// When the database fails.
pub async fn sent(tx: &mut Tx, id: ScheduledId) -> Result<()> {
    execute!(tx, "DELETE FROM scheduled_messages WHERE id = $1 AND sending", id.get())?;
    Ok(())
}

/// It was not sent.
///
/// # Errors
/// When the database fails.
pub async fn fail(tx: &mut Tx, id: ScheduledId, why: &ScheduledFailure) -> Result<()> {
    let sql = "UPDATE scheduled_messages SET sending = FALSE, failed = $2 WHERE id = $1 AND sending";
    execute!(tx, sql, id.get(), packed::text(why)?)?;
    Ok(())
}
