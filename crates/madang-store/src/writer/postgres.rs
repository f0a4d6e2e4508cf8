//! The steps of a batch on PostgreSQL: rows go in as arrays.
//!
//! Rows are locked in one order on every node, so that two batches never wait for each other: of channels those first
//! that are no threads, each by id. (A thread may have a lower id than its channel, where clocks of nodes differ.)

use std::collections::HashMap;

use super::batch::{Gain, Mark, Nonce, Numbered, Numbers, carried, mentions, threads};
use crate::{Result, bounded::PgTx, db::counted};

/// Remembers nonces; gives the messages that were the first with theirs.
pub(super) async fn remember(c: &mut PgTx, nonces: &[Nonce<'_>]) -> Result<Vec<i64>> {
    let remember = sqlx::query_scalar(
        "INSERT INTO message_nonces (author_id, nonce, message_id)
         SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[])
         ON CONFLICT DO NOTHING RETURNING message_id",
    )
    .bind(nonces.iter().map(|n| n.author).collect::<Vec<_>>())
    .bind(nonces.iter().map(|n| n.nonce).collect::<Vec<_>>())
    .bind(nonces.iter().map(|n| n.message).collect::<Vec<_>>());
    Ok(counted(remember).fetch_all(c).await?)
}

/// Locks those of these files that no message carries yet.
pub(super) async fn lock_files(c: &mut PgTx, files: &[i64]) -> Result<()> {
    let lock =
        sqlx::query("SELECT 1 FROM files WHERE id = ANY($1) AND message_id IS NULL ORDER BY id FOR UPDATE");
    counted(lock).bind(files).execute(c).await?;
    Ok(())
}

/// Moves the numbers of channels on; gives where they stood, of those that are there.
pub(super) async fn advance(c: &mut PgTx, gains: &[Gain]) -> Result<HashMap<i64, Numbers>> {
    let advance = sqlx::query_as(
        "UPDATE channels SET last_seq = last_seq + batch.n, version = version + batch.n, last_at = batch.at,
                             untold = (root_id IS NOT NULL)
         FROM (SELECT id, n, at FROM channels
               JOIN UNNEST($1::bigint[], $2::bigint[], $3::bigint[]) AS gains (channel_id, n, at) ON id = channel_id
               WHERE deleted_at IS NULL ORDER BY (root_id IS NOT NULL), id FOR UPDATE OF channels) AS batch
         WHERE channels.id = batch.id
         RETURNING channels.id, last_seq - batch.n, version - batch.n",
    )
    .bind(gains.iter().map(|gain| gain.channel).collect::<Vec<_>>())
    .bind(gains.iter().map(|gain| gain.messages).collect::<Vec<_>>())
    .bind(gains.iter().map(|gain| gain.at).collect::<Vec<_>>());
    let rows: Vec<(i64, i64, i64)> = counted(advance).fetch_all(c).await?;
    Ok(rows.into_iter().map(|(id, seq, version)| (id, Numbers { seq, version })).collect())
}

/// Stores messages and moves read marks.
pub(super) async fn store(c: &mut PgTx, messages: &[Numbered<'_>], marks: &[Mark]) -> Result<()> {
    let column = |f: fn(&Numbered<'_>) -> i64| messages.iter().map(|m| f(m)).collect::<Vec<_>>();
    let store = sqlx::query(
        "WITH stored AS (
             INSERT INTO messages (id, channel_id, seq, version, author_id, content, nonce, created_at, thread,
                                   mentions, files)
             SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                                  $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[]))
         UPDATE channel_members SET last_read_seq = batch.seq
         FROM UNNEST($12::bigint[], $13::bigint[], $14::bigint[]) AS batch (channel_id, user_id, seq)
         WHERE channel_members.channel_id = batch.channel_id AND channel_members.user_id = batch.user_id",
    )
    .bind(column(|m| m.new.id.get()))
    .bind(column(|m| m.new.channel_id.get()))
    .bind(column(|m| m.at.seq))
    .bind(column(|m| m.at.version))
    .bind(column(|m| m.new.author.id.get()))
    .bind(messages.iter().map(|m| m.new.content.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.new.nonce.as_deref()).collect::<Vec<_>>())
    .bind(column(|m| m.new.created_at.millis()))
    .bind(threads(messages)?)
    .bind(mentions(messages)?)
    .bind(carried(messages)?)
    .bind(marks.iter().map(|m| m.channel).collect::<Vec<_>>())
    .bind(marks.iter().map(|m| m.user).collect::<Vec<_>>())
    .bind(marks.iter().map(|m| m.seq).collect::<Vec<_>>());
    counted(store).execute(c).await?;
    Ok(())
}
