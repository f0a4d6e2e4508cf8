//! Pools of connections: how those to SQLite are kept, and how busy all of them are, for metrics.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, Connection, Database, Executor, Pool, postgres::PgPoolOptions, sqlite::SqlitePoolOptions,
};

use crate::{
    Db, Options,
    pulse::{Pulse, late},
};

/// Some of the connections to the database, as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What they are for.
    pub pool: &'static str,
    /// Connections that are in use.
    pub in_use: usize,
    /// Connections that are open and wait.
    pub idle: usize,
    /// How many there may be.
    pub most: usize,
}

/// What the beginnings of transactions cost until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Begun {
    /// Transactions that began.
    pub transactions: u64,
    /// How long all of them waited for a connection and for the database to begin.
    pub waited: Duration,
}

/// Counts the beginnings of transactions.
#[derive(Debug, Default)]
pub struct Beginnings {
    transactions: AtomicU64,
    nanos: AtomicU64,
}

impl Beginnings {
    /// Counts one that may take its time.
    pub(crate) async fn count<T>(&self, beginning: impl Future<Output = T>) -> T {
        let asked = Instant::now();
        let begun = beginning.await;
        self.transactions.fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        begun
    }
}

/// Where SQLite ends a transaction by itself (disk full, I/O error), the library goes on believing in
/// it; such a connection is not used again.
pub(crate) fn sqlite_pool(options: &Options, greeting: &str) -> SqlitePoolOptions {
    let greeting: Arc<str> = greeting.into();
    SqlitePoolOptions::new()
        .after_connect(move |c, _| {
            let greeting = Arc::clone(&greeting);
            Box::pin(async move { c.execute(AssertSqlSafe(greeting.as_ref())).await.map(drop) })
        })
        .acquire_timeout(options.patience)
        // A connection to a file is not lost; asking its thread each time would wake it for nothing.
        .test_before_acquire(false)
        .before_acquire(|c, _| Box::pin(async move { Ok(!c.is_in_transaction()) }))
}

/// A connection whose other end is gone without a word is closed when it is taken or comes back.
pub(crate) fn postgres_pool(options: &Options, pulse: &Arc<Pulse>) -> PgPoolOptions {
    let (pulse, of_release) = (Arc::clone(pulse), Arc::clone(pulse));
    PgPoolOptions::new()
        .acquire_timeout(options.patience)
        .test_before_acquire(false)
        .before_acquire(move |c, lay| {
            let pulse = Arc::clone(&pulse);
            Box::pin(async move {
                let since = Instant::now().checked_sub(lay.idle_for);
                Ok(pulse.can_use(c, since.unwrap_or_else(Instant::now)).await)
            })
        })
        .after_release(move |c, _| {
            let pulse = Arc::clone(&of_release);
            Box::pin(async move { if pulse.is_alive(c).await { Ok(true) } else { Err(late()) } })
        })
}

impl Db {
    /// How busy its connections are: those of transactions and those of single statements.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        match self {
            Self::Sqlite { writer, readers, kept, .. } => {
                vec![of("writer", writer), of("readers", readers), kept.usage()]
            }
            Self::Postgres { pool, kept, .. } => vec![of("transactions", pool), kept.usage()],
        }
    }

    /// What the beginnings of transactions cost until now.
    #[must_use]
    pub fn begun(&self) -> Begun {
        let (Self::Sqlite { beginnings, .. } | Self::Postgres { beginnings, .. }) = self;
        Begun {
            transactions: beginnings.transactions.load(Relaxed),
            waited: Duration::from_nanos(beginnings.nanos.load(Relaxed)),
        }
    }
}

fn of<D: Database>(name: &'static str, pool: &Pool<D>) -> Usage {
    let (open, idle) = (pool.size() as usize, pool.num_idle());
    let most = pool.options().get_max_connections() as usize;
    Usage { pool: name, in_use: open.saturating_sub(idle), idle, most }
}
