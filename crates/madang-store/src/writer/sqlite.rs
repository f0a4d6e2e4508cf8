//! The steps of a batch on SQLite.
//!
//! Its thread wakes whoever waits for every row that it gives, so each step gives at most one.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::{
    batch::{Gain, Mark, Nonce, Numbered, Numbers, carried, mentions, threads},
    bulk::{Bulk, Part},
};
use crate::{Error, Result, db::counted};

static REMEMBER: Bulk<1> = Bulk::new([Part {
    before: "INSERT INTO message_nonces (author_id, nonce, message_id) SELECT * FROM ",
    columns: 3,
    after: " WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
}]);
static REMEMBERED: Bulk<1> = Bulk::new([Part {
    before: "SELECT json_group_array(message_id) FROM ",
    columns: 3,
    after: " JOIN message_nonces ON author_id = column1 AND nonce = column2 AND message_id = column3",
}]);
static ADVANCE: Bulk<2> = Bulk::new([
    Part {
        before: "UPDATE channels SET last_seq = last_seq + column2, version = version + column2, last_at = column3,
                                     untold = (root_id IS NOT NULL) FROM ",
        columns: 3,
        after: " WHERE channels.id = column1 AND deleted_at IS NULL",
    },
    Part {
        before: "SELECT json_group_array(json_array(id, last_seq - column2, version - column2)) FROM ",
        columns: 2,
        after: " JOIN channels ON id = column1 WHERE deleted_at IS NULL",
    },
]);
static STORE: Bulk<2> = Bulk::new([
    Part {
        before: "INSERT INTO messages
                 (id, channel_id, seq, version, author_id, content, nonce, created_at, thread,
                  mentions, files) SELECT * FROM ",
        columns: 11,
        after: " WHERE column1 IS NOT NULL",
    },
    Part {
        before: "UPDATE channel_members SET last_read_seq = column3 FROM ",
        columns: 3,
        after: " WHERE channel_id = column1 AND user_id = column2",
    },
]);

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
    let bound = |bulk: &Bulk<1>| {
        let bound = bulk.bind(nonces.len());
        bound.rows(nonces.iter(), |s, n| s.bind(n.author).bind(n.nonce).bind(n.message)).done()
    };
    let new = counted(bound(&REMEMBER)).execute(&mut *c).await?.rows_affected();
    if usize::try_from(new) == Ok(nonces.len()) {
        return Ok(nonces.iter().map(|n| n.message).collect());
    }
    list(c, bound(&REMEMBERED)).await
}

/// Moves the numbers of channels on; gives where they stood, of those that are there.
pub(super) async fn advance(c: &mut SqliteConnection, gains: &[Gain]) -> Result<HashMap<i64, Numbers>> {
    let bound = ADVANCE.bind(gains.len());
    let bound = bound.rows(gains.iter(), |s, g| s.bind(g.channel).bind(g.messages).bind(g.at));
    let bound = bound.rows(gains.iter(), |s, g| s.bind(g.channel).bind(g.messages));
    let numbers: Vec<(i64, i64, i64)> = list(c, bound.done()).await?;
    Ok(numbers.into_iter().map(|(id, seq, version)| (id, Numbers { seq, version })).collect())
}

/// Stores messages and moves read marks, of which there are not more.
pub(super) async fn store(c: &mut SqliteConnection, messages: &[Numbered<'_>], marks: &[Mark]) -> Result<()> {
    let beside = threads(messages)?.into_iter().zip(mentions(messages)?).zip(carried(messages)?);
    let bound = STORE.bind(messages.len()).rows(
        messages.iter().zip(beside),
        |s, (m, ((thread, mentions), files))| {
            s.bind(m.new.id.get())
                .bind(m.new.channel_id.get())
                .bind(m.at.seq)
                .bind(m.at.version)
                .bind(m.new.author.id.get())
                .bind(m.new.content.as_str())
                .bind(m.new.nonce.as_deref())
                .bind(m.new.created_at.millis())
                .bind(thread)
                .bind(mentions)
                .bind(files)
        },
    );
    let bound = bound.rows(marks.iter(), |s, m| s.bind(m.channel).bind(m.user).bind(m.seq));
    counted(bound.done()).execute(c).await?;
    Ok(())
}
