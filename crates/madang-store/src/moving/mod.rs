//! Moving an installation: all that an SQLite database has, into a PostgreSQL database that has nothing yet.
//!
//! Row by row, in the order of keys, with columns as the schema says: a new column moves by itself, and a new table once
//! it is named in [`MOVED`]. How far it is stands in the target, in the same transaction as the rows, so it may end at
//! any moment and be begun again. At the end each row is read once more from both sides and compared.
//!
//! Invariants:
//! - The source is only read, as it was at one moment.
//! - A row is in the target once, however often it was begun.
//! - A target that is not whole is used by no server ([`Target`]).

mod source;
mod target;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use madang_proto::Timestamp;
use serde_json::Value;

pub use self::source::{Kept, Source};
pub use self::target::Target;
pub(crate) use self::target::refuse_unfinished;
use crate::{Error, Result, packed::text, search};

/// What moves, each table after those that it refers to. This or [`LEFT_OUT`] is the place for a new table.
pub const MOVED: &[&str] = &[
    "users",
    "sessions",
    "workspaces",
    "workspace_members",
    "channels",
    "channel_members",
    "messages",
    "messages_archive",
    "message_nonces",
    "edits",
    "reactions",
    "mentions",
    "saved_messages",
    "jobs",
    "drafts",
    "scheduled_messages",
    "reminders",
    "files",
    "sanctions",
    "audit",
    "reports",
    "invites",
    "visits",
    "profiles",
    "notifications",
    "notification_users",
    "notification_places",
    "exports",
];

/// What does not, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("nodes", "who runs the installation now"),
    ("leases", "what those who run it do now"),
    ("message_words", "the index of search, which each database has in its own way"),
    ("search_channels", "the index of search, which each database has in its own way"),
    ("moves", "how the target came to be"),
    ("_sqlx_migrations", "how its schema came to be"),
];

/// Rows that are moved by one transaction.
const BATCH: i64 = 1_000;
/// Batches after which it is told how far it is.
const TOLD: u32 = 20;

/// What it means when the two sides differ.
const DIFFERS: &str = "A server or a command changed one of the two databases since the migration began. Empty the target \
                       (drop the database and create it) and begin anew";

/// Is told how far it is: a table, and rows of it that are done.
pub type Tell<'a> = &'a (dyn Fn(&str, i64) + Sync);

/// A column, and how PostgreSQL calls what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    kind: String,
}

/// A table: the columns of its key come first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Table {
    name: &'static str,
    columns: Vec<Column>,
    keys: usize,
}

impl Table {
    fn key(&self) -> &[Column] {
        self.columns.get(..self.keys).unwrap_or_default()
    }

    /// The columns, each as `$of` says it.
    fn each(columns: &[Column], of: impl Fn((usize, &Column)) -> String) -> String {
        columns.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
    }

    fn names(columns: &[Column]) -> String {
        Self::each(columns, |(_, column)| column.name.clone())
    }

    /// The key of a row, as JSON.
    fn key_of(&self, row: &[Value]) -> Result<String> {
        text(row.get(..self.keys).unwrap_or_default())
    }

    /// Whether what the target has of these rows is what they are.
    fn compare(&self, rows: &[Vec<Value>], there: &[Vec<Value>]) -> Result<()> {
        let mut known = HashMap::with_capacity(there.len());
        for row in there {
            known.insert(self.key_of(row)?, row);
        }
        for row in rows {
            let key = self.key_of(row)?;
            let differs =
                |what: String| Err(Error::Schema(format!("{} {key}: {what}. {DIFFERS}", self.name)));
            let Some(there) = known.get(&key) else { return differs("is missing in the target".to_owned()) };
            let differing = self.columns.iter().zip(row.iter().zip(there.iter())).find(|(_, (a, b))| a != b);
            if let Some((column, _)) = differing {
                return differs(format!("{} is another in the target", column.name));
            }
        }
        Ok(())
    }
}

/// A row that came as JSON.
fn read(row: &str) -> Result<Vec<Value>> {
    serde_json::from_str(row).map_err(|e| Error::Fault(sqlx::Error::Decode(e.into())))
}

fn read_all(rows: &[String]) -> Result<Vec<Vec<Value>>> {
    rows.iter().map(|row| read(row)).collect()
}

/// A move that has begun.
#[derive(Debug)]
pub struct Move {
    source: Source,
    target: Target,
    tables: Vec<Table>,
}

impl Move {
    /// Begins, or goes on with, the move of a source that is called `place`.
    ///
    /// # Errors
    /// `Schema` when the target has something else, or the two do not have the same columns.
    pub async fn begin(mut source: Source, mut target: Target, place: &str, now: Timestamp) -> Result<Self> {
        target.begin(place, now).await?;
        let mut tables = Vec::with_capacity(MOVED.len());
        for name in MOVED {
            let table = target.table(name).await?;
            source.check_columns(&table).await?;
            tables.push(table);
        }
        if let Some(span) = source.span().await? {
            target.make_months(span, source.newest_archived().await?).await?;
        }
        Ok(Self { source, target, tables })
    }

    /// Copies what is not there yet.
    ///
    /// # Errors
    /// When a database fails; what was copied until then is kept.
    pub async fn copy(&mut self, tell: Tell<'_>) -> Result<()> {
        let (at, mut after) = self.target.position().await?;
        let done = at.and_then(|at| self.tables.iter().position(|table| table.name == at)).unwrap_or(0);
        for table in self.tables.iter().skip(done) {
            let mut copied = 0;
            for batch in 1_u32.. {
                let rows = self.source.rows(table, after.as_deref(), BATCH).await?;
                let Some(last) = rows.last() else { break };
                let key = table.key_of(&read(last)?)?;
                self.target.put(table, &rows, &key).await?;
                copied += count(rows.len());
                after = Some(key);
                if batch.is_multiple_of(TOLD) {
                    tell(table.name, copied);
                }
            }
            after = None;
            tell(table.name, copied);
        }
        self.target.analyze().await
    }

    /// Compares each row of each table; gives how many there are.
    ///
    /// # Errors
    /// `Schema` names the first difference.
    pub async fn compare(&mut self) -> Result<Vec<(&'static str, i64)>> {
        let mut counts = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            let (mut after, mut rows): (Option<String>, i64) = (None, 0);
            loop {
                let given = self.source.rows(table, after.as_deref(), BATCH).await?;
                let here = read_all(&given)?;
                let Some(last) = here.last() else { break };
                let there = read_all(&self.target.rows(table, &given).await?)?;
                table.compare(&here, &there)?;
                after = Some(table.key_of(last)?);
                rows += count(given.len());
            }
            let there = self.target.count(table.name).await?;
            if there != rows {
                let name = table.name;
                return Err(Error::Schema(format!(
                    "{name}: {rows} rows, and {there} in the target. {DIFFERS}"
                )));
            }
            counts.push((table.name, rows));
        }
        Ok(counts)
    }

    /// The source, for what is not in a database.
    pub const fn source(&mut self) -> &mut Source {
        &mut self.source
    }

    /// All is there: from now on a server may use it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&mut self, now: Timestamp) -> Result<()> {
        self.target.finish(now).await
    }

    /// Fills the index of search, as far as it is not; a server does so too.
    ///
    /// # Errors
    /// When the database fails; what was indexed until then is kept.
    pub async fn index(&self, tell: Tell<'_>) -> Result<()> {
        let db = self.target.db();
        let mut done = 0;
        for batch in 1_u32.. {
            let (behind, _) = search::behind(db, None).await?;
            if behind.is_empty() {
                break;
            }
            done += search::store(db, &search::changed(db, &behind).await?).await?;
            if batch.is_multiple_of(TOLD) {
                tell("search", done);
            }
        }
        tell("search", done);
        Ok(())
    }

    /// Closes both sides.
    ///
    /// # Errors
    /// When that fails.
    pub async fn close(self) -> Result<()> {
        self.source.close().await?;
        self.target.close().await
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
