//! The archive of SQLite: a file beside the database, `madang.archive.db` for `madang.db`.
//!
//! A commit over two files is not one on disk, so none spans both. A batch is copied into the archive and committed
//! there; then, in a transaction of the database alone, those are deleted whose copy is as new as they are. Every other
//! connection can only read the archive, so writing never waits for its lock.
//!
//! Invariants:
//! - What is deleted from the database was on disk in the archive before.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{BATCH, Month, Moved, columns, pause};
use crate::{
    Db, Error, Result,
    db::{all, execute, optional},
    packed::text,
    partitions,
};

const LOCK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Makes the file when it is missing, for its owner only. SQLite gives its side files the same rights.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| Error::Schema(format!("database file {}: {e}", path.display())))
}

/// The archive of a database.
pub(crate) fn file(database: &Path) -> PathBuf {
    database.with_extension("archive.db")
}

/// How a statement names a file that is only to be read.
fn read_only(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let quoted: String = bytes
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(*byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("file:{quoted}?mode=ro")
}

async fn open(database: &Path) -> Result<SqliteConnection> {
    let connect = SqliteConnectOptions::new()
        .filename(file(database))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK_PATIENCE);
    Ok(connect.connect().await?)
}

/// The archive to be written, with the database as `live` to be read.
async fn open_both(db: &Db) -> Result<SqliteConnection> {
    let database = db.sqlite_path().unwrap_or_default();
    let mut c = open(&database).await?;
    let attach = format!("ATTACH '{}' AS live", read_only(&database));
    // The path is quoted.
    sqlx::query(AssertSqlSafe(attach)).execute(&mut c).await?;
    Ok(c)
}

/// Makes the file where it is missing; gives what each connection has to say to read it.
pub(crate) async fn attach(database: &Path) -> Result<String> {
    create_private(&file(database))?;
    open(database).await?.close().await?;
    Ok(attaching(database))
}

/// What a connection has to say to read it.
pub(crate) fn attaching(database: &Path) -> String {
    format!("ATTACH '{}' AS archive", read_only(&file(database)))
}

/// Gives the archive the columns that messages have.
pub(crate) async fn prepare(db: &Db) -> Result<()> {
    const COLUMNS: &str = "SELECT name, type, dflt_value FROM pragma_table_info('messages', ?) ORDER BY cid";
    const KNOWN: &str = "SELECT name FROM pragma_table_info('messages_archive', 'main')";
    let mut c = open_both(db).await?;
    let wanted: Vec<(String, String, Option<String>)> =
        sqlx::query_as(COLUMNS).bind("live").fetch_all(&mut c).await?;
    let known: Vec<(String,)> = sqlx::query_as(KNOWN).fetch_all(&mut c).await?;
    if known.is_empty() {
        let used = "SELECT EXISTS (SELECT 1 FROM live.channels WHERE archived_version > 0)";
        if sqlx::query_scalar::<_, bool>(used).fetch_one(&mut c).await? {
            let file = file(&db.sqlite_path().unwrap_or_default());
            return Err(Error::Schema(format!(
                "the archive of old messages, {}, is missing or empty: put it back from the backup that the \
                 database is from",
                file.display()
            )));
        }
        sqlx::raw_sql("CREATE TABLE messages_archive (id INTEGER NOT NULL PRIMARY KEY)")
            .execute(&mut c)
            .await?;
    }
    let has = |name: &str| name == "id" || known.iter().any(|(known,)| known == name);
    for (name, kind, default) in wanted.iter().filter(|(name, ..)| !has(name)) {
        let default = default.as_deref().map(|value| format!(" DEFAULT {value}")).unwrap_or_default();
        let sql = format!("ALTER TABLE messages_archive ADD COLUMN {name} {kind}{default}");
        // Names and types of our own migrations.
        sqlx::query(AssertSqlSafe(sql)).execute(&mut c).await?;
    }
    sqlx::raw_sql(
        "CREATE INDEX IF NOT EXISTS messages_archive_seq ON messages_archive (channel_id, seq);
         CREATE INDEX IF NOT EXISTS messages_archive_changed ON messages_archive (channel_id, version) WHERE changed;
         CREATE INDEX IF NOT EXISTS messages_archive_pinned ON messages_archive (channel_id, pinned_at)
         WHERE pinned_at IS NOT NULL",
    )
    .execute(&mut c)
    .await?;
    c.close().await?;
    Ok(())
}

/// Moves what is older than a month, batch by batch.
pub(super) async fn run(db: &Db, border: i64, midway: &(dyn Fn() + Sync)) -> Result<Moved> {
    let border = partitions::start(border);
    let due = "SELECT id FROM messages WHERE id < $1 LIMIT 1";
    if optional!(&mut db.read().await?, (i64,), due, border)?.is_none() {
        return Ok(Moved::default());
    }
    let mut c = open_both(db).await?;
    let columns = columns();
    let copy = format!(
        "INSERT OR REPLACE INTO messages_archive ({columns})
         SELECT {columns} FROM live.messages WHERE id < ? ORDER BY id LIMIT ?"
    );
    let mut moved = Moved::default();
    loop {
        let begun = Instant::now();
        // Only names of our own stand in this text.
        let copy = sqlx::query(AssertSqlSafe(copy.as_str())).bind(border).bind(BATCH);
        if copy.execute(&mut c).await?.rows_affected() == 0 {
            break;
        }
        midway();
        moved.messages += delete_copied(db, border).await?;
        pause(begun.elapsed()).await;
    }
    c.close().await?;
    Ok(moved)
}

/// Deletes messages whose copy in the archive is as new as they are.
async fn delete_copied(db: &Db, border: i64) -> Result<u64> {
    let mut tx = db.begin().await?;
    let rows = all!(
        &mut tx,
        (i64,),
        "SELECT id FROM messages WHERE id < $1
         AND EXISTS (SELECT 1 FROM messages_archive AS old WHERE old.id = messages.id AND old.version = messages.version)
         ORDER BY id LIMIT $2",
        border,
        BATCH
    )?;
    let ids = text(&rows.into_iter().map(|row| row.0).collect::<Vec<_>>())?;
    execute!(
        &mut tx,
        "UPDATE channels SET archived_version = version WHERE id IN (
             SELECT channel_id FROM messages WHERE id IN (SELECT value FROM json_each($1)))",
        &ids
    )?;
    let deleted =
        execute!(&mut tx, "DELETE FROM messages WHERE id IN (SELECT value FROM json_each($1))", &ids)?;
    tx.commit().await?;
    Ok(deleted)
}

/// Removes messages from the archive.
pub(super) async fn remove(db: &Db, ids: &[i64]) -> Result<()> {
    let mut c = open(&db.sqlite_path().unwrap_or_default()).await?;
    let sql = "DELETE FROM messages_archive WHERE id IN (SELECT value FROM json_each(?))";
    sqlx::query(sql).bind(text(ids)?).execute(&mut c).await?;
    c.close().await?;
    Ok(())
}

pub(super) async fn status(db: &Db, border: i64) -> Result<Vec<Month>> {
    let rows = all!(
        &mut db.read().await?,
        (String, bool, i64, i64),
        "SELECT name, archived, COUNT(*), SUM(bytes) FROM (
             SELECT strftime('%Y_%m', created_at / 1000, 'unixepoch') AS name, FALSE AS archived,
                    LENGTH(CAST(content AS BLOB)) AS bytes FROM messages
             UNION ALL
             SELECT strftime('%Y_%m', created_at / 1000, 'unixepoch'), TRUE, LENGTH(CAST(content AS BLOB))
             FROM messages_archive AS old
             WHERE NOT EXISTS (SELECT 1 FROM messages AS live WHERE live.id = old.id)) AS every
         GROUP BY name, archived ORDER BY name, archived DESC"
    )?;
    let due = |name: &str| partitions::named(name).is_some_and(|month| month < border);
    let month = |(name, archived, messages, bytes): (String, bool, i64, i64)| {
        let due = !archived && due(&name);
        Month { name, archived, due, messages, bytes }
    };
    Ok(rows.into_iter().map(month).collect())
}
