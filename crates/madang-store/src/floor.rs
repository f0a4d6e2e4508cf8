//! What the database itself can do, without anything of ours around it: the floor that measurements of
//! the server are held against. Only with the feature `floor`.
//!
//! Invariants:
//! - Everything happens in one table of its own, which [`Floor::close`] removes.

use sqlx::{QueryBuilder, Sqlite};

use crate::{Db, Options, Result, Tx, db::execute, kept::ask};

/// A database with one table like that of messages.
#[derive(Debug)]
pub struct Floor {
    db: Db,
    rows: i64,
}

const CHANNEL: i64 = 1;

impl Floor {
    /// Opens the database and makes the table anew.
    ///
    /// # Errors
    /// When the database is away, or the URL is not one.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Db::connect(&Options { connections: 2, ..Options::new(url) }).await?;
        let mut tx = db.begin().await?;
        execute!(&mut tx, "DROP TABLE IF EXISTS madang_floor")?;
        execute!(
            &mut tx,
            "CREATE TABLE madang_floor (
                 id BIGINT NOT NULL PRIMARY KEY, channel_id BIGINT NOT NULL, seq BIGINT NOT NULL,
                 author_id BIGINT NOT NULL, content TEXT NOT NULL, created_at BIGINT NOT NULL)"
        )?;
        execute!(&mut tx, "CREATE UNIQUE INDEX madang_floor_seq ON madang_floor (channel_id, seq)")?;
        tx.commit().await?;
        Ok(Self { db, rows: 0 })
    }

    /// Which database it is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.db.name()
    }

    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.rows
    }

    /// Stores so many rows in one commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert(&mut self, rows: i64, content: &str) -> Result<()> {
        let seqs: Vec<i64> = (self.rows + 1..=self.rows + rows).collect();
        let mut tx = self.db.begin().await?;
        match &mut tx {
            Tx::Sqlite(c) => {
                QueryBuilder::<Sqlite>::new(
                    "INSERT INTO madang_floor (id, channel_id, seq, author_id, content, created_at) ",
                )
                .push_values(&seqs, |mut b, seq| {
                    b.push_bind(*seq).push_bind(CHANNEL).push_bind(*seq).push_bind(1_i64);
                    b.push_bind(content).push_bind(*seq);
                })
                .build()
                .persistent(false)
                .execute(&mut **c)
                .await?;
            }
            Tx::Postgres(c) => {
                sqlx::query(
                    "INSERT INTO madang_floor (id, channel_id, seq, author_id, content, created_at)
                     SELECT seq, $1, seq, 1, $2, seq FROM UNNEST($3::bigint[]) AS batch (seq)",
                )
                .bind(CHANNEL)
                .bind(content)
                .bind(&seqs)
                .execute(&mut **c)
                .await?;
            }
        }
        tx.commit().await?;
        self.rows += rows;
        Ok(())
    }

    /// Reads a page of rows before a place: one statement, and one row, and planned once (not for
    /// every LIMIT), which is how it takes least. Gives how many rows there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&self, before: i64, limit: i64) -> Result<i64> {
        macro_rules! question {
            ($c:ident, $packed:literal) => {
                sqlx::query_as::<_, (i64, Option<String>)>(concat!(
                    "SELECT COUNT(*), ",
                    $packed,
                    " FROM (SELECT id, seq, author_id, content, created_at FROM madang_floor
                            WHERE channel_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3 + 0) AS page"
                ))
                .bind(CHANNEL)
                .bind(before)
                .bind(limit)
                .fetch_one($c)
            };
        }
        let page = match &self.db {
            Db::Sqlite { kept, .. } => {
                ask!(kept, c => question!(c, "json_group_array(json_array(id, seq, author_id, content, created_at))"))
            }
            Db::Postgres { kept, .. } => {
                ask!(kept, c => question!(c, "json_agg(json_build_array(id, seq, author_id, content, created_at))::text"))
            }
        };
        Ok(page?.0)
    }

    /// Removes the table and closes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(self) -> Result<()> {
        let mut tx = self.db.begin().await?;
        execute!(&mut tx, "DROP TABLE madang_floor")?;
        tx.commit().await?;
        self.db.close().await;
        Ok(())
    }
}
