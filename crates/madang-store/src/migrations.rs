//! Bringing the schema up to date, by one process at a time.
//!
//! Invariants:
//! - A database that is newer than this binary is left as it is, and not used.
//! - Beside nodes that work with the schema as it is, it is changed only when that is asked for.
//! - A database into which an installation is still moving is not used.

use sqlx::{
    Connection,
    migrate::{Migrate, Migrator},
};

use crate::{Db, Error, Result, message_archive, moving, nodes};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The numbers of SQLite's migrations.
pub(crate) fn of_sqlite() -> Vec<i64> {
    SQLITE_MIGRATIONS.iter().map(|migration| migration.version).collect()
}

/// One migration and whether it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// What it does.
    pub description: String,
    /// Whether the database has it.
    pub applied: bool,
}

impl Db {
    /// Brings the schema up to date, where no node works with the one that is there.
    ///
    /// # Errors
    /// `Schema` when the database is newer, of another build or not moved whole, or when a node is alive.
    pub async fn migrate(&self) -> Result<()> {
        not_beside(&self.migrate_beside(false).await?)
    }

    /// Brings the schema up to date, one process at a time; others wait. Where something is to be done and nodes are
    /// alive, it does nothing and gives these, unless it is to be done beside them.
    ///
    /// # Errors
    /// `Schema` when the database is newer, of another build or not moved whole.
    pub async fn migrate_beside(&self, others: bool) -> Result<Vec<nodes::Node>> {
        let alive = self.bring_up_to_date(others).await?;
        if let (Self::Postgres { pool, .. }, true) = (self, alive.is_empty()) {
            moving::refuse_unfinished(&mut *pool.acquire().await?).await?;
        }
        Ok(alive)
    }

    /// The same for a database into which an installation is moving.
    pub(crate) async fn migrate_for_move(&self) -> Result<()> {
        not_beside(&self.bring_up_to_date(false).await?)
    }

    async fn bring_up_to_date(&self, others: bool) -> Result<Vec<nodes::Node>> {
        match self {
            Self::Sqlite { writer, .. } => {
                SQLITE_MIGRATIONS.run(writer).await?;
                message_archive::prepare(self).await?;
            }
            Self::Postgres { pool, .. } => {
                let mut c = nodes::lock_schema(pool).await?;
                let pending = self.migration_status().await?.iter().any(|migration| !migration.applied);
                let mut alive = if pending && !others { nodes::list(self).await? } else { Vec::new() };
                alive.retain(nodes::Node::is_alive);
                if !alive.is_empty() {
                    return Ok(alive);
                }
                POSTGRES_MIGRATIONS.run(&mut c).await?;
                c.close().await?;
            }
        }
        Ok(Vec::new())
    }

    /// The newest migration that this binary has.
    #[must_use]
    pub fn schema(&self) -> i64 {
        let known = match self {
            Self::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Self::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        known.iter().map(|migration| migration.version).max().unwrap_or_default()
    }

    /// Which migrations this binary has and which the database has.
    ///
    /// # Errors
    /// `Schema` when the database has one that this binary does not know.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>> {
        let (known, applied) = match self {
            Self::Sqlite { writer, .. } => {
                let mut c = writer.acquire().await?;
                c.ensure_migrations_table("_sqlx_migrations").await?;
                (&SQLITE_MIGRATIONS, c.list_applied_migrations("_sqlx_migrations").await?)
            }
            Self::Postgres { pool, .. } => {
                let mut c = pool.acquire().await?;
                c.ensure_migrations_table("_sqlx_migrations").await?;
                (&POSTGRES_MIGRATIONS, c.list_applied_migrations("_sqlx_migrations").await?)
            }
        };
        if let Some(unknown) = applied.iter().find(|a| !known.iter().any(|k| k.version == a.version)) {
            return Err(sqlx::migrate::MigrateError::VersionMissing(unknown.version).into());
        }
        Ok(known
            .iter()
            .map(|k| MigrationStatus {
                version: k.version,
                description: k.description.to_string(),
                applied: applied.iter().any(|a| a.version == k.version),
            })
            .collect())
    }
}

/// Refuses to have done nothing because of others.
fn not_beside(alive: &[nodes::Node]) -> Result<()> {
    match alive {
        [] => Ok(()),
        [node, ..] => Err(Error::Schema(format!(
            "the database is to be brought up to date, and a node of Madang {} works with it as it is, at {}: \
             stop all nodes first",
            node.version, node.address
        ))),
    }
}
