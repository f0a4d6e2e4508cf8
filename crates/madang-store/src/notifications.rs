//! Notifications: rows that say of what someone is told, and how many of theirs are unread.
//!
//! Invariants:
//! - Of a message there is one notification for a user at most, whoever stores it and how often.
//! - How many there are goes with the rows, in the same transaction ([`count`]): rows first, then the counts in the
//!   order of the users, so that two transactions never wait for each other there.
//! - Each function is one statement, however many rows it is about.

mod list;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use madang_proto::{
    ChannelId, MessageId, NotificationId, Timestamp, UserId, limits,
    notifications::{NotificationCount, NotificationKind},
};

pub use self::list::of_user;
use crate::{
    Result, Tx,
    db::{all, counted, optional},
    packed::{self, Texts},
};

/// A notification to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The id.
    pub id: NotificationId,
    /// Whose.
    pub user: UserId,
    /// Why.
    pub kind: NotificationKind,
    /// The message's channel.
    pub channel: ChannelId,
    /// The channel in which they have to be to see it.
    pub home: ChannelId,
    /// The message.
    pub message: Option<MessageId>,
    /// Its place in the channel.
    pub seq: i64,
    /// Who wrote or invited.
    pub author: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Without a sound.
    pub silent: bool,
    /// They have read the message already.
    pub read: bool,
}

/// A row that was stored, read or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Touched {
    /// The notification.
    #[sqlx(try_from = "i64")]
    pub id: NotificationId,
    /// Whose.
    #[sqlx(try_from = "i64")]
    pub user_id: UserId,
    /// Whether it was read; of one that was just read, that it is.
    pub is_read: bool,
}

/// What becomes of a user's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// So many unread ones more.
    pub unread: i64,
    /// So many more in all.
    pub kept: i64,
}

/// A user's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// As on the wire.
    pub count: NotificationCount,
    /// How many there are in all.
    pub kept: i64,
}

/// A statement whose first value is rows as JSON.
macro_rules! with_rows {
    ($tx:expr, $texts:expr, $row:ty, $rows:expr) => {{
        let (Texts { sqlite, postgres }, rows) = (&*$texts, packed::text($rows)?);
        match counted($tx) {
            Tx::Sqlite(c) => sqlx::query_as::<_, $row>(sqlite.as_str()).bind(rows).fetch_all(&mut **c).await,
            Tx::Postgres(c) => {
                sqlx::query_as::<_, $row>(postgres.as_str()).bind(rows).fetch_all(&mut **c).await
            }
        }
        .map_err(crate::Error::from)
    }};
}

/// The rows of a JSON list; where rows of the table are looked for, `{locked}` locks them in one order.
fn rows(query: &str) -> Texts {
    let text = |rows, locked| query.replace("{rows}", rows).replace("{locked}", locked);
    Texts {
        sqlite: text("json_each($1)", ""),
        postgres: text("json_array_elements($1::json) AS rows (value)", "ORDER BY n.id FOR UPDATE OF n"),
    }
}

/// Changes the notifications of which something holds, and gives them. They are locked by id first, so that two who change
/// several never wait for each other.
macro_rules! touched {
    ($tx:expr, $change:literal, $which:literal $(, $arg:expr)* $(,)?) => {{
        macro_rules! statement {
            ($c:ident, $locked:literal) => {
                sqlx::query_as::<_, Touched>(concat!(
                    $change,
                    " WHERE id IN (SELECT id FROM notifications WHERE ",
                    $which,
                    $locked,
                    ") RETURNING id, user_id, is_read"
                ))
                $(.bind($arg))*
                .fetch_all(&mut **$c)
                .await
            };
        }
        match counted($tx) {
            Tx::Sqlite(c) => statement!(c, ""),
            Tx::Postgres(c) => statement!(c, " ORDER BY id FOR UPDATE"),
        }
        .map_err(crate::Error::from)
    }};
}

static INSERT: LazyLock<Texts> = LazyLock::new(|| {
    rows(
        "INSERT INTO notifications (id, user_id, kind, channel_id, home_id, message_id, seq, author_id, created_at,
                                    silent, is_read)
         SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, CAST(value ->> 3 AS BIGINT),
                CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT),
                CAST(value ->> 7 AS BIGINT), CAST(value ->> 8 AS BIGINT), CAST(value ->> 9 AS BOOLEAN),
                CAST(value ->> 10 AS BOOLEAN)
         FROM {rows}
         WHERE (value ->> 5 IS NULL OR EXISTS (
                    SELECT 1 FROM messages m WHERE m.id = CAST(value ->> 5 AS BIGINT) AND m.deleted_at IS NULL))
           AND EXISTS (SELECT 1 FROM channel_members s
                       WHERE s.channel_id = CAST(value ->> 4 AS BIGINT) AND s.user_id = CAST(value ->> 1 AS BIGINT)
                         AND s.left_at IS NULL)
         ON CONFLICT (message_id, user_id) DO NOTHING RETURNING id, user_id, is_read",
    )
});

/// Stores notifications; gives those that were not there, whose messages are there and not deleted, and whose users are in
/// the channel.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, news: &[NewRow]) -> Result<Vec<Touched>> {
    let row = |new: &NewRow| {
        let places = (new.channel.get(), new.home.get(), new.message.map(MessageId::get), new.seq);
        let (channel, home, message, seq) = places;
        (
            new.id.get(),
            new.user.get(),
            new.kind.as_str(),
            channel,
            home,
            message,
            seq,
            new.author.get(),
            new.created_at.millis(),
            new.silent,
            new.read,
        )
    };
    let mut rows: Vec<_> = news.iter().map(row).collect();
    // In one order, so that two who store the same never wait for each other.
    rows.sort_unstable_by_key(|row| (row.5, row.1));
    with_rows!(tx, INSERT, Touched, &rows)
}

static COUNT: LazyLock<Texts> = LazyLock::new(|| {
    rows(
        "INSERT INTO notification_users (user_id, version, unread, kept)
         SELECT CAST(value ->> 0 AS BIGINT), 1, CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT)
         FROM {rows} WHERE TRUE
         ON CONFLICT (user_id) DO UPDATE
         SET version = notification_users.version + 1,
             unread = notification_users.unread + excluded.unread, kept = notification_users.kept + excluded.kept
         RETURNING user_id, version, unread, kept",
    )
});

/// Takes the differences into the numbers of their users; gives these, each with its next version.
///
/// # Errors
/// When the database fails.
pub async fn count(
    tx: &mut Tx,
    differences: &BTreeMap<UserId, Difference>,
) -> Result<HashMap<UserId, Numbers>> {
    if differences.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<_> = differences.iter().map(|(user, by)| (user.get(), by.unread, by.kept)).collect();
    let rows = with_rows!(tx, COUNT, (i64, i64, i64, i64), &rows)?;
    let numbers = |(user, version, unread, kept)| {
        (UserId::from(user), Numbers { count: NotificationCount { unread, version }, kept })
    };
    Ok(rows.into_iter().map(numbers).collect())
}

/// How many a user has not read.
///
/// # Errors
/// When the database fails.
pub async fn count_of(tx: &mut Tx, user: UserId) -> Result<NotificationCount> {
    let sql = "SELECT unread, version FROM notification_users WHERE user_id = $1";
    let row = optional!(tx, (i64, i64), sql, user.get())?;
    Ok(row.map(|(unread, version)| NotificationCount { unread, version }).unwrap_or_default())
}

/// The channels in which a user has unread ones.
///
/// # Errors
/// When the database fails.
pub async fn unread_in(tx: &mut Tx, user: UserId) -> Result<Vec<ChannelId>> {
    let sql = "SELECT DISTINCT channel_id FROM notifications WHERE user_id = $1 AND NOT is_read";
    let rows = all!(tx, (i64,), sql, user.get())?;
    Ok(rows.into_iter().map(|(id,)| id.into()).collect())
}

/// A user's unread notifications of a channel, up to a place in it, are read; gives them.
///
/// # Errors
/// When the database fails.
pub async fn read_channel(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<Vec<Touched>> {
    touched!(
        tx,
        "UPDATE notifications SET is_read = TRUE",
        "user_id = $1 AND channel_id = $2 AND seq <= $3 AND NOT is_read",
        user.get(),
        channel.get(),
        seq
    )
}

static READ_BY: LazyLock<Texts> = LazyLock::new(|| {
    rows(
        "UPDATE notifications SET is_read = TRUE
         WHERE NOT is_read AND id IN (
             SELECT n.id FROM {rows} JOIN notifications n
             ON n.user_id = CAST(value ->> 0 AS BIGINT) AND n.channel_id = CAST(value ->> 1 AS BIGINT)
                AND n.seq <= CAST(value ->> 2 AS BIGINT) AND NOT n.is_read {locked})
         RETURNING id, user_id, is_read",
    )
});

/// The same for whoever wrote in a channel, each up to their newest message.
///
/// # Errors
/// When the database fails.
pub async fn read_by_writing(
    tx: &mut Tx,
    channel: ChannelId,
    marks: &BTreeMap<UserId, i64>,
) -> Result<Vec<Touched>> {
    let rows: Vec<_> = marks.iter().map(|(user, seq)| (user.get(), channel.get(), *seq)).collect();
    with_rows!(tx, READ_BY, Touched, &rows)
}

static READ_IDS: LazyLock<Texts> = LazyLock::new(|| {
    rows(
        "UPDATE notifications SET is_read = TRUE
         WHERE NOT is_read AND id IN (
             SELECT n.id FROM {rows} JOIN notifications n
             ON n.id = CAST(value ->> 0 AS BIGINT) AND n.user_id = CAST(value ->> 1 AS BIGINT) {locked})
         RETURNING id, user_id, is_read",
    )
});

/// These of a user are read; gives those that were not.
///
/// # Errors
/// When the database fails.
pub async fn read(tx: &mut Tx, user: UserId, ids: &[NotificationId]) -> Result<Vec<Touched>> {
    let rows: Vec<_> = ids.iter().map(|id| (id.get(), user.get())).collect();
    with_rows!(tx, READ_IDS, Touched, &rows)
}

/// All of a user are read up to one; gives those that were not.
///
/// # Errors
/// When the database fails.
pub async fn read_up_to(tx: &mut Tx, user: UserId, id: NotificationId) -> Result<Vec<Touched>> {
    touched!(
        tx,
        "UPDATE notifications SET is_read = TRUE",
        "user_id = $1 AND id <= $2 AND NOT is_read",
        user.get(),
        id.get()
    )
}

/// Removes those of a message.
///
/// # Errors
/// When the database fails.
pub async fn remove_of_message(tx: &mut Tx, message: MessageId) -> Result<Vec<Touched>> {
    touched!(tx, "DELETE FROM notifications", "message_id = $1", message.get())
}

/// Removes those of these messages.
pub(crate) async fn remove_of_messages(tx: &mut Tx, messages: &[i64]) -> Result<Vec<Touched>> {
    let found = match counted(tx) {
        Tx::Sqlite(c) => {
            let ids = packed::text(messages)?;
            sqlx::query_as(
                "DELETE FROM notifications WHERE message_id IN (SELECT value FROM json_each($1))
                 RETURNING id, user_id, is_read",
            )
            .bind(ids)
            .fetch_all(&mut **c)
            .await?
        }
        Tx::Postgres(c) => {
            sqlx::query_as(
                "DELETE FROM notifications
                 WHERE id IN (SELECT id FROM notifications WHERE message_id = ANY($1) ORDER BY id FOR UPDATE)
                 RETURNING id, user_id, is_read",
            )
            .bind(messages.to_vec())
            .fetch_all(&mut **c)
            .await?
        }
    };
    Ok(found)
}

/// Removes those of a channel that is gone, and of its threads.
///
/// # Errors
/// When the database fails.
pub async fn remove_of_channel(tx: &mut Tx, home: ChannelId) -> Result<Vec<Touched>> {
    touched!(tx, "DELETE FROM notifications", "home_id = $1", home.get())
}

/// Removes those of a user from channels that they are not in.
///
/// # Errors
/// When the database fails.
pub async fn remove_unseen(tx: &mut Tx, user: UserId) -> Result<Vec<Touched>> {
    touched!(
        tx,
        "DELETE FROM notifications",
        "user_id = $1 AND NOT EXISTS (
             SELECT 1 FROM channel_members m
             WHERE m.channel_id = notifications.home_id AND m.user_id = $1 AND m.left_at IS NULL)",
        user.get()
    )
}

/// Removes a user's oldest beyond what is kept.
///
/// # Errors
/// When the database fails.
pub async fn trim(tx: &mut Tx, user: UserId) -> Result<Vec<Touched>> {
    touched!(
        tx,
        "DELETE FROM notifications",
        "user_id = $1 AND id <= (
             SELECT id FROM notifications WHERE user_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        user.get(),
        limits::NOTIFICATIONS_KEPT
    )
}
