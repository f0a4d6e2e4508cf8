//! Nodes: the processes that share a PostgreSQL database, each with a number that its ids carry. SQLite has one process.
//!
//! A number is held by a row whose end the node moves on every few seconds. An orderly stop takes the row away; after
//! a crash it ends by itself. A crashed node's number rests as long as there are others, and a day at most.
//!
//! Invariants:
//! - No two hold a number at the same time: rows are taken one after the other, and only those whose time is over,
//!   or whose folder the one who takes it has locked.
//! - Times are compared by the database's clock, so it does not matter what the nodes' clocks say.

use std::time::Duration;

use madang_proto::Timestamp;
use sqlx::{PgConnection, postgres::PgPool};

use crate::{Db, Result, bounded::PgTx, kept::ask};

/// Numbers that are held: from 0. Those above stand for nobody.
pub const NUMBERS: u16 = 510;
/// Key of the advisory lock behind which rows are taken.
const LOCK: i64 = 0x6d61_6461_6e69;
/// Key of the advisory lock behind which the schema is brought up to date.
const SCHEMA_LOCK: i64 = 0x6d61_6461_6e6a;
/// Milliseconds for which the number of a crashed node rests, where there are others.
const REST: i64 = 24 * 60 * 60 * 1_000;

/// The database's clock, in milliseconds.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}
pub(crate) use now;

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which run of which process: chosen at random.
    pub id: i64,
    /// Which data folder.
    pub place: String,
    /// Where it is, for people.
    pub address: String,
    /// Its version.
    pub version: String,
    /// The newest migration that it knows.
    pub schema: i64,
    /// What tells its secret from others, and does not tell the secret.
    pub secret: String,
    /// How it speaks to others.
    pub bus: String,
    /// Where its files are.
    pub files: String,
    /// When it was started, by its clock.
    pub started_at: Timestamp,
}

/// A node as others see it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Node {
    /// Its number.
    pub number: i64,
    /// Which run.
    pub id: i64,
    /// Which data folder.
    pub place: String,
    /// Where it is.
    pub address: String,
    /// Its version.
    pub version: String,
    /// The newest migration that it knows.
    pub schema: i64,
    /// What tells its secret from others.
    pub secret: String,
    /// How it speaks to others.
    pub bus: String,
    /// Where its files are.
    pub files: String,
    /// When it was started, by its clock.
    #[sqlx(try_from = "i64")]
    pub started_at: Timestamp,
    /// Until when it holds its number.
    pub ends_at: i64,
    /// Milliseconds until then.
    pub left: i64,
    /// Milliseconds by which its clock was ahead of the database's when it was heard last, about.
    pub ahead: i64,
}

impl Node {
    /// Whether it holds its number.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        self.left >= 0
    }
}

/// What became of asking for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is this one. Whoever had it before made no id after this time, by their clock.
    Number(u16, Timestamp),
    /// Others were in the way, for a reason.
    Refused(String, Vec<Node>),
}

const SELECT: &str = concat!(
    "SELECT number, id, place, address, version, schema, secret, bus, files, started_at, ends_at,
            ends_at - ",
    now!(),
    " AS left, clock - heard_at AS ahead FROM nodes ORDER BY number"
);

/// All nodes, those that crashed within a day among them.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db) -> Result<Vec<Node>> {
    match db {
        Db::Sqlite { .. } => Ok(Vec::new()),
        Db::Postgres { pool, pulse, .. } => of(&mut PgTx::read(pool, pulse).await?).await,
    }
}

/// All nodes; none where the table is still to be made.
async fn of(c: &mut PgTx) -> Result<Vec<Node>> {
    let there: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('nodes')::text").fetch_one(&mut *c).await?;
    if there.is_none() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_as(SELECT).fetch_all(c).await?)
}

/// The lock behind which one node at a time brings the schema up to date; it ends with the connection.
pub(crate) async fn lock_schema(pool: &PgPool) -> Result<PgConnection> {
    let mut c = pool.acquire().await?.detach();
    let free: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(SCHEMA_LOCK).fetch_one(&mut c).await?;
    if !free {
        tracing::info!("waiting for another node, which brings the database up to date");
        sqlx::query("SELECT pg_advisory_lock($1)").bind(SCHEMA_LOCK).execute(&mut c).await?;
    }
    Ok(c)
}

/// Forgets the former runs of a data folder, which whoever calls this has locked.
///
/// # Errors
/// When the database fails.
pub async fn forget_former(db: &Db, place: &str) -> Result<()> {
    let Db::Postgres { pool, pulse, .. } = db else { return Ok(()) };
    let mut tx = PgTx::begin(pool, pulse).await?;
    if of(&mut tx).await?.iter().any(|node| node.place == place) {
        let gone: Vec<i64> = sqlx::query_scalar("DELETE FROM nodes WHERE place = $1 RETURNING id")
            .bind(place)
            .fetch_all(&mut tx)
            .await?;
        end_leases(&mut tx, &gone).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn end_leases(c: &mut PgTx, nodes: &[i64]) -> Result<()> {
    sqlx::query("DELETE FROM leases WHERE node = ANY($1)").bind(nodes).execute(c).await?;
    Ok(())
}

/// Takes a number for so long, unless `refuse` says what of the others is in the way.
///
/// # Errors
/// When the database fails.
pub async fn take(
    db: &Db,
    said: &Said,
    now: Timestamp,
    lease: Duration,
    refuse: impl FnOnce(&[Node]) -> Option<(String, Vec<Node>)> + Send,
) -> Result<Taken> {
    let Db::Postgres { pool, pulse, .. } = db else { return Ok(Taken::Number(0, Timestamp::from(0))) };
    let mut tx = PgTx::begin(pool, pulse).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut tx).await?;
    // One that lost its number keeps no row of before.
    let gone: Vec<i64> = sqlx::query_scalar(concat!(
        "DELETE FROM nodes WHERE id = $1 OR ends_at < ",
        now!(),
        " - $2 RETURNING id"
    ))
    .bind(said.id)
    .bind(REST)
    .fetch_all(&mut tx)
    .await?;
    end_leases(&mut tx, &gone).await?;
    let mut alive = of(&mut tx).await?;
    alive.retain(Node::is_alive);
    if let Some((reason, by)) = refuse(&alive) {
        return Ok(Taken::Refused(reason, by));
    }
    let Some((number, until)) = free(&mut tx).await? else {
        return Ok(Taken::Refused(
            format!("{NUMBERS} nodes hold a number, which is all there are"),
            Vec::new(),
        ));
    };
    sqlx::query(concat!(
        "INSERT INTO nodes (number, id, place, address, version, schema, secret, bus, files, started_at, clock,
                            heard_at, ends_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now, now + $12 FROM (SELECT ",
        now!(),
        " AS now) AS at"
    ))
    .bind(i64::from(number))
    .bind(said.id)
    .bind(&said.place)
    .bind(&said.address)
    .bind(&said.version)
    .bind(said.schema)
    .bind(&said.secret)
    .bind(&said.bus)
    .bind(&said.files)
    .bind(said.started_at.millis())
    .bind(now.millis())
    .bind(millis(lease))
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(Taken::Number(number, until))
}

/// A number that nobody holds: the lowest that no row has, or else that which ended longest ago; and until when it was in use.
async fn free(c: &mut PgTx) -> Result<Option<(u16, Timestamp)>> {
    let fresh: Option<i64> = sqlx::query_scalar(
        "SELECT n FROM generate_series(0::bigint, $1::bigint - 1) AS n
         WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE number = n) ORDER BY n LIMIT 1",
    )
    .bind(i64::from(NUMBERS))
    .fetch_optional(&mut *c)
    .await?;
    let found: Option<(i64, i64)> = match fresh {
        Some(number) => Some((number, 0)),
        None => {
            sqlx::query_as(concat!(
                "DELETE FROM nodes WHERE number = (SELECT number FROM nodes WHERE ends_at < ",
                now!(),
                " ORDER BY ends_at LIMIT 1) RETURNING number, clock + ends_at - heard_at"
            ))
            .fetch_optional(c)
            .await?
        }
    };
    Ok(found.and_then(|(number, in_use)| Some((u16::try_from(number).ok()?, in_use.into()))))
}

/// Holds on to a number for so long from now. False when it is another's, or nobody's.
///
/// # Errors
/// When the database fails.
pub async fn hold(db: &Db, number: u16, id: i64, now: Timestamp, lease: Duration) -> Result<bool> {
    let Db::Postgres { kept, .. } = db else { return Ok(true) };
    let hold = concat!(
        "UPDATE nodes SET clock = $3, heard_at = now, ends_at = now + $4
         FROM (SELECT ",
        now!(),
        " AS now) AS at WHERE number = $1 AND id = $2"
    );
    let (number, now, lease) = (i64::from(number), now.millis(), millis(lease));
    let held = ask!(kept, c => sqlx::query(hold).bind(number).bind(id).bind(now).bind(lease).execute(c))?;
    Ok(held.rows_affected() == 1)
}

/// Gives the number back, and all leases.
///
/// # Errors
/// When the database fails; then they end by themselves.
pub async fn leave(db: &Db, id: i64) -> Result<()> {
    let Db::Postgres { pool, pulse, .. } = db else { return Ok(()) };
    let mut tx = PgTx::begin(pool, pulse).await?;
    end_leases(&mut tx, &[id]).await?;
    sqlx::query("DELETE FROM nodes WHERE id = $1").bind(id).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
