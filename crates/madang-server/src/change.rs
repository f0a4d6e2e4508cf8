//! A change: one transaction, and what is announced when it is stored.
//!
//! `app.change()` → store calls → `emit` → `commit()`. Dropping a change undoes it and says nothing.
//! What the events tell of is brought up to date in memory first.
//!
//! Invariants:
//! - Nothing is announced before the commit.
//! - Who asked is answered after the announcement is on its way: whatever they do next is announced
//!   later.
//! - Once the commit began, it and the announcement run to their end, whether or not the client that
//!   asked is still there.

use std::sync::Arc;

use bytes::Bytes;
use madang_proto::{Encoding, Event, event::ServerFrame};
use madang_realtime::{Audience, BusItem, Class, Control, Envelope, Frame, Payload, Topic};
use madang_store::Tx;

use crate::{
    app::App,
    doubts,
    error::{Error, Result},
    gateway::codec,
    memory::Touched,
};

/// An event as the hub carries it.
struct Announced(ServerFrame);

impl Payload for Announced {
    fn encode(&self, encoding: Encoding) -> Bytes {
        codec::encode(&self.0, encoding).into_bytes()
    }

    fn compress(&self, frame: &Frame) -> Option<Frame> {
        codec::compress(frame)
    }
}

/// Puts an event in an envelope.
pub fn envelope(topic: Topic, class: Class, event: Event) -> Arc<Envelope> {
    envelope_for(topic, Audience::default(), class, event)
}

/// The same for only some of those who hear the topic.
pub fn envelope_for(topic: Topic, audience: Audience, class: Class, event: Event) -> Arc<Envelope> {
    let version = match (&event, topic) {
        (Event::Message(m), Topic::Channel(_)) => Some(m.version),
        (Event::Reaction(r), Topic::Channel(_)) => Some(r.version),
        (Event::Channel(c), Topic::Channel(_)) => Some(c.channel.version),
        (Event::Member(m), Topic::Channel(_)) => m.version,
        _ => None,
    };
    Envelope::for_some(topic, audience, version, class, Arc::new(Announced(event.into())))
}

/// What is done in memory after a commit.
type After = Box<dyn FnOnce(&App) + Send>;

/// A change on its way.
pub struct Change {
    app: App,
    tx: Tx,
    items: Vec<BusItem>,
    touched: Vec<Touched>,
    after: Vec<After>,
}

impl App {
    /// Begins a change.
    ///
    /// # Errors
    /// `Unavailable` when the database is away.
    pub async fn change(&self) -> Result<Change> {
        let (items, touched, after) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Change { app: self.clone(), tx: self.db.begin().await?, items, touched, after })
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
        self.items.push(envelope(topic, Class::Durable, event).into());
    }

    /// Changes who hears what, after the commit and in order with the events.
    pub fn control(&mut self, control: Control) {
        self.touched.extend(Touched::by_control(control));
        self.items.push(control.into());
    }

    /// Does something in memory, after the commit and before the announcement.
    pub fn after(&mut self, work: impl FnOnce(&App) + Send + 'static) {
        self.after.push(Box::new(work));
    }

    /// Stores it, then announces it.
    ///
    /// # Errors
    /// When the database cannot say that it stored it. Then nothing is announced.
    pub async fn commit(self) -> Result<()> {
        let Self { app, tx, items, touched, after } = self;
        let (done, result) = tokio::sync::oneshot::channel();
        let supervisor = app.supervisor.clone();
        supervisor.isolated("changes", async move {
            let committed = tx.commit().await;
            if committed.is_err() {
                app.memory.doubtful(touched);
            } else {
                app.indexing.note(touched.iter().filter(|t| matches!(t, Touched::Message(_))).count());
                app.memory.changed(touched);
                after.into_iter().for_each(|work| work(&app));
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
