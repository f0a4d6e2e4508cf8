//! Read marks.

use madang_proto::{ChannelId, UserId};

use crate::{Result, Tx, db::execute};

/// Moves a member's read mark forward. False when it stood there or further already.
///
/// # Errors
/// When the database fails.
pub async fn advance(tx: &mut Tx, channel: ChannelId, user: UserId, seq: i64) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE channel_members SET last_read_seq = $1
         WHERE channel_id = $2 AND user_id = $3 AND left_at IS NULL AND last_read_seq < $1",
        seq,
        channel.get(),
        user.get()
    )?;
    Ok(touched == 1)
}
