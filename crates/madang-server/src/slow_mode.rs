//! Slow mode: how long someone waits between two messages in a channel that asks for it.
//!
//! Kept in memory: a restart lets everyone send at once; where there may be several nodes, in the database too, which all
//! of them ask. Replies count as messages of the channel that their
//! thread is about. What was refused by the writer does not count, and the same nonce counts once.
//!
//! Invariants:
//! - Of messages sent at the same moment one passes.
//! - Nothing is kept of channels without slow mode, and of others for no longer than it may last.

use std::collections::HashMap;

use madang_proto::{ChannelId, Timestamp, UserId, limits};
use madang_store::slow_mode as store;
use parking_lot::Mutex;

use crate::{
    app::App,
    error::{Error, Result},
};

/// Who sent something last, and when.
#[derive(Default)]
pub struct SlowMode(Mutex<HashMap<(ChannelId, UserId), Turn>>);

struct Turn {
    at: Timestamp,
    nonce: Option<String>,
}

/// Takes one's turn on all nodes. False when it is the turn that was taken with this nonce before.
///
/// # Errors
/// `RateLimited` when the turn before was less than `seconds` ago.
pub async fn take(app: &App, who: (ChannelId, UserId), seconds: u32, nonce: Option<&str>) -> Result<bool> {
    let now = app.now();
    let new = app.slow_mode.take(who, seconds, nonce, now)?;
    if !new || app.node.is_alone() {
        return Ok(new);
    }
    let since = now.plus_millis(-i64::from(seconds) * 1_000);
    match store::take(&app.db, who, now, since).await {
        Ok(None) => Ok(true),
        Ok(Some(before)) => {
            app.slow_mode.0.lock().insert(who, Turn { at: before, nonce: None });
            Err(too_soon(before, seconds, now))
        }
        Err(error) => {
            app.slow_mode.give_back(who);
            Err(error.into())
        }
    }
}

/// Gives a turn back in which nothing was stored.
pub async fn give_back(app: &App, who: (ChannelId, UserId)) {
    app.slow_mode.give_back(who);
    if !app.node.is_alone()
        && let Err(error) = store::give_back(&app.db, who).await
    {
        tracing::debug!(%error, "a turn in slow mode lasts");
    }
}

/// How long it is until the next turn.
fn too_soon(before: Timestamp, seconds: u32, now: Timestamp) -> Error {
    let left = before.millis() + i64::from(seconds) * 1_000 - now.millis();
    Error::RateLimited { retry_after: u32::try_from((left + 999) / 1_000).unwrap_or(u32::MAX) }
}

impl SlowMode {
    /// Takes one's turn on this node. False when it is the turn that was taken with this nonce before.
    ///
    /// # Errors
    /// `RateLimited` when the turn before was less than `seconds` ago.
    fn take(
        &self,
        who: (ChannelId, UserId),
        seconds: u32,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let turns = &mut *self.0.lock();
        if let Some(turn) = turns.get(&who) {
            if nonce.is_some() && turn.nonce.as_deref() == nonce {
                return Ok(false);
            }
            if turn.at.millis() + i64::from(seconds) * 1_000 > now.millis() {
                return Err(too_soon(turn.at, seconds, now));
            }
        }
        turns.insert(who, Turn { at: now, nonce: nonce.map(str::to_owned) });
        Ok(true)
    }

    fn give_back(&self, who: (ChannelId, UserId)) {
        self.0.lock().remove(&who);
    }

    /// Forgets those for whom no slow mode can last any more.
    pub fn sweep(&self, now: Timestamp) {
        let longest = i64::from(limits::SLOW_MODE_SECONDS) * 1_000;
        self.0.lock().retain(|_, turn| turn.at.millis() + longest > now.millis());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_waits_for_the_rest_of_the_time_and_the_same_nonce_is_the_same_turn() {
        let (slow, who) = (SlowMode::default(), (1.into(), 2.into()));
        let wait = |nonce, at: i64| match slow.take(who, 10, nonce, at.into()) {
            Ok(new) => Ok(new),
            Err(error) => Err(error.retry_after().unwrap()),
        };
        assert_eq!(wait(Some("a"), 0), Ok(true));
        assert_eq!((wait(Some("a"), 1), wait(None, 1), wait(Some("b"), 9_001)), (Ok(false), Err(10), Err(1)));
        assert_eq!((wait(None, 10_000), wait(None, 10_000)), (Ok(true), Err(10)));
        slow.give_back(who);
        assert_eq!(wait(None, 10_000), Ok(true));
        slow.sweep(Timestamp::from(10_000 + 6 * 3_600_000));
        assert!(slow.0.lock().is_empty());
    }
}
