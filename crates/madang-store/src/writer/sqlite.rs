//! The steps of a batch on SQLite.
//!
//! Its thread wakes whoever waits for every row that it gives, so each step gives at most one.

use std::collections::HashMap;

use madang_proto::messages::Message;
use sqlx::{Row, SqliteConnection};

use super::{
    batch::{Gain, Mark, Nonce, Numbers, threads},
    bulk::Bulk,
};
use crate::{Error, Result, db::counted};

static REMEMBER: Bulk = Bulk::new(
    "INSERT INTO message_nonces (author_id, nonce, message_id) SELECT * FROM ",
    3,
    " WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
);
static REMEMBERED: Bulk = Bulk::new(
    "SELECT json_group_array(message_id) FROM ",
    3,
    " JOIN message_nonces ON author_id = column1 AND nonce = column2 AND message_id = column3",
);
static NUMBERS: Bulk = Bulk::new(
    "SELECT json_group_array(json_array(id, last_seq, version)) FROM ",
    1,
    " JOIN channels ON id = column1 WHERE deleted_at IS NULL",
);
static ADVANCE: Bulk = Bulk::new(
    "UPDATE channels SET last_seq = last_seq + column2, version = version + column2, last_at = column3,
                         untold = (root_id IS NOT NULL) FROM ",
    3,
    " WHERE channels.id = column1 AND deleted_at IS NULL",
);
static INSERT: Bulk = Bulk::new(
    "INSERT INTO messages (id, channel_id, seq, version, author_id, content, nonce, created_at, thread)
     SELECT * FROM ",
    9,
    " WHERE column1 IS NOT NULL",
);
static MARK: Bulk = Bulk::new(
    "UPDATE channel_members SET last_read_seq = column3 FROM ",
    3,
    " WHERE channel_id = column1 AND user_id = column2",
);

/// The only value of the only row of a query, which is JSON.
async fn list<T: serde::de::DeserializeOwned>(
    c: &mut SqliteConnection,
    query: sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
) -> Result<Vec<T>> {
    let row = counted(query).fetch_one(c).await?;
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text).map_err(|e| Error::Fault(sqlx::Error::Decode(e.into())))
}

/// Remembers nonces; gives the messages that were the first with theirs.
pub(super) async fn remember(c: &mut SqliteConnection, nonces: &[Nonce<'_>]) -> Result<Vec<i64>> {
    let bound = |bulk: &Bulk| {
        nonces
            .iter()
            .fold(bulk.query(nonces.len()), |query, n| query.bind(n.author).bind(n.nonce).bind(n.message))
    };
    let new = counted(bound(&REMEMBER)).execute(&mut *c).await?.rows_affected();
    if usize::try_from(new) == Ok(nonces.len()) {
        return Ok(nonces.iter().map(|n| n.message).collect());
    }
    list(c, bound(&REMEMBERED)).await
}

/// Moves the numbers of channels on; gives where they stood, of those that are there.
pub(super) async fn advance(c: &mut SqliteConnection, gains: &[Gain]) -> Result<HashMap<i64, Numbers>> {
    let numbers = gains.iter().fold(NUMBERS.query(gains.len()), |query, gain| query.bind(gain.channel));
    let numbers: Vec<(i64, i64, i64)> = list(c, numbers).await?;
    let advance = gains.iter().fold(ADVANCE.query(gains.len()), |query, gain| {
        query.bind(gain.channel).bind(gain.messages).bind(gain.at)
    });
    counted(advance).execute(c).await?;
    Ok(numbers.into_iter().map(|(id, seq, version)| (id, Numbers { seq, version })).collect())
}

/// Stores messages.
pub(super) async fn insert(c: &mut SqliteConnection, messages: &[&Message]) -> Result<()> {
    let threads = threads(messages)?;
    let rows = messages.iter().zip(threads);
    let insert = rows.fold(INSERT.query(messages.len()), |query, (m, thread)| {
        query
            .bind(m.id.get())
            .bind(m.channel_id.get())
            .bind(m.seq)
            .bind(m.version)
            .bind(m.author.id.get())
            .bind(m.content.as_str())
            .bind(m.nonce.as_deref())
            .bind(m.created_at.millis())
            .bind(thread)
    });
    counted(insert).execute(c).await?;
    Ok(())
}

/// Moves read marks.
pub(super) async fn mark(c: &mut SqliteConnection, marks: &[Mark]) -> Result<()> {
    let mark =
        marks.iter().fold(MARK.query(marks.len()), |query, m| query.bind(m.channel).bind(m.user).bind(m.seq));
    counted(mark).execute(c).await?;
    Ok(())
}
