//! Pieces of the fan-out: an outbox of joined frames, and a pass of the hub over everyone who hears a topic.
//!
//! A pass is measured from publishing to the last outbox, with everything emptied again, so that each one finds
//! the hub as the first did.

use std::sync::Arc;

use bytes::Bytes;
use divan::{Bencher, counter::ItemsCount};
use madang_proto::Encoding;
use madang_realtime::{
    BusItem, Class, Codec, Connection, ConnectionInfo, Envelope, Faults, Frame, Hub, Outbox, Payload, Topic,
};

/// About the bytes of a short message with its author.
const FRAME: &[u8] = &[b'x'; 550];

fn main() {
    divan::main();
}

fn topic() -> Topic {
    Topic::Channel(1.into())
}

/// Encoded already, so that only the fan-out is measured.
struct Encoded;

impl Payload for Encoded {
    fn encode(&self, _: Encoding) -> Bytes {
        Bytes::from_static(FRAME)
    }

    fn compress(&self, _: &Frame) -> Option<Frame> {
        None
    }

    fn portable(&self) -> Bytes {
        Bytes::from_static(FRAME)
    }
}

fn envelope(version: i64) -> Arc<Envelope> {
    Envelope::new(topic(), Some(version), Class::Durable, Arc::new(Encoded))
}

/// Frames into one outbox, and all of them out at once.
#[divan::bench(args = [1, 8, 32])]
fn outbox(bencher: Bencher<'_, '_>, frames: usize) {
    let (outbox, mut taken) = (Outbox::default(), Vec::new());
    let frame = Frame::new(Bytes::from_static(FRAME));
    bencher.counter(ItemsCount::new(frames)).bench_local(|| {
        for _ in 0..frames {
            outbox.push(frame.clone(), Class::Durable);
        }
        taken.clear();
        outbox.take(&mut taken)
    });
    assert_eq!(taken.len(), frames);
}

/// One shard and so many connections that hear a topic.
struct Crowd {
    hub: Arc<Hub>,
    connections: Vec<Connection>,
    taken: Vec<Frame>,
    version: i64,
}

impl Crowd {
    fn new(connections: i64) -> Self {
        let hub = Hub::new(1, &Faults::default());
        let connect = |id: i64| {
            let connection = hub.connect(ConnectionInfo {
                id: id.into(),
                user: id.into(),
                session: id.into(),
                codec: Codec::JSON,
                follows: true,
            });
            connection.subscribe(&[topic()]);
            connection
        };
        let connections = (1..=connections).map(connect).collect();
        Self { hub, connections, taken: Vec::new(), version: 0 }
    }

    /// So many events to everyone.
    async fn pass(&mut self, events: i64) {
        for _ in 0..events {
            self.version += 1;
            self.hub.publish(BusItem::Event(envelope(self.version))).await;
        }
        for connection in &self.connections {
            // It is served while this waits, and gives several frames in one or in several.
            let mut bytes = 0;
            while bytes < FRAME.len() * usize::try_from(events).unwrap_or_default() {
                self.taken.clear();
                let received = connection.outbox().recv(&mut self.taken).await;
                assert!(received.is_ok(), "closed");
                bytes += self.taken.iter().map(Frame::len).sum::<usize>();
            }
        }
    }
}

/// A pass: connections, and events that are due together.
#[divan::bench(args = [(1_000, 1), (1_000, 8), (10_000, 1), (10_000, 8)])]
fn pass(bencher: Bencher<'_, '_>, (connections, events): (i64, i64)) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    let mut crowd = Crowd::new(connections);
    let shard = crowd.hub.run_shard(0);
    let deliveries = usize::try_from(connections * events).unwrap_or_default();
    let work = tokio::task::LocalSet::new();
    work.spawn_local(shard);
    bencher.counter(ItemsCount::new(deliveries)).bench_local(|| work.block_on(&runtime, crowd.pass(events)));
    crowd.hub.close();
}
