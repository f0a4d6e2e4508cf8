//! A shard: one part of the hub's connections, and the task that serves them.
//!
//! The task takes what is queued, puts it in order ([`Order`]) and in line ([`Lanes`]), and serves the
//! lines: quick items until about [`SLICE`] receivers were served, then giant topics ([`giant`]), then
//! a pause for the other tasks of the thread, which write what they were given. All state lives here and
//! not in the task, so a task that panicked is replaced by one that goes on where it stopped.
//!
//! Invariants:
//! - Items of a topic take effect in the order in which they were queued; an envelope that is held for
//!   its predecessors is passed on before a control of its topic.
//! - What a panic or an abort interrupted is tried once more and then dropped: receivers may see it
//!   twice, and know it by its version.
//! - The lock is never held across an await, nor while anything is given out; whom a batch is for is found
//!   under it, [`SLICE`] receivers at a time.
//! - No more than [`WAITING`] items are taken out of the queue before they are done, so that publishers
//!   wait when the shard cannot keep up.
//! - [`Interest`] of a topic is held while somebody here hears it, and while a `Subscribe` of it is
//!   queued.

mod door;
mod giant;

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::{Instant, sleep_until},
};

pub use self::giant::Opening;
use crate::{
    BusItem, Control, Envelope, Faults, Shutdown, Topic,
    deliveries::Deliveries,
    gaps::Gaps,
    hub::Interest,
    lanes::{Lanes, Quick, SLICE},
    order::Order,
    registry::Registry,
};

/// How many items wait for a shard before publishers have to wait.
const QUEUE: usize = 4096;
/// How many items are taken out of the queue before they are done.
const WAITING: usize = 4096;
/// How many items are taken in before some are served.
const TAKEN: usize = 256;

pub(crate) struct Shard {
    name: String,
    index: usize,
    state: Mutex<State>,
    sender: mpsc::Sender<Queued>,
    /// How many items were queued so far.
    sent: AtomicU64,
    queue: tokio::sync::Mutex<mpsc::Receiver<Queued>>,
    /// How many connections are being opened.
    opening: AtomicUsize,
    interest: Arc<Interest>,
    gaps: Arc<Gaps>,
    pub(crate) deliveries: Deliveries,
    closing: Shutdown,
    faults: Faults,
}

/// What waits for a shard.
enum Queued {
    Item(BusItem),
    /// To be told when all quick items before it are done.
    Settle(oneshot::Sender<()>),
}

#[derive(Default)]
struct State {
    registry: Registry,
    order: Order,
    lanes: Lanes,
    /// How many items were taken out of the queue so far.
    accepted: u64,
    /// Topics that somebody may hear once the `Subscribe`s in line are done, and how many these are.
    expected: HashMap<Topic, u32>,
    /// Who is told when so many quick items are done.
    settling: VecDeque<(u64, oneshot::Sender<()>)>,
    /// Until when giant topics wait, while many connections are being opened.
    gathering: Option<Instant>,
}

impl Shard {
    pub(crate) fn new(
        index: usize,
        interest: Arc<Interest>,
        gaps: Arc<Gaps>,
        closing: Shutdown,
        faults: Faults,
    ) -> Arc<Self> {
        let (sender, queue) = mpsc::channel(QUEUE);
        Arc::new(Self {
            name: format!("shard-{index}"),
            index,
            state: Mutex::default(),
            sender,
            sent: AtomicU64::new(0),
            queue: tokio::sync::Mutex::new(queue),
            opening: AtomicUsize::new(0),
            interest,
            gaps,
            deliveries: Deliveries::default(),
            closing,
            faults,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Queues an item; waits while the queue is full. Once the hub is closed it does nothing.
    pub(crate) async fn send(&self, item: BusItem) {
        let permit = tokio::select! {
            biased;
            permit = self.sender.reserve() => permit,
            () = self.closing.wait() => return,
        };
        let Ok(permit) = permit else { return };
        if let BusItem::Control(Control::Subscribe { topic, .. }) = item {
            self.interest.hold(topic, self.index);
        }
        self.sent.fetch_add(1, Ordering::Release);
        permit.send(Queued::Item(item));
    }

    /// Waits until what was published before, but for giant topics, is in the outboxes; nothing waits
    /// any more once the hub is closed.
    pub(crate) async fn settled(&self) {
        {
            let state = self.state.lock();
            if state.accepted == self.sent.load(Ordering::Acquire) && state.lanes.is_quiet() {
                return;
            }
        }
        let (done, settled) = oneshot::channel();
        tokio::select! {
            biased;
            permit = self.sender.reserve() => if let Ok(permit) = permit {
                self.sent.fetch_add(1, Ordering::Release);
                permit.send(Queued::Settle(done));
                // Given up only when the shard ends.
                drop(settled.await);
            },
            () = self.closing.wait() => {}
        }
    }

    /// Serves the shard until the hub is closed and the queue is empty.
    pub(crate) async fn run(&self) {
        let mut queue = self.queue.lock().await;
        let mut closing = pin!(self.closing.wait());
        let mut closed = false;
        loop {
            self.take(&mut queue);
            self.serve_quick();
            let later = self.serve_giants(closed);
            let (deadline, idle, room) = {
                let state = self.state.lock();
                let idle = state.lanes.len() == 0 || (later.is_some() && state.lanes.is_quiet());
                (state.order.deadline(), idle, state.lanes.len() < WAITING)
            };
            tokio::select! {
                biased;
                () = &mut closing, if !closed => {
                    closed = true;
                    queue.close();
                }
                () = wait_until(deadline) => self.overdue(Instant::now()),
                () = wait_until(later), if idle => {}
                () = yield_now(), if !idle => {}
                item = queue.recv(), if idle && room => match item {
                    Some(item) => self.state.lock().accept(item, Instant::now()),
                    None => return,
                },
            }
        }
    }

    /// Has looked for what should have come, and passes on what waited for it long enough.
    fn overdue(&self, now: Instant) {
        let mut state = self.state.lock();
        state.order.missing(now, &mut |topic, after| self.gaps.found(topic, after));
        state.expire(now);
    }

    /// Takes in what is queued, as much as may wait here.
    fn take(&self, queue: &mut mpsc::Receiver<Queued>) {
        let now = Instant::now();
        for _ in 0..TAKEN {
            let mut state = self.state.lock();
            if state.lanes.len() >= WAITING {
                return;
            }
            let Ok(item) = queue.try_recv() else { return };
            state.accept(item, now);
        }
    }

    /// Serves the quick lane until about a slice of receivers was served.
    fn serve_quick(&self) {
        let (mut served, mut meant) = (0, Vec::new());
        while served < SLICE {
            let begun = {
                let State { registry, lanes, .. } = &mut *self.state.lock();
                let Some(begun) = lanes.quick() else { break };
                if let Quick::Events(batch) = &begun {
                    served += registry.all_meant(batch, &mut meant);
                }
                begun
            };
            match &begun {
                Quick::Events(batch) => {
                    let receivers = meant.len();
                    batch.give(&mut meant);
                    if receivers > 0 {
                        self.deliveries.given(batch, receivers);
                        self.deliveries.passed(batch);
                    }
                    self.faults.point(&self.name);
                }
                Quick::Control(control) => {
                    self.faults.point(&self.name);
                    self.control(*control);
                }
                Quick::Drop(item) => self.dropped(&format!("{item:?}")),
            }
            self.quick_done(&begun);
            served += 1;
        }
        self.state.lock().settle();
    }

    fn quick_done(&self, done: &Quick) {
        {
            let State { registry, lanes, .. } = &mut *self.state.lock();
            match done {
                Quick::Events(batch) => {
                    registry.delivered(batch);
                    lanes.quick_done(batch.len());
                }
                Quick::Control(_) | Quick::Drop(_) => lanes.quick_done(1),
            }
        }
        if let Quick::Control(control) | Quick::Drop(BusItem::Control(control)) = done {
            self.controlled(*control);
        }
    }

    fn dropped(&self, what: &str) {
        tracing::error!(shard = self.name, what, "dropped what could not be delivered");
    }

    fn control(&self, control: Control) {
        let mut state = self.state.lock();
        match control {
            Control::Subscribe { user, topic } => {
                for key in state.registry.of_user(user) {
                    if state.registry.follows(key) {
                        self.add(&mut state, key, topic);
                    }
                }
            }
            Control::Unsubscribe { user, topic } => {
                for key in state.registry.of_user(user) {
                    self.end(&mut state, key, topic);
                }
            }
            Control::CloseSession { session, code } => {
                state.registry.outboxes_of_session(session).for_each(|outbox| outbox.close(code));
            }
            Control::CloseUser { user, code } => {
                state.registry.outboxes_of_user(user).for_each(|outbox| outbox.close(code));
            }
            Control::CloseAll { code } => {
                state.registry.all_outboxes().for_each(|outbox| outbox.close(code));
            }
        }
    }

    /// A control left its line.
    fn controlled(&self, control: Control) {
        if let Control::Subscribe { topic, .. } = control {
            self.state.lock().subscribed(topic);
            self.interest.release(topic, self.index);
        }
    }

    fn add(&self, state: &mut State, key: usize, topic: Topic) {
        if state.registry.subscribe(key, topic) {
            self.interest.hold(topic, self.index);
        }
    }

    fn end(&self, state: &mut State, key: usize, topic: Topic) {
        if state.registry.unsubscribe(key, topic) {
            self.emptied(&mut state.order, topic);
        }
    }

    fn emptied(&self, order: &mut Order, topic: Topic) {
        order.forget(topic);
        self.interest.release(topic, self.index);
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.registry.is_empty() && state.lanes.len() == 0 && state.order.is_empty()
    }
}

impl State {
    /// Puts a new item in order and in line.
    fn accept(&mut self, item: Queued, now: Instant) {
        self.accepted += 1;
        let Self { registry, order, lanes, expected, .. } = self;
        let item = match item {
            Queued::Item(item) => item,
            Queued::Settle(done) => return self.settling.push_back((lanes.came(), done)),
        };
        let mut pass_on = |envelope: Arc<Envelope>| {
            let receivers = registry.heard_by(envelope.topic());
            lanes.event(envelope, receivers);
        };
        match item {
            BusItem::Event(envelope) => {
                let topic = envelope.topic();
                if registry.heard_by(topic) > 0 || expected.contains_key(&topic) {
                    order.accept(envelope, now, &mut pass_on);
                }
            }
            BusItem::Control(control) => {
                if let Control::Subscribe { topic, .. } | Control::Unsubscribe { topic, .. } = control {
                    order.flush(topic, &mut pass_on);
                }
                if let Control::Subscribe { topic, .. } = control {
                    *expected.entry(topic).or_default() += 1;
                }
                lanes.control(control);
            }
        }
    }

    /// Tells those who waited for what is done now.
    fn settle(&mut self) {
        while self.settling.front().is_some_and(|(at, _)| *at <= self.lanes.done()) {
            if let Some((_, done)) = self.settling.pop_front() {
                // Whoever does not wait any more needs no answer.
                let _gone = done.send(());
            }
        }
    }

    /// A `Subscribe` of this topic is done.
    fn subscribed(&mut self, topic: Topic) {
        if let Entry::Occupied(mut expected) = self.expected.entry(topic) {
            *expected.get_mut() -= 1;
            if *expected.get() == 0 {
                expected.remove();
                if self.registry.heard_by(topic) == 0 {
                    self.order.forget(topic);
                }
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        let Self { registry, order, lanes, .. } = self;
        order.expire(now, &mut |envelope| {
            let receivers = registry.heard_by(envelope.topic());
            lanes.event(envelope, receivers);
        });
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}
