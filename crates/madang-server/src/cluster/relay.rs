//! What the bus brings from other nodes: memory learns of it, then the hub.
//!
//! Invariants:
//! - Nothing here waits.
//! - It does not keep the server alive.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use madang_proto::event::ServerFrame;
use madang_realtime::{
    Control, Payload, Topic,
    bus::{Arriving, NodeId, Remote},
};

use super::Notice;
use crate::{
    app::{App, Unheld},
    change::Announced,
    memory::Touched,
};

/// Between a bus and the app.
#[derive(Default)]
pub struct Relay {
    app: OnceLock<Unheld>,
    /// The bus was up before.
    was_up: AtomicBool,
    /// How often it came up again.
    outages: AtomicU64,
}

impl Relay {
    /// From now on it serves this app.
    pub fn serve(&self, app: &App) {
        // It is called once.
        let _served_already = self.app.set(app.unheld());
    }

    /// How often the bus was away and is up again.
    pub fn outages(&self) -> u64 {
        self.outages.load(Ordering::Acquire)
    }

    fn app(&self) -> Option<App> {
        self.app.get()?.app()
    }
}

impl Remote for Relay {
    fn event(&self, _: NodeId, event: Arriving<'_>) -> Option<Arc<dyn Payload>> {
        let frame: ServerFrame = serde_json::from_slice(&event.payload).ok()?;
        if let Some(app) = self.app() {
            app.memory.changed(Touched::by_event(event.topic, &frame.event));
        }
        Some(Arc::new(Announced(frame)))
    }

    fn control(&self, _: NodeId, control: Control) {
        let Some(app) = self.app() else { return };
        app.memory.changed(Touched::by_control(control).into_iter().collect());
        match control {
            Control::Subscribe { user, topic: Topic::Workspace(workspace) | Topic::Lobby(workspace) } => {
                app.presence.moved_in(user, workspace);
            }
            Control::Unsubscribe { user, topic: Topic::Workspace(workspace) | Topic::Lobby(workspace) } => {
                app.presence.moved_out(user, workspace);
            }
            Control::CloseSession { session, .. } => app.revoked.insert(session, app.now()),
            Control::Subscribe { .. }
            | Control::Unsubscribe { .. }
            | Control::CloseUser { .. }
            | Control::CloseAll { .. } => {}
        }
    }

    fn notice(&self, from: NodeId, notice: Bytes) {
        let Some(app) = self.app() else { return };
        match serde_json::from_slice::<Notice>(&notice) {
            Ok(notice) => super::heard(&app, from, notice),
            // Of a newer version.
            Err(error) => tracing::debug!(%error, "a notice that is not known"),
        }
    }

    fn unheard(&self, topics: &[Topic]) {
        if let Some(app) = self.app() {
            app.memory.unheard(topics);
        }
    }

    fn lost(&self) {
        if let Some(app) = self.app() {
            app.memory.forget_all();
        }
    }

    fn missed(&self) {
        if let Some(app) = self.app() {
            app.memory.forget_all();
            app.db.forget_all_authors();
        }
        if self.was_up.swap(true, Ordering::AcqRel) {
            self.outages.fetch_add(1, Ordering::AcqRel);
        }
    }
}
