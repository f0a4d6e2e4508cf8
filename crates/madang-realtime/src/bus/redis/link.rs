//! The connections to Redis: to each server one that publishes and one that subscribes.
//!
//! Invariants:
//! - Any doubt about a connection breaks all of them: an answer that did not come in time, a channel that Redis took
//!   away, more coming in than is taken out. The bus then connects anew, and says that something was missed.
//! - What came and waits has a bound.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, RedisError, Value, aio::MultiplexedConnection};
use tokio::sync::{mpsc, watch};

use super::{
    channels::Channels,
    outgoing::{Out, To},
    place::{Layout, connect},
    wire::Sealer,
};

/// How long Redis may take to answer.
pub(super) const ANSWER: Duration = Duration::from_secs(3);
/// How many messages, and how many bytes of them, may wait to be taken out.
const INCOMING: usize = 65_536;
const INCOMING_BYTES: usize = 64 << 20;

/// What came over a link.
pub(super) struct Came {
    pub(super) link: usize,
    pub(super) channel: Vec<u8>,
    pub(super) bytes: Bytes,
}

pub(super) struct Links {
    pub(super) channels: Channels,
    links: Vec<Link>,
    broken: watch::Receiver<Option<&'static str>>,
}

struct Link {
    publisher: MultiplexedConnection,
    subscriber: MultiplexedConnection,
    /// How many channels Redis is still to confirm the end of.
    leaving: Arc<AtomicUsize>,
}

/// Where messages that came wait.
pub(super) struct Incoming {
    queue: mpsc::Receiver<Came>,
    bytes: Arc<AtomicUsize>,
}

impl Incoming {
    pub(super) async fn next(&mut self) -> Option<Came> {
        let came = self.queue.recv().await?;
        self.bytes.fetch_sub(came.bytes.len(), Relaxed);
        Some(came)
    }
}

/// Puts what a connection is told in line.
#[derive(Clone)]
struct Receiver {
    link: usize,
    queue: mpsc::Sender<Came>,
    bytes: Arc<AtomicUsize>,
    leaving: Arc<AtomicUsize>,
    broken: watch::Sender<Option<&'static str>>,
}

impl Receiver {
    /// Called by the connection, which it must not hold up.
    fn told(&self, push: PushInfo) {
        let fault = match push.kind {
            PushKind::Message | PushKind::SMessage => self.message(push.data).err(),
            PushKind::Disconnection => Some("the connection was lost"),
            PushKind::Unsubscribe | PushKind::SUnsubscribe => {
                let left = self.leaving.fetch_update(Relaxed, Relaxed, |leaving| leaving.checked_sub(1));
                left.err().map(|_| "Redis took a channel away")
            }
            _ => None,
        };
        if let Some(fault) = fault {
            self.broken.send_if_modified(|first| first.is_none() && first.replace(fault).is_none());
        }
    }

    fn message(&self, data: Vec<Value>) -> Result<(), &'static str> {
        let mut data = data.into_iter();
        let (Some(Value::BulkString(channel)), Some(Value::BulkString(bytes))) = (data.next(), data.next())
        else {
            return Err("Redis said something odd");
        };
        let came = Came { link: self.link, channel, bytes: bytes.into() };
        let length = came.bytes.len();
        let before = self.bytes.fetch_add(length, Relaxed);
        if before + length > INCOMING_BYTES || self.queue.try_send(came).is_err() {
            return Err("more came than this node could take");
        }
        Ok(())
    }
}

impl Links {
    /// Connects to every server of a layout.
    pub(super) async fn open(prefix: &str, layout: &Layout) -> Result<(Self, Incoming), RedisError> {
        let (sender, queue) = mpsc::channel(INCOMING);
        let (broken_sender, broken) = watch::channel(None);
        let bytes = Arc::new(AtomicUsize::new(0));
        let mut links = Vec::new();
        for (link, server) in layout.servers.iter().enumerate() {
            let leaving = Arc::new(AtomicUsize::new(0));
            let receiver = Receiver {
                link,
                queue: sender.clone(),
                bytes: Arc::clone(&bytes),
                leaving: Arc::clone(&leaving),
                broken: broken_sender.clone(),
            };
            let told = move |push: PushInfo| -> Result<(), ()> {
                receiver.told(push);
                Ok(())
            };
            let subscriber = connect(server, AsyncConnectionConfig::new().set_push_sender(told)).await?;
            let publisher = connect(server, AsyncConnectionConfig::new()).await?;
            links.push(Link { publisher, subscriber, leaving });
        }
        Ok((Self { channels: Channels::new(prefix, layout), links, broken }, Incoming { queue, bytes }))
    }

    /// Waits until a connection is broken; why.
    pub(super) async fn broken(&self) -> &'static str {
        let mut broken = self.broken.clone();
        let fault = broken.wait_for(Option::is_some).await;
        fault.ok().and_then(|fault| *fault).unwrap_or("the connections ended")
    }

    /// Subscribes to channels; returns when Redis confirmed all of them.
    pub(super) async fn subscribe(&self, channels: Vec<(usize, String)>) -> Result<(), RedisError> {
        let command = if self.channels.sharded() { "SSUBSCRIBE" } else { "SUBSCRIBE" };
        for (link, names) in by_link(channels) {
            let Some(link) = self.links.get(link) else { continue };
            let mut subscriber = link.subscriber.clone();
            if self.channels.sharded() {
                // One command may name channels of one slot only.
                let mut pipe = redis::pipe();
                names.iter().for_each(|name| {
                    pipe.cmd(command).arg(name).ignore();
                });
                pipe.exec_async(&mut subscriber).await?;
            } else {
                subscriber.subscribe(names).await?;
            }
        }
        Ok(())
    }

    /// The contrary.
    pub(super) async fn unsubscribe(&self, channels: Vec<(usize, String)>) -> Result<(), RedisError> {
        for (link, names) in by_link(channels) {
            let Some(link) = self.links.get(link) else { continue };
            let mut subscriber = link.subscriber.clone();
            link.leaving.fetch_add(names.len(), Relaxed);
            if self.channels.sharded() {
                let mut pipe = redis::pipe();
                names.iter().for_each(|name| {
                    pipe.cmd("SUNSUBSCRIBE").arg(name).ignore();
                });
                pipe.exec_async(&mut subscriber).await?;
            } else {
                subscriber.unsubscribe(names).await?;
            }
        }
        Ok(())
    }

    /// Publishes everything, in one go for each server. How many bytes it was.
    pub(super) async fn publish(&self, items: &[Out], sealer: &Sealer) -> Result<usize, RedisError> {
        let command = if self.channels.sharded() { "SPUBLISH" } else { "PUBLISH" };
        let all = self.channels.all();
        let mut pipes = BTreeMap::<usize, redis::Pipeline>::new();
        let mut bytes = 0;
        for Out { to, number, item } in items {
            let one;
            let channels = match to {
                To::All => all.as_slice(),
                To::Hearing(topic) => {
                    one = [self.channels.of(*topic)];
                    &one
                }
            };
            for (link, channel) in channels {
                let sealed = sealer.seal(channel, *number, item);
                bytes += sealed.len();
                pipes.entry(*link).or_default().cmd(command).arg(channel).arg(sealed).ignore();
            }
        }
        let mut answers = Vec::new();
        for (link, pipe) in pipes {
            let Some(link) = self.links.get(link) else { continue };
            let mut publisher = link.publisher.clone();
            answers.push(async move { pipe.exec_async(&mut publisher).await });
        }
        futures_util::future::try_join_all(answers).await?;
        Ok(bytes)
    }

    /// Asks every connection for a sign of life.
    pub(super) async fn ping(&self) -> Result<(), RedisError> {
        for link in &self.links {
            redis::cmd("PING").exec_async(&mut link.publisher.clone()).await?;
            redis::cmd("PING").exec_async(&mut link.subscriber.clone()).await?;
        }
        Ok(())
    }
}

fn by_link(channels: Vec<(usize, String)>) -> BTreeMap<usize, Vec<String>> {
    let mut links = BTreeMap::<usize, Vec<String>>::new();
    for (link, name) in channels {
        links.entry(link).or_default().push(name);
    }
    links
}
