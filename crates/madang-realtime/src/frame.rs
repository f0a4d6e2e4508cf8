//! Envelopes and frames: an event made once, encoded and compressed once, shared by all who hear it.
//!
//! Invariants:
//! - A shared payload has no field that depends on who hears it.
//! - [`Envelope::frame`] encodes on first need and gives the same bytes ever after; shards that
//!   need it at the same moment wait for the one that encodes.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Instant,
};

use bytes::Bytes;
use madang_proto::Encoding;

use crate::Topic;

/// How frames are written for a connection: the encoding, and whether compressed where it is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Codec {
    /// How the objects are written.
    pub encoding: Encoding,
    /// Whether frames may be compressed.
    pub deflate: bool,
}

impl Codec {
    /// How many codecs there are.
    pub const COUNT: usize = 4;
    /// JSON, not compressed.
    pub const JSON: Self = Self { encoding: Encoding::Json, deflate: false };

    /// The same without compression.
    #[must_use]
    pub const fn plain(self) -> Self {
        Self { deflate: false, ..self }
    }

    pub(crate) const fn index(self) -> usize {
        let encoding = match self.encoding {
            Encoding::Json => 0,
            Encoding::MessagePack => 2,
        };
        if self.deflate { encoding + 1 } else { encoding }
    }
}

/// The bytes of whole frames. Cloning shares them.
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
    /// The whole frame, not compressed.
    fn encode(&self, encoding: Encoding) -> Bytes;

    /// The same frame compressed; nothing where it is not worth it.
    fn compress(&self, frame: &Frame) -> Option<Frame>;

    /// What another node makes the same payload of: see [`Remote::event`](crate::bus::Remote::event).
    fn portable(&self) -> Bytes;
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

/// Which of those who hear a topic an envelope is for, by what else they hear: one event may go to
/// several topics and still reach nobody twice, nor anyone who has no part in it any more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audience {
    /// Only those who hear one of these; everyone, when there are none.
    pub among: Vec<Topic>,
    /// None of those who hear one of these.
    pub except: Vec<Topic>,
}

impl Audience {
    /// Whether it takes in who hears what `hears` says.
    pub(crate) fn takes(&self, hears: impl Fn(&Topic) -> bool) -> bool {
        (self.among.is_empty() || self.among.iter().any(&hears)) && !self.except.iter().any(&hears)
    }
}

/// One event on its way to everyone who hears its topic.
pub struct Envelope {
    topic: Topic,
    audience: Audience,
    version: Option<i64>,
    class: Class,
    payload: Arc<dyn Payload>,
    frames: [OnceLock<Frame>; Codec::COUNT],
    since: OnceLock<Instant>,
    from_log: bool,
}

impl Envelope {
    /// Puts a payload in an envelope. `version` is the one that the change gave its channel; what
    /// is not part of a channel's history has none.
    #[must_use]
    pub fn new(topic: Topic, version: Option<i64>, class: Class, payload: Arc<dyn Payload>) -> Arc<Self> {
        Self::for_some(topic, Audience::default(), version, class, payload)
    }

    /// The same for only some of those who hear the topic.
    #[must_use]
    pub fn for_some(
        topic: Topic,
        audience: Audience,
        version: Option<i64>,
        class: Class,
        payload: Arc<dyn Payload>,
    ) -> Arc<Self> {
        Self::make(topic, audience, version, class, payload, false)
    }

    /// Puts in an envelope what was read from the log because it was not told, or seemed so: where it was, it is not given
    /// out once more.
    #[must_use]
    pub fn from_log(topic: Topic, version: Option<i64>, payload: Arc<dyn Payload>) -> Arc<Self> {
        Self::make(topic, Audience::default(), version, Class::Durable, payload, true)
    }

    fn make(
        topic: Topic,
        audience: Audience,
        version: Option<i64>,
        class: Class,
        payload: Arc<dyn Payload>,
        from_log: bool,
    ) -> Arc<Self> {
        let (frames, since) = (std::array::from_fn(|_| OnceLock::new()), OnceLock::new());
        Arc::new(Self { topic, audience, version, class, payload, frames, since, from_log })
    }

    /// Whether it was read from the log.
    pub(crate) const fn is_from_log(&self) -> bool {
        self.from_log
    }

    /// Who hears it.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        self.topic
    }

    /// Which of those who hear the topic it is for.
    #[must_use]
    pub const fn audience(&self) -> &Audience {
        &self.audience
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

    /// The payload as another node takes it.
    #[must_use]
    pub fn portable(&self) -> Bytes {
        self.payload.portable()
    }

    /// Says when what it tells of was stored; the first time counts. The hub says it of what nobody did.
    pub fn committed_at(&self, time: Instant) {
        self.since.get_or_init(|| time);
    }

    /// Since when it is on its way.
    pub(crate) fn since(&self) -> Instant {
        *self.since.get_or_init(Instant::now)
    }

    /// The frame for one codec, encoded, and compressed, when it is first asked for.
    #[must_use]
    pub fn frame(&self, codec: Codec) -> &Frame {
        self.frames[codec.index()].get_or_init(|| {
            if !codec.deflate {
                return Frame::new(self.payload.encode(codec.encoding));
            }
            let plain = self.frame(codec.plain());
            self.payload.compress(plain).unwrap_or_else(|| plain.clone())
        })
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

    /// Counts how often it is encoded and how often compressed.
    #[derive(Default)]
    struct Counting {
        encoded: AtomicUsize,
        compressed: AtomicUsize,
        worth_it: bool,
    }

    impl Counting {
        fn counts(&self) -> (usize, usize) {
            (self.encoded.load(Ordering::Relaxed), self.compressed.load(Ordering::Relaxed))
        }
    }

    impl Payload for Counting {
        fn encode(&self, encoding: Encoding) -> Bytes {
            self.encoded.fetch_add(1, Ordering::Relaxed);
            format!("{encoding:?}").into()
        }

        fn compress(&self, frame: &Frame) -> Option<Frame> {
            self.compressed.fetch_add(1, Ordering::Relaxed);
            self.worth_it.then(|| Frame::new(frame.bytes().slice(..1)))
        }

        fn portable(&self) -> Bytes {
            Bytes::new()
        }
    }

    const MESSAGE_PACK: Codec = Codec { encoding: Encoding::MessagePack, deflate: false };

    fn deflated(codec: Codec) -> Codec {
        Codec { deflate: true, ..codec }
    }

    fn envelope(payload: &Arc<Counting>) -> Arc<Envelope> {
        Envelope::new(Topic::Channel(1.into()), Some(1), Class::Durable, payload.clone())
    }

    #[test]
    fn an_envelope_is_encoded_once_on_first_need_and_shared() {
        let payload = Arc::new(Counting::default());
        let envelope = envelope(&payload);
        assert_eq!(payload.counts(), (0, 0));
        let first = envelope.frame(Codec::JSON).bytes().as_ptr();
        assert_eq!(envelope.frame(Codec::JSON).clone().into_bytes().as_ptr(), first);
        assert_eq!(payload.counts(), (1, 0));
    }

    #[test]
    fn each_encoding_is_compressed_once_from_the_frame_that_is_there() {
        let payload = Arc::new(Counting { worth_it: true, ..Counting::default() });
        let envelope = envelope(&payload);
        for _ in 0..3 {
            assert_eq!(&envelope.frame(deflated(Codec::JSON)).bytes()[..], b"J");
            assert_eq!(&envelope.frame(deflated(MESSAGE_PACK)).bytes()[..], b"M");
            assert_eq!(&envelope.frame(Codec::JSON).bytes()[..], b"Json");
            assert_eq!(&envelope.frame(MESSAGE_PACK).bytes()[..], b"MessagePack");
        }
        assert_eq!(payload.counts(), (2, 2));
    }

    #[test]
    fn what_is_not_worth_compressing_is_the_plain_frame_itself() {
        let payload = Arc::new(Counting::default());
        let envelope = envelope(&payload);
        let frame = envelope.frame(deflated(Codec::JSON)).bytes().as_ptr();
        assert_eq!(envelope.frame(Codec::JSON).bytes().as_ptr(), frame);
        assert_eq!(payload.counts(), (1, 1));
    }
}
