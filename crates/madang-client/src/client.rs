//! The handle of a live client. What it can do stands with each feature (`messages.rs`, `channels.rs`,
//! …); here is how it starts, ends and is watched.
//!
//! Invariants:
//! - One background task for each client. When the last handle is dropped the task ends.

use std::{sync::Arc, time::Duration};

use madang_proto::{
    Command, Encoding, Event,
    accounts::{GuestLogin, Login, Register},
    command::Subscribe,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    ConnectionStatus, Error, Http, State,
    backoff::Backoff,
    driver::{Driver, Request},
    status::EndReason,
};

/// How long [`Client::wait_for`] waits, and how long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long it waits before it tries to connect again.
    pub backoff: Backoff,
    /// Which channels it hears.
    pub subscribe: Subscribe,
    /// How often it sends `PING`, if not as often as the server says.
    pub heartbeat: Option<Duration>,
    /// How what it says and hears is written.
    pub encoding: Encoding,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            subscribe: Subscribe::Joined,
            heartbeat: None,
            encoding: Encoding::Json,
        }
    }
}

/// A live client; clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<Arc<State>>,
    events: broadcast::Sender<Event>,
    task: Mutex<JoinSet<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The task says goodbye to the server and ends when it sees that nobody can ask any more.
        self.task.get_mut().detach_all();
    }
}

impl Client {
    /// Signs up and connects.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn register(server: &str, body: &Register) -> Result<Self, Error> {
        let http = Http::new(server)?;
        let signed_in = http.register(body).await?;
        Self::connect(http.signed_in(&signed_in), Options::default()).await
    }

    /// Signs in and connects.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn login(server: &str, body: &Login) -> Result<Self, Error> {
        let http = Http::new(server)?;
        let signed_in = http.login(body).await?;
        Self::connect(http.signed_in(&signed_in), Options::default()).await
    }

    /// Comes in as a guest and connects.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn guest(server: &str, display_name: Option<&str>) -> Result<Self, Error> {
        let http = Http::new(server)?;
        let body = GuestLogin { display_name: display_name.map(str::to_owned) };
        let signed_in = http.guest(&body).await?;
        Self::connect(http.signed_in(&signed_in), Options::default()).await
    }

    /// Connects with tokens that one has already.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn with_tokens(server: &str, access: &str, refresh: &str) -> Result<Self, Error> {
        Self::connect(Http::new(server)?.with_tokens(access, refresh), Options::default()).await
    }

    /// Starts a client with the session of `http` and waits until it is online for the first time.
    ///
    /// # Errors
    /// [`Error::Closed`] when the server does not let it in, [`Error::TimedOut`] when it does not answer.
    pub async fn connect(http: Http, options: Options) -> Result<Self, Error> {
        let client = Self::start(http, options);
        let first = client.wait_for("the first connection", |state| match &state.connection {
            ConnectionStatus::Online => Some(Ok(())),
            ConnectionStatus::Ended { reason } => Some(Err(ended(reason))),
            ConnectionStatus::Connecting | ConnectionStatus::Offline { .. } => None,
        });
        first.await??;
        Ok(client)
    }

    /// Starts a client with the session of `http`, which connects as soon as it can.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn start(http: Http, options: Options) -> Self {
        let (requests, inbox) = mpsc::channel(256);
        let (state, watched) = watch::channel(Arc::new(State::default()));
        let (events, _) = broadcast::channel(4096);
        let driver = Driver::new(http.clone(), options, inbox, state, events.clone());
        let mut task = JoinSet::new();
        task.spawn(driver.run());
        Self { inner: Arc::new(Inner { http, requests, state: watched, events, task: Mutex::new(task) }) }
    }

    /// The REST interface with this client's session.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.inner.http
    }

    /// What the client knows now. Later changes are in a later state.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.state.borrow())
    }

    /// The state and a wake-up at each change of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.inner.state.clone()
    }

    /// Waits for the next change of the state.
    pub async fn changed(&self) {
        let mut state = self.watch();
        state.mark_unchanged();
        // An error means that there will be no more changes.
        _ = state.changed().await;
    }

    /// Waits until `look` finds something in the state, at most 15 seconds. `what` says what is awaited,
    /// for the error.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub async fn wait_for<T>(&self, what: &str, look: impl FnMut(&State) -> Option<T>) -> Result<T, Error> {
        self.wait_for_within(PATIENCE, what, look).await
    }

    /// As [`Client::wait_for`] with another limit.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub async fn wait_for_within<T>(
        &self,
        limit: Duration,
        what: &str,
        mut look: impl FnMut(&State) -> Option<T>,
    ) -> Result<T, Error> {
        let mut state = self.watch();
        let found = timeout(limit, async {
            loop {
                if let Some(found) = look(&state.borrow_and_update()) {
                    return Ok(found);
                }
                if state.changed().await.is_err() {
                    return Err(Error::Closed(format!("while waiting for {what}")));
                }
            }
        });
        found.await.unwrap_or_else(|_| Err(Error::TimedOut(what.to_owned())))
    }

    /// Every event from now on, as it comes in. Who reads too slowly loses the oldest ones.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.events.subscribe()
    }

    /// Where the connection stands.
    #[must_use]
    pub fn connection_status(&self) -> ConnectionStatus {
        self.inner.state.borrow().connection.clone()
    }

    /// Drops the connection, as if it were lost, and stays offline until [`Client::reconnect`].
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn disconnect(&self) -> Result<(), Error> {
        self.ask(|reply| Request::Disconnect { reply }).await
    }

    /// Connects again now instead of at the next attempt, and waits until it is online.
    ///
    /// # Errors
    /// [`Error::Closed`], or [`Error::TimedOut`] when the server does not answer; the client then goes
    /// on trying.
    pub async fn reconnect(&self) -> Result<(), Error> {
        self.ask(|reply| Request::Reconnect { reply }).await?;
        let online = self.wait_for("the connection", |state| match &state.connection {
            ConnectionStatus::Online => Some(Ok(())),
            ConnectionStatus::Ended { reason } => Some(Err(ended(reason))),
            ConnectionStatus::Connecting | ConnectionStatus::Offline { .. } => None,
        });
        online.await?
    }

    /// Tries to connect now instead of at the next attempt, without waiting for it.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn reconnect_soon(&self) -> Result<(), Error> {
        self.ask(|reply| Request::Reconnect { reply }).await
    }

    /// Ends the connection for good. The session stays valid; to end it, call [`Http::logout`] first.
    pub async fn close(&self) {
        // An error means that it is closed already.
        _ = self.ask(|reply| Request::Close { reply }).await;
    }

    /// Loads all there is of everything the user can see: messages, members, lists. For tests and small
    /// servers.
    ///
    /// # Errors
    /// The server's refusal, or no answer.
    pub async fn load_everything(&self) -> Result<(), Error> {
        let state = self.state();
        for workspace in state.workspaces() {
            // Visitors may not know who is in it.
            if !state.visits(workspace.id) {
                self.load_workspace_members(workspace.id).await?;
            }
            self.load_directory(workspace.id).await?;
            self.load_emoji(workspace.id).await?;
        }
        self.load_saved().await?;
        self.load_later().await?;
        self.load_notifications().await?;
        for channel in state.channels() {
            self.load_members(channel.id()).await?;
            self.load_all_messages(channel.id()).await?;
        }
        Ok(())
    }

    /// Sends a command with a `rid` and waits for the payload of its `ACK`.
    ///
    /// # Errors
    /// The payload of an `ERROR`; [`Error::Network`] while offline or when the connection is lost before
    /// the answer.
    pub async fn command(&self, command: Command) -> Result<Value, Error> {
        let answer = self.ask(|reply| Request::Command { command: Box::new(command), reply });
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(Error::TimedOut("ACK".to_owned())))?
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Error> {
        let closed = || Error::Closed("nothing can be asked of it".to_owned());
        let (reply, answer) = oneshot::channel();
        self.inner.requests.send(request(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())
    }
}

fn ended(reason: &EndReason) -> Error {
    Error::Closed(match reason {
        EndReason::SignedOut => "the session is over".to_owned(),
        EndReason::Closed(code) => format!("closed by the server with {code}"),
        EndReason::Refused(why) => why.clone(),
        EndReason::Asked => "as asked".to_owned(),
    })
}
