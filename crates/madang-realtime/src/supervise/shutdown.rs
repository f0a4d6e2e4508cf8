//! The signal to stop, shared by everything that runs.

use std::sync::Arc;

use tokio::sync::watch;

/// A signal that is given once and stays given. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// A signal that was not given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal.
    pub fn signal(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was given.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is given. Safe to cancel.
    pub async fn wait(&self) {
        let mut signal = self.0.subscribe();
        // It fails only without a sender, and `self` is one.
        let _ = signal.wait_for(|given| *given).await;
    }
}
