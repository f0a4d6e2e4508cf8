//! Mentions: who is called so in a channel, and whom messages mention.
//!
//! Invariants:
//! - A mention of everyone is one row, however many they are; it counts for whoever has not read it.
//! - Each function is one statement, however many mentions there are.

use std::{collections::HashMap, sync::LazyLock};

use madang_proto::{
    ChannelId, UserId, input,
    mentions::{self, Mention, MentionKind},
    messages::Message,
};

use crate::{
    Error, Result, Tx,
    db::{all, counted, execute},
    packed::{self, Texts},
};

/// The user of a row that is for several.
const SEVERAL: i64 = 0;

static FIND: LazyLock<Texts> = LazyLock::new(|| {
    let text = |asked: &str| {
        format!(
            "WITH asked AS ({asked})
             SELECT name, by_display_name, MIN(id), COUNT(*) FROM (
                 SELECT a.name, FALSE AS by_display_name, u.id FROM asked a JOIN users u ON u.username_key = a.key
                 UNION ALL
                 SELECT a.name, TRUE, u.id FROM asked a JOIN users u ON u.display_name = a.name) AS called
             JOIN channel_members m ON m.channel_id = $1 AND m.user_id = id AND m.left_at IS NULL
             GROUP BY name, by_display_name"
        )
    };
    Texts {
        sqlite: text("SELECT value ->> 0 AS name, value ->> 1 AS key FROM json_each($2)"),
        postgres: text(
            "SELECT value ->> 0 AS name, value ->> 1 AS key FROM json_array_elements($2::json) AS pairs (value)",
        ),
    }
});

/// Those of a channel who are called by one of these names: a username, whatever the case, or a display name that
/// only one of them has.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, channel: ChannelId, names: &[&str]) -> Result<HashMap<String, UserId>> {
    let pairs: Vec<_> = names.iter().map(|name| (name, input::name_key(name))).collect();
    let (Texts { sqlite, postgres }, asked) = (&*FIND, packed::text(&pairs)?);
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as($sql.as_str()).bind(channel.get()).bind(asked).fetch_all(&mut **$c).await
        };
    }
    let rows: Vec<(String, bool, i64, i64)> = match counted(tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    }?;
    let mut found = HashMap::new();
    for (name, by_display_name, user, count) in rows {
        if !by_display_name {
            found.insert(name, user.into());
        } else if count == 1 {
            found.entry(name).or_insert_with(|| user.into());
        }
    }
    Ok(found)
}

/// The members of a channel, by id.
///
/// # Errors
/// When the database fails.
pub async fn members(tx: &mut Tx, channel: ChannelId) -> Result<Vec<UserId>> {
    let rows = all!(
        tx,
        (i64,),
        "SELECT user_id FROM channel_members WHERE channel_id = $1 AND left_at IS NULL ORDER BY user_id",
        channel.get()
    )?;
    Ok(rows.into_iter().map(|row| row.0.into()).collect())
}

/// Who is to be told of a message.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Told(i64, i64, i64, Option<Vec<i64>>);

/// The rows of a message's mentions; `here` are those who were there.
pub(crate) fn told(channel: ChannelId, seq: i64, all: &[Mention], here: &[UserId]) -> Vec<Told> {
    let several = if mentions::has(all, MentionKind::Channel) {
        Some(None)
    } else {
        mentions::has(all, MentionKind::Here).then(|| Some(here.iter().map(|user| user.get()).collect()))
    };
    let several = several.map(|people| Told(channel.get(), seq, SEVERAL, people));
    let by_name = mentions::people(all).into_iter().map(|user| Told(channel.get(), seq, user.get(), None));
    by_name.chain(several).collect()
}

static INSERT: LazyLock<Texts> = LazyLock::new(|| {
    let text =
        |columns: &str| format!("INSERT INTO mentions (channel_id, seq, user_id, people) SELECT {columns}");
    Texts {
        sqlite: text("value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)"),
        postgres: text(
            "(value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint, value ->> 3
             FROM json_array_elements($1::json) AS rows (value)",
        ),
    }
});

/// Stores whom messages mention; nothing is asked where there are none.
pub(crate) async fn insert(tx: &mut Tx, told: &[Told]) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let (Texts { sqlite, postgres }, rows) = (&*INSERT, packed::text(told)?);
    match counted(tx) {
        Tx::Sqlite(c) => sqlx::query(sqlite.as_str()).bind(rows).execute(&mut **c).await.map(drop),
        Tx::Postgres(c) => sqlx::query(postgres.as_str()).bind(rows).execute(&mut **c).await.map(drop),
    }
    .map_err(Error::from)
}

/// Stores whom a message mentions now that it changed. Those who were there when it was sent stay as long as it
/// mentions them.
///
/// # Errors
/// When the database fails.
pub async fn replace(tx: &mut Tx, message: &Message) -> Result<()> {
    let all = &message.mentions;
    let here = mentions::has(all, MentionKind::Here) && !mentions::has(all, MentionKind::Channel);
    execute!(
        &mut *tx,
        "DELETE FROM mentions WHERE channel_id = $1 AND seq = $2 AND NOT ($3 AND user_id = 0)",
        message.channel_id.get(),
        message.seq,
        here
    )?;
    let mut rows = told(message.channel_id, message.seq, all, &[]);
    rows.retain(|row| !(here && row.2 == SEVERAL));
    insert(tx, &rows).await
}

/// A message's mentions as its row keeps them.
pub(crate) fn packed(mentions: &[Mention]) -> Result<Option<String>> {
    if mentions.is_empty() { Ok(None) } else { packed::text(mentions).map(Some) }
}

/// The same, read.
pub(crate) fn unpacked(text: Option<&str>) -> Result<Vec<Mention>> {
    Ok(packed::object(text)?.unwrap_or_default())
}
