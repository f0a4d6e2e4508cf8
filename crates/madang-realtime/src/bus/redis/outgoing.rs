//! What waits to be sent: a queue with a bound in bytes, in front of a network that may be away.
//!
//! Invariants: putting something in never waits; what does not fit is dropped and counted; numbers grow in the order
//! of the queue; when something was lost, all nodes are told so after what is left was sent.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{stats::Counters, wire};
use crate::Topic;

/// Most bytes that wait to be sent.
const QUEUE_BYTES: usize = 16 << 20;
/// Bytes that an item in the queue takes beside its own.
const OVERHEAD: usize = 64;

/// Which nodes an item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    All,
    Hearing(Topic),
}

/// An item that waits.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) to: To,
    pub(super) number: u64,
    pub(super) item: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Outgoing {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Out>,
    bytes: usize,
    numbered: u64,
    /// Something was lost, and nobody was told yet.
    gap: bool,
}

impl Outgoing {
    pub(super) fn push(&self, to: To, item: Vec<u8>, counters: &Counters) {
        let mut queue = self.queue.lock();
        if queue.bytes + item.len() + OVERHEAD > QUEUE_BYTES {
            queue.gap = true;
            return counters.dropped(1);
        }
        queue.bytes += item.len() + OVERHEAD;
        let number = queue.number();
        queue.items.push_back(Out { to, number, item });
        drop(queue);
        self.filled.notify_one();
    }

    /// Something did not reach the other nodes, or perhaps not.
    pub(super) fn lost(&self, items: usize, counters: &Counters) {
        counters.dropped(items);
        self.queue.lock().gap = true;
        self.filled.notify_one();
    }

    /// Takes from the front about this many bytes.
    pub(super) fn take(&self, most: usize) -> Vec<Out> {
        let mut queue = self.queue.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(out) = (bytes < most).then(|| queue.items.pop_front()).flatten() {
            bytes += out.item.len() + OVERHEAD;
            taken.push(out);
        }
        queue.bytes -= bytes;
        if taken.is_empty() && std::mem::take(&mut queue.gap) {
            taken.push(Out { to: To::All, number: queue.number(), item: wire::gap() });
        }
        taken
    }

    /// Waits until something was put in since the last call.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> u64 {
        self.queue.lock().bytes as u64
    }
}

impl Queue {
    const fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }
}
