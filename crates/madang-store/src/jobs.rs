//! Jobs: a queue of work in the database, of which this knows a text only.
//!
//! A job is stored by the transaction that causes it. Whoever claims one moves its due time to the end of a
//! lease and counts the attempt; when they never come back (a crash), it is due again by itself.
//!
//! Invariants:
//! - No two claim the same job at the same time, also from several nodes.
//! - Only the newest claim of a job ends it: who comes back after their lease changes nothing.
//! - Of jobs with the same key one waits. Whoever begins it takes its key, so what is stored from then on brings
//!   another; and it cannot be begun while someone who counts on it has not committed.

use std::collections::BTreeSet;

use madang_proto::Timestamp;

use crate::{
    Db, Result, Tx,
    db::{counted, execute, optional},
    packed,
};

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The id.
    pub id: i64,
    /// What is to be done.
    pub job: String,
    /// When, at the earliest.
    pub due_at: Timestamp,
    /// Where one with this key waits, this one is not needed.
    pub key: Option<String>,
}

/// A job that whoever claimed it has to do.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimed {
    /// The id.
    pub id: i64,
    /// What is to be done.
    pub job: String,
    /// Which attempt this is, from 1.
    pub attempts: i64,
}

/// Up to how many jobs that are due are counted: beyond it, it only matters that they are many.
pub const DUE_COUNTED: i64 = 1_000;

/// What lies ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Outlook {
    /// When the next job is due, in milliseconds.
    pub next: Option<i64>,
    /// How many jobs are due, counted up to [`DUE_COUNTED`].
    pub due: i64,
    /// How many jobs failed too often.
    pub dead: i64,
}

/// Stores jobs, all with one statement; with none where there is no job.
///
/// # Errors
/// When the database fails.
pub async fn insert<'a>(tx: &mut Tx, jobs: impl IntoIterator<Item = &'a NewJob> + Send) -> Result<()> {
    let mut keys = BTreeSet::new();
    let needed = jobs.into_iter().filter(|new| new.key.as_ref().is_none_or(|key| keys.insert(key)));
    let mut rows: Vec<_> =
        needed.map(|new| (new.id, &new.job, new.due_at.millis(), new.key.as_ref())).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // In one order on every node, so that two never wait for each other.
    rows.sort_by_key(|row| row.3);
    let rows = packed::text(&rows)?;
    macro_rules! insert {
        ($c:ident, $each:literal) => {{
            let sql = concat!(
                "INSERT INTO jobs (id, job, due_at, key)
                 SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3 FROM ",
                $each,
                // Not DO NOTHING: the one that waits is locked until the commit.
                " WHERE TRUE ON CONFLICT (key) DO UPDATE SET key = excluded.key"
            );
            sqlx::query(sql).bind(rows).execute(&mut **$c).await?;
        }};
    }
    match counted(tx) {
        Tx::Sqlite(c) => insert!(c, "json_each($1)"),
        Tx::Postgres(c) => insert!(c, "json_array_elements($1::json) AS jobs (value)"),
    }
    Ok(())
}

/// Takes a job back; nothing happens where it is done already.
///
/// # Errors
/// When the database fails.
pub async fn cancel(tx: &mut Tx, id: i64) -> Result<()> {
    execute!(tx, "DELETE FROM jobs WHERE id = $1", id)?;
    Ok(())
}

/// When the next job is due, how many are due now, and how many are dead.
///
/// # Errors
/// When the database fails.
pub async fn outlook(db: &Db, now: Timestamp) -> Result<Outlook> {
    let row = optional!(
        &mut db.read().await?,
        Outlook,
        "SELECT (SELECT MIN(due_at) FROM jobs WHERE dead_at IS NULL) AS next,
                (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE dead_at IS NULL AND due_at <= $1 LIMIT $2) AS due)
                    AS due,
                (SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL) AS dead",
        now.millis(),
        DUE_COUNTED
    )?;
    Ok(row.unwrap_or(Outlook { next: None, due: 0, dead: 0 }))
}

/// Claims so many jobs that are due, until the end of a lease.
///
/// # Errors
/// When the database fails.
pub async fn claim(db: &Db, now: Timestamp, lease_ends: Timestamp, limit: u32) -> Result<Vec<Claimed>> {
    let mut tx = db.begin().await?;
    macro_rules! claim {
        ($c:ident, $locked:literal) => {{
            let sql = concat!(
                "WITH due AS (SELECT id FROM jobs WHERE dead_at IS NULL AND due_at <= $1
                              ORDER BY due_at, id LIMIT $3",
                $locked,
                ")
                 UPDATE jobs SET due_at = $2, attempts = attempts + 1, key = NULL WHERE id IN (SELECT id FROM due)
                 RETURNING id, job, attempts"
            );
            let claim = sqlx::query_as(sql).bind(now.millis()).bind(lease_ends.millis());
            claim.bind(i64::from(limit)).fetch_all(&mut **$c).await?
        }};
    }
    let claimed = match counted(&mut tx) {
        Tx::Sqlite(c) => claim!(c, ""),
        // A table that locks rows is made once, whatever the plan.
        Tx::Postgres(c) => claim!(c, " FOR UPDATE SKIP LOCKED"),
    };
    tx.commit().await?;
    Ok(claimed)
}

/// It is done.
///
/// # Errors
/// When the database fails.
pub async fn finish(db: &Db, done: &Claimed) -> Result<()> {
    let mut tx = db.begin().await?;
    execute!(&mut tx, "DELETE FROM jobs WHERE id = $1 AND attempts = $2", done.id, done.attempts)?;
    tx.commit().await
}

/// It failed, and is to be tried again at this time.
///
/// # Errors
/// When the database fails.
pub async fn retry(db: &Db, failed: &Claimed, at: Timestamp, error: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let (id, attempts) = (failed.id, failed.attempts);
    let sql = "UPDATE jobs SET due_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2";
    execute!(&mut tx, sql, id, attempts, at.millis(), error)?;
    tx.commit().await
}

/// It was not done, and whoever wants it may claim it: the attempt does not count. The claim may not be used again.
///
/// # Errors
/// When the database fails.
pub async fn give_back(db: &Db, undone: &Claimed, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    let (id, attempts) = (undone.id, undone.attempts);
    let sql = "UPDATE jobs SET due_at = $3, attempts = attempts - 1 WHERE id = $1 AND attempts = $2";
    execute!(&mut tx, sql, id, attempts, now.millis())?;
    tx.commit().await
}

/// It failed once too often, and is kept to be looked at.
///
/// # Errors
/// When the database fails.
pub async fn bury(db: &Db, failed: &Claimed, now: Timestamp, error: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let (id, attempts) = (failed.id, failed.attempts);
    let sql = "UPDATE jobs SET dead_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2";
    execute!(&mut tx, sql, id, attempts, now.millis(), error)?;
    tx.commit().await
}

/// Forgets those that died before this time.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<()> {
    execute!(tx, "DELETE FROM jobs WHERE dead_at < $1", before.millis())?;
    Ok(())
}
