//! Slow mode among several nodes: when a member sent last.
//!
//! Invariants:
//! - Of those who take a member's turn at the same moment, on whichever nodes, one does.

use madang_proto::{ChannelId, Timestamp, UserId};

use crate::{
    Db, Result,
    db::{execute, optional},
};

/// Takes a member's turn unless the one before was after `since`; then gives when that was.
///
/// # Errors
/// When the database fails.
pub async fn take(
    db: &Db,
    (channel, user): (ChannelId, UserId),
    now: Timestamp,
    since: Timestamp,
) -> Result<Option<Timestamp>> {
    let mut tx = db.begin().await?;
    let taken = execute!(
        &mut tx,
        "UPDATE channel_members SET turn_at = $3
         WHERE channel_id = $1 AND user_id = $2 AND (turn_at IS NULL OR turn_at <= $4)",
        channel.get(),
        user.get(),
        now.millis(),
        since.millis()
    )?;
    if taken > 0 {
        tx.commit().await?;
        return Ok(None);
    }
    let sql = "SELECT turn_at FROM channel_members WHERE channel_id = $1 AND user_id = $2 AND turn_at > $3";
    // Who is no member any more is told so by others.
    let before = optional!(&mut tx, (i64,), sql, channel.get(), user.get(), since.millis())?;
    Ok(before.map(|row| row.0.into()))
}

/// Gives a turn back in which nothing was stored.
///
/// # Errors
/// When the database fails.
pub async fn give_back(db: &Db, (channel, user): (ChannelId, UserId)) -> Result<()> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE channel_members SET turn_at = NULL WHERE channel_id = $1 AND user_id = $2";
    execute!(&mut tx, sql, channel.get(), user.get())?;
    tx.commit().await
}
