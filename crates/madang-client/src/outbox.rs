//! Messages on their way: what was written, but is not known to be stored yet.
//!
//! Each channel has a queue. Its first message is sent, and stays first until the server answers: the
//! next one follows then, so order survives every retry. A lost connection, a missing answer and a
//! temporary refusal lead to another attempt with the same nonce; a final refusal puts the message
//! aside, to be shown, tried again or discarded, and the next one goes ahead.
//!
//! Invariants:
//! - At most one message of a channel is in flight.
//! - A message leaves the queue by an acknowledgement, a final refusal or a discard, and only once.
//! - No clock: the caller says what time it is.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use madang_proto::{ChannelId, FileId};

use crate::{Error, backoff::Backoff};

/// How long an answer may take before the message is sent once more.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Where a message in the outbox stands.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Waits for its turn, for the connection, or for `not_before`.
    Waiting {
        /// When the server may be asked again.
        not_before: Option<Instant>,
    },
    /// Sent; the answer is awaited until then.
    InFlight {
        /// When it is sent once more.
        until: Instant,
    },
    /// Refused for good.
    Refused(Error),
}

/// A message in the outbox.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Where to.
    pub channel: ChannelId,
    /// What makes it one and the same at each attempt.
    pub nonce: String,
    /// The text.
    pub content: String,
    /// What it carries: files that one uploaded.
    pub file_ids: Vec<FileId>,
    /// Where it stands.
    pub progress: Progress,
    backoff: Backoff,
}

/// All messages on their way, in the order they were written.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    queue: VecDeque<Pending>,
}

impl Outbox {
    /// Adds a message at the end. `false` when one with this nonce waits already.
    pub fn push(&mut self, channel: ChannelId, nonce: &str, content: &str, file_ids: Vec<FileId>) -> bool {
        if self.get(nonce).is_some() {
            return false;
        }
        self.queue.push_back(Pending {
            channel,
            nonce: nonce.to_owned(),
            content: content.to_owned(),
            file_ids,
            progress: Progress::Waiting { not_before: None },
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(5)),
        });
        true
    }

    /// The message with this nonce.
    #[must_use]
    pub fn get(&self, nonce: &str) -> Option<&Pending> {
        self.queue.iter().find(|pending| pending.nonce == nonce)
    }

    fn get_mut(&mut self, nonce: &str) -> Option<&mut Pending> {
        self.queue.iter_mut().find(|pending| pending.nonce == nonce)
    }

    /// All of them, in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.queue.iter()
    }

    /// Those of one channel, in the order they were written.
    pub fn of_channel(&self, channel: ChannelId) -> impl Iterator<Item = &Pending> {
        self.queue.iter().filter(move |pending| pending.channel == channel)
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The places of what is to be sent now: the first of each channel, if it is ready and none of that
    /// channel is in flight.
    fn due(&self, now: Instant) -> Vec<usize> {
        let in_flight =
            |pending: &&Pending| matches!(pending.progress, Progress::InFlight { until } if until > now);
        let mut blocked: Vec<ChannelId> = self.queue.iter().filter(in_flight).map(|p| p.channel).collect();
        let mut due = Vec::new();
        for (place, pending) in self.queue.iter().enumerate() {
            if matches!(pending.progress, Progress::Refused(_)) || blocked.contains(&pending.channel) {
                continue;
            }
            blocked.push(pending.channel);
            let waits = matches!(pending.progress, Progress::Waiting { not_before: Some(at) } if at > now);
            if !waits {
                due.push(place);
            }
        }
        due
    }

    /// Whether [`Outbox::take_due`] has something to give.
    #[must_use]
    pub fn has_due(&self, now: Instant) -> bool {
        !self.queue.is_empty() && !self.due(now).is_empty()
    }

    /// Marks what is to be sent now as in flight and returns copies of it.
    pub fn take_due(&mut self, now: Instant) -> Vec<Pending> {
        let mut taken = Vec::new();
        for place in self.due(now) {
            if let Some(pending) = self.queue.get_mut(place) {
                pending.progress = Progress::InFlight { until: now + ANSWER_WITHIN };
                taken.push(pending.clone());
            }
        }
        taken
    }

    /// When [`Outbox::take_due`] has something to do next, if nothing else happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Instant> {
        self.queue
            .iter()
            .filter_map(|pending| match pending.progress {
                Progress::Waiting { not_before } => not_before,
                Progress::InFlight { until } => Some(until),
                Progress::Refused(_) => None,
            })
            .min()
    }

    /// The server has stored it. `false` when it was not here.
    pub fn acknowledge(&mut self, nonce: &str) -> bool {
        self.discard(nonce)
    }

    /// The server did not take it. `true` when that is final. `fraction` is a random number from 0
    /// to 1.
    pub fn fail(&mut self, nonce: &str, error: &Error, now: Instant, fraction: f64) -> bool {
        let Some(pending) = self.get_mut(nonce) else { return false };
        // Whoever must sign in again has not been refused this message.
        let is_final =
            !error.is_temporary() && error.code() != Some(madang_proto::error::ErrorCode::Unauthenticated);
        pending.progress = if is_final {
            Progress::Refused(error.clone())
        } else {
            let delay = pending.backoff.next(fraction).max(error.retry_after().unwrap_or_default());
            Progress::Waiting { not_before: Some(now + delay) }
        };
        is_final
    }

    /// The connection is gone: what was in flight goes again over the next one.
    pub fn connection_lost(&mut self) {
        for pending in &mut self.queue {
            if !matches!(pending.progress, Progress::Refused(_)) {
                pending.progress = Progress::Waiting { not_before: None };
            }
        }
    }

    /// Tries a refused message again, in its old place.
    pub fn retry(&mut self, nonce: &str) -> bool {
        let Some(pending) = self.get_mut(nonce) else { return false };
        if matches!(pending.progress, Progress::Refused(_)) {
            pending.progress = Progress::Waiting { not_before: None };
        }
        true
    }

    /// Drops a message.
    pub fn discard(&mut self, nonce: &str) -> bool {
        let before = self.queue.len();
        self.queue.retain(|pending| pending.nonce != nonce);
        self.queue.len() != before
    }
}

#[cfg(test)]
mod tests {
    use madang_proto::error::{ErrorCode, ErrorPayload};

    use super::*;

    const GENERAL: i64 = 1;
    const RANDOM: i64 = 2;

    fn outbox(messages: &[(i64, &str)]) -> Outbox {
        let mut outbox = Outbox::default();
        for (channel, nonce) in messages {
            assert!(outbox.push((*channel).into(), nonce, nonce, Vec::new()));
        }
        outbox
    }

    fn due(outbox: &mut Outbox, now: Instant) -> Vec<String> {
        outbox.take_due(now).into_iter().map(|pending| pending.nonce).collect()
    }

    fn refusal(code: ErrorCode, retry_after: Option<u32>) -> Error {
        ErrorPayload { code, detail: String::new(), errors: vec![], retry_after }.into()
    }

    #[test]
    fn one_message_a_channel_is_in_flight_and_the_next_follows_the_answer() {
        let now = Instant::now();
        let mut outbox = outbox(&[(GENERAL, "a"), (GENERAL, "b"), (RANDOM, "c")]);
        assert_eq!(due(&mut outbox, now), ["a", "c"]);
        assert!(due(&mut outbox, now).is_empty());
        assert!(outbox.acknowledge("a") && !outbox.acknowledge("a"));
        assert_eq!(due(&mut outbox, now), ["b"]);
        assert!(!outbox.push(RANDOM.into(), "c", "again", Vec::new()), "the nonce waits already");
    }

    #[test]
    fn a_lost_connection_and_a_missing_answer_send_it_again_in_order() {
        let now = Instant::now();
        let mut outbox = outbox(&[(GENERAL, "a"), (GENERAL, "b")]);
        assert_eq!(due(&mut outbox, now), ["a"]);
        outbox.connection_lost();
        assert_eq!(due(&mut outbox, now), ["a"]);
        assert_eq!(outbox.wake_at(), Some(now + ANSWER_WITHIN));
        assert_eq!(due(&mut outbox, now + ANSWER_WITHIN), ["a"]);
    }

    #[test]
    fn a_temporary_refusal_waits_as_long_as_the_server_says() {
        let now = Instant::now();
        let mut outbox = outbox(&[(GENERAL, "a"), (GENERAL, "b")]);
        due(&mut outbox, now);
        assert!(!outbox.fail("a", &refusal(ErrorCode::RateLimited, Some(9)), now, 1.0));
        assert!(due(&mut outbox, now + Duration::from_secs(8)).is_empty());
        assert_eq!(due(&mut outbox, now + Duration::from_secs(9)), ["a"]);
    }

    #[test]
    fn a_final_refusal_steps_aside_and_can_be_retried_or_discarded() {
        let now = Instant::now();
        let mut outbox = outbox(&[(GENERAL, "a"), (GENERAL, "b")]);
        due(&mut outbox, now);
        assert!(outbox.fail("a", &refusal(ErrorCode::Forbidden, None), now, 1.0));
        assert_eq!(due(&mut outbox, now), ["b"]);
        assert!(matches!(outbox.get("a").unwrap().progress, Progress::Refused(_)));
        assert!(outbox.retry("a"));
        assert!(due(&mut outbox, now).is_empty(), "b is in flight");
        outbox.acknowledge("b");
        assert_eq!(due(&mut outbox, now), ["a"]);
        assert!(outbox.discard("a") && outbox.is_empty() && outbox.wake_at().is_none());
    }
}
