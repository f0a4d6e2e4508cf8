//! The connection's life: connecting, heartbeat, loss, return.
//!
//! A refused token is renewed once and tried again; a session that cannot be renewed is over. A close
//! code from 4100 to 4199 says not to come back without a change; every other end leads to another
//! attempt after a random, growing delay.
//!
//! Invariants:
//! - At most one connection and one attempt at a time.
//! - A server that takes clients in and throws them out again is not stormed: the delays start small
//!   again only after a connection that lasted.

use std::time::{Duration, Instant};

use madang_proto::{
    Command, Encoding, Event,
    close::{CloseCode, may_return},
    command::{Empty, Hello},
    error::ErrorCode,
    event::Ready,
};
use tokio::task::JoinSet;

use super::{Done, Driver, Waiting};
use crate::{
    Error, Http, RawSocket,
    socket::Incoming,
    status::{ConnectionStatus, EndReason, OfflineReason},
};

/// A connection that lasted this long was a good one.
const LASTED: Duration = Duration::from_secs(10);
/// How long the answer to a `PING` may take.
const PONG_WITHIN: Duration = Duration::from_secs(15);

/// Where the connection stands.
pub(super) enum Link {
    /// An attempt runs among the questions.
    Connecting,
    /// Connected.
    Up(Box<Up>),
    /// Not connected until then, or until asked.
    Waiting { until: Option<Instant> },
    /// Over.
    Ended,
}

/// A live connection.
pub(super) struct Up {
    pub(super) socket: RawSocket,
    since: Instant,
    heard_at: Instant,
    ping_at: Instant,
    interval: Duration,
}

impl Link {
    pub(super) const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    /// The next frame; never, while there is no connection.
    pub(super) async fn next(&mut self) -> Incoming {
        match self {
            Self::Up(up) => up.socket.next_frame().await,
            Self::Connecting | Self::Waiting { .. } | Self::Ended => std::future::pending().await,
        }
    }

    pub(super) fn heard(&mut self) {
        if let Self::Up(up) = self {
            up.heard_at = Instant::now();
        }
    }
}

pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// One attempt: a fresh token, the socket, `HELLO`, `READY`.
async fn attempt(http: Http, hello: Hello, encoding: Encoding) -> Result<(RawSocket, Ready), Error> {
    let token = http.fresh_token().await?;
    let first = greet(&http, token.as_ref().map(|token| token.0.as_str()), hello.clone(), encoding).await;
    match (first, token) {
        (Err(error), Some(used)) if error.code() == Some(ErrorCode::Unauthenticated) => {
            let newer = http.renew(&used).await?;
            greet(&http, Some(&newer.0), hello, encoding).await
        }
        (outcome, _) => outcome,
    }
}

async fn greet(
    http: &Http,
    token: Option<&str>,
    hello: Hello,
    encoding: Encoding,
) -> Result<(RawSocket, Ready), Error> {
    let mut socket = match encoding {
        // Not asked for by name, so that any server answers.
        Encoding::Json => RawSocket::connect(http.server(), token).await?,
        Encoding::MessagePack => RawSocket::connect_in(http.server(), token, encoding).await?,
    };
    let ready = socket.hello(hello).await?;
    Ok((socket, ready))
}

impl Driver {
    pub(super) fn connect(&mut self) {
        let hello = Hello {
            subscribe: self.options.subscribe,
            resume: self.state.borrow().resume(),
            ..Hello::default()
        };
        let (http, encoding) = (self.http.clone(), self.options.encoding);
        self.questions.spawn(async move { Done::Connected(Box::new(attempt(http, hello, encoding).await)) });
        self.link = Link::Connecting;
        self.change(|state| state.connection = ConnectionStatus::Connecting);
    }

    pub(super) async fn connected(&mut self, outcome: Result<(RawSocket, Ready), Error>) {
        if !matches!(self.link, Link::Connecting) {
            return;
        }
        match outcome {
            Ok((socket, ready)) => {
                let now = Instant::now();
                let server_says = Duration::from_millis(u64::from(ready.heartbeat_interval_ms.max(1_000)));
                let interval = self.options.heartbeat.unwrap_or(server_says);
                let up = Up { socket, since: now, heard_at: now, ping_at: now + interval, interval };
                self.link = Link::Up(Box::new(up));
                let event = Event::Ready(Box::new(ready));
                // Nobody has to listen.
                _ = self.events.send(event.clone());
                self.heard(event);
                self.change(|state| state.connection = ConnectionStatus::Online);
            }
            Err(error) if error.code() == Some(ErrorCode::Unauthenticated) => {
                self.end(EndReason::SignedOut).await;
            }
            Err(error) => {
                let reason = match error.code() {
                    Some(code) => OfflineReason::Refused(code),
                    None => OfflineReason::Unreachable(error.to_string()),
                };
                let wait = self.backoff.next(rand::random()).max(error.retry_after().unwrap_or_default());
                self.wait(reason, Some(Instant::now() + wait));
            }
        }
    }

    /// The connection ended without our doing.
    pub(super) async fn lost_by_server(&mut self, code: Option<u16>) {
        tracing::debug!(?code, "connection lost");
        match code {
            Some(code) if code == CloseCode::Unauthenticated.number() => {
                // The token may just have run out: renewing it tells.
                let used = self.http.current_token();
                let renewed = match &used {
                    Some(used) => self.http.renew(used).await.map(drop),
                    None => Ok(()),
                };
                match renewed {
                    Err(error) if !error.is_temporary() => self.end(EndReason::SignedOut).await,
                    _ => self.lost(OfflineReason::Closed(code)),
                }
            }
            Some(code) if code == CloseCode::SessionEnded.number() => self.end(EndReason::SignedOut).await,
            Some(code) if !may_return(code) => self.end(EndReason::Closed(code)).await,
            Some(code) if code >= 4000 => self.lost(OfflineReason::Closed(code)),
            _ => self.lost(OfflineReason::Lost),
        }
    }

    pub(super) fn lost(&mut self, reason: OfflineReason) {
        if let Link::Up(up) = &self.link
            && up.since.elapsed() >= LASTED
        {
            self.backoff.reset();
        }
        let wait = self.backoff.next(rand::random());
        self.wait(reason, Some(Instant::now() + wait));
    }

    /// Without a connection from now on.
    fn wait(&mut self, reason: OfflineReason, until: Option<Instant>) {
        self.link = Link::Waiting { until };
        self.questions = JoinSet::new();
        for (_, waiting) in self.waiting.drain() {
            if let Waiting::Command(reply) = waiting {
                _ = reply.send(Err(Error::Network("the connection was lost before the answer".to_owned())));
            }
        }
        self.change(|state| {
            state.outbox.connection_lost();
            state.connection = ConnectionStatus::Offline { reason, retry_at: until };
        });
    }

    pub(super) fn disconnect(&mut self) {
        if !matches!(self.link, Link::Ended) {
            self.wait(OfflineReason::Asked, None);
        }
    }

    pub(super) fn reconnect(&mut self) {
        if matches!(self.link, Link::Waiting { .. }) {
            self.connect();
        }
    }

    /// Sends a frame; a connection that does not take it is lost.
    pub(super) async fn send(&mut self, command: Command, rid: Option<&str>) {
        let Link::Up(up) = &mut self.link else { return };
        if up.socket.send(command, rid).await.is_err() {
            self.lost(OfflineReason::Lost);
        }
    }

    /// When there is something to do, if nothing else happens.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let state = self.state.borrow();
        let link = match &self.link {
            Link::Up(up) => Some(up.ping_at.min(up.heard_at + up.interval + PONG_WITHIN)),
            Link::Waiting { until } => *until,
            Link::Connecting | Link::Ended => None,
        };
        let (outbox, watch) = match self.link.is_up() {
            true => (state.outbox.wake_at(), self.watch_at),
            false => (None, None),
        };
        [link, outbox, watch, state.typing_ends_at()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) async fn on_time(&mut self) {
        let now = Instant::now();
        if self.state.borrow().typing_ends_at().is_some_and(|at| at <= now) {
            self.change(|state| state.expire(now));
        }
        match &mut self.link {
            Link::Waiting { until: Some(until) } if *until <= now => self.connect(),
            Link::Up(up) if up.heard_at + up.interval + PONG_WITHIN <= now => {
                self.lost(OfflineReason::Silent);
            }
            Link::Up(up) if up.ping_at <= now => {
                up.ping_at = now + up.interval;
                self.send(Command::Ping(Empty {}), None).await;
            }
            Link::Up(_) | Link::Waiting { .. } | Link::Connecting | Link::Ended => {}
        }
    }
}
