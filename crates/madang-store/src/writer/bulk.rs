//! Statements over many rows on SQLite, which has no arrays: tables of values in the text, as long as
//! the next power of two, whose rest is empty and passed over. So each text has as many sizes as there
//! are powers of two up to [`BATCH`], prepared once each.
//!
//! Several statements may stand in one text: each trip to SQLite's thread wakes it and whoever waits.

use std::sync::{Arc, OnceLock};

use sqlx::{AssertSqlSafe, Sqlite, query::Query, sqlite::SqliteArguments};

use super::BATCH;

/// Powers of two up to [`BATCH`].
const SIZES: usize = BATCH.ilog2() as usize + 1;

/// A statement over a table of values.
pub(super) struct Part {
    /// What stands before the table.
    pub before: &'static str,
    /// Its columns, called `column1` and so on. A row whose first one is NULL is to be passed over.
    pub columns: usize,
    /// What stands after it.
    pub after: &'static str,
}

/// Statements, each over a table of as many rows.
pub(super) struct Bulk<const PARTS: usize> {
    parts: [Part; PARTS],
    texts: [OnceLock<Arc<str>>; SIZES],
}

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Statements whose values are being bound, those of one part after those of the other.
pub(super) struct Bound<'a> {
    statement: Statement,
    size: usize,
    parts: std::slice::Iter<'a, Part>,
}

impl<const PARTS: usize> Bulk<PARTS> {
    pub(super) const fn new(parts: [Part; PARTS]) -> Self {
        Self { parts, texts: [const { OnceLock::new() }; SIZES] }
    }

    /// The statements for so many rows, at most [`BATCH`].
    pub(super) fn bind(&self, rows: usize) -> Bound<'_> {
        let size = rows.clamp(1, BATCH).next_power_of_two();
        let make = || self.text(size).into();
        let text: Arc<str> = match self.texts.get(size.ilog2() as usize) {
            Some(kept) => Arc::clone(kept.get_or_init(make)),
            None => make(),
        };
        // Only the marks of parameters are added to texts of our own.
        Bound { statement: sqlx::query(AssertSqlSafe(text)), size, parts: self.parts.iter() }
    }

    fn text(&self, rows: usize) -> String {
        let statement = |part: &Part| {
            let row = format!("({})", vec!["?"; part.columns].join(","));
            format!("{}(VALUES {}){}", part.before, vec![row.as_str(); rows].join(","), part.after)
        };
        self.parts.iter().map(statement).collect::<Vec<_>>().join(";")
    }
}

impl Bound<'_> {
    /// Binds the rows of the next part, and nothing to the rest of its table.
    pub(super) fn rows<T>(
        mut self,
        rows: impl ExactSizeIterator<Item = T>,
        bind: impl Fn(Statement, T) -> Statement,
    ) -> Self {
        let columns = self.parts.next().map_or(0, |part| part.columns);
        let empty = columns * self.size.saturating_sub(rows.len());
        let bound = rows.fold(self.statement, bind);
        Self { statement: (0..empty).fold(bound, |s, _| s.bind(None::<i64>)), ..self }
    }

    /// The statements with their values.
    pub(super) fn done(self) -> Statement {
        self.statement
    }
}
