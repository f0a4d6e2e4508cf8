//! A shard: one part of the hub's connections, and the task that serves them.
//!
//! The task takes one item from the queue, decides what is due with it ([`Order`]), and does that
//! to the end before it takes the next. Large topics are served in slices, with a pause between for
//! other tasks of the thread. All state lives here and not in the task, so a task that panicked is
//! replaced by one that goes on where it stopped.
//!
//! Invariants:
//! - Items take effect in the order in which they were queued; an envelope that is held for its
//!   predecessors is passed on before a control of its topic.
//! - An item is at the head of `due` until it is done. One that a panic or an abort interrupted is
//!   tried once more from its start and then dropped: receivers may see it twice, and know it by
//!   its version.
//! - The lock is never held across an await, nor while more than [`SLICE`] receivers are served.
//! - [`Interest`] of a topic is held while somebody here hears it, and while a `Subscribe` of it is
//!   queued.

use std::{collections::VecDeque, future, pin::pin, sync::Arc};

use madang_proto::{ChannelId, UserId};
use parking_lot::Mutex;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{
    BusItem, ConnectionInfo, Control, Envelope, Faults, Outbox, Shutdown, Topic, hub::Interest, order::Order,
    registry::Registry,
};

/// How many receivers are served at a time.
pub(crate) const SLICE: usize = 512;
/// How many items wait for a shard before publishers have to wait.
const QUEUE: usize = 4096;
/// How often an item is tried.
const TRIES: u8 = 2;

pub(crate) struct Shard {
    name: String,
    index: usize,
    state: Mutex<State>,
    sender: mpsc::Sender<BusItem>,
    queue: tokio::sync::Mutex<mpsc::Receiver<BusItem>>,
    interest: Arc<Interest>,
    closing: Shutdown,
    faults: Faults,
}

#[derive(Default)]
struct State {
    registry: Registry,
    order: Order,
    due: VecDeque<Due>,
}

struct Due {
    item: BusItem,
    tries: u8,
}

impl From<BusItem> for Due {
    fn from(item: BusItem) -> Self {
        Self { item, tries: 0 }
    }
}

impl Shard {
    pub(crate) fn new(index: usize, interest: Arc<Interest>, closing: Shutdown, faults: Faults) -> Arc<Self> {
        let (sender, queue) = mpsc::channel(QUEUE);
        Arc::new(Self {
            name: format!("shard-{index}"),
            index,
            state: Mutex::default(),
            sender,
            queue: tokio::sync::Mutex::new(queue),
            interest,
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
        permit.send(item);
    }

    /// Serves the shard until the hub is closed and the queue is empty.
    pub(crate) async fn run(&self) {
        let mut queue = self.queue.lock().await;
        let mut closing = pin!(self.closing.wait());
        let mut closed = false;
        let mut receivers = Vec::new();
        loop {
            while let Some(item) = self.next_due() {
                self.perform(&item, &mut receivers).await;
                self.done();
            }
            let deadline = self.state.lock().order.deadline();
            tokio::select! {
                item = queue.recv() => match item {
                    Some(item) => self.state.lock().accept(item, Instant::now()),
                    None => return,
                },
                () = wait_until(deadline) => self.state.lock().expire(Instant::now()),
                () = &mut closing, if !closed => {
                    closed = true;
                    queue.close();
                }
            }
        }
    }

    /// The item at the head of what is due; those that were tried often enough are dropped.
    fn next_due(&self) -> Option<BusItem> {
        loop {
            let mut state = self.state.lock();
            let due = state.due.front_mut()?;
            due.tries += 1;
            if due.tries <= TRIES {
                return Some(due.item.clone());
            }
            tracing::error!(shard = self.name, item = ?due.item, "dropped what could not be delivered");
            drop(state);
            self.done();
        }
    }

    /// Removes the head of what is due.
    fn done(&self) {
        let done = self.state.lock().due.pop_front();
        if let Some(Due { item: BusItem::Control(Control::Subscribe { topic, .. }), .. }) = done {
            self.interest.release(topic, self.index);
        }
    }

    async fn perform(&self, item: &BusItem, receivers: &mut Vec<usize>) {
        match item {
            BusItem::Event(envelope) => self.deliver(envelope, receivers).await,
            BusItem::Control(control) => {
                self.faults.point(&self.name);
                self.control(*control);
            }
        }
    }

    async fn deliver(&self, envelope: &Envelope, receivers: &mut Vec<usize>) {
        let as_of = self.state.lock().registry.receivers(envelope.topic(), receivers);
        for (pass, slice) in receivers.chunks(SLICE).enumerate() {
            if pass > 0 {
                tokio::task::yield_now().await;
            }
            self.state.lock().registry.deliver(envelope, slice, as_of);
            self.faults.point(&self.name);
        }
        self.state.lock().registry.delivered(envelope);
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

    pub(crate) fn insert(&self, info: ConnectionInfo, outbox: Arc<Outbox>) -> usize {
        self.state.lock().registry.insert(info, outbox)
    }

    pub(crate) fn remove(&self, key: usize) {
        let State { registry, order, .. } = &mut *self.state.lock();
        registry.remove(key, |topic| self.emptied(order, topic));
    }

    pub(crate) fn subscribe(&self, key: usize, topics: &[Topic]) {
        let mut state = self.state.lock();
        topics.iter().for_each(|topic| self.add(&mut state, key, *topic));
    }

    pub(crate) fn unsubscribe(&self, key: usize, topic: Topic) {
        self.end(&mut self.state.lock(), key, topic);
    }

    /// Ends what a connection watches and begins with these users.
    pub(crate) fn watch(&self, key: usize, users: &[UserId]) {
        let mut state = self.state.lock();
        for topic in state.registry.watched(key) {
            if !matches!(topic, Topic::Presence(user) if users.contains(&user)) {
                self.end(&mut state, key, topic);
            }
        }
        users.iter().for_each(|user| self.add(&mut state, key, Topic::Presence(*user)));
    }

    pub(crate) fn hears(&self, key: usize, topic: Topic) -> bool {
        self.state.lock().registry.hears(key, topic)
    }

    pub(crate) fn versions(&self, key: usize) -> Vec<(ChannelId, i64)> {
        self.state.lock().registry.versions(key)
    }

    /// Connections, topics and subscriptions; what waits in the queue; what is held for its order.
    pub(crate) fn counts(&self) -> ((usize, usize, usize), usize, usize) {
        let queued = self.sender.max_capacity() - self.sender.capacity();
        let state = self.state.lock();
        (state.registry.counts(), queued + state.due.len(), state.order.held())
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.registry.is_empty() && state.due.is_empty() && state.order.is_empty()
    }
}

impl State {
    /// Decides what is due with a new item.
    fn accept(&mut self, item: BusItem, now: Instant) {
        let Self { registry, order, due } = self;
        let mut pass_on = |envelope| due.push_back(BusItem::Event(envelope).into());
        match item {
            BusItem::Event(envelope) => {
                if registry.is_heard(envelope.topic()) {
                    order.accept(envelope, now, &mut pass_on);
                }
            }
            BusItem::Control(control) => {
                if let Control::Subscribe { topic, .. } | Control::Unsubscribe { topic, .. } = control {
                    order.flush(topic, &mut pass_on);
                }
                due.push_back(item.into());
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        let Self { order, due, .. } = self;
        order.expire(now, &mut |envelope| due.push_back(BusItem::Event(envelope).into()));
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}
