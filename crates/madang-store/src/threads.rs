//! Threads: which channel holds the replies to which message, and what the message is still to be told of
//! them.
//!
//! Invariants:
//! - A reply, sent or deleted, marks its thread as `untold` in its own transaction. Telling it, which is a
//!   change of the root and takes a version of its channel, takes the mark away.

use madang_proto::{
    ChannelId, MessageId, Timestamp, UserId,
    channels::Channel,
    threads::{MessageThread, ThreadOf},
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

/// The thread of a message.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, root: MessageId) -> Result<Option<ChannelId>> {
    let row = optional!(tx, (i64,), "SELECT id FROM channels WHERE root_id = $1", root.get())?;
    Ok(row.map(|r| r.0.into()))
}

/// Stores a thread that is not there yet (the channel of its root is locked), followed by the root's author.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, c: &Channel, of: ThreadOf, author: UserId) -> Result<()> {
    execute!(
        &mut *tx,
        "INSERT INTO channels (id, workspace_id, kind, name, name_key, topic, is_default, created_by,
                               member_count, last_seq, version, info_version, created_at, parent_id, root_id)
         VALUES ($1, $2, $3, '', '', '', $4, $5, 1, 0, 1, 1, $6, $7, $8)",
        c.id.get(),
        c.workspace_id.get(),
        c.kind.as_str(),
        false,
        c.created_by.map(UserId::get),
        c.created_at.millis(),
        of.channel_id.get(),
        of.root_id.get()
    )?;
    execute!(
        tx,
        "INSERT INTO channel_members (channel_id, user_id, joined_at, last_read_seq, version)
         VALUES ($1, $2, $3, 0, 1)",
        c.id.get(),
        author.get(),
        c.created_at.millis()
    )?;
    Ok(())
}

/// The threads of a channel.
///
/// # Errors
/// When the database fails.
pub async fn of_channel(tx: &mut Tx, channel: ChannelId) -> Result<Vec<ChannelId>> {
    let rows = all!(tx, (i64,), "SELECT id FROM channels WHERE parent_id = $1", channel.get())?;
    Ok(rows.into_iter().map(|r| r.0.into()).collect())
}

/// A reply was deleted.
///
/// # Errors
/// When the database fails.
pub async fn lose_reply(tx: &mut Tx, thread: ChannelId) -> Result<()> {
    execute!(
        tx,
        "UPDATE channels SET deleted_count = deleted_count + 1, untold = TRUE WHERE id = $1",
        thread.get()
    )?;
    Ok(())
}

/// Threads whose roots do not know of their newest replies, and the channels of these roots.
///
/// # Errors
/// When the database fails.
pub async fn untold(tx: &mut Tx, limit: u32) -> Result<Vec<(ChannelId, ChannelId)>> {
    let rows = all!(
        tx,
        (i64, i64),
        "SELECT t.id, t.parent_id FROM channels t JOIN channels p ON p.id = t.parent_id
         WHERE t.untold AND p.deleted_at IS NULL ORDER BY t.id LIMIT $1",
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|r| (r.0.into(), r.1.into())).collect())
}

/// What a root is to be told of its thread, which counts as told from now on. Nothing when it was told.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &mut Tx, thread: ChannelId) -> Result<Option<(MessageId, MessageThread)>> {
    let row = optional!(
        tx,
        (i64, i64, Option<i64>),
        "UPDATE channels SET untold = FALSE WHERE id = $1 AND untold
         RETURNING root_id, last_seq - deleted_count, last_at",
        thread.get()
    )?;
    Ok(row.map(|(root, reply_count, last_at)| {
        let last_reply_at = last_at.map(Timestamp::from);
        (root.into(), MessageThread { channel_id: thread, root_id: None, reply_count, last_reply_at })
    }))
}
