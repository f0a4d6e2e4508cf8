//! One batch in one transaction. The four bulk statements have a text for each database: PostgreSQL
//! takes arrays, SQLite takes rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use madang_proto::messages::Message;
use sqlx::{QueryBuilder, Sqlite};

use super::{NewMessage, Sent};
use crate::{Db, Error, Result, Tx, db::execute, messages};

/// Stores a batch; the answers stand in the order of the messages. All or nothing, but for messages
/// to channels that are gone.
pub(super) async fn store(db: &Db, news: &[NewMessage]) -> Result<Vec<Result<Sent>>> {
    let mut tx = db.begin().await?;
    let fresh = remember_nonces(&mut tx, news).await?;
    let mut per_channel: BTreeMap<i64, i64> = BTreeMap::new();
    for (new, _) in news.iter().zip(&fresh).filter(|(_, fresh)| **fresh) {
        *per_channel.entry(new.channel_id.get()).or_default() += 1;
    }
    // Where each channel's numbers stood before this batch.
    let mut numbers = advance_channels(&mut tx, &per_channel).await?;

    let mut results: Vec<Option<Result<Sent>>> = Vec::with_capacity(news.len());
    let mut stored: Vec<Message> = Vec::with_capacity(news.len());
    for (new, fresh) in news.iter().zip(&fresh) {
        results.push(match numbers.get_mut(&new.channel_id.get()) {
            Some((seq, version)) if *fresh => {
                *seq += 1;
                *version += 1;
                let message = numbered(new, *seq, *version);
                stored.push(message.clone());
                Some(Ok(Sent { message, created: true }))
            }
            None if *fresh => {
                if let Some(nonce) = &new.nonce {
                    forget_nonce(&mut tx, new.author.id.get(), nonce).await?;
                }
                Some(Err(Error::NotFound))
            }
            _ => None,
        });
    }
    insert(&mut tx, &stored).await?;
    move_read_marks(&mut tx, &stored).await?;

    let mut answers = Vec::with_capacity(news.len());
    for (new, result) in news.iter().zip(results) {
        answers.push(match result {
            Some(result) => result,
            None => first_of(&mut tx, new)
                .await?
                .map_or(Err(Error::NotFound), |message| Ok(Sent { message, created: false })),
        });
    }
    tx.commit().await?;
    Ok(answers)
}

async fn first_of(tx: &mut Tx, new: &NewMessage) -> Result<Option<Message>> {
    match &new.nonce {
        Some(nonce) => messages::find_by_nonce(tx, new.author.id, nonce).await,
        None => Ok(None),
    }
}

async fn forget_nonce(tx: &mut Tx, author: i64, nonce: &str) -> Result<()> {
    execute!(tx, "DELETE FROM message_nonces WHERE author_id = $1 AND nonce = $2", author, nonce)?;
    Ok(())
}

fn numbered(new: &NewMessage, seq: i64, version: i64) -> Message {
    Message {
        id: new.id,
        channel_id: new.channel_id,
        seq,
        version,
        author: new.author.clone(),
        user: new.author.clone(),
        content: new.content.clone(),
        nonce: new.nonce.clone(),
        edited_at: None,
        deleted_at: None,
        created_at: new.created_at,
    }
}

/// Which messages are new: without a nonce, or the first with theirs.
async fn remember_nonces(tx: &mut Tx, news: &[NewMessage]) -> Result<Vec<bool>> {
    let mut rows: Vec<(i64, &str, i64)> =
        news.iter().filter_map(|n| Some((n.author.id.get(), n.nonce.as_deref()?, n.id.get()))).collect();
    // In one order on every node, so that two batches never wait for each other; of equal nonces the
    // first in the batch is first here.
    rows.sort_by_key(|(author, nonce, _)| (*author, *nonce));
    rows.dedup_by_key(|(author, nonce, _)| (*author, *nonce));
    let remembered: HashSet<i64> = if rows.is_empty() {
        HashSet::new()
    } else {
        let ids: Vec<(i64,)> = match tx {
            Tx::Sqlite(c) => {
                QueryBuilder::<Sqlite>::new("INSERT INTO message_nonces (author_id, nonce, message_id) ")
                    .push_values(&rows, |mut b, (author, nonce, id)| {
                        b.push_bind(*author).push_bind(*nonce).push_bind(*id);
                    })
                    .push(" ON CONFLICT DO NOTHING RETURNING message_id")
                    .build_query_as()
                    .persistent(false)
                    .fetch_all(&mut **c)
                    .await?
            }
            Tx::Postgres(c) => {
                let (mut authors, mut nonces, mut ids) = (Vec::new(), Vec::new(), Vec::new());
                for (author, nonce, id) in &rows {
                    authors.push(*author);
                    nonces.push((*nonce).to_owned());
                    ids.push(*id);
                }
                sqlx::query_as(
                    "INSERT INTO message_nonces (author_id, nonce, message_id)
                     SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[])
                     ON CONFLICT DO NOTHING RETURNING message_id",
                )
                .bind(authors)
                .bind(nonces)
                .bind(ids)
                .fetch_all(&mut **c)
                .await?
            }
        };
        ids.into_iter().map(|r| r.0).collect()
    };
    Ok(news.iter().map(|n| n.nonce.is_none() || remembered.contains(&n.id.get())).collect())
}

/// Moves the numbers of the channels on by their messages; gives where they stood, for those that are
/// there.
async fn advance_channels(tx: &mut Tx, per_channel: &BTreeMap<i64, i64>) -> Result<HashMap<i64, (i64, i64)>> {
    if per_channel.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, i64, i64)> = match tx {
        Tx::Sqlite(c) => QueryBuilder::<Sqlite>::new("WITH batch (id, n) AS (")
            .push_values(per_channel, |mut b, (id, n)| {
                b.push_bind(*id).push_bind(*n);
            })
            .push(
                ") UPDATE channels SET last_seq = last_seq + batch.n, version = version + batch.n FROM batch
                     WHERE channels.id = batch.id AND deleted_at IS NULL
                     RETURNING channels.id, last_seq, version",
            )
            .build_query_as()
            .persistent(false)
            .fetch_all(&mut **c)
            .await?,
        Tx::Postgres(c) => {
            let ids: Vec<i64> = per_channel.keys().copied().collect();
            let counts: Vec<i64> = per_channel.values().copied().collect();
            sqlx::query("SELECT id FROM channels WHERE id = ANY($1) ORDER BY id FOR UPDATE")
                .bind(&ids)
                .execute(&mut **c)
                .await?;
            sqlx::query_as(
                "UPDATE channels SET last_seq = last_seq + batch.n, version = version + batch.n
                 FROM UNNEST($1::bigint[], $2::bigint[]) AS batch (id, n)
                 WHERE channels.id = batch.id AND deleted_at IS NULL
                 RETURNING channels.id, last_seq, version",
            )
            .bind(ids)
            .bind(counts)
            .fetch_all(&mut **c)
            .await?
        }
    };
    let before = |(id, seq, version): (i64, i64, i64)| {
        let n = per_channel.get(&id).copied().unwrap_or_default();
        (id, (seq - n, version - n))
    };
    Ok(rows.into_iter().map(before).collect())
}

async fn insert(tx: &mut Tx, stored: &[Message]) -> Result<()> {
    if stored.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Sqlite(c) => {
            QueryBuilder::<Sqlite>::new(
                "INSERT INTO messages (id, channel_id, seq, version, author_id, content, nonce, created_at) ",
            )
            .push_values(stored, |mut b, m| {
                b.push_bind(m.id.get())
                    .push_bind(m.channel_id.get())
                    .push_bind(m.seq)
                    .push_bind(m.version)
                    .push_bind(m.author.id.get())
                    .push_bind(m.content.as_str())
                    .push_bind(m.nonce.as_deref())
                    .push_bind(m.created_at.millis());
            })
            .build()
            .persistent(false)
            .execute(&mut **c)
            .await?;
        }
        Tx::Postgres(c) => {
            let column = |f: fn(&Message) -> i64| stored.iter().map(f).collect::<Vec<i64>>();
            sqlx::query(
                "INSERT INTO messages (id, channel_id, seq, version, author_id, content, nonce, created_at)
                 SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                                      $6::text[], $7::text[], $8::bigint[])",
            )
            .bind(column(|m| m.id.get()))
            .bind(column(|m| m.channel_id.get()))
            .bind(column(|m| m.seq))
            .bind(column(|m| m.version))
            .bind(column(|m| m.author.id.get()))
            .bind(stored.iter().map(|m| m.content.clone()).collect::<Vec<_>>())
            .bind(stored.iter().map(|m| m.nonce.clone()).collect::<Vec<_>>())
            .bind(column(|m| m.created_at.millis()))
            .execute(&mut **c)
            .await?;
        }
    }
    Ok(())
}

/// Who writes has read up to there.
async fn move_read_marks(tx: &mut Tx, stored: &[Message]) -> Result<()> {
    let mut marks: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for m in stored {
        marks.insert((m.channel_id.get(), m.author.id.get()), m.seq);
    }
    if marks.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Sqlite(c) => {
            QueryBuilder::<Sqlite>::new("WITH batch (channel_id, user_id, seq) AS (")
                .push_values(&marks, |mut b, ((channel, user), seq)| {
                    b.push_bind(*channel).push_bind(*user).push_bind(*seq);
                })
                .push(
                    ") UPDATE channel_members SET last_read_seq = batch.seq FROM batch
                     WHERE channel_members.channel_id = batch.channel_id AND channel_members.user_id = batch.user_id",
                )
                .build()
                .persistent(false)
                .execute(&mut **c)
                .await?;
        }
        Tx::Postgres(c) => {
            sqlx::query(
                "UPDATE channel_members SET last_read_seq = batch.seq
                 FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[]) AS batch (channel_id, user_id, seq)
                 WHERE channel_members.channel_id = batch.channel_id AND channel_members.user_id = batch.user_id",
            )
            .bind(marks.keys().map(|k| k.0).collect::<Vec<_>>())
            .bind(marks.keys().map(|k| k.1).collect::<Vec<_>>())
            .bind(marks.values().copied().collect::<Vec<_>>())
            .execute(&mut **c)
            .await?;
        }
    }
    Ok(())
}
