//! Edit history: what messages said before.

use madang_proto::{MessageId, Timestamp, edits::Edit, limits, messages::Message};

use crate::{
    Result, Tx,
    db::{all, execute},
};

/// Remembers what a message says, before it says something else. The oldest of too many go.
///
/// # Errors
/// When the database fails.
pub async fn remember(tx: &mut Tx, message: &Message) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO edits (message_id, version, content, created_at) VALUES ($1, $2, $3, $4)",
        message.id.get(),
        message.version,
        &message.content,
        message.edited_at.unwrap_or(message.created_at).millis()
    )?;
    execute!(
        tx,
        "DELETE FROM edits WHERE message_id = $1 AND version <= (
             SELECT version FROM edits WHERE message_id = $1 ORDER BY version DESC LIMIT 1 OFFSET $2)",
        message.id.get(),
        limits::EDITS_PER_MESSAGE
    )?;
    Ok(())
}

/// Forgets all that a message said before.
///
/// # Errors
/// When the database fails.
pub async fn clear(tx: &mut Tx, id: MessageId) -> Result<()> {
    execute!(tx, "DELETE FROM edits WHERE message_id = $1", id.get())?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    content: String,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
}

/// What a message said before, oldest first, after a version; each with its own.
///
/// # Errors
/// When the database fails.
pub async fn of_message(tx: &mut Tx, id: MessageId, after: i64, limit: u32) -> Result<Vec<(i64, Edit)>> {
    let rows = all!(
        tx,
        Row,
        "SELECT version, content, created_at FROM edits
         WHERE message_id = $1 AND version > $2 ORDER BY version LIMIT $3",
        id.get(),
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|r| (r.version, Edit { content: r.content, created_at: r.created_at })).collect())
}
