//! The outbox: what waits to be written to one connection, bounded in bytes.
//!
//! A shard pushes, the session that owns the socket takes everything at once and joins it into one
//! write. There is no channel and no writer task: a mutex around a list and who to wake. A session
//! that is still preparing its `READY` just does not call [`Outbox::recv`] yet; the frames collect.
//! While a session waits for frames and its socket owes nothing, a frame of a giant topic goes right into the [`Sink`]
//! that it lent, without waking it; what the sink does not take is left to the session. Other frames wait for it:
//! the busier the thread, the more of them are joined.
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
//! - One task takes frames: [`Outbox::recv`] and [`Outbox::closed`] share one waker.
//! - From the moment when frames are taken until the next [`Outbox::recv`] nobody else writes to the sink.
//! - The rest of a frame of which a part was written is given out whatever happens, and first.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use madang_proto::{close::CloseCode, limits};
use parking_lot::{Mutex, MutexGuard};

use crate::{Class, Frame};

/// Room for this many frames is kept when an outbox is emptied, so that idle ones stay small.
const KEPT_SLOTS: usize = 2;

/// Where frames may go without their session: its socket.
pub trait Sink: Send + Sync {
    /// Writes as much as is room for, and says how much that was; nothing also when the socket is
    /// broken, which its session finds by itself.
    fn write_now(&self, bytes: &[u8]) -> usize;
}

/// The frames that wait for one connection.
#[derive(Debug)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    limit: usize,
}

#[derive(Default)]
struct Waiting {
    frames: Vec<(Frame, Kind)>,
    /// The first of them is the rest of one of which a part was written.
    torn: bool,
    event_bytes: usize,
    reply_bytes: usize,
    ephemeral: usize,
    closed: Option<CloseCode>,
    /// Who found nothing and waits.
    waker: Option<Waker>,
    sink: Option<Arc<dyn Sink>>,
    /// The session waits for frames, so the sink may be written to.
    lent: bool,
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
        Self { waiting: Mutex::default(), limit }
    }

    /// Adds the frame of an event. Does not wait: what does not fit is dropped if it is ephemeral,
    /// and otherwise ends the connection with [`CloseCode::TooSlow`].
    pub fn push(&self, frame: Frame, class: Class) {
        let waiting = self.waiting.lock();
        if waiting.closed.is_none() {
            self.add_event(waiting, frame, class);
        }
    }

    /// The same for a frame that has few to be joined with: it goes right into the socket that was lent, where nothing
    /// waits before it.
    pub fn push_now(&self, frame: Frame, class: Class) {
        let mut waiting = self.waiting.lock();
        if waiting.closed.is_some() {
            return;
        }
        let whole = frame.len();
        if let Some(rest) = waiting.write(frame) {
            // Of which a part is out may not be dropped any more.
            let class = if rest.len() < whole { Class::Durable } else { class };
            self.add_event(waiting, rest, class);
        }
    }

    fn add_event(&self, mut waiting: MutexGuard<'_, Waiting>, frame: Frame, class: Class) {
        if !waiting.fits(&frame, self.limit) {
            if class == Class::Ephemeral {
                return;
            }
            waiting.drop_ephemeral();
            if !waiting.fits(&frame, self.limit) {
                return Self::overflow(waiting);
            }
        }
        waiting.event_bytes += frame.len();
        waiting.ephemeral += usize::from(class == Class::Ephemeral);
        Self::add(waiting, frame, Kind::Event(class));
    }

    /// Adds the answer to a request of this connection, in order with the events.
    pub fn push_reply(&self, frame: Frame) {
        let mut waiting = self.waiting.lock();
        if waiting.closed.is_some() {
            return;
        }
        if waiting.reply_bytes > self.limit {
            return Self::overflow(waiting);
        }
        waiting.reply_bytes += frame.len();
        Self::add(waiting, frame, Kind::Reply);
    }

    fn add(mut waiting: MutexGuard<'_, Waiting>, frame: Frame, kind: Kind) {
        waiting.frames.push((frame, kind));
        Self::wake(waiting);
    }

    fn overflow(mut waiting: MutexGuard<'_, Waiting>) {
        let (waker, torn) = (waiting.waker.take(), waiting.torn);
        let frames = waiting.frames.drain(..usize::from(torn)).collect();
        *waiting = Waiting { frames, torn, closed: Some(CloseCode::TooSlow), waker, ..Waiting::default() };
        Self::wake(waiting);
    }

    fn wake(mut waiting: MutexGuard<'_, Waiting>) {
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Lends the socket, to be written to by [`Self::push_now`] whenever nothing waits here and [`Self::recv`] is waited for.
    pub fn lend(&self, sink: Arc<dyn Sink>) {
        self.waiting.lock().sink = Some(sink);
    }

    /// Ends the connection. What waits is still given out, and then the code. Does nothing to an
    /// outbox that is closed already.
    pub fn close(&self, code: CloseCode) {
        let mut waiting = self.waiting.lock();
        waiting.closed.get_or_insert(code);
        waiting.sink = None;
        Self::wake(waiting);
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
    /// [`CloseCode::TooSlow`] nothing more is given out, but the rest of a frame.
    pub async fn recv(&self, into: &mut Vec<Frame>) -> Result<(), CloseCode> {
        poll_fn(|cx| {
            let mut waiting = self.waiting.lock();
            if waiting.take(into) {
                return Poll::Ready(Ok(()));
            }
            waiting.lent = true;
            waiting.closed.map_or_else(|| waiting.sleep(cx), |code| Poll::Ready(Err(code)))
        })
        .await
    }

    /// Appends all that waits now to `into`, without waiting; whether that was anything.
    pub fn take(&self, into: &mut Vec<Frame>) -> bool {
        self.waiting.lock().take(into)
    }

    /// Waits until the outbox is closed, whatever still waits in it: to give up a write that the
    /// other side does not take. Safe to cancel.
    pub async fn closed(&self) -> CloseCode {
        poll_fn(|cx| {
            let mut waiting = self.waiting.lock();
            waiting.closed.map_or_else(|| waiting.sleep(cx), Poll::Ready)
        })
        .await
    }
}

impl Waiting {
    /// Writes a frame to the socket, if that may be done now; gives what is left of it.
    fn write(&mut self, frame: Frame) -> Option<Frame> {
        let Some(sink) = self.sink.as_ref().filter(|_| self.lent && self.frames.is_empty()) else {
            return Some(frame);
        };
        let written = sink.write_now(frame.bytes());
        if written >= frame.len() {
            return None;
        }
        self.torn = written > 0;
        Some(Frame::new(frame.into_bytes().slice(written..)))
    }

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

    fn sleep<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn take(&mut self, into: &mut Vec<Frame>) -> bool {
        if self.frames.is_empty() {
            return false;
        }
        into.extend(self.frames.drain(..).map(|(frame, _)| frame));
        self.frames.shrink_to(KEPT_SLOTS);
        (self.event_bytes, self.reply_bytes, self.ephemeral) = (0, 0, 0);
        (self.torn, self.lent) = (false, false);
        true
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, torn, closed, lent, .. } = self;
        write!(f, "Waiting {{ frames: {frames:?}, torn: {torn}, closed: {closed:?}, lent: {lent} }}")
    }
}
