//! Statements over many rows on SQLite, which has no arrays: a table of values in the text, as long as
//! the next power of two, whose rest is empty and passed over. So each statement has ten texts at most,
//! prepared once.

use std::sync::{Arc, OnceLock};

use sqlx::{AssertSqlSafe, Sqlite, query::Query, sqlite::SqliteArguments};

use super::BATCH;

/// Powers of two up to [`BATCH`].
const SIZES: usize = BATCH.ilog2() as usize + 1;

/// A statement over rows of values.
pub(super) struct Bulk {
    before: &'static str,
    columns: usize,
    after: &'static str,
    texts: [OnceLock<Arc<str>>; SIZES],
}

impl Bulk {
    /// `before` and `after` surround a table of so many columns, called `column1` and so on; rows whose
    /// first one is NULL are to be passed over.
    pub(super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self { before, columns, after, texts: [const { OnceLock::new() }; SIZES] }
    }

    /// The statement for so many rows, at most [`BATCH`]. The values are bound row by row.
    pub(super) fn query(&self, rows: usize) -> Query<'static, Sqlite, SqliteArguments> {
        let size = rows.clamp(1, BATCH).next_power_of_two();
        let make = || self.text(size).into();
        let text: Arc<str> = match self.texts.get(size.ilog2() as usize) {
            Some(kept) => Arc::clone(kept.get_or_init(make)),
            None => make(),
        };
        // Only the marks of parameters are added to texts of our own.
        sqlx::query(AssertSqlSafe(text))
    }

    fn text(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{}(VALUES {}){}", self.before, vec![row.as_str(); rows].join(","), self.after)
    }
}
