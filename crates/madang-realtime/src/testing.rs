//! Shared by the tests: envelopes of plain text, people, and a hub that is served.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use madang_proto::{Encoding, close::CloseCode};
use tokio::time::timeout;

use crate::{
    BusItem, Class, Codec, Connection, ConnectionInfo, Envelope, Faults, Frame, Hub, Outbox, Payload,
    Shutdown, Supervisor, Topic,
};

/// A payload that is its own encoding, with an end, so that several in one frame can be told apart; the text
/// `panic` cannot be encoded.
pub(crate) struct Text(pub(crate) String);

const END: char = '\n';

impl Payload for Text {
    fn encode(&self, _: Encoding) -> Bytes {
        assert_ne!(self.0, "panic", "this cannot be encoded");
        Bytes::from(format!("{}{END}", self.0))
    }

    fn compress(&self, _: &Frame) -> Option<Frame> {
        None
    }

    fn portable(&self) -> Bytes {
        Bytes::from(self.0.clone())
    }
}

pub(crate) fn channel(id: i64) -> Topic {
    Topic::Channel(id.into())
}

pub(crate) fn frame(text: &str) -> Frame {
    text.to_owned().into()
}

/// A durable change whose text is its version.
pub(crate) fn change(topic: Topic, version: i64) -> Arc<Envelope> {
    named(topic, version, &version.to_string())
}

pub(crate) fn named(topic: Topic, version: i64, text: &str) -> Arc<Envelope> {
    Envelope::new(topic, Some(version), Class::Durable, Arc::new(Text(text.to_owned())))
}

/// Something without a version.
pub(crate) fn note(topic: Topic, text: &str) -> Arc<Envelope> {
    Envelope::new(topic, None, Class::Durable, Arc::new(Text(text.to_owned())))
}

/// A connection that follows its user; user and session have the same number.
pub(crate) fn info(id: i64, user: i64) -> ConnectionInfo {
    ConnectionInfo {
        id: id.into(),
        user: user.into(),
        session: user.into(),
        codec: Codec::JSON,
        follows: true,
    }
}

/// A hub whose shards are served by a supervisor.
pub(crate) struct World {
    pub(crate) hub: Arc<Hub>,
    pub(crate) supervisor: Supervisor,
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "only tests with faults arm them"))]
    pub(crate) faults: Faults,
}

impl World {
    pub(crate) fn new(shards: usize) -> Self {
        let (faults, supervisor) = (Faults::default(), Supervisor::new(Shutdown::new()));
        let hub = Hub::new(shards, &faults);
        hub.start(&supervisor, |_| ());
        Self { hub, supervisor, faults }
    }

    /// A connection that hears these topics.
    pub(crate) fn connect(&self, id: i64, topics: &[Topic]) -> Connection {
        let connection = self.hub.connect(info(id, id));
        connection.subscribe(topics);
        connection
    }

    pub(crate) async fn publish(&self, item: impl Into<BusItem>) {
        self.hub.publish(item.into()).await;
    }

    /// Waits until nothing is queued. For tests on one thread only.
    pub(crate) async fn settle(&self) {
        while self.hub.stats().queued > 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// All that waits in an outbox now.
pub(crate) fn waiting(outbox: &Outbox) -> Vec<String> {
    let mut frames = Vec::new();
    outbox.take(&mut frames);
    texts(&frames)
}

/// What was pushed into an outbox and waits there now, each push by itself.
pub(crate) fn pushes(outbox: &Outbox) -> Vec<String> {
    let mut frames = Vec::new();
    outbox.take(&mut frames);
    frames.iter().map(|frame| texts(std::slice::from_ref(frame)).concat()).collect()
}

/// What an outbox gives out until `last` came.
pub(crate) async fn until(outbox: &Outbox, last: &str) -> Vec<String> {
    let mut frames = Vec::new();
    while texts(&frames).last().is_none_or(|text| text != last) {
        let received = timeout(Duration::from_secs(20), outbox.recv(&mut frames)).await;
        received.unwrap_or_else(|_| panic!("{last:?} never came, but {frames:?}")).unwrap();
    }
    texts(&frames)
}

/// What an outbox gives out until it is closed, and the code.
pub(crate) async fn to_the_end(outbox: &Outbox) -> (Vec<String>, CloseCode) {
    let mut frames = Vec::new();
    loop {
        let received = timeout(Duration::from_secs(20), outbox.recv(&mut frames)).await;
        if let Err(code) = received.expect("it is closed") {
            return (texts(&frames), code);
        }
    }
}

/// What frames say.
pub(crate) fn texts(frames: &[Frame]) -> Vec<String> {
    let text = |frame: &Frame| String::from_utf8(frame.bytes().to_vec()).unwrap();
    frames.iter().flat_map(|frame| text(frame).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}
