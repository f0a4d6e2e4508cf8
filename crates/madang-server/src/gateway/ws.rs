//! Sockets of the gateway: the handshake, and frames in and out of a stream.
//!
//! Buffers belong to the thread, not to the connection: what is due for a socket is joined there into
//! one write, and what comes is read there. A connection keeps only what was cut off.

use std::{cell::RefCell, io, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use madang_proto::{
    close::CloseCode,
    command::{BadFrame, ClientFrame},
    error::ErrorCode,
    limits,
};
use madang_realtime::{Codec, Frame, Sink};
use madang_websocket::{self as websocket, Decoder, Message, Opcode, Violation};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    codec,
    join::{self, Joining},
    negotiate::Agreed,
    pace::{Pace, Taken},
    session::{self, Beginning},
    stream::{Detached, Stream},
};
use crate::{
    app::App,
    drain,
    error::Result,
    http::{
        Place, Query,
        extract::{Address, bearer},
    },
    pulse,
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
    request: Request,
) -> Result<Response> {
    let answer = handshake(app.clone(), place, address, parameters, request);
    match &answer {
        Err(error) => app.metrics.refused(error.code()),
        Ok(answer) if answer.status() == StatusCode::UPGRADE_REQUIRED => {
            app.metrics.refused(ErrorCode::UpgradeRequired);
        }
        // What comes of it is counted when it has begun, or not.
        Ok(_) => {}
    }
    answer
}

fn handshake(
    app: App,
    place: Place,
    address: IpAddr,
    parameters: Parameters,
    mut request: Request,
) -> Result<Response> {
    drain::refuse(&app)?;
    pulse::refuse(&app)?;
    app.limits.check(Limit::ConnectByAddress, address)?;
    let handshake = (accept(request.headers()), request.extensions_mut().remove::<OnUpgrade>());
    let (Some(accept), Some(upgrading)) = handshake else {
        let version = (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let upgrade = (header::UPGRADE, HeaderValue::from_static("websocket"));
        return Ok((StatusCode::UPGRADE_REQUIRED, [version, upgrade]).into_response());
    };
    let agreed = Agreed::with(request.headers());
    let token = bearer(request.headers()).map(str::to_owned).or(parameters.token);
    let id = app.id();
    // In a box, which the connection does not hold on to.
    let beginning = Box::new(Beginning { token, opening: app.hub.opening(id) });
    app.supervisor.clone().isolated("upgrades", async move {
        let Ok(upgraded) = upgrading.await else { return };
        let Ok((stream, early)) = Detached::of(upgraded) else { return };
        // The connection lives on the thread of its shard.
        let (thread, supervisor) = (app.threads.of(app.hub.shard_of(id)).clone(), app.supervisor.clone());
        let _there = thread.enter();
        // A panic in it costs this connection and is counted.
        supervisor.isolated("connections", async move {
            // Kept to the end, so that a stop waits for the goodbye.
            let _place = place;
            let pace = Pace::new(app.limits.are_on());
            if let Ok(socket) = Socket::new(stream, &early, agreed, pace) {
                session::run(app, id, socket, beginning).await;
            }
        });
    });
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers, agreed.headers()).into_response())
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

/// The answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Frame {
    Frame::new(websocket::frame(Opcode::Pong, payload).into())
}

/// What came from the client.
pub enum Incoming {
    /// Something said, or what is wrong with it.
    Said(std::result::Result<ClientFrame, BadFrame>),
    /// Something said that is one too many, by its `rid`.
    Refused(Option<String>),
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
    agreed: Agreed,
    batch: bool,
    decoder: Decoder,
    pace: Pace,
    /// What the kernel did not take yet; it may begin in the middle of a frame.
    unsent: Vec<u8>,
}

impl Socket {
    fn new(stream: Detached, early: &[u8], agreed: Agreed, pace: Pace) -> io::Result<Self> {
        let mut decoder = Decoder::new(limits::FRAME_BYTES, agreed.deflate.is_some());
        decoder.feed(early);
        Ok(Self { stream: stream.attach()?, agreed, batch: false, decoder, pace, unsent: Vec::new() })
    }

    /// From now on several frames may be one message.
    pub const fn batch(&mut self, batch: bool) {
        self.batch = batch;
    }

    /// How answers are written that are large and for this client alone.
    pub fn codec(&self) -> Codec {
        self.agreed.codec()
    }

    /// How events are written: not compressed, where they are joined before.
    pub fn event_codec(&self) -> Codec {
        if self.batch { self.codec().plain() } else { self.codec() }
    }

    /// How frames are put together; nothing where they go out as they are.
    fn joining(&self) -> Option<Joining> {
        let Agreed { encoding, deflate, .. } = self.agreed;
        let windowed = deflate.is_some_and(|deflate| deflate.longest().is_some());
        (self.batch || windowed).then_some(Joining { encoding, deflate, batch: self.batch })
    }

    /// Where frames may be written as they are, whenever [`Self::send`] is not under way; nowhere where they have to
    /// be put together first.
    pub fn sink(&self) -> Option<Arc<dyn Sink>> {
        if self.joining().is_some() { None } else { self.stream.sink() }
    }

    /// What comes next. May be cancelled.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            let message = self.decoder.message();
            let taken = self.pace.take(self.decoder.frames());
            if taken == Taken::Flood {
                return Incoming::Bad(CloseCode::TooManyFrames);
            }
            match message {
                Ok(Some(said @ (Message::Text(_) | Message::Binary(_)))) => {
                    let said = codec::parse(&said, self.agreed.encoding);
                    return match said {
                        Some(said) if taken == Taken::Well => Incoming::Said(said),
                        Some(Ok(ClientFrame { rid, .. }) | Err(BadFrame { rid, .. })) => {
                            Incoming::Refused(rid)
                        }
                        None => Incoming::Bad(CloseCode::Protocol),
                    };
                }
                // Too many pings are not answered.
                Ok(Some(Message::Ping(_))) if taken == Taken::Refused => return Incoming::Pong,
                Ok(Some(Message::Ping(payload))) => return Incoming::Ping(payload),
                Ok(Some(Message::Pong)) => return Incoming::Pong,
                Ok(Some(Message::Close(_))) => return Incoming::Closed,
                Err(Violation::TooLarge) => return Incoming::Bad(CloseCode::TooLarge),
                Err(Violation::Protocol | Violation::NotUtf8 | Violation::NotDeflated) => {
                    return Incoming::Bad(CloseCode::Protocol);
                }
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
        if let Some(joining) = self.joining().filter(|_| !frames.is_empty()) {
            let joined = join::join(frames, joining);
            frames.clear();
            frames.push(joined);
        }
        let mut due = frames.drain(..).peekable();
        while let Some(first) = due.next() {
            let together = |next: &Frame, bytes: usize| bytes + next.len() <= JOINED_BYTES;
            let written = if due.peek().is_some_and(|next| together(next, first.len())) {
                JOINED.with_borrow_mut(|joined| {
                    joined.clear();
                    joined.extend_from_slice(first.bytes());
                    while let Some(next) = due.next_if(|next| together(next, joined.len())) {
                        joined.extend_from_slice(next.bytes());
                    }
                    self.write(joined)
                })
            } else {
                self.write(first.bytes())
            };
            if written.is_err() || (self.owes() && !Box::pin(self.flush()).await) {
                return false;
            }
        }
        true
    }

    /// Writes what the kernel takes now, and keeps the rest.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        WRITES.set(WRITES.get() + 1);
        let written = taken(self.stream.try_write(bytes))?;
        self.unsent.extend_from_slice(bytes.get(written..).unwrap_or_default());
        Ok(())
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
                loop {
                    match self.receive().await {
                        // It does not read before it has said all.
                        Incoming::Bad(CloseCode::TooManyFrames) => {}
                        Incoming::Closed | Incoming::Gone | Incoming::Bad(_) => break,
                        Incoming::Said(_) | Incoming::Refused(_) | Incoming::Ping(_) | Incoming::Pong => {}
                    }
                }
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
thread_local! {
    /// Writes of this thread, for tests that count them.
    pub static WRITES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
impl Socket {
    /// A socket on a stream that a test made.
    pub fn on(stream: Stream) -> Self {
        let decoder = Decoder::new(limits::FRAME_BYTES, false);
        Self {
            stream,
            agreed: Agreed::default(),
            batch: false,
            decoder,
            pace: Pace::new(false),
            unsent: Vec::new(),
        }
    }
}
