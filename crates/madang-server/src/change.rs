//! A change: one transaction, and what is announced when it is stored.
//!
//! `app.change()` → store calls → `emit`, `enqueue` → `commit()`. Dropping a change undoes it and says nothing.
//! What the events tell of is brought up to date in memory first.
//!
//! Invariants:
//! - Nothing is announced before the commit.
//! - Who asked is answered after the announcement is on its way: whatever they do next is announced
//!   later.
//! - Once the commit began, it and the announcement run to their end, whether or not the client that
//!   asked is still there.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use madang_proto::{Encoding, Event, Timestamp, event::ServerFrame};
use madang_realtime::{Audience, BusItem, Class, Control, Envelope, Frame, Payload, Topic};
use madang_store::{Tx, jobs};

use crate::{
    app::App,
    cluster::Notice,
    doubts,
    error::{Error, Result},
    gateway::codec,
    jobs::{Gone, Job},
    memory::{Silent, Touched},
    notifications,
};

/// An event as the hub carries it.
pub struct Announced(pub ServerFrame);

impl Payload for Announced {
    fn encode(&self, encoding: Encoding) -> Bytes {
        codec::encode(&self.0, encoding).into_bytes()
    }

    fn compress(&self, frame: &Frame) -> Option<Frame> {
        codec::compress(frame)
    }

    fn portable(&self) -> Bytes {
        self.0.to_json().into()
    }
}

/// Puts an event in an envelope.
pub fn envelope(topic: Topic, class: Class, event: Event) -> Arc<Envelope> {
    envelope_for(topic, Audience::default(), class, event)
}

/// The same for only some of those who hear the topic.
pub fn envelope_for(topic: Topic, audience: Audience, class: Class, event: Event) -> Arc<Envelope> {
    let version = version(topic, &event);
    Envelope::for_some(topic, audience, version, class, Arc::new(Announced(event.into())))
}

/// The same for what was read from a channel's log, and told already, maybe.
pub fn from_log(topic: Topic, event: Event) -> Arc<Envelope> {
    let version = version(topic, &event);
    Envelope::from_log(topic, version, Arc::new(Announced(event.into())))
}

/// Its place in the history of a channel.
const fn version(topic: Topic, event: &Event) -> Option<i64> {
    match (event, topic) {
        (Event::Message(m), Topic::Channel(_)) => Some(m.version),
        (Event::Reaction(r), Topic::Channel(_)) => Some(r.version),
        (Event::Channel(c), Topic::Channel(_)) => Some(c.channel.version),
        (Event::Member(m), Topic::Channel(_)) => m.version,
        _ => None,
    }
}

/// What is done in memory after a commit.
type After = Box<dyn FnOnce(&App) + Send>;

/// A change on its way.
pub struct Change {
    app: App,
    tx: Tx,
    items: Vec<BusItem>,
    touched: Vec<Touched>,
    /// What the other nodes have to be told beside it.
    notices: Vec<Notice>,
    after: Vec<After>,
    gone: Vec<Gone>,
}

impl App {
    /// Begins a change.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn change(&self) -> Result<Change> {
        let (items, touched, notices) = (Vec::new(), Vec::new(), Vec::new());
        let (after, gone) = (Vec::new(), Vec::new());
        Ok(Change { app: self.clone(), tx: self.db.begin().await?, items, touched, notices, after, gone })
    }
}

impl Change {
    /// The transaction.
    pub const fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Announces an event to a topic, after the commit.
    pub fn emit(&mut self, topic: Topic, event: Event) {
        self.touched.extend(Touched::by_event(topic, &event));
        self.gone.extend(notifications::gone_by(&event));
        self.items.push(envelope(topic, Class::Durable, event).into());
    }

    /// Announces an event to those who hear any of these topics, once to each, after the commit.
    pub fn emit_to_all(&mut self, topics: &[Topic], event: &Event) {
        for (place, topic) in topics.iter().enumerate() {
            self.touched.extend(Touched::by_event(*topic, event));
            let except = topics.get(..place).unwrap_or_default().to_vec();
            let audience = Audience { except, ..Audience::default() };
            self.items.push(envelope_for(*topic, audience, Class::Durable, event.clone()).into());
        }
    }

    /// Says what else of the memory is not as it was, of every node's.
    pub fn touch(&mut self, touched: impl IntoIterator<Item = Silent>) {
        let silent: Vec<_> = touched.into_iter().collect();
        self.touched.extend(silent.iter().cloned().map(Touched::from));
        self.share(Notice::Touched(silent));
    }

    /// Tells the other nodes something, after the commit.
    pub fn share(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Changes who hears what, after the commit and in order with the events.
    pub fn control(&mut self, control: Control) {
        self.touched.extend(Touched::by_control(control));
        self.items.push(control.into());
    }

    /// Stores a job with the change, to be done at this time or as soon as the change is stored. Gives its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&mut self, job: &Job, due_at: Timestamp) -> Result<i64> {
        let row = job.row(&self.app, due_at)?;
        jobs::insert(&mut self.tx, [&row]).await?;
        self.after(|app| app.jobs.wake());
        Ok(row.id)
    }

    /// Does something in memory, after the commit and before the announcement.
    pub fn after(&mut self, work: impl FnOnce(&App) + Send + 'static) {
        self.after.push(Box::new(work));
    }

    /// Notifications of what its events say is gone are removed afterwards: of a message, when those of it that
    /// are about to be made are there.
    async fn enqueue_removals(&mut self) -> Result<()> {
        let now = self.app.now();
        let due = |gone: &Gone| match gone {
            Gone::Message(_) => now.plus_millis(notifications::AFTER),
            Gone::Channel(_) | Gone::Unseen(_) | Gone::Old(_) => now,
        };
        let Some(due_first) = self.gone.iter().map(due).min() else { return Ok(()) };
        let rows = self.gone.iter().map(|gone| Job::Unnotify(*gone).row(&self.app, due(gone)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        jobs::insert(&mut self.tx, &rows).await?;
        self.after(move |app| app.jobs.wake_by(due_first));
        Ok(())
    }

    /// Stores it, then announces it.
    ///
    /// # Errors
    /// When the database cannot say that it stored it. Then nothing is announced.
    pub async fn commit(mut self) -> Result<()> {
        self.enqueue_removals().await?;
        let Self { app, tx, items, touched, notices, after, gone: _ } = self;
        let (done, result) = tokio::sync::oneshot::channel();
        let supervisor = app.supervisor.clone();
        supervisor.isolated("changes", async move {
            let committed = tx.commit().await;
            let authors: Vec<_> = touched.iter().filter_map(Touched::author).collect();
            app.db.forget_authors(authors.iter().copied());
            if committed.is_err() {
                app.memory.doubtful(touched);
            } else {
                let now = Instant::now();
                items.iter().for_each(|item| item.committed_at(now));
                app.indexing.note(touched.iter().filter_map(Touched::channel));
                app.memory.changed(touched);
                after.into_iter().for_each(|work| work(&app));
                if app.relay.is_some() {
                    let authors = (!authors.is_empty()).then_some(Notice::Authors(authors));
                    notices.into_iter().chain(authors).for_each(|notice| notice.tell(&*app.bus));
                }
                doubts::settle(&app, &[]).await;
                for item in items {
                    app.bus.publish(item).await;
                }
            }
            drop(done.send(committed));
        });
        match result.await {
            Ok(committed) => Ok(committed?),
            Err(_) => Err(Error::Unavailable("the change was interrupted".to_owned())),
        }
    }
}
