//! Pins: which messages of a channel are kept at hand, since when and by whom.

use std::{collections::HashMap, sync::LazyLock};

use madang_proto::{
    ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message, pins::Pin,
};

use crate::{
    Result, Tx,
    db::{all, counted, execute, optional},
    packed::{self, ARCHIVED, KEPT, Packed, Texts},
};

/// Pins a message, or unpins it.
///
/// # Errors
/// When the database fails.
pub async fn set(tx: &mut Tx, id: MessageId, by: Option<(UserId, Timestamp)>) -> Result<()> {
    execute!(
        tx,
        "UPDATE messages SET pinned_at = $1, pinned_by = $2 WHERE id = $3",
        by.map(|(_, at)| at.millis()),
        by.map(|(user, _)| user.get()),
        id.get()
    )?;
    Ok(())
}

/// How many messages of a channel are pinned.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, channel: ChannelId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT (SELECT COUNT(*) FROM messages WHERE channel_id = $1 AND pinned_at IS NOT NULL)
              + (SELECT COUNT(*) FROM messages_archive AS old WHERE channel_id = $1 AND pinned_at IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM messages AS live WHERE live.id = old.id))",
        channel.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: MessageId,
    #[sqlx(try_from = "i64")]
    pinned_at: Timestamp,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

static PINNED: LazyLock<Texts> = LazyLock::new(|| {
    let page = format!(
        "WITH page AS MATERIALIZED (
             SELECT {{message}} FROM messages WHERE channel_id = $1 AND pinned_at IS NOT NULL AND {KEPT}
             UNION ALL
             SELECT {{message}} FROM messages_archive AS messages
             WHERE channel_id = $1 AND pinned_at IS NOT NULL AND {ARCHIVED})"
    );
    Texts::new(&page, "$1", "$2")
});

/// The pinned messages of a channel as a user sees them, the newest pin first.
///
/// # Errors
/// When the database fails.
pub async fn of_channel(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<Vec<Pin>> {
    let Texts { sqlite, postgres } = &*PINNED;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str())
                .bind(channel.get())
                .bind(user.get())
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
    let rows = all!(
        tx,
        Row,
        "SELECT m.id, m.pinned_at, u.id AS user_id, u.username, u.display_name, u.avatar_url
         FROM (SELECT id, pinned_at, pinned_by FROM messages WHERE channel_id = $1 AND pinned_at IS NOT NULL
               UNION ALL
               SELECT id, pinned_at, pinned_by FROM messages_archive AS old
               WHERE channel_id = $1 AND pinned_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM messages AS live WHERE live.id = old.id)) AS m
         JOIN users u ON u.id = m.pinned_by ORDER BY m.pinned_at DESC, m.id DESC",
        channel.get()
    )?;
    let pin = |r: Row| {
        let Row { id, pinned_at, user_id: id_of_user, username, display_name, avatar_url } = r;
        let user = UserSummary { id: id_of_user, username, display_name, avatar_url };
        Some(Pin { message: messages.remove(&id)?, user, pinned_at })
    };
    Ok(rows.into_iter().filter_map(pin).collect())
}
