//! The index on SQLite: FTS5. Rows go in as JSON, and at most one comes out.

use madang_proto::messages::Message;
use sqlx::{Row, SqliteConnection};
use std::{collections::HashSet, sync::LazyLock};

use super::{Search, Texts, asked_channels, texts, tokens};
use crate::{
    Result,
    db::counted,
    packed::{Packed, text},
};

static FIND: LazyLock<String> = LazyLock::new(|| {
    let hits = "hits AS MATERIALIZED (
        SELECT message_words.rowid AS id FROM message_words
        LEFT JOIN messages ON messages.id = message_words.rowid
        LEFT JOIN messages_archive AS old ON old.id = message_words.rowid AND messages.id IS NULL
        WHERE message_words MATCH $1 AND message_words.rowid > $2 AND message_words.rowid < $3
          AND COALESCE(messages.channel_id, old.channel_id) IN (SELECT value FROM json_each($4))
        ORDER BY message_words.rowid DESC LIMIT $5 + 1)";
    let Texts { sqlite, .. } = texts(hits, "$5", "$6");
    sqlite
});

/// The messages that are found, one more than wanted, and the last of those wanted where there is one more.
pub(super) async fn find(c: &mut SqliteConnection, search: &Search<'_>) -> Result<Packed> {
    let channels: Vec<i64> = search.channels.iter().map(|id| id.get()).collect();
    let (after, before) = search.between;
    let find = sqlx::query_as(FIND.as_str())
        .bind(search.terms.fts5(asked_channels(search)))
        .bind(after)
        .bind(before)
        .bind(text(&channels)?)
        .bind(i64::from(search.limit))
        .bind(search.user.get());
    Ok(counted(find).fetch_one(c).await?)
}

/// Moves the indexed versions on; gives the channels where it did.
pub(super) async fn advance(c: &mut SqliteConnection, versions: &[(i64, i64)]) -> Result<HashSet<i64>> {
    let advance = sqlx::query(
        "INSERT INTO search_channels (channel_id, version, tokenizer)
         SELECT value ->> 0, value ->> 1, $2 FROM json_each($1) WHERE true
         ON CONFLICT (channel_id) DO UPDATE SET version = excluded.version, tokenizer = excluded.tokenizer
         WHERE search_channels.version < excluded.version OR search_channels.tokenizer <> excluded.tokenizer
         RETURNING channel_id",
    );
    let rows = counted(advance.bind(text(&versions)?).bind(tokens::VERSION)).fetch_all(c).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Puts in the words of messages, and takes out those that are gone.
pub(super) async fn put(c: &mut SqliteConnection, there: &[(&Message, String)], gone: &[i64]) -> Result<()> {
    let rows: Vec<(i64, &str)> = there.iter().map(|(m, words)| (m.id.get(), words.as_str())).collect();
    let put = sqlx::query(
        "INSERT OR REPLACE INTO message_words (rowid, words) SELECT value ->> 0, value ->> 1 FROM json_each($1)",
    );
    counted(put.bind(text(&rows)?)).execute(&mut *c).await?;
    if !gone.is_empty() {
        let take = sqlx::query("DELETE FROM message_words WHERE rowid IN (SELECT value FROM json_each($1))");
        counted(take.bind(text(&gone)?)).execute(c).await?;
    }
    Ok(())
}
