//! Connections for single statements, which are most of what is read.
//!
//! A pool asks a connection whether it is there when it is taken and again when it comes back, and a
//! transaction begins and ends: four more trips to the database around one question. Here a connection
//! is taken, asked and put back. One that failed is closed; when it had been lying about, the question
//! is asked again on another ([`ask`]). One that lay about for long, over a network, has to give a sign of life.
//!
//! Invariants:
//! - At most as many connections as were allowed, opened when they are needed.
//! - A connection that was dropped in the middle of a question is closed, never put back.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::Connection;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{Result, pools::Usage, pulse::Pulse};

/// Opens a connection.
pub(crate) type Connect<C> =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = sqlx::Result<C>> + Send>> + Send + Sync>;

/// Connections to one database.
pub struct Kept<C: Connection> {
    connect: Connect<C>,
    patience: Duration,
    most: usize,
    turns: Semaphore,
    /// Those that lie about, and since when.
    idle: Mutex<Vec<(C, Instant)>>,
    /// Where connections are lost without a word.
    pulse: Option<Arc<Pulse>>,
}

/// A connection that was taken.
pub(crate) struct Taken<'a, C: Connection> {
    pub(crate) connection: C,
    /// Whether it was lying about: then nobody knows whether it is still there.
    pub(crate) idle: bool,
    _turn: SemaphorePermit<'a>,
}

impl<C: Connection> std::fmt::Debug for Kept<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("idle", &self.idle.lock().len()).finish_non_exhaustive()
    }
}

impl<C: Connection> Kept<C> {
    pub(crate) fn new(connect: Connect<C>, most: u32, patience: Duration, pulse: Option<Arc<Pulse>>) -> Self {
        let most = usize::try_from(most).unwrap_or(1);
        Self { connect, patience, most, turns: Semaphore::new(most), idle: Mutex::default(), pulse }
    }

    /// How busy they are.
    pub(crate) fn usage(&self) -> Usage {
        let in_use = self.most.saturating_sub(self.turns.available_permits());
        Usage { pool: "statements", in_use, idle: self.idle.lock().len(), most: self.most }
    }

    /// A connection, as soon as it is one's turn.
    pub(crate) async fn take(&self) -> Result<Taken<'_, C>> {
        const LATE: sqlx::Error = sqlx::Error::PoolTimedOut;
        self.pulse.as_ref().map_or(Ok(()), |pulse| pulse.check())?;
        let turn = timeout(self.patience, self.turns.acquire()).await.map_err(|_| LATE)?;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some((mut connection, since)) = self.lying() {
            let there = match &self.pulse {
                Some(pulse) => pulse.can_use(&mut connection, since).await,
                None => true,
            };
            if there {
                return Ok(Taken { connection, idle: true, _turn: turn });
            }
        }
        let connection = timeout(self.patience, (self.connect)()).await.map_err(|_| LATE)??;
        Ok(Taken { connection, idle: false, _turn: turn })
    }

    fn lying(&self) -> Option<(C, Instant)> {
        self.idle.lock().pop()
    }

    /// What is answered, if it comes in time.
    pub(crate) async fn answer<T>(
        &self,
        answer: impl Future<Output = sqlx::Result<T>> + Send,
    ) -> sqlx::Result<T> {
        match &self.pulse {
            Some(pulse) => pulse.answered(self.patience, answer).await,
            None => answer.await,
        }
    }

    /// One that lay about failed.
    pub(crate) fn failed(&self, error: &sqlx::Error) {
        tracing::debug!(%error, "a kept connection failed");
        if let Some(pulse) = &self.pulse {
            pulse.fell_silent();
        }
    }

    /// Takes back a connection whose question was answered.
    pub(crate) fn put(&self, taken: Taken<'_, C>) {
        self.idle.lock().push((taken.connection, Instant::now()));
    }

    /// Closes all of them; nothing is asked afterwards.
    pub(crate) async fn close(&self) {
        self.turns.close();
        let idle = std::mem::take(&mut *self.idle.lock());
        for (connection, _) in idle {
            drop(connection.close().await);
        }
    }
}

/// Asks `$question` on a kept connection, which is `$c` in it.
macro_rules! ask {
    ($kept:expr, $c:ident => $question:expr) => {
        loop {
            let mut taken = match $kept.take().await {
                Ok(taken) => taken,
                Err(error) => break Err(error),
            };
            let $c = &mut taken.connection;
            match $kept.answer($question).await {
                Ok(answer) => {
                    $kept.put(taken);
                    break Ok(answer);
                }
                // Each turn of the loop takes an idle connection away.
                Err(error) if taken.idle => $kept.failed(&error),
                Err(error) => break Err($crate::Error::from(error)),
            }
        }
    };
}

pub(crate) use ask;
