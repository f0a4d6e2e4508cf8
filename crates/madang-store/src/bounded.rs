//! Transactions on PostgreSQL that wait only so long for each answer.
//!
//! The other end of a connection may be gone without a word: a machine that lost its power, a network between that
//! drops everything. Then nothing ever comes, and whoever waits would hold a connection for ever.
//!
//! How: a transaction is asked like any connection ([`Executor`]), and what it is asked ends with an error when it is late
//! or the pulse is lost ([`Pulse`]). Such a connection is closed when it comes back to the pool (`pools.rs`).
//!
//! Invariants:
//! - Whatever is asked over a [`PgTx`] ends.

use std::{sync::Arc, time::Duration};

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{BoxStream, unfold},
};
use sqlx::{
    Describe, Either, Execute, Executor, Postgres, SqlStr, Transaction,
    postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};

use crate::{
    Result,
    pulse::{Boxed, Pulse},
};

/// How long PostgreSQL may take for a statement of work that nobody waits for.
const UNHURRIED: Duration = Duration::from_secs(600);

/// A transaction on PostgreSQL.
#[derive(Debug)]
pub struct PgTx {
    tx: Transaction<'static, Postgres>,
    pulse: Arc<Pulse>,
    /// How long each answer is waited for.
    limit: Duration,
}

impl PgTx {
    /// Begins one. An answer may take as long as a connection may.
    pub(crate) async fn begin(pool: &PgPool, pulse: &Arc<Pulse>) -> Result<Self> {
        Self::begun(pool, pulse, pool.begin()).await
    }

    /// Begins one that only reads, all of it as it is now.
    pub(crate) async fn read(pool: &PgPool, pulse: &Arc<Pulse>) -> Result<Self> {
        Self::begun(pool, pulse, pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await
    }

    async fn begun(
        pool: &PgPool,
        pulse: &Arc<Pulse>,
        begin: impl Future<Output = sqlx::Result<Transaction<'static, Postgres>>> + Send,
    ) -> Result<Self> {
        pulse.check()?;
        let limit = pool.options().get_acquire_timeout();
        Ok(Self { tx: pulse.answered(limit, begin).await?, pulse: Arc::clone(pulse), limit })
    }

    /// Lets each answer take ten minutes.
    pub(crate) const fn unhurried(&mut self) {
        self.limit = UNHURRIED;
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        self.pulse.answered(self.limit, self.tx.commit()).await
    }
}

type Step = Either<PgQueryResult, PgRow>;

impl<'c> Executor<'c> for &'c mut PgTx {
    type Database = Postgres;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> Boxed<'e, sqlx::Result<PgQueryResult>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.pulse.answered(self.limit, (&mut *self.tx).execute(query))
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (limit, pulse) = (self.limit, Arc::clone(&self.pulse));
        let steps = (&mut *self.tx).fetch_many(query);
        let next = move |mut steps: BoxStream<'e, sqlx::Result<Step>>| {
            let pulse = Arc::clone(&pulse);
            async move {
                let step = pulse.answered(limit, steps.try_next()).await.transpose()?;
                Some((step, steps))
            }
        };
        unfold(steps, next).boxed()
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> Boxed<'e, sqlx::Result<Vec<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.pulse.answered(self.limit, (&mut *self.tx).fetch_all(query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Boxed<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.pulse.answered(self.limit, (&mut *self.tx).fetch_optional(query))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> Boxed<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        self.pulse.answered(self.limit, (&mut *self.tx).prepare_with(sql, parameters))
    }

    fn describe<'e>(self, sql: SqlStr) -> Boxed<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        self.pulse.answered(self.limit, (&mut *self.tx).describe(sql))
    }
}
