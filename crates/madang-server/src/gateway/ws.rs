//! Sockets of the gateway: the handshake, and frames in and out of a stream.
//!
//! Buffers belong to the thread, not to the connection: what is due for a socket is joined there into
//! one write, and what comes is read there. A connection keeps only what was cut off.

use std::{cell::RefCell, io, time::Duration};

use axum::{
    Extension,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use madang_proto::{close::CloseCode, limits};
use madang_realtime::Frame;
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    session,
    stream::{Detached, Stream},
    websocket::{self, Decoder, Message, Opcode, Violation},
};
use crate::{
    app::App,
    error::Result,
    http::{
        Place,
        extract::{Address, bearer},
    },
    ratelimit::Limit,
};

/// A reader that takes nothing for this long is too slow.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
const READ_BYTES: usize = 16 * 1024;
/// Joined frames of a thread take this much at most; a larger frame goes out alone.
const JOINED_BYTES: usize = 64 * 1024;

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
    static JOINED: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(JOINED_BYTES));
}

/// What the address of the socket may carry.
#[derive(Deserialize)]
pub struct Parameters {
    token: Option<String>,
}

/// `GET /api/v1/ws`.
pub async fn upgrade(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Address(address): Address,
    Query(parameters): Query<Parameters>,
    mut request: Request,
) -> Result<Response> {
    app.limits.check(Limit::ConnectByAddress, address)?;
    let handshake = (accept(request.headers()), request.extensions_mut().remove::<OnUpgrade>());
    let (Some(accept), Some(upgrading)) = handshake else {
        let version = (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let text = "This is the gateway: connect with a WebSocket client (RFC 6455, version 13).\n";
        return Ok((StatusCode::UPGRADE_REQUIRED, [version], text).into_response());
    };
    let token = bearer(request.headers()).map(str::to_owned).or(parameters.token);
    app.supervisor.clone().isolated("upgrades", async move {
        let Ok(upgraded) = upgrading.await else { return };
        let Ok((stream, early)) = Detached::of(upgraded) else { return };
        // The connection lives on the thread of its shard.
        let id = app.id();
        let (thread, supervisor) = (app.threads.of(app.hub.shard_of(id)).clone(), app.supervisor.clone());
        let _there = thread.enter();
        // A panic in it costs this connection and is counted.
        supervisor.isolated("connections", async move {
            // Kept to the end, so that a stop waits for the goodbye.
            let _place = place;
            if let Ok(socket) = Socket::new(stream, &early) {
                session::run(app, id, socket, token).await;
            }
        });
    });
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// The answer to a handshake (RFC 6455, 4.2.1), if it is one.
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let says = |name, word: &str| {
        let text = headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
        text.split(',').any(|w| w.trim().eq_ignore_ascii_case(word))
    };
    let asked = says(header::UPGRADE, "websocket")
        && says(header::CONNECTION, "upgrade")
        && says(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked)?;
    HeaderValue::from_str(&websocket::accept(key.as_bytes())).ok()
}

/// A frame of text.
#[must_use]
pub fn text(text: &str) -> Frame {
    Frame::new(websocket::frame(Opcode::Text, text.as_bytes()).into())
}

/// The answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Frame {
    Frame::new(websocket::frame(Opcode::Pong, payload).into())
}

/// What came from the client.
pub enum Incoming {
    /// A frame.
    Text(String),
    /// To be answered by a [`pong`].
    Ping(Vec<u8>),
    /// A sign of life.
    Pong,
    /// Not a frame of ours, for this reason.
    Bad(CloseCode),
    /// The client said goodbye.
    Closed,
    /// The client is gone.
    Gone,
}

/// A socket.
pub struct Socket {
    stream: Stream,
    decoder: Decoder,
    /// What the kernel did not take yet; it may begin in the middle of a frame.
    unsent: Vec<u8>,
}

impl Socket {
    fn new(stream: Detached, early: &[u8]) -> io::Result<Self> {
        let mut decoder = Decoder::new(limits::FRAME_BYTES);
        decoder.feed(early);
        Ok(Self { stream: stream.attach()?, decoder, unsent: Vec::new() })
    }

    /// What comes next. May be cancelled.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            match self.decoder.next() {
                Ok(Some(Message::Text(text))) => return Incoming::Text(text),
                Ok(Some(Message::Binary(_))) => return Incoming::Bad(CloseCode::Protocol),
                Ok(Some(Message::Ping(payload))) => return Incoming::Ping(payload),
                Ok(Some(Message::Pong)) => return Incoming::Pong,
                Ok(Some(Message::Close(_))) => return Incoming::Closed,
                Err(Violation::TooLarge) => return Incoming::Bad(CloseCode::TooLarge),
                Err(Violation::Protocol | Violation::NotUtf8) => return Incoming::Bad(CloseCode::Protocol),
                Ok(None) => {}
            }
            if self.stream.readable().await.is_err() {
                return Incoming::Gone;
            }
            let read = READ.with_borrow_mut(|buffer| {
                let read = self.stream.try_read(buffer)?;
                self.decoder.feed(buffer.get(..read).unwrap_or_default());
                Ok::<_, io::Error>(read)
            });
            match read {
                Ok(0) => return Incoming::Gone,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Incoming::Gone,
            }
        }
    }

    /// Writes frames, joined into as few writes as it can. False when the client is gone or takes
    /// nothing. When it is cancelled, the frames are lost but for the one that is half written.
    pub async fn send(&mut self, frames: &mut Vec<Frame>) -> bool {
        let mut due = frames.drain(..).peekable();
        while let Some(first) = due.next() {
            let taken = JOINED.with_borrow_mut(|joined| {
                joined.clear();
                joined.extend_from_slice(first.bytes());
                while let Some(next) = due.next_if(|next| joined.len() + next.len() <= JOINED_BYTES) {
                    joined.extend_from_slice(next.bytes());
                }
                let written = taken(self.stream.try_write(joined))?;
                self.unsent.extend_from_slice(joined.get(written..).unwrap_or_default());
                joined.shrink_to(JOINED_BYTES);
                Ok::<_, io::Error>(())
            });
            if taken.is_err() || (self.owes() && !self.flush().await) {
                return false;
            }
        }
        true
    }

    /// Whether something waits for the kernel.
    fn owes(&self) -> bool {
        !self.unsent.is_empty() || self.stream.holds()
    }

    /// Writes what is unsent. False when the client is gone or takes nothing.
    async fn flush(&mut self) -> bool {
        let flushing = async {
            while self.owes() {
                self.stream.writable().await?;
                let written = taken(self.stream.try_write(&self.unsent))?;
                self.unsent.drain(..written);
            }
            self.unsent = Vec::new();
            Ok::<_, io::Error>(())
        };
        matches!(timeout(WRITE_WITHIN, flushing).await, Ok(Ok(())))
    }

    /// Says why and closes. Waits for the client's goodbye: closing before it has read would take the
    /// reason away.
    pub async fn close(mut self, code: CloseCode) {
        self.unsent.extend(websocket::close(code.number(), code.reason()));
        let closing = async {
            if self.flush().await {
                while !matches!(self.receive().await, Incoming::Closed | Incoming::Gone | Incoming::Bad(_)) {}
            }
        };
        drop(timeout(CLOSE_WITHIN, closing).await);
    }

    /// Answers the client's goodbye.
    pub async fn answer_close(mut self) {
        self.unsent.extend(websocket::close(1000, ""));
        drop(timeout(CLOSE_WITHIN, self.flush()).await);
    }
}

/// How much the kernel took; nothing, when it has no room.
fn taken(write: io::Result<usize>) -> io::Result<usize> {
    match write {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

#[cfg(test)]
impl Socket {
    /// A socket on a stream that a test made.
    pub fn on(stream: Stream) -> Self {
        Self { stream, decoder: Decoder::new(limits::FRAME_BYTES), unsent: Vec::new() }
    }
}
