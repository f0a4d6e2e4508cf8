//! Envelopes and frames: an event made once, encoded once, shared by all who hear it.
//!
//! Invariants:
//! - A shared payload has no field that depends on who hears it.
//! - [`Envelope::frame`] encodes on first need and gives the same bytes ever after; shards that
//!   need it at the same moment wait for the one that encodes.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use crate::Topic;

/// How frames are written for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Codec {
    /// JSON text.
    #[default]
    Json,
}

impl Codec {
    /// How many codecs there are.
    pub const COUNT: usize = 1;

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Json => 0,
        }
    }
}

/// The encoded text of one frame. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// A frame of these bytes.
    #[must_use]
    pub const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes, given away.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }

    /// How many bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({})", String::from_utf8_lossy(&self.0))
    }
}

/// What can be encoded as a frame.
pub trait Payload: Send + Sync {
    /// The whole frame as `codec` writes it.
    fn encode(&self, codec: Codec) -> Bytes;
}

/// How much it matters that a frame arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Tells of a stored change. Never dropped silently: a reader who cannot keep up is closed and
    /// resumes from the log.
    Durable,
    /// True for a moment (typing, presence). Dropped first when a reader is slow.
    Ephemeral,
}

/// One event on its way to everyone who hears its topic.
pub struct Envelope {
    topic: Topic,
    version: Option<i64>,
    class: Class,
    payload: Arc<dyn Payload>,
    frames: [OnceLock<Frame>; Codec::COUNT],
}

impl Envelope {
    /// Puts a payload in an envelope. `version` is the one that the change gave its channel; what
    /// is not part of a channel's history has none.
    #[must_use]
    pub fn new(topic: Topic, version: Option<i64>, class: Class, payload: Arc<dyn Payload>) -> Arc<Self> {
        Arc::new(Self { topic, version, class, payload, frames: std::array::from_fn(|_| OnceLock::new()) })
    }

    /// Who hears it.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        self.topic
    }

    /// Its place in the topic's history.
    #[must_use]
    pub const fn version(&self) -> Option<i64> {
        self.version
    }

    /// How much it matters.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The frame for one codec, encoded when it is first asked for.
    #[must_use]
    pub fn frame(&self, codec: Codec) -> &Frame {
        self.frames[codec.index()].get_or_init(|| Frame::new(self.payload.encode(codec)))
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("topic", &self.topic)
            .field("version", &self.version)
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counting(AtomicUsize);

    impl Payload for Counting {
        fn encode(&self, _: Codec) -> Bytes {
            self.0.fetch_add(1, Ordering::Relaxed);
            Bytes::from_static(b"{}")
        }
    }

    #[test]
    fn an_envelope_is_encoded_once_on_first_need_and_shared() {
        let payload = Arc::new(Counting(AtomicUsize::new(0)));
        let envelope = Envelope::new(Topic::Channel(1.into()), Some(1), Class::Durable, payload.clone());
        assert_eq!(payload.0.load(Ordering::Relaxed), 0);
        let first = envelope.frame(Codec::Json).bytes().as_ptr();
        assert_eq!(envelope.frame(Codec::Json).clone().into_bytes().as_ptr(), first);
        assert_eq!(payload.0.load(Ordering::Relaxed), 1);
    }
}
