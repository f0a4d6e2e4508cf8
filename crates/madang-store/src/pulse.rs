//! The pulse of PostgreSQL: whether it answers now. A connection of its own is asked again and again, so that nobody else
//! has to wait to learn that the other end is gone without a word.
//!
//! When the pulse is lost, what was asked is given up, and whatever wants to begin is refused at once until it is back.
//! Connections that lay about before are closed when they are taken, and those that lie about for long have to give a sign
//! of life.
//!
//! Invariants:
//! - Who does not ask for the pulse ([`Pulse::beat`]) is never refused.

use std::{
    fmt, io,
    pin::Pin,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::watch, time::timeout};

use crate::{Error, Result};

/// How long a connection may take for a sign of life before it is closed. So long as it lies about it needs none.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// How long a beat may take, with a new connection where there is none.
const BEAT: Duration = Duration::from_secs(2);

/// Whether a database answers.
pub struct Pulse {
    connect: PgConnectOptions,
    asks: tokio::sync::Mutex<Option<PgConnection>>,
    there: watch::Sender<bool>,
    /// When a connection last did not answer: those that lie about since before are gone as well, most likely.
    silent: Mutex<Option<Instant>>,
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse").field("there", &self.is_there()).finish_non_exhaustive()
    }
}

impl Pulse {
    pub(crate) fn new(connect: PgConnectOptions) -> Self {
        let (asks, silent) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { connect, asks, there: watch::Sender::new(true), silent }
    }

    /// Whether there was one when it was asked for last.
    pub(crate) fn is_there(&self) -> bool {
        *self.there.borrow()
    }

    /// Refuses while there is none.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_there() {
            return Ok(());
        }
        Err(Error::Unavailable("the database does not answer".to_owned()))
    }

    /// Asks for it, for two seconds at most; whether there is one.
    pub(crate) async fn beat(&self) -> bool {
        let mut kept = self.asks.lock().await;
        let beat = async {
            if let Some(mut c) = kept.take()
                && c.ping().await.is_ok()
            {
                return Ok(c);
            }
            // That one may have been ended, and the database be well.
            self.connect.connect().await
        };
        let beat = answered(BEAT, beat).await;
        let there = beat.is_ok();
        match beat {
            Ok(c) => *kept = Some(c),
            Err(error) => {
                self.fell_silent();
                tracing::debug!(%error, "the database gives no sign of life");
            }
        }
        self.there.send_if_modified(|was| std::mem::replace(was, there) != there);
        there
    }

    /// An answer, if it comes in time and before the pulse is lost.
    pub(crate) fn answered<'a, T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = sqlx::Result<T>> + Send + 'a,
    ) -> Boxed<'a, sqlx::Result<T>> {
        let mut there = self.there.subscribe();
        answered(limit, async move {
            tokio::select! {
                biased;
                answer = answer => answer,
                _ = there.wait_for(|there| !there) => Err(late()),
            }
        })
    }

    /// A connection that lay about did not answer.
    pub(crate) fn fell_silent(&self) {
        *self.silent.lock() = Some(Instant::now());
    }

    /// Whether a connection that lies about since then can be used. Where it is long, it is asked.
    pub(crate) async fn can_use(&self, c: &mut impl Connection, since: Instant) -> bool {
        if self.silent.lock().is_some_and(|silent| silent > since) {
            return false;
        }
        if since.elapsed() < SIGN_OF_LIFE || self.is_alive(c).await {
            return true;
        }
        self.fell_silent();
        false
    }

    /// Whether a connection gives a sign of life.
    pub(crate) async fn is_alive(&self, c: &mut impl Connection) -> bool {
        self.is_there() && answered(SIGN_OF_LIFE, c.ping()).await.is_ok()
    }

    pub(crate) async fn close(&self) {
        if let Some(c) = self.asks.lock().await.take() {
            drop(answered(SIGN_OF_LIFE, c.close()).await);
        }
    }
}

/// A future on the heap: operations ask many things.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer, if it comes in time.
fn answered<'a, T>(
    limit: Duration,
    answer: impl Future<Output = sqlx::Result<T>> + Send + 'a,
) -> Boxed<'a, sqlx::Result<T>> {
    Box::pin(async move { timeout(limit, answer).await.unwrap_or_else(|_| Err(late())) })
}

pub(crate) fn late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
}
