//! A batch: envelopes of one topic that are given to its receivers together.
//!
//! When a large topic gets envelopes faster than a pass over its receivers takes, those that came
//! meanwhile make one batch: they are joined once for all, and each receiver costs one push and one
//! write, however many they are.
//!
//! Invariants:
//! - All envelopes are of one topic, one class and for the same audience, in their order.
//! - Several are joined only up to [`JOINED_BYTES`], which leaves most of an outbox free.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use bytes::{Bytes, BytesMut};

use crate::{Audience, Class, Codec, Envelope, Frame, Topic, registry::Meant};

/// Most bytes of several envelopes in one batch, as JSON.
const JOINED_BYTES: usize = 32 * 1024;

pub(crate) struct Batch {
    first: Arc<Envelope>,
    more: Vec<Arc<Envelope>>,
    joined: [OnceLock<Frame>; Codec::COUNT],
    bytes: usize,
}

impl From<Arc<Envelope>> for Batch {
    fn from(first: Arc<Envelope>) -> Self {
        Self { first, more: Vec::new(), joined: std::array::from_fn(|_| OnceLock::new()), bytes: 0 }
    }
}

impl Batch {
    /// Takes another envelope in, if it belongs here and there is room.
    pub(crate) fn join(&mut self, next: &Arc<Envelope>) -> bool {
        let length = |envelope: &Envelope| envelope.frame(Codec::default()).len();
        let belongs = next.topic() == self.topic()
            && next.class() == self.class()
            && next.audience() == self.audience();
        if !belongs {
            return false;
        }
        if self.more.is_empty() {
            self.bytes = length(&self.first);
        }
        let bytes = self.bytes + length(next);
        if bytes > JOINED_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.more.push(Arc::clone(next));
        true
    }

    /// Puts it into these outboxes.
    pub(crate) fn give(&self, to: &mut Vec<Meant>) {
        for (outbox, codec) in to.drain(..) {
            outbox.push(self.frame(codec).clone(), self.class());
        }
    }

    /// The same, right into the sockets for which nothing waits.
    pub(crate) fn give_now(&self, to: &mut Vec<Meant>) {
        for (outbox, codec) in to.drain(..) {
            outbox.push_now(self.frame(codec).clone(), self.class());
        }
    }

    pub(crate) fn topic(&self) -> Topic {
        self.first.topic()
    }

    pub(crate) fn class(&self) -> Class {
        self.first.class()
    }

    pub(crate) fn audience(&self) -> &Audience {
        self.first.audience()
    }

    /// How many envelopes.
    pub(crate) const fn len(&self) -> usize {
        1 + self.more.len()
    }

    /// The newest version in it.
    pub(crate) fn version(&self) -> Option<i64> {
        self.envelopes().filter_map(|envelope| envelope.version()).max()
    }

    /// The bytes of all of them for one codec, made when they are first asked for.
    pub(crate) fn frame(&self, codec: Codec) -> &Frame {
        if self.more.is_empty() {
            return self.first.frame(codec);
        }
        self.joined[codec.index()].get_or_init(|| {
            let frames = || self.envelopes().map(|envelope| envelope.frame(codec).bytes());
            let mut joined = BytesMut::with_capacity(frames().map(Bytes::len).sum());
            frames().for_each(|bytes| joined.extend_from_slice(bytes));
            Frame::new(joined.freeze())
        })
    }

    /// Since when each of them is stored.
    pub(crate) fn since(&self) -> impl Iterator<Item = Instant> {
        self.envelopes().map(|envelope| envelope.since())
    }

    fn envelopes(&self) -> impl Iterator<Item = &Arc<Envelope>> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Text, change, channel, frame, named, note};

    #[test]
    fn what_is_joined_is_of_one_topic_and_class_and_bounded() {
        let mut batch = Batch::from(change(channel(1), 1));
        let frames = std::ptr::from_ref(batch.frame(Codec::JSON));
        assert_eq!(frames, std::ptr::from_ref(batch.first.frame(Codec::JSON)), "alone it is not copied");
        assert!(batch.join(&note(channel(1), "b")) && batch.join(&change(channel(1), 2)));
        assert!(!batch.join(&change(channel(2), 3)), "another topic");
        let typing = Envelope::new(channel(1), None, Class::Ephemeral, Arc::new(Text("c".into())));
        assert!(!batch.join(&typing), "another class");
        assert!(!batch.join(&named(channel(1), 3, &"x".repeat(JOINED_BYTES))), "too much");
        assert_eq!((batch.len(), batch.version()), (3, Some(2)));
        assert_eq!(batch.frame(Codec::JSON), &frame("1\nb\n2\n"));
    }
}
