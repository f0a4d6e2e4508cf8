//! What can go wrong with a database, sorted by what the caller can do about it.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique constraint: something of this name is there already.
    #[error("already exists")]
    Conflict(#[source] sqlx::Error),
    /// What the change was meant for is gone.
    #[error("not found")]
    NotFound,
    /// A file is carried by another message already, or gone.
    #[error("a file is in a message already, or gone")]
    FileTaken,
    /// The queue of the writer is full: too much at once.
    #[error("too many messages are waiting to be written")]
    Busy,
    /// The database is away, locked, full or read-only: the same may succeed later.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The schema does not fit this binary.
    #[error("{0}")]
    Schema(String),
    /// A fault of ours.
    #[error("database error")]
    Fault(#[source] sqlx::Error),
}

/// The result of a store function.
pub type Result<T> = std::result::Result<T, Error>;

/// Primary SQLite result codes that pass: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
const SQLITE_PASSING: [i64; 6] = [5, 6, 8, 10, 13, 14];
/// PostgreSQL classes that pass: connection, insufficient resources, object not in the state it must be
/// in, operator intervention, serialization, system error; and a transaction that stood still for too long.
const POSTGRES_PASSING: [&str; 7] = ["08", "53", "55", "57", "40", "58", "25P03"];

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        // What does not speak PostgreSQL's protocol is a proxy whose server is away, or a connection that broke.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(e) => {
            let code = e.code().unwrap_or_default();
            if e.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                code.parse::<i64>().is_ok_and(|code| SQLITE_PASSING.contains(&(code & 0xff)))
            } else {
                POSTGRES_PASSING.iter().any(|class| code.starts_with(class))
            }
        }
        _ => false,
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if matches!(&error, sqlx::Error::Database(e) if e.is_unique_violation()) {
            Self::Conflict(error)
        } else if is_passing(&error) {
            Self::Unavailable(error.to_string())
        } else {
            Self::Fault(error)
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as M;
        match error {
            M::Execute(e) | M::ExecuteMigration(e, _) => Self::from(e),
            M::VersionMissing(v) => Self::Schema(format!(
                "the database has migration {v}, which this binary does not know: it was used by a newer \
                 Madang. Start that version, or restore a backup made before the upgrade"
            )),
            M::VersionMismatch(v) => Self::Schema(format!(
                "migration {v} in the database is not the one in this binary: the database belongs to another \
                 build. Use the build that made it, or another database"
            )),
            M::Dirty(v) => Self::Schema(format!(
                "migration {v} was interrupted; restore the backup made before the upgrade and start again"
            )),
            other => Self::Schema(other.to_string()),
        }
    }
}
