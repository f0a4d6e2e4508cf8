//! The connection to the database, and the macros that run one SQL text on both kinds.
//!
//! SQLite: WAL, `synchronous=FULL`, one writing connection (`BEGIN IMMEDIATE`), which also checkpoints,
//! and readers beside it, each with the file of the archive at hand to be read. PostgreSQL: one pool; read transactions are snapshots. Both have a few
//! connections besides for single statements (`kept.rs`).
//!
//! Invariants:
//! - A commit that returned is on disk.
//! - A transaction that is dropped is undone.
//! - SQLite's log stays below [`LOG_KEPT`], but while someone reads for long.

use std::{path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor, PgConnection, Sqlite, SqliteConnection, Transaction,
    postgres::{PgConnectOptions, PgPool},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous},
};

use crate::{
    Error, Fence, Result,
    authors::Authors,
    bounded::PgTx,
    kept::Kept,
    message_archive,
    pools::{Beginnings, postgres_pool, sqlite_pool},
    pulse::Pulse,
};

/// Rows of an answer that SQLite's thread makes ahead of whoever takes them.
const ROWS: usize = 512;

/// KiB of pages that SQLite's writing connection may keep (as a negative number, as SQLite wants it): a batch
/// of messages in as many channels must fit, or its pages are written twice.
const WRITER_CACHE: &str = "-32768";

/// Pages of SQLite's write-ahead log after which a commit moves them into the file, so that the next one writes
/// over the log from its beginning. The writing connection does it itself: beside it nobody catches the end of
/// the log under load. It does it often, because each time is a pause, and a short one.
const LOG_PAGES: &str = "1000";

/// Bytes that SQLite's log is cut back to after it grew behind someone who read for long.
pub const LOG_KEPT: u64 = 16 * 1_024 * 1_024;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: u32,
    /// How long to wait for a connection, a lock or an answer of PostgreSQL before answering "unavailable"; also how long
    /// PostgreSQL keeps a transaction that stands still.
    pub patience: Duration,
}

impl Options {
    /// The usual: 8 connections, 5 seconds.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 8, patience: Duration::from_secs(5) }
    }

    /// How many connections are for transactions, and how many for single statements.
    fn shares(&self) -> (u32, u32) {
        let kept = (self.connections / 4).max(1);
        (self.connections.saturating_sub(kept).max(1), kept)
    }
}

/// A database; cheap to clone.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file: one writer, several readers.
    Sqlite {
        /// The one writing connection.
        writer: SqlitePool,
        /// Connections for transactions that read.
        readers: SqlitePool,
        /// Connections for single reading statements.
        kept: Arc<Kept<SqliteConnection>>,
        /// Whose messages were read.
        authors: Arc<Authors>,
        /// What beginning transactions costs.
        beginnings: Arc<Beginnings>,
    },
    /// A server.
    Postgres {
        /// Connections for transactions.
        pool: PgPool,
        /// Connections for single reading statements.
        kept: Arc<Kept<PgConnection>>,
        /// Whose messages were read.
        authors: Arc<Authors>,
        /// Until when this process may write.
        fence: Arc<Fence>,
        /// Whether it answers.
        pulse: Arc<Pulse>,
        /// What beginning transactions costs.
        beginnings: Arc<Beginnings>,
    },
}

/// A transaction.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Box<PgTx>),
}

impl Db {
    /// Prepares the pools without changing anything. SQLite's file is made when missing.
    ///
    /// # Errors
    /// `Schema` when the URL cannot be understood; `Unavailable` when the database is away.
    pub async fn connect(options: &Options) -> Result<Self> {
        let bad_url = |e: sqlx::Error| Error::Schema(format!("database URL: {e}"));
        if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            let patience = options.patience;
            let connect = PgConnectOptions::from_str(&options.url)
                .map_err(bad_url)?
                .application_name("madang")
                // A node that is gone without a word would keep its channels locked.
                .options([("idle_in_transaction_session_timeout", patience.as_millis())]);
            let (pooled, kept) = options.shares();
            let pulse = Arc::new(Pulse::new(connect.clone()));
            let pool =
                postgres_pool(options, &pulse).max_connections(pooled).connect_with(connect.clone()).await?;
            let connect = move || {
                let connect = connect.clone();
                Box::pin(async move { connect.connect().await }) as _
            };
            let kept = Arc::new(Kept::new(Box::new(connect), kept, patience, Some(Arc::clone(&pulse))));
            let (authors, beginnings, fence) = (Arc::default(), Arc::default(), Arc::default());
            return Ok(Self::Postgres { pool, kept, authors, beginnings, fence, pulse });
        }
        if !options.url.starts_with("sqlite:") {
            return Err(Error::Schema(
                "database URL: expected sqlite:PATH or postgres://user:password@host/database".to_owned(),
            ));
        }
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(bad_url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.patience)
            .row_buffer_size(ROWS);
        message_archive::create_private(connect.get_filename())?;
        let greeting = message_archive::attach(connect.get_filename()).await?;
        let writer = sqlite_pool(options, &greeting)
            .max_connections(1)
            .connect_with(
                connect
                    .clone()
                    .pragma("wal_autocheckpoint", LOG_PAGES)
                    .pragma("journal_size_limit", LOG_KEPT.to_string())
                    .pragma("cache_size", WRITER_CACHE),
            )
            .await?;
        let (pooled, kept) = options.shares();
        let readers =
            sqlite_pool(options, &greeting).max_connections(pooled).connect_with(connect.clone()).await?;
        let connect = move || {
            let (connect, greeting) = (connect.clone(), greeting.clone());
            Box::pin(async move {
                let mut c = connect.connect().await?;
                c.execute(AssertSqlSafe(greeting)).await?;
                Ok(c)
            }) as _
        };
        let kept = Arc::new(Kept::new(Box::new(connect), kept, options.patience, None));
        Ok(Self::Sqlite { writer, readers, kept, authors: Arc::default(), beginnings: Arc::default() })
    }

    /// Until when this process may write; without end on SQLite.
    #[must_use]
    pub fn fence(&self) -> Arc<Fence> {
        match self {
            Self::Sqlite { .. } => Arc::default(),
            Self::Postgres { fence, .. } => Arc::clone(fence),
        }
    }

    /// Begins a writing transaction.
    ///
    /// # Errors
    /// `Unavailable` when the database is away or locked, or this process may not write now.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match counted(self) {
            Self::Sqlite { writer, beginnings, .. } => {
                Tx::Sqlite(beginnings.count(writer.begin_with("BEGIN IMMEDIATE")).await?)
            }
            Self::Postgres { fence, .. } if !fence.is_open() => {
                return Err(Error::Unavailable("this node has to take its number anew".to_owned()));
            }
            Self::Postgres { pool, beginnings, pulse, .. } => {
                Tx::Postgres(Box::new(beginnings.count(PgTx::begin(pool, pulse)).await?))
            }
        })
    }

    /// Begins a reading transaction: one consistent snapshot.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match counted(self) {
            Self::Sqlite { readers, beginnings, .. } => Tx::Sqlite(beginnings.count(readers.begin()).await?),
            Self::Postgres { pool, beginnings, pulse, .. } => {
                Tx::Postgres(Box::new(beginnings.count(PgTx::read(pool, pulse)).await?))
            }
        })
    }

    /// The newest id in use, so that new ones come after it whatever the clock says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_id(&self) -> Result<i64> {
        let tx = &mut self.read().await?;
        let mut newest = 0;
        for sql in [
            "SELECT MAX(id) FROM users",
            "SELECT MAX(id) FROM sessions",
            "SELECT MAX(id) FROM workspaces",
            "SELECT MAX(id) FROM channels",
            "SELECT MAX(id) FROM messages",
            "SELECT MAX(id) FROM messages_archive",
            "SELECT MAX(id) FROM saved_messages",
            "SELECT MAX(id) FROM jobs",
            "SELECT MAX(id) FROM sanctions",
            "SELECT MAX(id) FROM audit",
            "SELECT MAX(id) FROM reports",
            "SELECT MAX(id) FROM invites",
            "SELECT MAX(invite_id) FROM visits",
            "SELECT MAX(id) FROM drafts",
            "SELECT MAX(id) FROM scheduled_messages",
            "SELECT MAX(id) FROM reminders",
            "SELECT MAX(id) FROM files",
            "SELECT MAX(id) FROM notifications",
            "SELECT MAX(id) FROM exports",
        ] {
            let row = optional!(&mut *tx, (Option<i64>,), sql)?;
            newest = newest.max(row.and_then(|r| r.0).unwrap_or_default());
        }
        Ok(newest)
    }

    /// Which database it is, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// Whether the database was there when it was asked last ([`Self::beat`]). SQLite's file always is.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match self {
            Self::Sqlite { .. } => true,
            Self::Postgres { pulse, .. } => pulse.is_there(),
        }
    }

    /// Asks PostgreSQL for a sign of life, for two seconds at most; whether it gave one. While it gives none, whatever wants
    /// to begin is refused at once, so it has to be asked again soon.
    pub async fn beat(&self) -> bool {
        match self {
            Self::Sqlite { .. } => true,
            Self::Postgres { pulse, .. } => pulse.beat().await,
        }
    }

    /// Closes all connections after the running statements.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, kept, .. } => {
                kept.close().await;
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, kept, pulse, .. } => {
                pulse.close().await;
                kept.close().await;
                pool.close().await;
            }
        }
    }

    /// The path of SQLite's file.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { writer, .. } => Some(writer.connect_options().get_filename().to_path_buf()),
            Self::Postgres { .. } => None,
        }
    }
}

impl Tx {
    /// The same, for work that nobody waits for: PostgreSQL may take ten minutes for each answer.
    #[must_use]
    pub fn unhurried(mut self) -> Self {
        if let Self::Postgres(tx) = &mut self {
            tx.unhurried();
        }
        self
    }

    /// Makes it last.
    ///
    /// # Errors
    /// When the database cannot say that it did; then it may or may not have.
    pub async fn commit(self) -> Result<()> {
        match counted(self) {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Passes a statement on. Tests count them.
pub(crate) fn counted<T>(statement: T) -> T {
    #[cfg(feature = "testing")]
    crate::testing::count();
    statement
}

/// All rows of a query as `$row`.
macro_rules! all {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $tx {
            $crate::Tx::Sqlite(c) => $crate::db::counted(::sqlx::query_as::<_, $row>($sql)$(.bind($arg))*).fetch_all(&mut **c).await,
            $crate::Tx::Postgres(c) => $crate::db::counted(::sqlx::query_as::<_, $row>($sql)$(.bind($arg))*).fetch_all(&mut **c).await,
        }
        .map_err($crate::Error::from)
    };
}

/// The row of a query as `$row`, or none.
macro_rules! optional {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $tx {
            $crate::Tx::Sqlite(c) => $crate::db::counted(::sqlx::query_as::<_, $row>($sql)$(.bind($arg))*).fetch_optional(&mut **c).await,
            $crate::Tx::Postgres(c) => $crate::db::counted(::sqlx::query_as::<_, $row>($sql)$(.bind($arg))*).fetch_optional(&mut **c).await,
        }
        .map_err($crate::Error::from)
    };
}

/// Runs a statement; gives the number of rows that it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $tx {
            $crate::Tx::Sqlite(c) => {
                $crate::db::counted(::sqlx::query($sql)$(.bind($arg))*).execute(&mut **c).await.map(|r| r.rows_affected())
            }
            $crate::Tx::Postgres(c) => {
                $crate::db::counted(::sqlx::query($sql)$(.bind($arg))*).execute(&mut **c).await.map(|r| r.rows_affected())
            }
        }
        .map_err($crate::Error::from)
    };
}

pub(crate) use {all, execute, optional};
