//! Supervision: every task has a name and an owner, and what fails is started again.
//!
//! A [`Supervisor`] owns named children. A child that panics or returns an error is started again
//! by itself, after a pause that grows (`restart.rs`); one that fails too often ends
//! [`Supervisor::run`], and with it the process. A child that returns `Ok` is done. What serves a
//! single client is [isolated](Supervisor::isolated): its panic is counted and it is not started
//! again, because its client returns.
//!
//! Invariants:
//! - `tokio::spawn` is called in this file alone.
//! - No child starts again once the shutdown was signalled.

mod faults;
mod restart;
mod shutdown;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    collections::BTreeMap,
    error::Error,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use self::restart::Restarts;
pub use self::{faults::Faults, shutdown::Shutdown};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The owner of tasks. Clones share it.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    children: Mutex<Vec<Child>>,
    isolated: Mutex<BTreeMap<&'static str, ChildStatus>>,
    gave_up: watch::Sender<Option<GaveUp>>,
}

struct Child {
    status: Arc<Mutex<ChildStatus>>,
    /// Taken by whoever waits for its end.
    task: Option<JoinHandle<()>>,
}

/// How a child is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildStatus {
    /// Its name.
    pub name: String,
    /// What it does now.
    pub state: ChildState,
    /// How often it was started again.
    pub restarts: u64,
    /// How often it ended by a panic or an error.
    pub faults: u64,
    /// Why it ended last by a panic or an error.
    pub last_error: Option<String>,
}

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChildState {
    /// It runs.
    Running,
    /// It failed and will be started again.
    Restarting,
    /// It is done.
    Stopped,
    /// It failed too often.
    Failed,
}

/// A child failed too often.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{child} failed too often, last: {reason}")]
pub struct GaveUp {
    /// Its name.
    pub child: String,
    /// Why it failed last.
    pub reason: String,
}

impl Supervisor {
    /// A supervisor without children, that stops at this signal.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner {
            shutdown,
            children: Mutex::default(),
            isolated: Mutex::default(),
            gave_up: watch::Sender::new(None),
        }))
    }

    /// The signal that stops everything.
    #[must_use]
    pub fn signal(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// Starts a child, and starts it again whenever it fails. It is expected to return soon after
    /// the shutdown is signalled.
    pub fn child<F, Fut>(&self, name: impl Into<String>, factory: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send,
    {
        let status = Arc::new(Mutex::new(ChildStatus::new(name.into())));
        let (inner, kept) = (Arc::clone(&self.0), Arc::clone(&status));
        let task = spawn(async move { inner.keep(&kept, factory).await });
        self.0.children.lock().push(Child { status, task: Some(task) });
    }

    /// Runs what serves a single client. A panic in it is logged, and counted under `name`; it is
    /// not started again.
    pub fn isolated<Fut>(&self, name: &'static str, future: Fut) -> JoinHandle<()>
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        inner.isolated.lock().entry(name).or_insert_with(|| ChildStatus::new(name.to_owned()));
        // A future that is awaited in another takes its room twice; these are many and live long.
        let future = Box::pin(future);
        spawn(async move {
            if let Err(panic) = caught(future).await {
                tracing::error!(name, panic, "an isolated task panicked");
                if let Some(status) = inner.isolated.lock().get_mut(name) {
                    status.failed(panic);
                }
            }
        })
    }

    /// Waits until the shutdown is signalled.
    ///
    /// # Errors
    /// The first child that failed too often; the process has to stop.
    pub async fn run(&self) -> Result<(), GaveUp> {
        let mut gave_up = self.0.gave_up.subscribe();
        tokio::select! {
            biased;
            Ok(reason) = gave_up.wait_for(Option::is_some) => reason.clone().map_or(Ok(()), Err),
            () = self.0.shutdown.wait() => Ok(()),
        }
    }

    /// Signals the shutdown and waits until all children ended. Those that did not within `grace`
    /// are aborted; their names are returned.
    pub async fn shutdown(&self, grace: Duration) -> Vec<String> {
        self.0.shutdown.signal();
        let deadline = Instant::now() + grace;
        let take = |child: &mut Child| Some((Arc::clone(&child.status), child.task.take()?));
        let children: Vec<_> = self.0.children.lock().iter_mut().filter_map(take).collect();
        let mut aborted = Vec::new();
        for (status, mut task) in children {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                let mut status = status.lock();
                status.state = ChildState::Stopped;
                tracing::warn!(child = status.name, "aborted, it did not stop in time");
                aborted.push(status.name.clone());
            }
        }
        aborted
    }

    /// How all children are, in the order in which they were started, and then each kind of
    /// isolated task.
    #[must_use]
    pub fn status(&self) -> Vec<ChildStatus> {
        let children = self.0.children.lock().iter().map(|child| child.status.lock().clone()).collect();
        let isolated = self.0.isolated.lock().values().cloned().collect();
        [children, isolated].into_iter().flat_map(|list: Vec<_>| list).collect()
    }
}

impl Inner {
    /// Runs a child until it is done.
    async fn keep<F, Fut>(&self, status: &Mutex<ChildStatus>, mut factory: F)
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<(), BoxError>>,
    {
        let name = status.lock().name.clone();
        let mut restarts = Restarts::default();
        loop {
            let started = Instant::now();
            let reason = match caught(async { factory().await }).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => chain(&*error),
                Err(panic) => panic,
            };
            status.lock().failed(reason.clone());
            if self.shutdown.is_shutting_down() {
                tracing::error!(child = name, reason, "failed while stopping");
                break;
            }
            let Some(pause) = restarts.pause(started, Instant::now()) else {
                tracing::error!(child = name, reason, "failed too often");
                status.lock().state = ChildState::Failed;
                self.gave_up.send_if_modified(|first| {
                    first.is_none() && first.replace(GaveUp { child: name, reason }).is_none()
                });
                return;
            };
            tracing::error!(child = name, reason, ?pause, "failed, will be started again");
            status.lock().state = ChildState::Restarting;
            tokio::select! {
                () = sleep(pause) => {}
                () = self.shutdown.wait() => break,
            }
            let mut status = status.lock();
            status.state = ChildState::Running;
            status.restarts += 1;
        }
        status.lock().state = ChildState::Stopped;
    }
}

impl ChildStatus {
    const fn new(name: String) -> Self {
        Self { name, state: ChildState::Running, restarts: 0, faults: 0, last_error: None }
    }

    fn failed(&mut self, reason: String) {
        self.faults += 1;
        self.last_error = Some(reason);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tasks start: each has a name and an owner"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

/// What a future gives, or the message of its panic.
async fn caught<Fut: Future>(future: Fut) -> Result<Fut::Output, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("(no message)"))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
