//! Retention: which messages are too old, and removing them with all that belongs to them.
//!
//! Two steps. The first moves a channel's `first_seq`, in one change with a version, whatever number of messages that is
//! ([`due`], [`raise`]): from then on they are gone for whoever looks. The second deletes what is below, in small
//! transactions ([`leftovers`], [`purge`]).
//!
//! Invariants:
//! - What is below a channel's `first_seq` is deleted, also after a crash in between: it is found by that number.
//! - The thread of a message goes with it.
//! - No transaction deletes more than the messages that it is told to.

use madang_proto::{ChannelId, Timestamp, WorkspaceId, retention::Retention};

use crate::{
    Db, Error, Result, Tx,
    db::{all, counted, execute, optional},
    message_archive,
    notifications::{self, Touched},
    packed,
};

const DAY_MS: i64 = 86_400_000;

/// Stores the rule of a workspace.
///
/// # Errors
/// When the database fails.
pub async fn set_of_workspace(tx: &mut Tx, id: WorkspaceId, rule: Retention) -> Result<()> {
    let days = rule.days.map(i64::from);
    execute!(tx, "UPDATE workspaces SET retention_days = $1 WHERE id = $2", days, id.get())?;
    Ok(())
}

/// Stores the rule of a channel, or that it has none; gives the version that this change made.
///
/// # Errors
/// `NotFound` when the channel is gone.
pub async fn set_of_channel(tx: &mut Tx, id: ChannelId, rule: Option<Retention>) -> Result<i64> {
    let days = rule.map(|rule| rule.days.map_or(0, i64::from));
    let row = optional!(
        tx,
        (i64,),
        "UPDATE channels SET retention_days = $1, version = version + 1, info_version = version + 1
         WHERE id = $2 AND deleted_at IS NULL RETURNING version",
        days,
        id.get()
    )?;
    row.map(|r| r.0).ok_or(Error::NotFound)
}

/// A channel whose oldest message is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    id: i64,
    days: i64,
    first_seq: i64,
    last_seq: i64,
}

impl Due {
    /// Which.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        self.id.into()
    }

    /// After how many days its messages go.
    #[must_use]
    pub const fn days(&self) -> i64 {
        self.days
    }

    /// The `seq` of its oldest message.
    #[must_use]
    pub const fn first_seq(&self) -> i64 {
        self.first_seq
    }
}

/// Channels whose oldest message is too old, after a channel, by id; deleted ones among them. Threads are not: they go with
/// their roots.
///
/// # Errors
/// When the database fails.
pub async fn due(db: &Db, now: Timestamp, after: Option<ChannelId>, limit: u32) -> Result<Vec<Due>> {
    all!(
        &mut db.read().await?.unhurried(),
        Due,
        "SELECT id, days, first_seq, last_seq FROM (
             SELECT c.id, c.first_seq, c.last_seq, COALESCE(c.retention_days, w.retention_days, 0) AS days
             FROM channels c JOIN workspaces w ON w.id = c.workspace_id
             WHERE c.first_seq <= c.last_seq AND c.root_id IS NULL) AS ruled
         WHERE days > 0 AND id > $2 AND (
             EXISTS (SELECT 1 FROM messages m WHERE m.channel_id = ruled.id AND m.seq = ruled.first_seq
                       AND m.created_at < $1 - ruled.days * 86400000)
             OR EXISTS (SELECT 1 FROM messages_archive m WHERE m.channel_id = ruled.id AND m.seq = ruled.first_seq
                          AND m.created_at < $1 - ruled.days * 86400000))
         ORDER BY id LIMIT $3",
        now.millis(),
        after.map_or(0, ChannelId::get),
        i64::from(limit)
    )
}

/// The `seq` of the first message of such a channel that is not too old, or that the next one will have.
///
/// # Errors
/// When the database fails.
pub async fn first_to_stay(db: &Db, due: &Due, now: Timestamp) -> Result<i64> {
    let row = optional!(
        &mut db.read().await?.unhurried(),
        (Option<i64>,),
        "SELECT MIN(seq) FROM (
             SELECT seq FROM (SELECT seq FROM messages WHERE channel_id = $1 AND seq >= $2 AND created_at >= $3
                              ORDER BY seq LIMIT 1) AS live
             UNION ALL
             SELECT seq FROM (SELECT seq FROM messages_archive WHERE channel_id = $1 AND seq >= $2 AND created_at >= $3
                              ORDER BY seq LIMIT 1) AS old) AS firsts",
        due.id,
        due.first_seq,
        now.millis() - due.days * DAY_MS
    )?;
    Ok(row.and_then(|row| row.0).unwrap_or(due.last_seq + 1))
}

/// Lets a channel begin at this `seq`, if its rule is still the same. False when nothing changed.
///
/// # Errors
/// When the database fails.
pub async fn raise(tx: &mut Tx, due: &Due, seq: i64) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE channels SET first_seq = $1, version = version + 1, info_version = version + 1
         WHERE id = $2 AND first_seq < $1
           AND COALESCE(retention_days, (SELECT w.retention_days FROM workspaces w WHERE w.id = workspace_id)) = $3",
        seq,
        due.id,
        due.days
    )?;
    Ok(touched == 1)
}

/// Channels with messages that are to be deleted.
///
/// # Errors
/// When the database fails.
pub async fn leftovers(db: &Db, limit: u32) -> Result<Vec<ChannelId>> {
    let rows = all!(
        &mut db.read().await?.unhurried(),
        (i64,),
        "SELECT c.id FROM channels c WHERE c.first_seq > 1 AND (
             EXISTS (SELECT 1 FROM messages m WHERE m.channel_id = c.id AND m.seq < c.first_seq)
             OR EXISTS (SELECT 1 FROM messages_archive m WHERE m.channel_id = c.id AND m.seq < c.first_seq))
         ORDER BY c.id LIMIT $1",
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| row.0.into()).collect())
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// The messages.
    pub ids: Vec<i64>,
    /// Threads that went with their roots; their messages are leftovers now.
    pub threads: Vec<ChannelId>,
    /// Whether files go.
    pub files: bool,
    /// Notifications of them.
    pub notifications: Vec<Touched>,
}

/// Runs a statement for some ids.
macro_rules! of_ids {
    ($tx:expr, $ids:expr, $before:literal) => {
        match counted(&mut *$tx) {
            Tx::Sqlite(c) => sqlx::query(concat!($before, " IN (SELECT value FROM json_each($1))"))
                .bind(packed::text($ids)?)
                .execute(&mut **c)
                .await
                .map(|done| done.rows_affected()),
            Tx::Postgres(c) => sqlx::query(concat!($before, " = ANY($1)"))
                .bind($ids.to_vec())
                .execute(&mut **c)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err(Error::from)
    };
}

/// Deletes some of the messages of a channel that are below its first, oldest first, with what belongs to them. Those
/// that SQLite has in its archive, [`message_archive::remove`] has to delete after the commit.
///
/// # Errors
/// When the database fails.
pub async fn purge(tx: &mut Tx, channel: ChannelId, now: Timestamp, limit: u32) -> Result<Purged> {
    let rows = all!(
        &mut *tx,
        (i64, i64),
        "SELECT seq, id FROM (
             SELECT * FROM (SELECT seq, id FROM messages_archive WHERE channel_id = $1
                            AND seq < (SELECT first_seq FROM channels WHERE id = $1) ORDER BY seq LIMIT $2) AS old
             UNION
             SELECT * FROM (SELECT seq, id FROM messages WHERE channel_id = $1
                            AND seq < (SELECT first_seq FROM channels WHERE id = $1) ORDER BY seq LIMIT $2) AS live) AS every
         ORDER BY seq LIMIT $2",
        channel.get(),
        i64::from(limit)
    )?;
    let Some((last, _)) = rows.last() else { return Ok(Purged::default()) };
    let ids: Vec<i64> = rows.iter().map(|(_, id)| *id).collect();
    let threads = end_threads(tx, &ids, now).await?;
    let notifications = notifications::remove_of_messages(tx, &ids).await?;
    execute!(&mut *tx, "DELETE FROM mentions WHERE channel_id = $1 AND seq <= $2", channel.get(), last)?;
    of_ids!(tx, &ids, "DELETE FROM reactions WHERE message_id")?;
    of_ids!(tx, &ids, "DELETE FROM edits WHERE message_id")?;
    of_ids!(tx, &ids, "DELETE FROM saved_messages WHERE message_id")?;
    match tx {
        Tx::Sqlite(_) => of_ids!(tx, &ids, "DELETE FROM message_words WHERE rowid")?,
        Tx::Postgres(_) => of_ids!(tx, &ids, "DELETE FROM message_words WHERE id")?,
    };
    let files = of_ids!(tx, &ids, "UPDATE files SET state = 'removed' WHERE message_id")? > 0;
    of_ids!(tx, &ids, "DELETE FROM messages WHERE id")?;
    if let Tx::Postgres(_) = tx {
        of_ids!(tx, &ids, "DELETE FROM messages_archive WHERE id")?;
    }
    Ok(Purged { ids, threads, files, notifications })
}

/// Ends the threads of these roots.
async fn end_threads(tx: &mut Tx, roots: &[i64], now: Timestamp) -> Result<Vec<ChannelId>> {
    macro_rules! end {
        ($roots:literal) => {
            concat!(
                "UPDATE channels SET deleted_at = $2, first_seq = last_seq + 1, version = version + 1,
                                     info_version = version + 1
                 WHERE deleted_at IS NULL AND root_id ",
                $roots,
                " RETURNING id"
            )
        };
    }
    let ended: Vec<i64> = match counted(tx) {
        Tx::Sqlite(c) => {
            let ids = packed::text(roots)?;
            sqlx::query_scalar(end!("IN (SELECT value FROM json_each($1))"))
                .bind(ids)
                .bind(now.millis())
                .fetch_all(&mut **c)
                .await?
        }
        Tx::Postgres(c) => {
            // In the order in which everyone locks several.
            sqlx::query("SELECT 1 FROM channels WHERE root_id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR UPDATE")
                .bind(roots.to_vec())
                .execute(&mut **c)
                .await?;
            sqlx::query_scalar(end!("= ANY($1)"))
                .bind(roots.to_vec())
                .bind(now.millis())
                .fetch_all(&mut **c)
                .await?
        }
    };
    Ok(ended.into_iter().map(ChannelId::from).collect())
}

/// Forgets what [`purge`] deleted where the archive is a file of its own.
///
/// # Errors
/// When the database fails; the next run finds it again.
pub async fn forget(db: &Db, purged: &Purged) -> Result<()> {
    message_archive::remove(db, &purged.ids).await
}
