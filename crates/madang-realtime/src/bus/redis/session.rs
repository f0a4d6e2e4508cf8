//! One life of the connections after the other, until the hub is closed.
//!
//! A session connects, subscribes to all that is wanted, says that the bus is up, and then does four things at once:
//! it follows what is wanted, publishes what waits, takes in what comes, and asks for signs of life. The first that
//! fails ends it, and a pause after it another one begins.
//!
//! Invariants:
//! - However a session ends, also by a panic, the bus is down from then on, and [`Remote::lost`] is called if it was up.
//! - `missed` is called before anything is said to be heard again.
//!
//! [`Remote::lost`]: crate::bus::Remote::lost

use std::{convert::Infallible, future, time::Duration};

use redis::RedisError;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    RedisBus,
    align::Align,
    link::{Came, Incoming, Links},
    place::Layout,
    wire::{Content, Message, Refusal},
};
use crate::{BusItem, Envelope, bus::BusHealth};

/// Most channels in one command.
const CHANNELS: usize = 1000;
/// About the most bytes in one pipeline.
const PIPELINE: usize = 1 << 20;
/// How often connections are asked for a sign of life, and the layout whether it is still so.
const CHECK: Duration = Duration::from_secs(1);
/// The first pause before connecting again, doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a session ended.
enum End {
    /// The hub was closed, and what waited was sent.
    Closed,
    Failed(String),
}

impl From<RedisError> for End {
    fn from(error: RedisError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Says that the bus is down when a session is over, in whatever way.
struct Over<'a> {
    bus: &'a RedisBus,
    reason: String,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let Self { bus, reason } = self;
        *bus.health.lock() = BusHealth::Down(std::mem::take(reason));
        if bus.topics.fall() {
            bus.remote.lost();
        }
    }
}

impl RedisBus {
    /// Serves until the hub is closed; one call at a time.
    pub(super) async fn serve(&self) {
        let closed = self.hub.closed();
        let mut align = tokio::select! {
            align = self.align.lock() => align,
            () = closed => return,
        };
        let mut pause = PAUSE;
        loop {
            let mut over = Over { bus: self, reason: "the task was stopped".to_owned() };
            let ended = self.session(&mut align).await;
            let was_up = self.health.lock().clone() == BusHealth::Up;
            let End::Failed(reason) = ended else {
                over.reason = "the server stops".to_owned();
                return;
            };
            if was_up {
                pause = PAUSE;
                tracing::warn!(reason, servers = %self.servers, "the bus is down: other nodes are not reached");
            } else if pause == PAUSE {
                tracing::warn!(reason, servers = %self.servers, "the bus cannot come up: other nodes are not reached");
            }
            over.reason = reason;
            drop(over);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.hub.closed() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn session(&self, align: &mut Align) -> End {
        let opening = async {
            let layout = self.servers.layout().await?;
            let links = Links::open(&self.prefix, &layout).await?;
            Ok((layout, links))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = self.hub.closed() => return End::Closed,
        };
        let (layout, (links, incoming)) = match opened {
            Ok(opened) => opened,
            Err(error) => return RedisError::into(error),
        };
        for message in align.restart(layout.servers.len()) {
            self.deliver(message).await;
        }
        tokio::select! {
            Err(error) = self.hear(&links) => error.into(),
            ended = self.publish_all(&links) => ended,
            () = self.take_in(incoming, align) => End::Failed("the connections ended".to_owned()),
            ended = self.check(&links, &layout) => ended,
            fault = links.broken() => End::Failed(fault.to_owned()),
        }
    }

    /// Hears all that is wanted, says so, and follows what is wanted from then on.
    async fn hear(&self, links: &Links) -> Result<Infallible, RedisError> {
        links.subscribe(links.channels.every_all()).await?;
        self.ask(links).await?;
        self.remote.missed();
        while !self.topics.rise() {
            self.ask(links).await?;
        }
        *self.health.lock() = BusHealth::Up;
        self.counters.came_up();
        tracing::info!(servers = %self.servers, "the bus is up");
        loop {
            self.topics.work().await;
            self.ask(links).await?;
            let over = self.topics.take_over(CHANNELS, Instant::now());
            if !over.is_empty() {
                self.remote.unheard(&over);
                links.unsubscribe(over.iter().map(|topic| links.channels.of(*topic)).collect()).await?;
            }
        }
    }

    /// Subscribes to what is new.
    async fn ask(&self, links: &Links) -> Result<(), RedisError> {
        loop {
            let topics = self.topics.take_new(CHANNELS);
            if topics.is_empty() {
                return Ok(());
            }
            links.subscribe(topics.iter().map(|topic| links.channels.of(*topic)).collect()).await?;
            self.topics.confirm(&topics);
        }
    }

    /// Publishes what waits, until the hub is closed and nothing does.
    async fn publish_all(&self, links: &Links) -> End {
        loop {
            let items = self.outgoing.take(PIPELINE);
            if !items.is_empty() {
                match links.publish(&items, &self.sealer).await {
                    Ok(bytes) => self.counters.published(items.len(), bytes),
                    Err(error) => {
                        self.outgoing.lost(items.len(), &self.counters);
                        return error.into();
                    }
                }
                continue;
            }
            tokio::select! {
                biased;
                () = self.outgoing.filled() => {}
                () = self.hub.closed() => return End::Closed,
            }
        }
    }

    /// Takes in what comes.
    async fn take_in(&self, mut incoming: Incoming, align: &mut Align) {
        loop {
            let patience = align.deadline();
            let expired = async {
                match patience {
                    Some(deadline) => sleep_until(deadline).await,
                    None => future::pending().await,
                }
            };
            let messages = tokio::select! {
                biased;
                () = expired => align.expire(Instant::now()),
                came = incoming.next() => {
                    let Some(came) = came else { return };
                    self.open(came, align)
                }
            };
            for message in messages {
                self.deliver(message).await;
            }
        }
    }

    /// Reads what came; what of that, and of what waited for it, may take effect now.
    fn open(&self, came: Came, align: &mut Align) -> Vec<Message> {
        let Came { link, channel, bytes } = came;
        let length = bytes.len();
        match self.sealer.open(&channel, bytes) {
            Ok(message) => {
                if let Ok(messages) = align.accept(link, message, Instant::now()) {
                    self.counters.received(length);
                    return messages;
                }
                self.counters.refused();
            }
            Err(Refusal::Own) => {}
            Err(Refusal::Unknown) => self.counters.unknown(),
            Err(Refusal::Forged) => self.counters.refused(),
        }
        Vec::new()
    }

    /// Gives what another node published to the layer above and to the hub.
    async fn deliver(&self, message: Message) {
        let from = message.node;
        match message.content {
            Content::Event(event) => {
                let Some(payload) = self.remote.event(from, event.arriving()) else {
                    return self.counters.refused();
                };
                let (topic, audience) = (event.topic, event.audience);
                let envelope = Envelope::for_some(topic, audience, event.version, event.class, payload);
                self.hub.publish(BusItem::Event(envelope)).await;
            }
            Content::Control(control) => {
                self.remote.control(from, control);
                self.hub.publish(BusItem::Control(control)).await;
            }
            Content::Notice(notice) => self.remote.notice(from, notice),
            Content::Gap => self.remote.missed(),
        }
    }

    /// Looks now and then whether the connections live and lead where they should.
    async fn check(&self, links: &Links, layout: &Layout) -> End {
        loop {
            sleep(CHECK).await;
            if let Err(error) = links.ping().await {
                return error.into();
            }
            if self.servers.is_single() {
                continue;
            }
            match self.servers.layout().await {
                Ok(now) if now == *layout => {}
                Ok(_) => return End::Failed("Redis moved".to_owned()),
                Err(error) => return error.into(),
            }
        }
    }
}
