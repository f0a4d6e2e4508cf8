//! What tests of other crates need from a database, so that they need no SQL themselves. Only with the
//! feature `testing`.

use std::{cell::Cell, path::Path, str::FromStr};

use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use crate::{Db, Result, db::all};

thread_local! {
    static STATEMENTS: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn count() {
    STATEMENTS.set(STATEMENTS.get() + 1);
}

/// How many statements this thread has sent, beginnings and ends of transactions among them. A test and
/// the server that it started are on one thread.
#[must_use]
pub fn statements() -> u64 {
    STATEMENTS.get()
}

/// Makes an empty database on the server at `url` and gives its URL.
///
/// # Errors
/// When the server is away.
pub async fn create_database(url: &str, name: &str) -> Result<String> {
    let mut c = PgConnection::connect(url).await?;
    // A name of the test's own.
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut c).await?;
    c.close().await?;
    Ok(PgConnectOptions::from_str(url)?.database(name).to_url_lossy().to_string())
}

/// Lets nobody connect to a database on the server at `url` and cuts those who are, or lets them again.
///
/// # Errors
/// When the server is away.
pub async fn cut(url: &str, name: &str, away: bool) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !away);
    sqlx::query(sqlx::AssertSqlSafe(allow)).execute(&mut c).await?;
    if away {
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(name)
            .execute(&mut c)
            .await?;
    }
    c.close().await?;
    Ok(())
}

/// The messages whose text has `part` in it, by looking at each: what a search is held against.
///
/// # Errors
/// When the database fails.
pub async fn like(db: &Db, part: &str) -> Result<Vec<i64>> {
    let tx = &mut db.read().await?;
    let rows = all!(
        tx,
        (i64,),
        "SELECT id FROM messages WHERE LOWER(content) LIKE '%' || LOWER($1) || '%' ORDER BY id DESC",
        part
    )?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Lets the time of a node's number, and of all leases, be over in the PostgreSQL database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn end_node(url: &str, number: u16) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    let end = sqlx::query("UPDATE nodes SET ends_at = ends_at - 86400000 / 2 WHERE number = $1");
    end.bind(i64::from(number)).execute(&mut c).await?;
    sqlx::query("UPDATE leases SET ends_at = 0").execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

/// Gives a node's number to another, as when it was away for too long.
///
/// # Errors
/// When the database is away.
pub async fn take_number_over(url: &str, number: u16) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    let take = sqlx::query("UPDATE nodes SET id = -id, place = 'elsewhere' WHERE number = $1");
    take.bind(i64::from(number)).execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

/// How many deadlocks there were in the PostgreSQL database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn deadlocks(url: &str) -> Result<i64> {
    let mut c = PgConnection::connect(url).await?;
    let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let found = sqlx::query_scalar(sql).fetch_one(&mut c).await?;
    c.close().await?;
    Ok(found)
}

/// Forgets that the newest migration was made in the PostgreSQL database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn forget_newest_migration(url: &str) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    let sql = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::query(sql).execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

/// A lock on an SQLite file, as another program would hold it.
#[derive(Debug)]
pub struct Lock(SqliteConnection);

impl Lock {
    /// Takes the lock for writing.
    ///
    /// # Errors
    /// When the file cannot be locked.
    pub async fn take(url: &str) -> Result<Self> {
        let mut c = SqliteConnection::connect_with(&SqliteConnectOptions::from_str(url)?).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut c).await?;
        Ok(Self(c))
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the file is gone.
    pub async fn release(mut self) -> Result<()> {
        sqlx::query("ROLLBACK").execute(&mut self.0).await?;
        self.0.close().await?;
        Ok(())
    }
}

/// Pretends that a newer version brought a migration into the database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn add_migration_of_the_future(url: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                       VALUES (9999, 'future', TRUE, ''::bytea, 0)";
    if url.starts_with("sqlite:") {
        let mut c = SqliteConnection::connect_with(&SqliteConnectOptions::from_str(url)?).await?;
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'future', TRUE, x'', 0)",
        )
        .execute(&mut c)
        .await?;
        c.close().await?;
    } else {
        let mut c = PgConnection::connect(url).await?;
        sqlx::query(SQL).execute(&mut c).await?;
        c.close().await?;
    }
    Ok(())
}

/// Lets the SQLite database at `path` be of the version before.
///
/// # Errors
/// When it cannot be changed.
pub async fn make_older(path: &Path) -> Result<()> {
    let mut c = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await?;
    let newest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::query(newest).execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

/// Makes an empty database of plain bytes beside the PostgreSQL database at `url`, and gives its URL.
///
/// # Errors
/// When the database is away.
pub async fn of_plain_bytes(url: &str) -> Result<String> {
    let options = PgConnectOptions::from_str(url)?;
    let name = format!("{}_bytes", options.get_database().unwrap_or_default());
    let mut c = PgConnection::connect(url).await?;
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut c).await?;
    c.close().await?;
    Ok(options.database(&name).to_url_lossy().to_string())
}

/// How many tables there are in the PostgreSQL database at `url`, and up to where an installation moved into it.
///
/// # Errors
/// When the database is away.
pub async fn moved(url: &str) -> Result<(i64, Option<(String, String)>)> {
    let mut c = PgConnection::connect(url).await?;
    let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
    let tables = sqlx::query_scalar(tables).fetch_one(&mut c).await?;
    let begun: bool = sqlx::query_scalar("SELECT to_regclass('moves') IS NOT NULL").fetch_one(&mut c).await?;
    let position = "SELECT at_table, after_key FROM moves WHERE after_key IS NOT NULL";
    let position = if begun { sqlx::query_as(position).fetch_optional(&mut c).await? } else { None };
    c.close().await?;
    Ok((tables, position))
}

/// How someone reaches the PostgreSQL database at `url` who may make no tables there.
///
/// # Errors
/// When the database is away.
pub async fn as_nobody(url: &str) -> Result<String> {
    let mut c = PgConnection::connect(url).await?;
    let options = PgConnectOptions::from_str(url)?;
    let name = format!("nobody_{}", options.get_database().unwrap_or_default());
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE ROLE {name} LOGIN"))).execute(&mut c).await?;
    sqlx::query("REVOKE CREATE ON SCHEMA public FROM PUBLIC").execute(&mut c).await?;
    c.close().await?;
    Ok(options.username(&name).to_url_lossy().to_string())
}

/// Makes a table of another program in the PostgreSQL database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn make_foreign_table(url: &str) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    sqlx::query("CREATE TABLE invoices (id BIGINT)").execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

/// Gives someone another email address in the PostgreSQL database at `url`.
///
/// # Errors
/// When the database is away.
pub async fn change_someone(url: &str) -> Result<()> {
    let mut c = PgConnection::connect(url).await?;
    sqlx::query("UPDATE users SET email = 'other@example.org'").execute(&mut c).await?;
    c.close().await?;
    Ok(())
}
