//! The outbox: what waits to be written to one connection, bounded in bytes.
//!
//! A shard pushes, the session that owns the socket takes everything at once and joins it into one
//! write. There is no channel and no writer task: a mutex around a list and one wake-up. A session
//! that is still preparing its `READY` just does not call [`Outbox::recv`] yet; the frames collect.
//!
//! Two sums are kept. *Events* come unasked: when they do not fit, waiting ephemeral frames go
//! first, and then the connection itself. *Replies* were asked for by the client, which sends its
//! next request only as fast as the session reads; one reply may be larger than the whole bound, so
//! a reply is taken while those before it are within it, and never costs the events their room.
//!
//! Invariants:
//! - Frames leave in the order in which they were pushed.
//! - Events that wait never exceed the bound, but for a single frame that is larger by itself.
//! - Nothing enters after a close; the first close code wins.
//! - One task takes frames: [`Outbox::recv`] and [`Outbox::closed`] share one wake-up.

use madang_proto::{close::CloseCode, limits};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{Class, Frame};

/// Room for this many frames is kept when an outbox is emptied, so that idle ones stay small.
const KEPT_SLOTS: usize = 2;

/// The frames that wait for one connection.
#[derive(Debug)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    due: Notify,
    limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<(Frame, Kind)>,
    event_bytes: usize,
    reply_bytes: usize,
    ephemeral: usize,
    closed: Option<CloseCode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event(Class),
    Reply,
}

impl Default for Outbox {
    fn default() -> Self {
        Self::bounded(limits::OUTBOX_BYTES)
    }
}

impl Outbox {
    /// An outbox in which up to `limit` bytes of events may wait.
    #[must_use]
    pub fn bounded(limit: usize) -> Self {
        Self { waiting: Mutex::default(), due: Notify::new(), limit }
    }

    /// Adds the frame of an event. Does not wait: what does not fit is dropped if it is ephemeral,
    /// and otherwise ends the connection with [`CloseCode::TooSlow`].
    pub fn push(&self, frame: Frame, class: Class) {
        let mut waiting = self.waiting.lock();
        if waiting.closed.is_some() {
            return;
        }
        if !waiting.fits(&frame, self.limit) {
            if class == Class::Ephemeral {
                return;
            }
            waiting.drop_ephemeral();
            if !waiting.fits(&frame, self.limit) {
                return self.overflow(waiting);
            }
        }
        waiting.event_bytes += frame.len();
        waiting.ephemeral += usize::from(class == Class::Ephemeral);
        self.add(waiting, frame, Kind::Event(class));
    }

    /// Adds the answer to a request of this connection, in order with the events.
    pub fn push_reply(&self, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if waiting.closed.is_some() {
            return;
        }
        if waiting.reply_bytes > self.limit {
            return self.overflow(waiting);
        }
        waiting.reply_bytes += frame.len();
        self.add(waiting, frame, Kind::Reply);
    }

    fn add(&self, mut waiting: MutexGuard<'_, Waiting>, frame: Frame, kind: Kind) {
        waiting.frames.push((frame, kind));
        let first = waiting.frames.len() == 1;
        drop(waiting);
        if first {
            self.due.notify_one();
        }
    }

    fn overflow(&self, mut waiting: MutexGuard<'_, Waiting>) {
        *waiting = Waiting { closed: Some(CloseCode::TooSlow), ..Waiting::default() };
        drop(waiting);
        self.due.notify_one();
    }

    /// Ends the connection. What waits is still given out, and then the code. Does nothing to an
    /// outbox that is closed already.
    pub fn close(&self, code: CloseCode) {
        self.waiting.lock().closed.get_or_insert(code);
        self.due.notify_one();
    }

    /// The code that the outbox was closed with.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        self.waiting.lock().closed
    }

    /// Waits until something is due and appends all of it to `into`. Safe to cancel.
    ///
    /// # Errors
    /// The close code, once the outbox is closed and everything that waited was given out. After
    /// [`CloseCode::TooSlow`] nothing more is given out.
    pub async fn recv(&self, into: &mut Vec<Frame>) -> Result<(), CloseCode> {
        loop {
            if self.take(into) {
                return Ok(());
            }
            if let Some(code) = self.finished() {
                return Err(code);
            }
            self.due.notified().await;
        }
    }

    /// Appends all that waits now to `into`, without waiting; whether that was anything.
    pub fn take(&self, into: &mut Vec<Frame>) -> bool {
        let mut waiting = self.waiting.lock();
        let any = !waiting.frames.is_empty();
        waiting.take(into);
        any
    }

    /// The close code, once nothing waits any more.
    fn finished(&self) -> Option<CloseCode> {
        let waiting = self.waiting.lock();
        waiting.closed.filter(|_| waiting.frames.is_empty())
    }

    /// Waits until the outbox is closed, whatever still waits in it: to give up a write that the
    /// other side does not take. Safe to cancel.
    pub async fn closed(&self) -> CloseCode {
        loop {
            if let Some(code) = self.close_code() {
                return code;
            }
            self.due.notified().await;
        }
    }
}

impl Waiting {
    fn fits(&self, frame: &Frame, limit: usize) -> bool {
        self.event_bytes == 0 || self.event_bytes + frame.len() <= limit
    }

    fn drop_ephemeral(&mut self) {
        if self.ephemeral == 0 {
            return;
        }
        let mut freed = 0;
        self.frames.retain(|(frame, kind)| {
            let keep = *kind != Kind::Event(Class::Ephemeral);
            freed += if keep { 0 } else { frame.len() };
            keep
        });
        self.event_bytes -= freed;
        self.ephemeral = 0;
    }

    fn take(&mut self, into: &mut Vec<Frame>) {
        into.extend(self.frames.drain(..).map(|(frame, _)| frame));
        self.frames.shrink_to(KEPT_SLOTS);
        (self.event_bytes, self.reply_bytes, self.ephemeral) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Context};

    use super::*;
    use crate::testing::{frame, to_the_end, waiting};

    fn durable(outbox: &Outbox, texts: &[&str]) {
        texts.iter().for_each(|text| outbox.push(frame(text), Class::Durable));
    }

    #[tokio::test]
    async fn everything_that_waits_is_taken_at_once_in_order() {
        let outbox = Outbox::default();
        durable(&outbox, &["a", "b"]);
        outbox.push(frame("c"), Class::Ephemeral);
        outbox.push_reply(frame("d"));
        let mut frames = Vec::new();
        outbox.recv(&mut frames).await.unwrap();
        assert_eq!(frames, ["a", "b", "c", "d"].map(frame));
    }

    #[test]
    fn what_is_ephemeral_goes_first_when_it_is_full() {
        let outbox = Outbox::bounded(10);
        outbox.push(frame("type"), Class::Ephemeral);
        durable(&outbox, &["1234"]);
        outbox.push(frame("more typing"), Class::Ephemeral);
        durable(&outbox, &["5678", "90"]);
        assert_eq!(waiting(&outbox), ["1234", "5678", "90"]);
        durable(&outbox, &["1234567890"]);
        assert_eq!(waiting(&outbox), ["1234567890"], "there is room again");
    }

    #[tokio::test]
    async fn a_reader_who_is_too_slow_is_closed_and_gets_nothing_more() {
        let outbox = Outbox::bounded(10);
        durable(&outbox, &["12345", "67890"]);
        assert_eq!(outbox.close_code(), None);
        durable(&outbox, &["x", "y"]);
        outbox.push_reply(frame("z"));
        outbox.close(CloseCode::Restarting);
        assert_eq!(to_the_end(&outbox).await, (vec![], CloseCode::TooSlow));
    }

    #[test]
    fn one_frame_larger_than_the_bound_passes_when_nothing_else_waits() {
        let outbox = Outbox::bounded(4);
        durable(&outbox, &["larger"]);
        assert_eq!(waiting(&outbox), ["larger"]);
    }

    #[tokio::test]
    async fn replies_have_their_own_room() {
        let outbox = Outbox::bounded(4);
        durable(&outbox, &["1234"]);
        outbox.push_reply(frame("1234"));
        outbox.push_reply(frame("a large reply"));
        assert_eq!(waiting(&outbox), ["1234", "1234", "a large reply"]);

        outbox.push_reply(frame("a large reply"));
        durable(&outbox, &["1234"]);
        outbox.push_reply(frame("one too many"));
        assert_eq!(to_the_end(&outbox).await, (vec![], CloseCode::TooSlow));
    }

    #[tokio::test]
    async fn what_waited_is_given_out_before_the_first_close_code() {
        let outbox = Outbox::default();
        durable(&outbox, &["a"]);
        outbox.close(CloseCode::SessionEnded);
        outbox.close(CloseCode::Restarting);
        durable(&outbox, &["late"]);
        assert_eq!(outbox.closed().await, CloseCode::SessionEnded);
        assert_eq!(to_the_end(&outbox).await, (vec!["a".to_owned()], CloseCode::SessionEnded));
    }

    #[tokio::test]
    async fn a_cancelled_wait_loses_no_wake_up() {
        let outbox = Outbox::default();
        let mut frames = Vec::new();
        {
            let mut cancelled = pin!(outbox.recv(&mut frames));
            let mut cx = Context::from_waker(std::task::Waker::noop());
            assert!(cancelled.as_mut().poll(&mut cx).is_pending());
            durable(&outbox, &["a"]);
        }
        outbox.recv(&mut frames).await.unwrap();
        durable(&outbox, &["b"]);
        outbox.recv(&mut frames).await.unwrap();
        assert_eq!(frames, ["a", "b"].map(frame));
    }
}
