//! Group commit of messages.
//!
//! Senders put their message in a bounded queue and wait. One task takes everything queued while the
//! last commit ran, up to [`BATCH`], and stores it in one transaction; then it hands the new messages on,
//! in the order of their `seq`, and answers the senders. There is no timer: a lone message is
//! committed at once, and under load the batches grow by themselves.
//!
//! Invariants:
//! - Messages are handed on after the commit, by the same task: those of one channel leave in order. A
//!   sender is answered after that, so whatever they do next comes later, and they wait when those who
//!   hear it cannot keep up.
//! - The same author and nonce give the first message again, for good.
//! - One bad message never fails the others of its batch: then each is tried alone.
//! - A panic in the middle loses no queued message: the queue outlives the task. Those in the batch are
//!   answered "unavailable", and a retry with the nonce is harmless.

mod batch;
mod bulk;
mod postgres;
mod sqlite;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use madang_proto::{
    ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, files::File, mentions::Mention,
    messages::Message, threads::MessageThread,
};
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::timeout,
};
use tracing::{Instrument, trace_span};

use crate::{Db, Error, Result, SPANS, jobs::NewJob};

/// Most messages of one commit.
pub const BATCH: usize = 512;
/// Messages that may wait; past it senders are told to slow down.
pub const QUEUE: usize = 4_096;

/// A message to be stored. Content and nonce are checked already, and the author may write there.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The id.
    pub id: MessageId,
    /// Where to.
    pub channel_id: ChannelId,
    /// From whom.
    pub author: Arc<UserSummary>,
    /// The text.
    pub content: String,
    /// What the author's client called it.
    pub nonce: Option<String>,
    /// Whom it mentions.
    pub mentions: Vec<Mention>,
    /// Where it mentions those who are there: who they are, by id.
    pub here: Vec<UserId>,
    /// The thread that it is a reply in, or refers to.
    pub thread: Option<MessageThread>,
    /// Files of the author, for which no other message was seen.
    pub files: Vec<File>,
    /// When.
    pub created_at: Timestamp,
    /// What is to be done because of it; stored with it, if it is new.
    pub jobs: Vec<NewJob>,
}

/// A stored message.
#[derive(Debug, Clone)]
pub struct Sent {
    /// As stored.
    pub message: Message,
    /// False when the nonce had been used: then it is the first message.
    pub created: bool,
}

struct Request {
    new: NewMessage,
    reply: oneshot::Sender<Result<Sent>>,
}

/// What hears of the commits.
pub trait Listener: Send + Sync {
    /// Called before a batch is stored.
    fn before_batch(&self, messages: usize);
    /// Called when the database answered a batch of so many, well or not, before anything is made of it.
    fn after_batch(&self, messages: usize, took: Duration);
    /// Called when nobody knows whether these were stored: the database went away meanwhile.
    fn doubtful(&self, messages: &[NewMessage]);
    /// Called with the new messages of a commit, by channel in the order of their `seq`; with none, where
    /// all were stored before.
    fn committed(&self, messages: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// Called after a commit of messages with jobs, of which the first is due then.
    fn enqueued(&self, due: Timestamp);
}

/// The queue to the one task that writes messages.
#[derive(Debug)]
pub struct Writer {
    db: Db,
    size: usize,
    queue: mpsc::Sender<Request>,
    requests: Mutex<mpsc::Receiver<Request>>,
    writing: AtomicUsize,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.new.id.fmt(f)
    }
}

impl Writer {
    /// A writer on `db`. Nothing is written until [`Writer::run`] runs.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self::with_queue(db, QUEUE)
    }

    /// The same with room for so many messages that wait.
    #[must_use]
    pub fn with_queue(db: Db, size: usize) -> Self {
        let (queue, requests) = mpsc::channel(size);
        Self { db, size, queue, requests: Mutex::new(requests), writing: AtomicUsize::new(0) }
    }

    /// Stores a message; returns after the commit.
    ///
    /// # Errors
    /// `Busy` when too much is waiting, `NotFound` when the channel is gone, `FileTaken` when a file is, `Unavailable` when the
    /// database is away or the server stops.
    pub async fn send(&self, new: NewMessage) -> Result<Sent> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Request { new, reply }).map_err(|e| match e {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Closed(_) => Error::Unavailable("the server is stopping".to_owned()),
        })?;
        answer.await.unwrap_or_else(|_| Err(Error::Unavailable("the writer was restarted".to_owned())))
    }

    /// How many messages are waiting.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.size - self.queue.capacity()
    }

    /// How many messages are being written.
    #[must_use]
    pub fn writing(&self) -> usize {
        self.writing.load(Ordering::Relaxed)
    }

    /// Writes until `stop` is over and the queue is empty; then nothing more is taken. May be called
    /// again after a panic; one call runs at a time.
    pub async fn run(&self, listener: &dyn Listener, stop: impl Future<Output = ()>) {
        let mut requests = self.requests.lock().await;
        let mut stop = std::pin::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            self.writing.store(0, Ordering::Relaxed);
            let taken = tokio::select! {
                biased;
                taken = requests.recv_many(&mut batch, BATCH) => taken,
                () = &mut stop, if !requests.is_closed() => {
                    requests.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            self.writing.store(taken, Ordering::Relaxed);
            listener.before_batch(taken);
            let span = trace_span!(target: SPANS, "batch", messages = taken);
            self.store(std::mem::take(&mut batch), listener).instrument(span).await;
        }
    }

    /// Waits until it is not run any more.
    pub async fn ended(&self) {
        drop(self.requests.lock().await);
    }

    /// Stores a batch; one that stands still is given up, so that the next one has its turn. Then nobody knows whether
    /// it is stored.
    async fn store_batch(&self, news: &mut Vec<NewMessage>) -> Result<Vec<Result<Sent>>> {
        let stored = batch::store(&self.db, news);
        let Db::Postgres { pool, .. } = &self.db else { return stored.await };
        let late = || Error::Unavailable("the database does not answer".to_owned());
        timeout(pool.options().get_acquire_timeout(), stored).await.unwrap_or_else(|_| Err(late()))
    }

    async fn store(&self, requests: Vec<Request>, listener: &dyn Listener) {
        let (messages, begun) = (requests.len(), Instant::now());
        let (mut news, replies): (Vec<_>, Vec<_>) = requests.into_iter().map(|r| (r.new, r.reply)).unzip();
        let due = news.iter().flat_map(|new| &new.jobs).map(|job| job.due_at).min();
        let results = match self.store_batch(&mut news).await {
            Ok(results) => results,
            Err(error @ Error::Unavailable(_)) => {
                listener.doubtful(&news);
                let text = error.to_string();
                tracing::warn!(error = %text, messages = news.len(), "messages not stored");
                news.iter().map(|_| Err(Error::Unavailable(text.clone()))).collect()
            }
            Err(error) if news.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, messages = news.len(), "a batch failed; storing one by one");
                let mut results = Vec::with_capacity(news.len());
                for new in news {
                    let alone = self.store_batch(&mut vec![new]).await;
                    results.push(alone.and_then(|mut r| r.pop().unwrap_or(Err(Error::NotFound))));
                }
                results
            }
        };
        listener.after_batch(messages, begun.elapsed());
        let new = |result: &Result<Sent>| match result {
            Ok(Sent { message, created: true }) => Some(message.clone()),
            _ => None,
        };
        let created: Vec<Message> = results.iter().filter_map(new).collect();
        if results.iter().any(Result::is_ok) {
            listener.committed(created).await;
            if let Some(due) = due {
                listener.enqueued(due);
            }
        }
        for (reply, result) in replies.into_iter().zip(results) {
            // A sender that went away does not hear that its message was stored; its nonce tells it.
            drop(reply.send(result));
        }
    }
}
