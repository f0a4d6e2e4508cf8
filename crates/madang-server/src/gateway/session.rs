//! The life of a connection: HELLO, READY, commands and events, the end.
//!
//! One task serves it: it reads a command, does it, and writes what waits in the outbox, all that is
//! due in one write. A command that is still running holds up the next command of this connection,
//! not its events.
//!
//! Invariants:
//! - A request with a `rid` gets exactly one `ACK` or `ERROR` with it.
//! - Whatever happens here is felt by no other connection.

use std::{future::pending, pin::Pin, time::Duration};

use madang_proto::{
    Event,
    close::CloseCode,
    command::{ClientFrame, Command, Hello},
    error::{ErrorCode, ErrorPayload},
    event::ServerFrame,
    limits,
};
use madang_realtime::{Connection, Frame};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    dispatch, ready,
    ws::{Incoming, Socket},
};
use crate::{
    app::{Actor, App},
    auth,
    error::Error,
    presence,
};

/// The answer to a request.
fn answer(rid: Option<String>, result: Result<Value, ErrorPayload>) -> Option<Frame> {
    let event = match result {
        Ok(_) if rid.is_none() => return None,
        Ok(payload) => Event::Ack(payload),
        Err(payload) => Event::Error(payload),
    };
    Some(ServerFrame { event, rid }.to_json().into())
}

/// Serves a connection to its end.
pub async fn run(app: App, mut socket: Socket, token: Option<String>) {
    let within = Duration::from_millis(limits::HELLO_MS.into());
    let (hello, rid) = match timeout(within, hello(&mut socket)).await {
        Ok(Ok(hello)) => hello,
        Ok(Err(Some(code))) => return socket.close(code).await,
        Ok(Err(None)) => return,
        Err(_) => return socket.close(CloseCode::NoHello).await,
    };
    let token = hello.token.as_ref().map(|t| t.0.clone()).or(token);
    let actor = match auth::actor(&app, token.as_deref().unwrap_or_default()).await {
        Ok(actor) => actor,
        Err(error) => return socket.close(refusal(&error)).await,
    };
    let (connection, ready) = match ready::open(&app, actor, &hello).await {
        Ok(opened) => opened,
        Err(error) => return socket.close(refusal(&error)).await,
    };
    let workspaces: Vec<_> = ready.workspaces.iter().map(|w| w.id).collect();
    let mut frames = vec![ServerFrame::from(Event::Ready(Box::new(ready))).to_json().into()];
    frames.extend(rid.and_then(|rid| answer(Some(rid), Ok(json!({})))));
    let _presence = Present::new(&app, actor);
    presence::announce(&app, app.presence.connected(actor.user, workspaces, app.now().millis())).await;
    if socket.send(&mut frames).await {
        let code = converse(&app, actor, &connection, &mut socket).await;
        drop(connection);
        if let Some(code) = code {
            socket.close(code).await;
        }
    }
}

/// How a failed beginning ends the connection.
fn refusal(error: &Error) -> CloseCode {
    match error.payload().code {
        ErrorCode::Unauthenticated => CloseCode::Unauthenticated,
        _ => CloseCode::Fault,
    }
}

/// Takes a user off the board when the connection ends, also by a panic.
struct Present<'a> {
    app: &'a App,
    actor: Actor,
}

impl<'a> Present<'a> {
    const fn new(app: &'a App, actor: Actor) -> Self {
        Self { app, actor }
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        // Nothing is shown before the sweep finds that nobody came back.
        drop(self.app.presence.disconnected(self.actor.user, self.app.now().millis()));
    }
}

async fn hello(socket: &mut Socket) -> Result<(Hello, Option<String>), Option<CloseCode>> {
    loop {
        let text = match socket.receive().await {
            Incoming::Text(text) => text,
            Incoming::Alive => continue,
            Incoming::Bad(code) => return Err(Some(code)),
            Incoming::Gone => return Err(None),
        };
        return match ClientFrame::parse(&text) {
            Ok(ClientFrame { command: Command::Hello(hello), rid }) => Ok((hello, rid)),
            Ok(_) => Err(Some(CloseCode::NoHello)),
            Err(bad) => {
                let mut frames: Vec<_> =
                    bad.error.and_then(|e| answer(bad.rid, Err(e))).into_iter().collect();
                socket.send(&mut frames).await;
                Err(Some(CloseCode::Protocol))
            }
        };
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Option<Frame>> + Send + 'a>>;

/// Commands and events until the end; gives the code to close with, or none when the client is gone.
async fn converse(
    app: &App,
    actor: Actor,
    connection: &Connection,
    socket: &mut Socket,
) -> Option<CloseCode> {
    let silence = Duration::from_millis(limits::SILENCE_MS.into());
    let mut deadline = Instant::now() + silence;
    let mut running: Option<Running<'_>> = None;
    let mut frames = Vec::new();
    loop {
        tokio::select! {
            reply = async { match running.as_mut() { Some(r) => r.await, None => pending().await } } => {
                running = None;
                if let Some(frame) = reply {
                    connection.outbox().push_reply(frame);
                }
            }
            due = connection.outbox().recv(&mut frames) => {
                if let Err(code) = due {
                    return Some(code);
                }
                // A client that takes nothing is closed by its full outbox before the write gives up.
                let sent = tokio::select! {
                    sent = socket.send(&mut frames) => sent,
                    code = connection.outbox().closed() => return Some(code),
                };
                if !sent {
                    return Some(CloseCode::TooSlow);
                }
            }
            incoming = socket.receive(), if running.is_none() => {
                deadline = Instant::now() + silence;
                match incoming {
                    Incoming::Text(text) => match ClientFrame::parse(&text) {
                        Ok(frame) => running = Some(Box::pin(obey(app, actor, connection, frame))),
                        Err(bad) => match bad.error {
                            Some(error) => {
                                answer(bad.rid, Err(error)).into_iter().for_each(|f| connection.outbox().push_reply(f));
                            }
                            None => return Some(CloseCode::Protocol),
                        },
                    },
                    Incoming::Alive => {}
                    Incoming::Bad(code) => return Some(code),
                    Incoming::Gone => return None,
                }
            }
            () = sleep_until(deadline) => return Some(CloseCode::Silent),
        }
    }
}

async fn obey(app: &App, actor: Actor, connection: &Connection, frame: ClientFrame) -> Option<Frame> {
    app.faults.point("connection");
    let result = dispatch::command(app, actor, connection, frame.command).await;
    answer(frame.rid, result.map_err(|error| error.payload()))
}
