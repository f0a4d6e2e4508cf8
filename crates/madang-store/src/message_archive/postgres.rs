//! The archive of PostgreSQL: partitions that hang on `messages_archive` instead of `messages`.
//!
//! A month is prepared beside all traffic: a constraint that says what is in it, so that hanging it up looks at no row,
//! and the `archived_version` of its channels. Then one short transaction takes it from the one table and gives it to
//! the other. DETACH … CONCURRENTLY would need no lock, but leaves a moment in which the messages are nowhere; the
//! lock is held for some milliseconds instead, and given up when it does not come at once.
//!
//! Messages that came back to be changed are in `messages_late`, the partition of all that is before the oldest month.
//!
//! Invariants:
//! - One node at a time moves, by an advisory lock.
//! - Nobody waits longer than [`LOCK_MS`] for a lock that this waits for.

use std::time::Instant;

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgPool};

use super::{BATCH, Month, Moved, columns, pause};
use crate::{Result, partitions};

/// Key of the advisory lock that lets one node at a time move.
const LOCK: i64 = 0x6d61_6461_6e68;
/// How long it waits for a lock, while others may wait behind it. Shorter than PostgreSQL takes to look for deadlocks.
const LOCK_MS: u32 = 250;
/// PostgreSQL's codes for a lock that did not come in time, and for what is not there any more, as another moved it.
const LATE_CODES: [&str; 2] = ["55P03", "42704"];
const LATE: &str = "messages_late";

/// The partitions of a table, by their names.
async fn partitions_of(c: &mut PgConnection, table: &str) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = $1::regclass ORDER BY c.relname";
    sqlx::query_scalar(sql).bind(table).fetch_all(c).await
}

fn month_of(partition: &str) -> Option<i64> {
    partitions::named(partition.strip_prefix("messages_")?)
}

/// Runs statements in which only names and numbers of our own stand.
async fn run_all(c: &mut PgConnection, statements: &[String]) -> sqlx::Result<()> {
    for sql in statements {
        sqlx::query(AssertSqlSafe(sql.as_str())).execute(&mut *c).await?;
    }
    Ok(())
}

/// Takes the advisory lock and limits the patience of a transaction. False when another has it.
async fn begin_moving(c: &mut PgConnection) -> sqlx::Result<bool> {
    run_all(c, &[format!("SET LOCAL lock_timeout = {LOCK_MS}")]).await?;
    sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(c).await
}

/// Whether a lock did not come in time, or another was quicker.
fn is_late(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|e| e.code().is_some_and(|code| LATE_CODES.contains(&code.as_ref())))
}

pub(super) async fn run(pool: &PgPool, border: i64, midway: &(dyn Fn() + Sync)) -> Result<Moved> {
    let mut moved = Moved::default();
    for month in due(pool, border).await? {
        let step = async {
            if !prepare(pool, month).await? {
                return Ok(false);
            }
            midway();
            hang(pool, month).await
        };
        match step.await {
            Ok(true) => moved.months += 1,
            Ok(false) => return Ok(Moved { more: true, ..moved }),
            Err(error) if is_late(&error) => return Ok(Moved { more: true, ..moved }),
            Err(error) => return Err(error.into()),
        }
    }
    moved.messages = put_back(pool).await?;
    Ok(moved)
}

async fn due(pool: &PgPool, border: i64) -> sqlx::Result<Vec<i64>> {
    let live = partitions_of(&mut *pool.acquire().await?, "messages").await?;
    let mut due: Vec<i64> =
        live.iter().filter_map(|name| month_of(name)).filter(|month| *month < border).collect();
    due.sort_unstable();
    Ok(due)
}

/// What can be done beside all traffic. False when another node is moving.
async fn prepare(pool: &PgPool, month: i64) -> sqlx::Result<bool> {
    let name = partitions::name(month);
    let (from, to) = (partitions::start(month), partitions::start(month + 1));
    let mut tx = pool.begin().await?;
    if !begin_moving(&mut tx).await? {
        return Ok(false);
    }
    run_all(
        &mut tx,
        &[
            format!("ALTER TABLE messages_{name} DROP CONSTRAINT IF EXISTS month"),
            format!(
                "ALTER TABLE messages_{name} ADD CONSTRAINT month CHECK (id >= {from} AND id < {to}) NOT VALID"
            ),
        ],
    )
    .await?;
    tx.commit().await?;
    let c = &mut *pool.acquire().await?;
    run_all(c, &[format!("ALTER TABLE messages_{name} VALIDATE CONSTRAINT month")]).await?;
    let mut last = 0_i64;
    loop {
        let begun = Instant::now();
        let sql = format!(
            "WITH RECURSIVE those AS (
                 (SELECT channel_id, 1 AS n FROM messages_{name} WHERE channel_id > $1 ORDER BY channel_id LIMIT 1)
                 UNION ALL
                 SELECT (SELECT channel_id FROM messages_{name} m WHERE m.channel_id > those.channel_id
                         ORDER BY channel_id LIMIT 1), n + 1
                 FROM those WHERE those.channel_id IS NOT NULL AND n < $2),
             locked AS (SELECT id FROM channels WHERE id IN (SELECT channel_id FROM those)
                        ORDER BY (root_id IS NOT NULL), id FOR UPDATE)
             UPDATE channels SET archived_version = version FROM locked WHERE channels.id = locked.id
             RETURNING channels.id"
        );
        let touched: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(last).bind(BATCH).fetch_all(&mut *c).await?;
        let Some(newest) = touched.into_iter().max() else { return Ok(true) };
        last = newest;
        pause(begun.elapsed()).await;
    }
}

/// Takes a month from the one table and gives it to the other. False when another node is moving.
async fn hang(pool: &PgPool, month: i64) -> sqlx::Result<bool> {
    let name = partitions::name(month);
    let (from, to) = (partitions::start(month), partitions::start(month + 1));
    let mut tx = pool.begin().await?;
    if !begin_moving(&mut tx).await? {
        return Ok(false);
    }
    let live = partitions_of(&mut tx, "messages").await?;
    if !live.contains(&format!("messages_{name}")) {
        return Ok(true);
    }
    let late = if live.iter().any(|known| known == LATE) {
        format!("ALTER TABLE messages DETACH PARTITION {LATE}")
    } else {
        format!("CREATE TABLE IF NOT EXISTS {LATE} (LIKE messages INCLUDING ALL)")
    };
    run_all(
        &mut tx,
        &[
            "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE".to_owned(),
            late,
            format!("ALTER TABLE messages DETACH PARTITION messages_{name}"),
            format!(
                "ALTER TABLE messages_archive ATTACH PARTITION messages_{name} FOR VALUES FROM ({from}) TO ({to})"
            ),
            format!("ALTER TABLE messages_{name} DROP CONSTRAINT month"),
            format!("ALTER TABLE messages ATTACH PARTITION {LATE} FOR VALUES FROM (MINVALUE) TO ({to})"),
            // What changed since it was prepared; nearly always nothing.
            format!(
                "UPDATE channels SET archived_version = channels.version
                 FROM (SELECT channel_id, MAX(version) AS version FROM messages_{name} WHERE changed
                       GROUP BY channel_id) AS newest
                 WHERE channels.id = newest.channel_id AND channels.archived_version < newest.version"
            ),
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Where nothing is archived yet, gives the months below this one to the archive before they are made.
pub(crate) async fn begin_below(pool: &PgPool, month: i64) -> Result<()> {
    let mut tx = pool.begin().await?;
    if !partitions_of(&mut tx, "messages").await?.iter().any(|known| known == LATE) {
        let to = partitions::start(month);
        run_all(
            &mut tx,
            &[
                format!("CREATE TABLE {LATE} (LIKE messages INCLUDING ALL)"),
                format!("ALTER TABLE messages ATTACH PARTITION {LATE} FOR VALUES FROM (MINVALUE) TO ({to})"),
            ],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Puts messages that came back into the archive again.
async fn put_back(pool: &PgPool) -> sqlx::Result<u64> {
    let (columns, mut all) = (columns(), 0);
    let some = format!("SELECT id, channel_id FROM {LATE} ORDER BY id LIMIT {BATCH}");
    let put = format!(
        "WITH back AS (DELETE FROM {LATE} WHERE id = ANY($1) RETURNING {columns})
         INSERT INTO messages_archive ({columns}) SELECT {columns} FROM back"
    );
    loop {
        let begun = Instant::now();
        let mut tx = pool.begin().await?;
        let there: Option<String> =
            sqlx::query_scalar("SELECT to_regclass($1)::text").bind(LATE).fetch_one(&mut *tx).await?;
        if there.is_none() || !begin_moving(&mut tx).await? {
            return Ok(all);
        }
        // Only names and numbers of our own stand in these texts.
        let rows: Vec<(i64, i64)> = sqlx::query_as(AssertSqlSafe(some.as_str())).fetch_all(&mut *tx).await?;
        if rows.is_empty() {
            return Ok(all);
        }
        let (ids, channels): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
        // The channels first, as whoever changes a message does.
        let locked = "WITH locked AS (SELECT id FROM channels WHERE id = ANY($1)
                                     ORDER BY (root_id IS NOT NULL), id FOR UPDATE)
                      UPDATE channels SET archived_version = version FROM locked WHERE channels.id = locked.id";
        sqlx::query(locked).bind(channels).execute(&mut *tx).await?;
        all += sqlx::query(AssertSqlSafe(put.as_str())).bind(ids).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        pause(begun.elapsed()).await;
    }
}

pub(super) async fn status(pool: &PgPool, border: i64) -> Result<Vec<Month>> {
    let c = &mut *pool.acquire().await?;
    let mut months = Vec::new();
    for (table, archived) in [("messages_archive", true), ("messages", false)] {
        for partition in partitions_of(c, table).await? {
            let month = month_of(&partition);
            if month.is_none() && partition != LATE {
                continue;
            }
            let sql = format!("SELECT COUNT(*), pg_total_relation_size('{partition}') FROM {partition}");
            // A name of our own.
            let (messages, bytes) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *c).await?;
            let due = !archived && month.is_none_or(|month| month < border);
            let name = month.map_or_else(|| "late".to_owned(), partitions::name);
            months.push(Month { name, archived, due, messages, bytes });
        }
    }
    months.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(months)
}
