//! Where an installation moves from: an SQLite database and its archive, as they are at one moment.
//!
//! Invariants:
//! - Nothing is written, also not to bring the schema up to date.

use std::{collections::BTreeSet, path::PathBuf, str::FromStr};

use madang_proto::{FileId, ids};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{MOVED, Table};
use crate::{Error, Options, Result, message_archive, migrations};

/// Of archived messages those that are not back among the others, where they count.
const ARCHIVED: &str = "NOT EXISTS (SELECT 1 FROM messages AS live WHERE live.id = messages_archive.id)";

/// A file of which bytes are kept besides the database.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: FileId,
    /// `ready`, `emoji`, `avatar`, or `export` for what someone takes away.
    pub state: String,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// Their SHA-256, where it is known.
    pub sha256: Option<String>,
    /// Whether it has a thumbnail.
    pub thumbnail: bool,
}

/// The source.
#[derive(Debug)]
pub struct Source(SqliteConnection);

impl Source {
    /// Opens a database, at the moment that is read from now on.
    ///
    /// # Errors
    /// `Schema` when there is none, when it is not SQLite, or of another schema than this binary's.
    pub async fn open(options: &Options) -> Result<Self> {
        let refused = |what: String| Error::Schema(format!("the database to move: {what}"));
        if !options.url.starts_with("sqlite:") {
            let what = "the settings name PostgreSQL already; give those of the installation on SQLite";
            return Err(refused(what.to_owned()));
        }
        let connect = SqliteConnectOptions::from_str(&options.url).map_err(|e| refused(e.to_string()))?;
        let path: PathBuf = connect.get_filename().to_path_buf();
        let archive = message_archive::file(&path);
        for (file, advice) in [
            (&path, "give the settings of its server, such as --data"),
            (&archive, "put it back beside the database, from the same backup"),
        ] {
            if !file.is_file() {
                return Err(refused(format!("there is no {}; {advice}", file.display())));
            }
        }
        let connect = connect.read_only(true).busy_timeout(options.patience);
        let mut c = connect.connect().await?;
        // A path of the operator's, quoted.
        sqlx::query(AssertSqlSafe(message_archive::attaching(&path))).execute(&mut c).await?;
        // The database first: a message that is archived meanwhile is in both then, not in neither.
        for sql in
            ["BEGIN", "SELECT COUNT(*) FROM main.sqlite_schema", "SELECT COUNT(*) FROM archive.sqlite_schema"]
        {
            sqlx::query(sql).execute(&mut c).await?;
        }
        let mut source = Self(c);
        source.check_schema().await?;
        Ok(source)
    }

    async fn check_schema(&mut self) -> Result<()> {
        const MADE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
        let made: bool = sqlx::query_scalar(MADE).fetch_one(&mut self.0).await?;
        let applied: Vec<i64> = if made {
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
                .fetch_all(&mut self.0)
                .await?
        } else {
            Vec::new()
        };
        let known = migrations::of_sqlite();
        if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
            return Err(sqlx::migrate::MigrateError::VersionMissing(*newer).into());
        }
        if applied.len() < known.len() {
            return Err(Error::Schema(
                "the database to move is of an older Madang: start the server once, which brings it up to date, \
                 and stop it"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether a table has the columns that it has in the target.
    pub(super) async fn check_columns(&mut self, table: &Table) -> Result<()> {
        let sql = "SELECT name FROM pragma_table_info(?1, CASE ?1 WHEN 'messages_archive' THEN 'archive' ELSE 'main' END)";
        let here: Vec<String> = sqlx::query_scalar(sql).bind(table.name).fetch_all(&mut self.0).await?;
        let here: BTreeSet<&str> = here.iter().map(String::as_str).collect();
        let there: BTreeSet<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        match here.symmetric_difference(&there).next() {
            None => Ok(()),
            Some(column) => {
                Err(Error::Schema(format!("{}.{column} is in one of both databases only", table.name)))
            }
        }
    }

    /// Some rows in the order of their keys, each as a JSON array.
    pub(super) async fn rows(
        &mut self,
        table: &Table,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<String>> {
        let (columns, keys) = (Table::names(&table.columns), Table::names(table.key()));
        let places = Table::each(table.key(), |(n, _)| format!("?1 ->> {n}"));
        let sql = format!(
            "SELECT json_array({columns}) FROM {} WHERE {} AND {} ORDER BY {keys} LIMIT ?2",
            table.name,
            which(table.name),
            if after.is_some() { format!("({keys}) > ({places})") } else { "?1 IS NULL".to_owned() },
        );
        // Only names of our own stand in this text.
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).bind(after).bind(limit);
        Ok(rows.fetch_all(&mut self.0).await?)
    }

    /// How many rows each table has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&mut self) -> Result<Vec<(&'static str, i64)>> {
        let mut counts = Vec::with_capacity(MOVED.len());
        for table in MOVED {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE {}", which(table));
            let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.0).await?;
            counts.push((*table, count));
        }
        Ok(counts)
    }

    /// When the oldest and the newest message were made, in Unix milliseconds.
    pub(super) async fn span(&mut self) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT MIN(id), MAX(id) FROM (SELECT MIN(id) AS id FROM messages UNION SELECT MAX(id) FROM messages
                   UNION SELECT MIN(id) FROM messages_archive UNION SELECT MAX(id) FROM messages_archive) AS ends";
        let (oldest, newest): (Option<i64>, Option<i64>) = sqlx::query_as(sql).fetch_one(&mut self.0).await?;
        Ok(oldest.zip(newest).map(|(oldest, newest)| (ids::made_at(oldest), ids::made_at(newest))))
    }

    /// When the newest archived message was made, in Unix milliseconds.
    pub(super) async fn newest_archived(&mut self) -> Result<Option<i64>> {
        let sql = format!("SELECT MAX(id) FROM messages_archive WHERE {ARCHIVED}");
        let newest: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.0).await?;
        Ok(newest.map(ids::made_at))
    }

    /// The files of which bytes are kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files(&mut self) -> Result<Vec<Kept>> {
        let sql = "SELECT id, state, name, size, NULLIF(sha256, '') AS sha256, thumbnail FROM files
                   WHERE state IN ('ready', 'emoji', 'avatar')
                   UNION ALL
                   SELECT id, 'export', 'export', COALESCE(size, 0), sha256, FALSE FROM exports WHERE state = 'ready'
                   ORDER BY id";
        Ok(sqlx::query_as(sql).fetch_all(&mut self.0).await?)
    }

    pub(super) async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

/// Which rows of a table there are to move.
fn which(table: &str) -> &'static str {
    if table == "messages_archive" { ARCHIVED } else { "TRUE" }
}
