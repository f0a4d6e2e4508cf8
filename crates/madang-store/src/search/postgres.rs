//! The index on PostgreSQL: GIN over all tokens of a message, and its words as a text, which say whether
//! tokens follow each other (a `tsvector` would keep 256 places of a token only).

use std::{collections::HashSet, sync::LazyLock};

use madang_proto::messages::Message;

use super::{Search, Texts, WALK, asked_channels, texts, tokens};
use crate::{Result, bounded::PgTx, db::counted, packed::Packed};

static FIND: LazyLock<String> = LazyLock::new(|| {
    // `id + 0` keeps the planner from walking by id there: what the walk did not find is rare.
    let hits = format!(
        "newest AS MATERIALIZED (
             SELECT id FROM (SELECT id, channel_id, words FROM message_words
                             WHERE id > $2 AND id < $3 ORDER BY id DESC LIMIT {WALK}) AS newest
             WHERE channel_id = ANY($4) AND words LIKE ALL($5)
             ORDER BY id DESC LIMIT $6 + 1),
         border AS MATERIALIZED (
             SELECT id FROM message_words WHERE id > $2 AND id < $3
             ORDER BY id DESC OFFSET {WALK} - 1 LIMIT 1),
         older AS MATERIALIZED (
             SELECT id FROM message_words
             WHERE (SELECT COUNT(*) FROM newest) <= $6 AND (SELECT id FROM border) IS NOT NULL
               AND array_to_tsvector(string_to_array(btrim(words), ' ')) @@ CAST($1 AS TEXT)::tsquery
               AND id + 0 > $2 AND id + 0 < (SELECT id FROM border)
               AND channel_id = ANY($4) AND words LIKE ALL($7)
             ORDER BY id + 0 DESC LIMIT $6 + 1),
         hits AS MATERIALIZED (
             SELECT id FROM (SELECT id FROM newest UNION ALL SELECT id FROM older) AS all_hits
             ORDER BY id DESC LIMIT $6 + 1)"
    );
    let Texts { postgres, .. } = texts(&hits, "$6", "$8");
    postgres
});

/// The messages that are found, one more than wanted, and the last of those wanted where there is one more.
pub(super) async fn find(c: &mut PgTx, search: &Search<'_>) -> Result<Packed> {
    // A plan made without the values takes the newest for a few of very many, and sorts them all; one that
    // looks through the table instead of the index makes tokens of every row; and what may be found is not
    // estimated well enough to be worth compiling.
    let plan = sqlx::query(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
                set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
                set_config('work_mem', '32MB', true)",
    );
    counted(plan).execute(&mut *c).await?;
    let channels: Vec<i64> = search.channels.iter().map(|id| id.get()).collect();
    let (after, before) = search.between;
    let find = sqlx::query_as(FIND.as_str())
        .bind(search.terms.tsquery(asked_channels(search)))
        .bind(after)
        .bind(before)
        .bind(channels)
        .bind(search.terms.patterns())
        .bind(i64::from(search.limit))
        .bind(search.terms.patterns_of_order())
        .bind(search.user.get());
    Ok(counted(find).fetch_one(c).await?)
}

/// Moves the indexed versions on; gives the channels where it did.
pub(super) async fn advance(c: &mut PgTx, versions: &[(i64, i64)]) -> Result<HashSet<i64>> {
    let (channels, versions): (Vec<i64>, Vec<i64>) = versions.iter().copied().unzip();
    let advance = sqlx::query_scalar(
        "INSERT INTO search_channels (channel_id, version, tokenizer)
         SELECT channel_id, version, $3 FROM UNNEST($1::bigint[], $2::bigint[]) AS news (channel_id, version)
         ORDER BY channel_id
         ON CONFLICT (channel_id) DO UPDATE SET version = excluded.version, tokenizer = excluded.tokenizer
         WHERE search_channels.version < excluded.version OR search_channels.tokenizer <> excluded.tokenizer
         RETURNING channel_id",
    );
    let advance = advance.bind(channels).bind(versions).bind(tokens::VERSION);
    Ok(counted(advance).fetch_all(c).await?.into_iter().collect())
}

/// Puts in the words of messages, and takes out those that are gone.
pub(super) async fn put(c: &mut PgTx, there: &[(&Message, String)], gone: &[i64]) -> Result<()> {
    let put = sqlx::query(
        "INSERT INTO message_words (id, channel_id, words)
         SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::text[])
         ON CONFLICT (id) DO UPDATE SET words = excluded.words",
    );
    let put = put
        .bind(there.iter().map(|(m, _)| m.id.get()).collect::<Vec<_>>())
        .bind(there.iter().map(|(m, _)| m.channel_id.get()).collect::<Vec<_>>())
        .bind(there.iter().map(|(_, words)| words.as_str()).collect::<Vec<_>>());
    counted(put).execute(&mut *c).await?;
    if !gone.is_empty() {
        let take = sqlx::query("DELETE FROM message_words WHERE id = ANY($1)").bind(gone);
        counted(take).execute(c).await?;
    }
    Ok(())
}
