//! The life of a connection: HELLO, READY, commands and events, the end.
//!
//! One task on the thread of its shard serves it: it reads a command, has it done, and writes what waits
//! in the outbox, all that is due in one write. What asks the database is done on the common runtime; a
//! message to a channel that is known in memory waits for the writer right here, as `PING` waits for what
//! was announced before it. A command that is still
//! running holds up the next command of this connection, not its events.
//!
//! Invariants:
//! - A request with a `rid` gets exactly one `ACK` or `ERROR` with it.
//! - Whatever happens here is felt by no other connection.

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use madang_proto::{
    ConnectionId, Event,
    close::CloseCode,
    command::{ClientFrame, Command, Hello},
    error::{ErrorCode, ErrorPayload},
    event::ServerFrame,
    limits,
};
use madang_realtime::{Codec, Connection, Frame, Opening};
use serde_json::{Value, json};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};
use tracing::Instrument;

use super::{
    codec, dispatch, ready,
    ws::{self, Incoming, Socket},
};
use crate::{
    app::{Actor, App},
    auth,
    error::Error,
    messages, presence, spans,
};

/// The answer to a request.
fn answer(rid: Option<String>, result: Result<Value, ErrorPayload>, codec: Codec) -> Option<Frame> {
    let event = match result {
        Ok(_) if rid.is_none() => return None,
        Ok(payload) => Event::Ack(payload),
        Err(payload) => Event::Error(payload),
    };
    Some(codec::frame(&ServerFrame { event, rid }, codec))
}

/// Does something on the common runtime; nothing comes of it if it panicked, which is logged and counted.
async fn elsewhere<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    {
        let _there = app.runtime.enter();
        app.supervisor.isolated("connections", async move { drop(done.send(work.await)) });
    }
    result.await.ok()
}

/// Frames that an idle connection keeps room for.
const KEPT_SLOTS: usize = 2;

/// How a beginning failed: what the client is told, and the code to close with; no code when it is gone.
struct Refused {
    frames: Vec<Frame>,
    code: Option<CloseCode>,
}

impl From<Option<CloseCode>> for Refused {
    fn from(code: Option<CloseCode>) -> Self {
        Self { frames: Vec::new(), code }
    }
}

/// A connection that began.
struct Begun {
    actor: Actor,
    connection: Arc<Connection>,
    present: Present,
    frames: Vec<Frame>,
}

/// What a connection needs until it has begun.
pub struct Beginning {
    /// The token of the handshake.
    pub token: Option<String>,
    /// Says that it is being opened.
    pub opening: Opening,
}

/// Serves a connection to its end.
pub async fn run(app: App, id: ConnectionId, mut socket: Socket, beginning: Box<Beginning>) {
    // What a beginning and an end need of memory is not held for the long time between.
    let begun = Box::pin(begin(&app, id, &mut socket, beginning)).await;
    let code = match begun {
        Ok(Begun { actor, connection, present: _present, mut frames }) => {
            app.metrics.opened();
            if !socket.send(&mut frames).await {
                return app.metrics.closed(None);
            }
            drop(frames);
            if let Some(sink) = socket.sink() {
                connection.outbox().lend(sink);
            }
            let code = converse(&app, actor, &connection, &mut socket).await;
            app.metrics.closed(code);
            code
        }
        Err(Refused { mut frames, code }) => {
            app.metrics.not_opened(code);
            if !socket.send(&mut frames).await {
                return;
            }
            code
        }
    };
    match code {
        Some(code) => Box::pin(socket.close(code)).await,
        None => Box::pin(socket.answer_close()).await,
    }
}

async fn begin(
    app: &App,
    id: ConnectionId,
    socket: &mut Socket,
    beginning: Box<Beginning>,
) -> Result<Begun, Refused> {
    let Beginning { token, opening: _opening } = *beginning;
    let within = Duration::from_millis(limits::HELLO_MS.into());
    let (hello, rid) =
        timeout(within, hello(socket)).await.unwrap_or_else(|_| Err(Some(CloseCode::NoHello).into()))?;
    socket.batch(hello.batch);
    let (codec, event_codec) = (socket.codec(), socket.event_codec());
    let (on, token) = (app.clone(), hello.token.as_ref().map(|t| t.0.clone()).or(token));
    let work = async move {
        let actor = auth::actor(&on, token.as_deref().unwrap_or_default()).await;
        let actor = actor.map_err(|e| refusal(rid.clone(), &e, codec))?;
        let opened = ready::open(&on, id, actor, &hello, event_codec).await;
        let (connection, ready, said) = opened.map_err(|e| refusal(rid.clone(), &e, codec))?;
        let workspaces: Vec<_> = ready.workspaces.iter().map(|w| w.id).collect();
        let ready = ServerFrame::from(Event::Ready(Box::new(ready)));
        let frames: Vec<Frame> = std::iter::once(codec::frame(&ready, codec))
            .chain(rid.and_then(|rid| answer(Some(rid), Ok(json!({})), codec)))
            .collect();
        let present = Present { app: on.clone(), actor };
        on.presence.connected(actor.user, said.clone(), workspaces, on.now().millis());
        presence::keep_up(&on, actor.user, said).await;
        Ok(Begun { actor, connection: Arc::new(connection), present, frames })
    };
    elsewhere(app, work).await.unwrap_or_else(|| Err(Some(CloseCode::Fault).into()))
}

/// What a client is told when its beginning failed, and whether it may come back with the same.
fn refusal(rid: Option<String>, error: &Error, codec: Codec) -> Refused {
    let payload = error.payload();
    let code = match payload.code {
        ErrorCode::Unauthenticated => CloseCode::Unauthenticated,
        ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::StorageFull | ErrorCode::Internal => {
            CloseCode::Fault
        }
        ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::Invalid
        | ErrorCode::MethodNotAllowed
        | ErrorCode::Conflict
        | ErrorCode::PreconditionFailed
        | ErrorCode::TooLarge
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::RangeNotSatisfiable
        | ErrorCode::UpgradeRequired => CloseCode::Protocol,
    };
    Refused { frames: answer(rid, Err(payload), codec).into_iter().collect(), code: Some(code) }
}

/// Takes a user off the board when the connection ends, also by a panic.
struct Present {
    app: App,
    actor: Actor,
}

impl Drop for Present {
    fn drop(&mut self) {
        // Nothing is shown before the sweep finds that nobody came back.
        self.app.presence.disconnected(self.actor.user, self.app.now().millis());
    }
}

async fn hello(socket: &mut Socket) -> Result<(Hello, Option<String>), Refused> {
    loop {
        let said = match socket.receive().await {
            Incoming::Said(said) => said,
            Incoming::Ping(payload) => {
                socket.send(&mut vec![ws::pong(&payload)]).await;
                continue;
            }
            Incoming::Pong => continue,
            Incoming::Refused(_) => return Err(Some(CloseCode::TooManyFrames).into()),
            Incoming::Bad(code) => return Err(Some(code).into()),
            Incoming::Closed | Incoming::Gone => return Err(None.into()),
        };
        return match said {
            Ok(ClientFrame { command: Command::Hello(hello), rid }) => Ok((hello, rid)),
            Ok(_) => Err(Some(CloseCode::NoHello).into()),
            Err(bad) => {
                let frames =
                    bad.error.and_then(|e| answer(bad.rid, Err(e), socket.codec())).into_iter().collect();
                Err(Refused { frames, code: Some(CloseCode::Protocol) })
            }
        };
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Option<Option<Frame>>> + Send + 'a>>;

/// Commands and events until the end; gives the code to close with, or none when the client is gone.
async fn converse(
    app: &App,
    actor: Actor,
    connection: &Arc<Connection>,
    socket: &mut Socket,
) -> Option<CloseCode> {
    let silence = Duration::from_millis(limits::SILENCE_MS.into());
    // Set anew when it is over and not with each frame: a sign of life only has to be noted.
    let mut heard = Instant::now();
    let mut silent = pin!(sleep_until(heard + silence));
    let mut running: Option<Running<'_>> = None;
    let mut frames = Vec::new();
    let outbox = connection.outbox();
    loop {
        tokio::select! {
            // What the client says first: it says little, and would wait for a busy room for ever.
            biased;
            reply = async { match running.as_mut() { Some(r) => r.await, None => pending().await } } => {
                running = None;
                match reply {
                    Some(frame) => frame.into_iter().for_each(|frame| outbox.push_reply(frame)),
                    None => return Some(CloseCode::Fault),
                }
            }
            incoming = socket.receive(), if running.is_none() => {
                heard = Instant::now();
                match incoming {
                    Incoming::Said(said) => match said {
                        Ok(frame) => {
                            let here = matches!(&frame.command, Command::Ping(_)) || matches!(&frame.command,
                                Command::Message(new) if messages::is_known(app, actor, new));
                            let work = obey(app.clone(), actor, Arc::clone(connection), frame);
                            running = Some(if here {
                                Box::pin(async { Some(work.await) })
                            } else {
                                Box::pin(elsewhere(app, work))
                            });
                        }
                        Err(bad) => match bad.error {
                            Some(error) => {
                                let answer = answer(bad.rid, Err(error), connection.info().codec);
                                answer.into_iter().for_each(|frame| outbox.push_reply(frame));
                            }
                            None => return Some(CloseCode::Protocol),
                        },
                    },
                    Incoming::Refused(rid) => {
                        let error = Error::RateLimited { retry_after: 1 }.payload();
                        let answer = answer(rid, Err(error), connection.info().codec);
                        answer.into_iter().for_each(|frame| outbox.push_reply(frame));
                    }
                    Incoming::Ping(payload) => outbox.push_reply(ws::pong(&payload)),
                    Incoming::Pong => {}
                    Incoming::Bad(code) => return Some(code),
                    Incoming::Closed | Incoming::Gone => return None,
                }
            }
            due = outbox.recv(&mut frames) => {
                if let Err(code) = due {
                    return Some(code);
                }
                // A client that takes nothing is closed by its full outbox before the write gives up.
                let sent = tokio::select! {
                    biased;
                    sent = socket.send(&mut frames) => sent,
                    code = outbox.closed() => return Some(code),
                };
                if !sent {
                    return Some(CloseCode::TooSlow);
                }
                frames.shrink_to(KEPT_SLOTS);
            }
            () = silent.as_mut() => {
                if heard.elapsed() >= silence {
                    return Some(CloseCode::Silent);
                }
                silent.as_mut().reset(heard + silence);
            }
        }
    }
}

async fn obey(app: App, actor: Actor, connection: Arc<Connection>, frame: ClientFrame) -> Option<Frame> {
    app.faults.point("connection");
    let span = spans::command(&frame.command);
    let result = dispatch::command(&app, actor, &connection, frame.command).instrument(span).await;
    answer(frame.rid, result.map_err(|error| error.payload()), connection.info().codec)
}
