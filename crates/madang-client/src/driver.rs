//! The background task of a client: carries events, questions and answers between the server and the
//! state, and decides nothing that the state or the outbox can decide.
//!
//! It is one loop over what can happen: someone asks through the handle, a frame comes in, something
//! fetched arrives, or a time has come (heartbeat, next attempt, a message to send once more). Whatever
//! takes long runs beside it, in one of two sets: `questions` belong to the connection and end with it;
//! `loads` were asked for through the handle and go on.
//!
//! Invariants:
//! - Only this task changes the state.
//! - Everyone who waits gets an answer, at the latest when the client ends.

mod fetch;
mod link;
mod request;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use madang_proto::{
    Command, Event,
    messages::{Message, SendMessage},
};
use serde_json::Value;
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
};

use crate::{
    Error, Http, Options, State,
    backoff::Backoff,
    socket::Incoming,
    state::Effect,
    status::{ConnectionStatus, EndReason},
};
use fetch::Done;
use link::Link;
use request::Reply;
pub(crate) use request::Request;

/// Who waits for the answer to a `rid`.
enum Waiting {
    Command(Reply<Result<Value, Error>>),
    Send(String),
    Watch,
}

/// The background task.
pub(crate) struct Driver {
    http: Http,
    options: Options,
    backoff: Backoff,
    inbox: mpsc::Receiver<Request>,
    state: watch::Sender<Arc<State>>,
    events: broadcast::Sender<Event>,
    link: Link,
    last_rid: u64,
    waiting: HashMap<String, Waiting>,
    sends: HashMap<String, Vec<Reply<Result<Message, Error>>>>,
    /// When to say whom one watches, if that is to be said.
    watch_at: Option<Instant>,
    questions: JoinSet<Done>,
    loads: JoinSet<Done>,
}

/// What happened.
enum Step {
    Asked(Option<Request>),
    CameIn(Incoming),
    Done(Result<Done, tokio::task::JoinError>),
    Time,
}

impl Driver {
    pub(crate) fn new(
        http: Http,
        options: Options,
        inbox: mpsc::Receiver<Request>,
        state: watch::Sender<Arc<State>>,
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self {
            http,
            options,
            backoff: options.backoff,
            inbox,
            state,
            events,
            link: Link::Waiting { until: Some(Instant::now()) },
            last_rid: 0,
            waiting: HashMap::new(),
            sends: HashMap::new(),
            watch_at: None,
            questions: JoinSet::new(),
            loads: JoinSet::new(),
        }
    }

    pub(crate) async fn run(mut self) {
        self.connect();
        loop {
            let wake = self.wake_at();
            let step = tokio::select! {
                request = self.inbox.recv() => Step::Asked(request),
                incoming = self.link.next() => Step::CameIn(incoming),
                Some(done) = self.questions.join_next() => Step::Done(done),
                Some(done) = self.loads.join_next() => Step::Done(done),
                () = link::sleep_until(wake) => Step::Time,
            };
            match step {
                Step::Asked(Some(Request::Close { reply })) => {
                    self.end(EndReason::Asked).await;
                    _ = reply.send(());
                    return;
                }
                Step::Asked(None) => {
                    self.end(EndReason::Asked).await;
                    return;
                }
                Step::Asked(Some(request)) => self.asked(request).await,
                Step::CameIn(incoming) => self.came_in(incoming).await,
                Step::Done(Ok(done)) => self.done(done).await,
                Step::Done(Err(error)) if error.is_cancelled() => {}
                Step::Done(Err(error)) => tracing::error!(%error, "a fetch of the client failed"),
                Step::Time => {}
            }
            self.on_time().await;
            self.send_due().await;
        }
    }

    /// Changes the state and wakes whoever watches it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut answer = None;
        self.state.send_modify(|state| answer = Some(change(Arc::make_mut(state))));
        match answer {
            Some(answer) => answer,
            None => unreachable!("send_modify calls its argument"),
        }
    }

    async fn asked(&mut self, request: Request) {
        match request {
            Request::Enqueue { channel, content, file_ids, nonce, done, reply } => {
                if let Some(done) = done {
                    self.wait_for_stored(&nonce, done);
                }
                self.change(|state| state.outbox.push(channel, &nonce, &content, file_ids));
                _ = reply.send(());
            }
            Request::Retry { nonce, reply } => {
                self.change(|state| state.outbox.retry(&nonce));
                _ = reply.send(());
            }
            Request::Discard { nonce, reply } => {
                self.change(|state| state.outbox.discard(&nonce));
                self.settle(&nonce, &Err(Error::Closed("the message was discarded".to_owned())));
                _ = reply.send(());
            }
            Request::Command { command, reply } => self.send_command(*command, reply).await,
            Request::Watch { users, reply } => {
                let effects = self.change(|state| state.watch_people(users));
                self.carry_out(effects);
                _ = reply.send(());
            }
            Request::LearnMessage { message, reply } => {
                self.change(|state| state.put_message(*message));
                _ = reply.send(());
            }
            Request::LearnChannel { channel, reply } => {
                let effects = self.change(|state| state.put_joined(*channel));
                self.carry_out(effects);
                _ = reply.send(());
            }
            Request::Left { channel, reply } => {
                self.change(|state| state.put_left(channel));
                _ = reply.send(());
            }
            Request::LoadMessages { channel, query, reply } => {
                self.load_messages(channel, query, Duration::ZERO, reply);
            }
            Request::LoadMembers { channel, reply } => self.load_members(channel, Duration::ZERO, reply),
            Request::LoadWorkspaceMembers { workspace, reply } => {
                self.load_workspace_members(workspace, reply);
            }
            Request::LoadDirectory { workspace, reply } => self.load_directory(workspace, reply),
            Request::LoadEmoji { workspace, reply } => self.load_emoji(workspace, reply),
            Request::LoadSaved { reply } => self.load_saved(reply),
            Request::LoadLater { reply } => self.load_later(reply),
            Request::LoadNotifications { reply } => self.load_notices(reply),
            Request::Disconnect { reply } => {
                self.disconnect();
                _ = reply.send(());
            }
            Request::Reconnect { reply } => {
                self.reconnect();
                _ = reply.send(());
            }
            Request::Close { .. } => unreachable!("handled in the loop"),
        }
    }

    fn wait_for_stored(&mut self, nonce: &str, done: Reply<Result<Message, Error>>) {
        if matches!(self.link, Link::Ended) {
            _ = done.send(Err(Error::Closed("the session is over".to_owned())));
        } else {
            self.sends.entry(nonce.to_owned()).or_default().push(done);
        }
    }

    fn new_rid(&mut self) -> String {
        self.last_rid += 1;
        self.last_rid.to_string()
    }

    async fn send_command(&mut self, command: Command, reply: Reply<Result<Value, Error>>) {
        if !self.link.is_up() {
            _ = reply.send(Err(Error::Network("offline".to_owned())));
            return;
        }
        let rid = self.new_rid();
        self.waiting.insert(rid.clone(), Waiting::Command(reply));
        self.send(command, Some(&rid)).await;
    }

    /// Sends what the outbox wants sent now, and whom one watches.
    async fn send_due(&mut self) {
        let now = Instant::now();
        if self.link.is_up() && self.watch_at.is_some_and(|at| at <= now) {
            self.watch_at = None;
            let (rid, watch) = (self.new_rid(), self.state.borrow().watched());
            self.waiting.insert(rid.clone(), Waiting::Watch);
            self.send(Command::Watch(watch), Some(&rid)).await;
        }
        while self.link.is_up() && self.state.borrow().outbox.has_due(now) {
            for pending in self.change(|state| state.outbox.take_due(now)) {
                let rid = self.new_rid();
                self.waiting.insert(rid.clone(), Waiting::Send(pending.nonce.clone()));
                let message = SendMessage {
                    channel_id: pending.channel,
                    content: pending.content,
                    nonce: Some(pending.nonce),
                    thread_root_id: None,
                    also_to_channel: false,
                    file_ids: pending.file_ids,
                };
                self.send(Command::Message(message), Some(&rid)).await;
            }
        }
    }

    async fn came_in(&mut self, incoming: Incoming) {
        let frame = match incoming {
            Incoming::Frame(frame) => *frame,
            Incoming::Unknown(_) => return self.link.heard(),
            Incoming::Closed(code) => return self.lost_by_server(code).await,
        };
        self.link.heard();
        // Nobody has to listen.
        _ = self.events.send(frame.event.clone());
        if let Some(rid) = &frame.rid
            && matches!(frame.event, Event::Ack(_) | Event::Error(_))
        {
            let answer = match frame.event {
                Event::Error(error) => Err(Error::from(error)),
                Event::Ack(payload) => Ok(payload),
                _ => return,
            };
            return self.answered(rid, answer);
        }
        if let Event::Error(error) = &frame.event {
            tracing::warn!(code = ?error.code, detail = error.detail, "the server reports an error");
        }
        self.heard(frame.event);
    }

    fn heard(&mut self, event: Event) {
        let stored = match &event {
            Event::Message(message) => vec![message.clone()],
            Event::Ready(ready) => ready.changes.iter().flat_map(|c| c.messages.clone()).collect(),
            _ => Vec::new(),
        };
        let effects = self.change(|state| state.apply(event, Instant::now()));
        self.settle_all(&stored);
        self.carry_out(effects);
    }

    fn answered(&mut self, rid: &str, answer: Result<Value, Error>) {
        match self.waiting.remove(rid) {
            Some(Waiting::Command(reply)) => _ = reply.send(answer),
            Some(Waiting::Watch) => {
                let wait = answer.err().and_then(|error| error.retry_after());
                self.watch_at = self.watch_at.or_else(|| Some(Instant::now() + wait?));
            }
            Some(Waiting::Send(nonce)) => {
                let stored = answer.and_then(|payload| {
                    serde_json::from_value::<Message>(payload)
                        .map_err(|e| Error::Protocol(format!("ACK of MESSAGE: {e}")))
                });
                match stored {
                    Ok(message) => {
                        self.change(|state| {
                            state.put_message(message.clone());
                            state.outbox.acknowledge(&nonce);
                        });
                        self.settle(&nonce, &Ok(message));
                    }
                    Err(error) => {
                        let fraction = rand::random();
                        let now = Instant::now();
                        if self.change(|state| state.outbox.fail(&nonce, &error, now, fraction)) {
                            self.settle(&nonce, &Err(error));
                        }
                    }
                }
            }
            None => {}
        }
    }

    /// Answers whoever waits for a message to be stored.
    fn settle(&mut self, nonce: &str, outcome: &Result<Message, Error>) {
        for done in self.sends.remove(nonce).into_iter().flatten() {
            _ = done.send(outcome.clone());
        }
    }

    /// Messages that are known to be stored: some may be one's own whose acknowledgement was lost.
    fn settle_all(&mut self, messages: &[Message]) {
        if self.sends.is_empty() {
            return;
        }
        let me = self.state.borrow().my_id();
        for message in messages.iter().filter(|message| Some(message.author.id) == me) {
            if let Some(nonce) = &message.nonce {
                self.settle(nonce, &Ok(message.clone()));
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.question(effect);
        }
    }

    /// The client is over: everyone who waits is told, and nothing more is sent.
    async fn end(&mut self, reason: EndReason) {
        let link = std::mem::replace(&mut self.link, Link::Ended);
        if let Link::Up(up) = link {
            up.socket.close().await;
        }
        self.questions = JoinSet::new();
        let over = Error::Closed("the session is over".to_owned());
        for (_, waiting) in self.waiting.drain() {
            if let Waiting::Command(reply) = waiting {
                _ = reply.send(Err(over.clone()));
            }
        }
        for done in self.sends.drain().flat_map(|(_, done)| done) {
            _ = done.send(Err(over.clone()));
        }
        self.change(|state| {
            state.outbox.connection_lost();
            state.connection = ConnectionStatus::Ended { reason };
        });
    }
}
