//! Where an installation moves to: a PostgreSQL database that has nothing yet, or a part of the same installation.
//!
//! The row of `moves` says whose it is and how far. Until it has an end, no server uses the database
//! ([`refuse_unfinished`]).
//!
//! Invariants:
//! - A database that has anything else is left as it is.
//! - One process at a time fills it: it holds a lock of the connection that writes, so what a killed one has begun ends
//!   before another begins.

use std::str::FromStr;

use madang_proto::Timestamp;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{Column, LEFT_OUT, MOVED, Table};
use crate::{Db, Error, Options, Result, message_archive, partitions};

/// Key of the advisory lock that one process at a time holds.
const LOCK: i64 = 0x6d61_6461_6e6b;
/// Milliseconds for which it is waited for: a killed process loses it once the database has noticed.
const LOCK_MS: u32 = 10_000;
/// Rows that the migrations themselves make.
const BORN: &str = "DELETE FROM profiles WHERE newest = 0";
/// What to do where the target is not empty.
const EMPTY: &str = "take a database that has nothing, as CREATE DATABASE makes it";

/// What its tables are, but those of extensions and partitions.
const TABLES: &str = "SELECT c.relname, pg_has_role(c.relowner, 'USAGE') FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT c.relispartition
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname";

/// The target.
#[derive(Debug)]
pub struct Target {
    /// Holds the lock, and writes.
    c: PgConnection,
    db: Db,
}

/// How far a move is.
#[derive(Debug, sqlx::FromRow)]
struct Position {
    source: String,
    schema: i64,
    ended_at: Option<i64>,
}

impl Target {
    /// Connects, changing nothing.
    ///
    /// # Errors
    /// `Schema` when the URL is not one of PostgreSQL, when nobody answers there, when another process fills the
    /// database, or when it cannot be filled.
    pub async fn connect(options: &Options) -> Result<Self> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| options.url.starts_with(scheme)) {
            return Err(Error::Schema("expected postgres://user:password@host/database".to_owned()));
        }
        let refused = |e: sqlx::Error| match e {
            sqlx::Error::Configuration(_) => {
                Error::Schema(format!("{e}: expected postgres://user:password@host/database"))
            }
            other => Error::Schema(other.to_string()),
        };
        let connect = PgConnectOptions::from_str(&options.url).map_err(refused)?.application_name("madang");
        let connected = tokio::time::timeout(options.patience, connect.connect()).await;
        let nobody = |_| Error::Schema(format!("nobody answers within {} s", options.patience.as_secs()));
        let mut c = connected.map_err(nobody)?.map_err(refused)?;
        let sql = format!("SET lock_timeout = {LOCK_MS}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut c).await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut c).await.map_err(|e| {
            match Error::from(e) {
                Error::Unavailable(_) => Error::Schema("another migration fills this database".to_owned()),
                other => other,
            }
        })?;
        let db = Db::connect(options).await?;
        let mut target = Self { c, db };
        target.check_rights().await?;
        Ok(target)
    }

    async fn check_rights(&mut self) -> Result<()> {
        let sql = "SELECT current_schema()::text, COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE),
                          current_setting('server_encoding')";
        let (schema, may, encoding): (Option<String>, bool, String) =
            sqlx::query_as(sql).fetch_one(&mut self.c).await?;
        if encoding != "UTF8" {
            return Err(Error::Schema(format!("its encoding is {encoding}: make it with ENCODING 'UTF8'")));
        }
        match schema {
            Some(_) if may => Ok(()),
            Some(schema) => Err(Error::Schema(format!(
                "the user may make no tables: let them own the database, or GRANT CREATE ON SCHEMA {schema}"
            ))),
            None => Err(Error::Schema("it has no schema to make tables in: CREATE SCHEMA public".to_owned())),
        }
    }

    /// Whether the move of `place` has begun here. False where the database has nothing.
    ///
    /// # Errors
    /// `Schema` when there is anything else.
    pub async fn has_begun(&mut self, place: &str) -> Result<bool> {
        let there: Vec<(String, bool)> = sqlx::query_as(TABLES).fetch_all(&mut self.c).await?;
        let ours = |name: &str| MOVED.contains(&name) || LEFT_OUT.iter().any(|(left, _)| *left == name);
        if let Some((other, _)) = there.iter().find(|(name, _)| !ours(name)) {
            return Err(Error::Schema(format!("it has {other:?}, which is not Madang's: {EMPTY}")));
        }
        if let Some((table, _)) = there.iter().find(|(_, own)| !own) {
            return Err(Error::Schema(format!(
                "the user does not own its table {table}: {EMPTY}, for this user"
            )));
        }
        if there.iter().any(|(name, _)| name == "moves") {
            let sql = "SELECT source, schema, ended_at FROM moves";
            match sqlx::query_as::<_, Position>(sql).fetch_optional(&mut self.c).await? {
                None => {}
                Some(Position { ended_at: Some(at), .. }) => {
                    let at = Timestamp::from(at);
                    return Err(Error::Schema(format!(
                        "an installation moved here at {at}: start the server on it, or {EMPTY}"
                    )));
                }
                Some(Position { source, .. }) if source != place => {
                    return Err(Error::Schema(format!(
                        "the migration of another data folder has begun here: end that one, or {EMPTY}"
                    )));
                }
                Some(Position { schema, .. }) if schema != self.db.schema() => {
                    return Err(Error::Schema(format!(
                        "another version of Madang has begun here: end it with that version, or {EMPTY}"
                    )));
                }
                Some(_) => return Ok(true),
            }
        }
        for (table, _) in there.iter().filter(|(name, _)| name != "_sqlx_migrations") {
            let but = if table == "profiles" { "WHERE newest > 0" } else { "" };
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} {but})");
            // A name of our own.
            if sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.c).await? {
                return Err(Error::Schema(format!("its table {table} has rows: {EMPTY}")));
            }
        }
        Ok(false)
    }

    /// Makes the tables and says whose they are, or finds that this was done.
    pub(super) async fn begin(&mut self, place: &str, now: Timestamp) -> Result<()> {
        if self.has_begun(place).await? {
            return Ok(());
        }
        self.db.migrate_for_move().await?;
        let mut tx = self.c.begin().await?;
        sqlx::query(BORN).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO moves (source, schema, begun_at) VALUES ($1, $2, $3)")
            .bind(place)
            .bind(self.db.schema())
            .bind(now.millis())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// A table as the schema has it; what has no key has all columns for one.
    pub(super) async fn table(&mut self, name: &'static str) -> Result<Table> {
        let sql = "SELECT a.attname::text, format_type(a.atttypid, NULL), array_position(k.conkey, a.attnum) IS NOT NULL
                   FROM pg_attribute a LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
                   ORDER BY array_position(k.conkey, a.attnum) NULLS LAST, a.attnum";
        let rows: Vec<(String, String, bool)> = sqlx::query_as(sql).bind(name).fetch_all(&mut self.c).await?;
        let keys = rows.iter().filter(|(.., key)| *key).count();
        let keys = if keys == 0 { rows.len() } else { keys };
        let column = |(name, kind, _)| Column { name, kind };
        Ok(Table { name, columns: rows.into_iter().map(column).collect(), keys })
    }

    /// Makes the months in which messages were written, in Unix milliseconds, and gives those to the archive that have
    /// archived ones.
    pub(super) async fn make_months(&self, span: (i64, i64), newest_archived: Option<i64>) -> Result<()> {
        if let (Some(newest), Db::Postgres { pool, .. }) = (newest_archived, &self.db) {
            message_archive::begin_below(pool, partitions::month_of(newest.into()) + 1).await?;
        }
        partitions::ensure_between(&self.db, span.0.into(), span.1.into()).await
    }

    /// The table and the key of the last row that was put in.
    pub(super) async fn position(&mut self) -> Result<(Option<String>, Option<String>)> {
        Ok(sqlx::query_as("SELECT at_table, after_key FROM moves").fetch_one(&mut self.c).await?)
    }

    /// Puts rows in, the last of which has this key.
    pub(super) async fn put(&mut self, table: &Table, rows: &[String], key: &str) -> Result<()> {
        let (name, columns) = (table.name, Table::names(&table.columns));
        let sql = format!(
            "INSERT INTO {name} ({columns}) SELECT {} FROM jsonb_array_elements($1::jsonb)",
            Table::each(&table.columns, given)
        );
        let mut tx = self.c.begin().await?;
        // Only names of our own stand in this text.
        sqlx::query(AssertSqlSafe(sql)).bind(array(rows)).execute(&mut *tx).await?;
        let moved = sqlx::query("UPDATE moves SET at_table = $1, after_key = $2").bind(name).bind(key);
        moved.execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// What is there of these rows, each as a JSON array as SQLite makes it.
    pub(super) async fn rows(&mut self, table: &Table, rows: &[String]) -> Result<Vec<String>> {
        let plain = |(_, column): (usize, &Column)| {
            let cast = if column.kind == "boolean" { "::int" } else { "" };
            format!("there.{}{cast}", column.name)
        };
        let same = |(n, column): (usize, &Column)| format!("there.{} = {}", column.name, given((n, column)));
        let sql = format!(
            "SELECT json_build_array({})::text FROM jsonb_array_elements($1::jsonb) JOIN {} AS there ON {}",
            Table::each(&table.columns, plain),
            table.name,
            Table::each(table.key(), same).replace(", ", " AND ")
        );
        // Only names of our own stand in this text.
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(array(rows)).fetch_all(&mut self.c).await?)
    }

    pub(super) async fn count(&mut self, table: &str) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        // A name of our own.
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.c).await?)
    }

    /// The database, for the index of search.
    pub(super) const fn db(&self) -> &Db {
        &self.db
    }

    /// Has the database look at what is in it, so that statements are planned by that.
    pub(super) async fn analyze(&mut self) -> Result<()> {
        sqlx::query("ANALYZE").execute(&mut self.c).await?;
        Ok(())
    }

    pub(super) async fn finish(&mut self, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE moves SET ended_at = $1").bind(now.millis()).execute(&mut self.c).await?;
        Ok(())
    }

    pub(super) async fn close(self) -> Result<()> {
        self.db.close().await;
        Ok(self.c.close().await?)
    }
}

/// A column of a row that came as JSON; SQLite's booleans are 0 and 1 there.
fn given((n, column): (usize, &Column)) -> String {
    format!("(value ->> {n})::{}", column.kind)
}

fn array(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

/// Refuses a database into which an installation is still moving.
pub(crate) async fn refuse_unfinished(c: &mut PgConnection) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM moves WHERE ended_at IS NULL)";
    if sqlx::query_scalar(sql).fetch_one(c).await? {
        return Err(Error::Schema(
            "an installation is moving into this database: run `madang admin migrate` again until it says that all is there"
                .to_owned(),
        ));
    }
    Ok(())
}
