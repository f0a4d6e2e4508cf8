//! Saved messages: what someone keeps for later.

use std::{collections::HashMap, sync::LazyLock};

use madang_proto::{MessageId, Timestamp, UserId, messages::Message, saved::Saved};

use crate::{
    Result, Tx,
    db::{all, counted, execute, optional},
    packed::{self, Packed, Texts},
};

/// Saves a message for a user; `id` is its place among theirs. False when it was saved already.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, user: UserId, message: MessageId, id: i64, now: Timestamp) -> Result<bool> {
    let touched = execute!(
        tx,
        "INSERT INTO saved_messages (user_id, message_id, id, saved_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, message_id) DO NOTHING",
        user.get(),
        message.get(),
        id,
        now.millis()
    )?;
    Ok(touched == 1)
}

/// Keeps a message no longer for a user. False when it was not saved.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user: UserId, message: MessageId) -> Result<bool> {
    let touched = execute!(
        tx,
        "DELETE FROM saved_messages WHERE user_id = $1 AND message_id = $2",
        user.get(),
        message.get()
    )?;
    Ok(touched == 1)
}

/// How many messages a user saved, also those that they cannot see any more.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, user: UserId) -> Result<i64> {
    let row = optional!(tx, (i64,), "SELECT COUNT(*) FROM saved_messages WHERE user_id = $1", user.get())?;
    Ok(row.map_or(0, |r| r.0))
}

/// Of the messages that user `$1` saved, those before the place `$2` that they may still see, the newest
/// `$3` of them.
macro_rules! shown {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM saved_messages s
              LEFT JOIN messages m ON m.id = s.message_id
              LEFT JOIN messages_archive o ON o.id = s.message_id AND m.id IS NULL
              JOIN channels c ON c.id = COALESCE(m.channel_id, o.channel_id) AND c.deleted_at IS NULL
                  AND COALESCE(m.deleted_at, o.deleted_at) IS NULL
                  AND COALESCE(m.seq, o.seq) >= c.first_seq
              JOIN workspace_members w ON w.workspace_id = c.workspace_id AND w.user_id = s.user_id
              LEFT JOIN channel_members cm
                  ON cm.channel_id = c.id AND cm.user_id = s.user_id AND cm.left_at IS NULL
              WHERE s.user_id = $1 AND s.id < $2 AND ((c.kind = 'public' AND w.role <> 'visitor') OR cm.user_id IS NOT NULL)
              ORDER BY s.id DESC LIMIT $3"
        )
    };
}

static SHOWN: LazyLock<Texts> = LazyLock::new(|| {
    let page = concat!("WITH shown AS (", shown!("s.message_id AS id"), "), ");
    Texts::new(&format!("{page}{}", packed::page_of_ids("shown")), "$1", "$1")
});

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    #[sqlx(try_from = "i64")]
    message_id: MessageId,
    #[sqlx(try_from = "i64")]
    saved_at: Timestamp,
}

/// The messages that a user saved and may still see, before a place among them, the newest first; each
/// with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId, before: i64, limit: u32) -> Result<Vec<(i64, Saved)>> {
    let Texts { sqlite, postgres } = &*SHOWN;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str())
                .bind(user.get())
                .bind(before)
                .bind(i64::from(limit))
                .fetch_one(&mut **$c)
                .await
        };
    }
    let packed = match counted(&mut *tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    let messages = packed::unpack(&packed?)?.into_iter().map(|message| (message.id, message));
    let mut messages: HashMap<MessageId, Message> = messages.collect();
    let rows = all!(tx, Row, shown!("s.id, s.message_id, s.saved_at"), user.get(), before, i64::from(limit))?;
    let saved =
        |r: Row| Some((r.id, Saved { message: messages.remove(&r.message_id)?, saved_at: r.saved_at }));
    Ok(rows.into_iter().filter_map(saved).collect())
}
