//! Drafts: what someone began to write, one a channel.

use madang_proto::{ChannelId, Timestamp, UserId, drafts::Draft};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    content: String,
    #[sqlx(try_from = "i64")]
    updated_at: Timestamp,
}

impl From<Row> for (i64, Draft) {
    fn from(row: Row) -> Self {
        (row.id, Draft { channel_id: row.channel_id, content: row.content, updated_at: row.updated_at })
    }
}

/// Stores a user's draft, in place of the one before; `id` is its place among theirs.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, user: UserId, draft: &Draft, id: i64) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO drafts (user_id, channel_id, id, content, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, channel_id) DO UPDATE
         SET id = excluded.id, content = excluded.content, updated_at = excluded.updated_at",
        user.get(),
        draft.channel_id.get(),
        id,
        draft.content.as_str(),
        draft.updated_at.millis()
    )?;
    Ok(())
}

/// Forgets a user's draft. False when there was none.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<bool> {
    let sql = "DELETE FROM drafts WHERE user_id = $1 AND channel_id = $2";
    Ok(execute!(tx, sql, user.get(), channel.get())? == 1)
}

/// A user's draft in a channel.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<Option<Draft>> {
    let sql = "SELECT id, channel_id, content, updated_at FROM drafts WHERE user_id = $1 AND channel_id = $2";
    Ok(optional!(tx, Row, sql, user.get(), channel.get())?.map(|row| <(i64, Draft)>::from(row).1))
}

/// How many drafts a user has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, user: UserId) -> Result<i64> {
    let row = optional!(tx, (i64,), "SELECT COUNT(*) FROM drafts WHERE user_id = $1", user.get())?;
    Ok(row.map_or(0, |r| r.0))
}

/// A user's drafts before a place among them, the newest first; each with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId, before: i64, limit: u32) -> Result<Vec<(i64, Draft)>> {
    let rows = all!(
        tx,
        Row,
        "SELECT id, channel_id, content, updated_at FROM drafts
         WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        user.get(),
        before,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(Into::into).collect())
}
