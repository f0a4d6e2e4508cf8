//! The archive: old months of messages, out of the way of new ones and still to be read.
//!
//! PostgreSQL: a month is a partition of `messages`, and becomes one of `messages_archive`, by one transaction that
//! moves no row (`postgres`). SQLite: rows go to a table of the same name in a file of its own, which every
//! connection has at hand to be read (`sqlite`).
//!
//! New messages never meet the archive: a page asks for it where `seq` shows that something is missing, and what
//! changed since a version where `channels.archived_version` says that there may be something. A message that is to be
//! changed comes back among the others first ([`bring_back`]), and is archived anew by the next run.
//!
//! Invariants:
//! - A message is in `messages` or in the archive, at any moment; where it is in both, that in `messages` counts, and
//!   the other is never shown.
//! - Its id, `seq` and `version` do not change by that.
//! - No archived message of a channel changed after the channel's `archived_version`.

mod postgres;
mod sqlite;

use std::time::Duration;

use madang_proto::{MessageId, Timestamp};

pub(crate) use self::{
    postgres::begin_below,
    sqlite::{attach, attaching, create_private, file, prepare},
};
use crate::{
    Db, Result, Tx,
    db::{execute, optional},
    packed::{BESIDE, MESSAGE},
    partitions,
};

/// Messages that are moved by one transaction.
const BATCH: i64 = 500;

/// What one run moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Months of PostgreSQL that were moved whole.
    pub months: u64,
    /// Messages that were moved one by one.
    pub messages: u64,
    /// Whether there is more, for which this was not the moment: someone else reads or moves it.
    pub more: bool,
}

/// A month of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// As in `2026_01`; on PostgreSQL `late` for those that came back from the archive.
    pub name: String,
    /// Whether it is in the archive.
    pub archived: bool,
    /// Whether the next run moves it.
    pub due: bool,
    /// How many messages it has.
    pub messages: i64,
    /// Bytes: on PostgreSQL on the disk, with indexes; on SQLite of the texts.
    pub bytes: i64,
}

/// The first month that stays, where messages are archived that are older than so many whole months.
fn border(now: Timestamp, months: u32) -> i64 {
    partitions::month_of(now) - i64::from(months)
}

/// Every column of a message.
fn columns() -> String {
    format!("{MESSAGE}, {BESIDE}, pinned_by, changed")
}

/// The months that there are, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn status(db: &Db, now: Timestamp, months: u32) -> Result<Vec<Month>> {
    let border = border(now, months);
    match db {
        Db::Sqlite { .. } => sqlite::status(db, border).await,
        Db::Postgres { pool, .. } => postgres::status(pool, border).await,
    }
}

/// Archives what is older than so many whole months, beside whoever reads and writes. It may end at any point, and
/// several may do it at once. `midway` is called in the middle of each step, where nothing is moved yet.
///
/// # Errors
/// When the database fails; then nothing is lost, and the next run goes on.
pub async fn run(db: &Db, now: Timestamp, months: u32, midway: &(dyn Fn() + Sync)) -> Result<Moved> {
    let border = border(now, months);
    match db {
        Db::Sqlite { .. } => sqlite::run(db, border, midway).await,
        Db::Postgres { pool, .. } => postgres::run(pool, border, midway).await,
    }
}

/// Leaves the database to others as long again as a step took.
async fn pause(took: Duration) {
    tokio::time::sleep(took.min(Duration::from_secs(1))).await;
}

/// Brings a message back from the archive, if it is there, in a change that has its channel locked.
///
/// # Errors
/// When the database fails.
pub async fn bring_back(tx: &mut Tx, id: MessageId) -> Result<()> {
    let live = optional!(&mut *tx, (i64,), "SELECT id FROM messages WHERE id = $1", id.get())?;
    if live.is_some() {
        return Ok(());
    }
    let columns = columns();
    let sql = match tx {
        Tx::Sqlite(_) => format!(
            "INSERT INTO messages ({columns}) SELECT {columns} FROM messages_archive AS old
             WHERE id = $1 AND seq >= (SELECT first_seq FROM channels WHERE channels.id = old.channel_id)"
        ),
        Tx::Postgres(_) => format!(
            "WITH old AS (DELETE FROM messages_archive WHERE id = $1 RETURNING {columns})
             INSERT INTO messages ({columns}) SELECT {columns} FROM old"
        ),
    };
    // Only names of our own stand in this text.
    execute!(tx, sqlx::AssertSqlSafe(sql.as_str()), id.get())?;
    Ok(())
}

/// Removes messages from the archive that are gone already: on SQLite it is a file of its own, and this comes after
/// the commit.
///
/// # Errors
/// When the database fails; they are not shown any more, and [`retention`](crate::retention) finds them again.
pub async fn remove(db: &Db, ids: &[i64]) -> Result<()> {
    match db {
        Db::Sqlite { .. } if !ids.is_empty() => sqlite::remove(db, ids).await,
        Db::Sqlite { .. } | Db::Postgres { .. } => Ok(()),
    }
}
