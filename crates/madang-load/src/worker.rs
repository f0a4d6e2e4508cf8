//! A thread of connections: one loop over all of them.
//!
//! Each round it opens what is due, sends what is due, and takes what came. Everything that several
//! threads and the conductor share is in [`Shared`]: a few switches one way, a few counters the other.

mod connect;
mod hear;
mod send;

use std::{
    collections::{BTreeMap, BinaryHeap, HashMap},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use mio::{Events, Poll, Token};
use parking_lot::Mutex;

use crate::{
    Error,
    beyond::{Acks, NUMBERS, Waiting},
    check::Faults,
    dialect::Dialect,
    measure::{self, Measure},
    memo::Memo,
    scan::Scanned,
    schedule::{Clock, Stream},
    socket::{Connection, Pace, Phase},
    tls::Tls,
};

pub use send::Lane;

/// Bytes read at a time; a thread has one buffer of this size.
const BUFFER: usize = 64 * 1024;
/// Events taken at a time; in between, what is due is sent.
const EVENTS: usize = 256;
/// Runs with so few channels have many who hear the same. Where messages are heard by few, remembering them
/// costs more than it spares, unless they have to be unpacked.
const FEW_CHANNELS: usize = 16;
/// Longest wait for events.
const TICK: Duration = Duration::from_millis(20);

/// A channel of the run.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The id.
    pub id: u64,
    /// Where its messages stood before the run.
    pub base_seq: u64,
    /// Where its changes stood before the run.
    pub base_version: u64,
    /// Whether it belongs to the second group.
    pub beside: bool,
}

/// What all threads know and nobody changes.
#[derive(Debug)]
pub struct Ground {
    /// The nodes; mostly one.
    pub servers: Vec<SocketAddr>,
    pub host: String,
    pub tokens: Vec<String>,
    pub channels: Vec<Channel>,
    pub by_id: HashMap<u64, u16>,
    /// Bytes of a message's content.
    pub size: usize,
    /// Makes nonces unique over runs.
    pub run: String,
    pub clock: Clock,
    pub dialect: Dialect,
    pub tls: Option<Tls>,
    pub acks: Acks,
    /// Microseconds of the schedule.
    pub length: u64,
}

/// Switches of the conductor, and counters of the threads.
#[derive(Debug)]
pub struct Shared {
    /// When the schedule begins by the run's clock; `u64::MAX` before that is known.
    pub start: AtomicU64,
    /// Slow readers begin to read slowly.
    pub slow: AtomicBool,
    /// How often everybody was dropped.
    pub storms: AtomicU64,
    /// It is over.
    pub stop: AtomicBool,
    /// The newest message of each channel, at the end.
    pub stored: Mutex<Vec<u64>>,
    /// Why nothing more can come of it.
    pub fatal: Mutex<Option<Error>>,
    pub live: AtomicU64,
    pub sent: AtomicU64,
    pub acked: AtomicU64,
    pub refused: AtomicU64,
    /// Different messages heard by those who read at full pace.
    pub heard: AtomicU64,
    /// Messages that the server did not tell one by one to someone who came back.
    pub skipped: AtomicU64,
    /// Of the messages that brought deliveries, above TLS.
    pub bytes: AtomicU64,
    /// Reads that brought deliveries.
    pub reads: AtomicU64,
    /// When the newest delivery came.
    pub last_heard: AtomicU64,
    pub returned: AtomicU64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            start: AtomicU64::new(u64::MAX),
            slow: AtomicBool::default(),
            storms: AtomicU64::default(),
            stop: AtomicBool::default(),
            stored: Mutex::default(),
            fatal: Mutex::default(),
            live: AtomicU64::default(),
            sent: AtomicU64::default(),
            acked: AtomicU64::default(),
            refused: AtomicU64::default(),
            heard: AtomicU64::default(),
            skipped: AtomicU64::default(),
            bytes: AtomicU64::default(),
            reads: AtomicU64::default(),
            last_heard: AtomicU64::default(),
            returned: AtomicU64::default(),
        }
    }
}

/// What a thread found in the end.
#[derive(Debug)]
pub struct Outcome {
    pub measure: Measure,
    pub faults: Faults,
    /// How long those who were dropped took to be live again.
    pub returns: hdrhistogram::Histogram<u32>,
    /// Connections that ended, by close code; 1006 when there was none.
    pub closed: BTreeMap<u16, u64>,
    /// Channels that someone who came back had to fetch anew.
    pub resyncs: u64,
    /// The first refusal, as the server said it.
    pub refusal: Option<String>,
    /// CPU time of the thread since the schedule began.
    pub cpu: Duration,
}

/// A thread's share of the run.
#[derive(Debug, Default)]
pub struct Share {
    pub connections: Vec<Connection>,
    pub sends: Vec<(Stream, Vec<Lane>)>,
    /// Whether its connections are dropped in a storm.
    pub stormy: bool,
    /// Most connections that are being opened at one time.
    pub window: usize,
}

/// A running thread.
pub struct Worker {
    ground: Arc<Ground>,
    shared: Arc<Shared>,
    poll: Poll,
    buffer: Vec<u8>,
    connections: Vec<Connection>,
    sends: Vec<(Stream, Vec<Lane>)>,
    stormy: bool,
    storms: u64,
    window: usize,
    opening: usize,
    /// Who is opened when, soonest first.
    to_open: BinaryHeap<std::cmp::Reverse<(u64, usize)>>,
    slow: Vec<usize>,
    is_slow: bool,
    next_slow: u64,
    pinged: u64,
    next_number: u64,
    acked_seq: Vec<u64>,
    /// CPU time of the thread when the schedule began.
    cpu_before: Option<Duration>,
    /// Counted here and passed on once a round.
    heard: u64,
    bytes: u64,
    reads: u64,
    last_heard: u64,
    memo: Memo,
    /// What the message says that is being read.
    scanned: Vec<Scanned>,
    /// Deliveries that came before the acknowledgement.
    early: Waiting,
    /// The text of the message that is being sent.
    text: String,
    outcome: Outcome,
}

impl Worker {
    /// Prepares the thread with this index.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new(index: u64, ground: Arc<Ground>, shared: Arc<Shared>, share: Share) -> Result<Self, Error> {
        let slow = |c: &&Connection| c.pace == Pace::Slow;
        let positions = share.connections.iter().enumerate();
        let outcome = Outcome {
            measure: Measure::new(ground.length),
            faults: Faults::default(),
            returns: measure::samples(),
            closed: BTreeMap::new(),
            resyncs: 0,
            refusal: None,
            cpu: Duration::ZERO,
        };
        Ok(Self {
            poll: Poll::new().map_err(Error::io("waiting for sockets"))?,
            buffer: vec![0; BUFFER],
            slow: positions.filter(|(_, c)| slow(c)).map(|(n, _)| n).collect(),
            to_open: (0..share.connections.len()).map(|n| std::cmp::Reverse((0, n))).collect(),
            connections: share.connections,
            sends: share.sends,
            stormy: share.stormy,
            storms: 0,
            window: share.window,
            opening: 0,
            is_slow: false,
            next_slow: 0,
            pinged: 0,
            next_number: index * NUMBERS,
            acked_seq: vec![0; ground.channels.len()],
            cpu_before: None,
            heard: 0,
            bytes: 0,
            reads: 0,
            last_heard: 0,
            memo: Memo::new(ground.channels.len() <= FEW_CHANNELS || ground.dialect != Dialect::default()),
            scanned: Vec::new(),
            early: Waiting::default(),
            text: String::new(),
            outcome,
            ground,
            shared,
        })
    }

    /// Runs until the conductor says that it is over.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        let mut events = Events::with_capacity(EVENTS);
        while !self.shared.stop.load(Relaxed) {
            if let Err(error) = self.round(&mut events) {
                self.shared.fatal.lock().get_or_insert(error);
                break;
            }
        }
        self.finish()
    }

    fn round(&mut self, events: &mut Events) -> Result<(), Error> {
        let now = self.ground.clock.now();
        self.obey(now);
        self.open_due(now)?;
        self.send_due(now);
        self.ping(now);
        self.read_slowly(now);
        self.wait(events)?;
        for event in &*events {
            let Token(at) = event.token();
            self.ready(at, event)?;
        }
        self.early.settle(&self.ground.acks, &mut self.outcome.measure);
        self.publish();
        Ok(())
    }

    /// Waits for events or for the next message that is due.
    fn wait(&mut self, events: &mut Events) -> Result<(), Error> {
        let due =
            self.next_due().map(|due| Duration::from_micros(due.saturating_sub(self.ground.clock.now())));
        let mut wait = due.map_or(TICK, |due| due.min(TICK));
        // The system waits in whole milliseconds.
        if wait < Duration::from_millis(1) {
            self.poll_once(events, Duration::ZERO)?;
            if !events.is_empty() {
                return Ok(());
            }
            std::thread::sleep(wait);
            wait = Duration::ZERO;
        }
        self.poll_once(events, wait)
    }

    fn poll_once(&mut self, events: &mut Events, wait: Duration) -> Result<(), Error> {
        match self.poll.poll(events, Some(wait)) {
            Err(e) if e.kind() != std::io::ErrorKind::Interrupted => Err(Error::io("waiting for sockets")(e)),
            _ => Ok(()),
        }
    }

    /// Does what the conductor switched on.
    fn obey(&mut self, now: u64) {
        self.is_slow = self.shared.slow.load(Relaxed);
        if self.cpu_before.is_none() && self.shared.start.load(Relaxed) <= now {
            self.cpu_before = crate::proc::thread_cpu();
        }
        let storms = self.shared.storms.load(Relaxed);
        if storms > self.storms {
            self.storms = storms;
            if self.stormy {
                self.drop_all(now);
            }
        }
    }

    fn publish(&mut self) {
        let shared = &self.shared;
        for (counter, value) in [
            (&shared.heard, &mut self.heard),
            (&shared.bytes, &mut self.bytes),
            (&shared.reads, &mut self.reads),
        ] {
            if *value > 0 {
                counter.fetch_add(std::mem::take(value), Relaxed);
            }
        }
        shared.last_heard.fetch_max(self.last_heard, Relaxed);
    }

    fn finish(mut self) -> Outcome {
        self.publish();
        let stored = self.shared.stored.lock().clone();
        for connection in &self.connections {
            // Those who read slowly are told to come back, and were not asked to.
            if connection.pace != Pace::Full && self.is_slow {
                continue;
            }
            for (channel, order) in &connection.orders {
                let stored = stored.get(usize::from(*channel)).copied().unwrap_or_default();
                self.outcome.faults += order.finish(stored);
            }
        }
        for (acked, stored) in self.acked_seq.iter().zip(&stored) {
            self.outcome.faults.unstored += acked.saturating_sub(*stored);
        }
        let cpu = crate::proc::thread_cpu().zip(self.cpu_before);
        self.outcome.cpu = cpu.map(|(after, before)| after.saturating_sub(before)).unwrap_or_default();
        self.outcome
    }

    /// Microseconds of the schedule at a moment of the run's clock.
    fn in_schedule(&self, at: u64) -> u64 {
        at.saturating_sub(self.shared.start.load(Relaxed))
    }

    fn is_live(&self, at: usize) -> bool {
        self.connections[at].phase == Phase::Live
    }
}
