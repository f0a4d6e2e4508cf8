//! One WebSocket to the gateway: frames out, frames in, and how it ended.
//!
//! [`RawSocket`] does nothing by itself: no heartbeat, no return, no state. The client's driver is built
//! on it, and so are tests and load generators that want to see every frame.
//!
//! Invariants:
//! - A frame of a type that this version does not know is told apart from a broken one, so a newer
//!   server does no harm.
//! - Several frames in one message come out one by one.

use std::{collections::VecDeque, fmt::Display, time::Duration};

use futures_util::{SinkExt, StreamExt};
use madang_proto::{
    Command, Encoding, Event,
    command::{ClientFrame, Hello},
    error::ErrorCode,
    event::{Ready, ServerFrame},
    msgpack,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderValue, header},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::{
    Error,
    http::{BASE, RawResponse, accept, problem},
};

/// The close code of a bad or expired token.
const UNAUTHENTICATED: u16 = madang_proto::close::CloseCode::Unauthenticated.number();

/// How long connecting, and sending a frame, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came in.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// A frame.
    Frame(Box<ServerFrame>),
    /// A frame that this version cannot read.
    Unknown(String),
    /// The end, with the server's code if it gave one.
    Closed(Option<u16>),
}

/// A connection to the gateway.
#[derive(Debug)]
pub struct RawSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    encoding: Encoding,
    /// Frames of a message that are not given out yet.
    waiting: VecDeque<Incoming>,
}

impl RawSocket {
    /// Connects to the gateway of the server at `server` (`http://…` or `https://…`); the token goes
    /// into the `Authorization` header.
    ///
    /// # Errors
    /// The server's refusal, or [`Error::Network`].
    pub async fn connect(server: &str, token: Option<&str>) -> Result<Self, Error> {
        Self::open(&address(server), token).await
    }

    /// As [`RawSocket::connect`], in an encoding that is asked for by its subprotocol. A server that does
    /// not know it refuses.
    ///
    /// # Errors
    /// The server's refusal, or [`Error::Network`].
    pub async fn connect_in(server: &str, token: Option<&str>, encoding: Encoding) -> Result<Self, Error> {
        Self::open_in(&address(server), token, Some(encoding)).await
    }

    /// Connects to a `ws://` or `wss://` address just as given.
    ///
    /// # Errors
    /// The server's refusal, or [`Error::Network`].
    pub async fn open(url: &str, token: Option<&str>) -> Result<Self, Error> {
        Self::open_in(url, token, None).await
    }

    async fn open_in(url: &str, token: Option<&str>, encoding: Option<Encoding>) -> Result<Self, Error> {
        let mut request = url.into_client_request().map_err(|e| Error::Protocol(format!("{url}: {e}")))?;
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Error::Protocol("a token with characters that no header takes".to_owned()))?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        if let Some(encoding) = encoding {
            let value = HeaderValue::from_static(encoding.subprotocol());
            request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        match timeout(PATIENCE, connect_async(request)).await {
            Ok(Ok((stream, _))) => {
                Ok(Self { stream, encoding: encoding.unwrap_or_default(), waiting: VecDeque::new() })
            }
            Ok(Err(error)) => Err(refusal(error)),
            Err(_) => Err(Error::Network("no answer in time".to_owned())),
        }
    }

    /// Sends a text frame just as given.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.send_message(Message::text(text.into())).await
    }

    /// Sends a binary frame just as given.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.send_message(Message::binary(bytes)).await
    }

    /// Sends anything in the connection's encoding.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send_frame(&mut self, frame: &impl Serialize) -> Result<(), Error> {
        match self.encoding {
            Encoding::Json => {
                let text =
                    serde_json::to_string(frame).map_err(|e| Error::Protocol(format!("frame: {e}")))?;
                self.send_text(text).await
            }
            Encoding::MessagePack => {
                let bytes = msgpack::to_vec(frame).map_err(|e| Error::Protocol(format!("frame: {e}")))?;
                self.send_binary(bytes).await
            }
        }
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send(&mut self, command: Command, rid: Option<&str>) -> Result<(), Error> {
        self.send_frame(&ClientFrame { command, rid: rid.map(str::to_owned) }).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Error> {
        match timeout(PATIENCE, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|e| Error::Network(e.to_string())),
            Err(_) => Err(Error::Network("the server takes nothing".to_owned())),
        }
    }

    /// The next frame, or the end. Waits as long as it takes; giving up waiting loses nothing.
    pub async fn next_frame(&mut self) -> Incoming {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return frame;
            }
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.waiting.extend(read(serde_json::from_str(text.as_str())));
                }
                Some(Ok(Message::Binary(bytes))) => self.waiting.extend(read(msgpack::from_slice(&bytes))),
                Some(Ok(Message::Close(frame))) => {
                    return Incoming::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Incoming::Closed(None),
            }
        }
    }

    /// Says `HELLO` and waits for `READY`.
    ///
    /// # Errors
    /// What the server answered instead.
    pub async fn hello(&mut self, hello: Hello) -> Result<Ready, Error> {
        self.send(Command::Hello(hello), None).await?;
        let answer = timeout(PATIENCE, async {
            loop {
                match self.next_frame().await {
                    Incoming::Frame(frame) => match frame.event {
                        Event::Ready(ready) => return Ok(*ready),
                        Event::Error(error) => return Err(Error::from(error)),
                        _ => {}
                    },
                    Incoming::Unknown(_) => {}
                    Incoming::Closed(Some(code)) if code == UNAUTHENTICATED => {
                        return Err(Error::from(problem(
                            ErrorCode::Unauthenticated,
                            "the token is not valid",
                        )));
                    }
                    Incoming::Closed(code) => {
                        return Err(Error::Network(format!("closed before READY, code {code:?}")));
                    }
                }
            }
        });
        answer.await.unwrap_or_else(|_| Err(Error::TimedOut("READY".to_owned())))
    }

    /// Ends the connection politely.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        // Whoever is gone already does not mind.
        _ = timeout(Duration::from_secs(1), self.stream.close(Some(frame))).await;
    }
}

/// The address of the gateway of the server at `server`.
fn address(server: &str) -> String {
    match server.split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}{BASE}/ws"),
        Some((_, rest)) => format!("ws://{rest}{BASE}/ws"),
        None => format!("ws://{server}{BASE}/ws"),
    }
}

/// What came in one message: a frame, or an array of them.
fn read<E: Display>(message: Result<Value, E>) -> Vec<Incoming> {
    match message {
        Ok(Value::Array(frames)) => frames.iter().map(read_one).collect(),
        Ok(frame) => vec![read_one(&frame)],
        Err(error) => {
            tracing::warn!(%error, "a message that cannot be read is ignored");
            vec![Incoming::Unknown(error.to_string())]
        }
    }
}

fn read_one(frame: &Value) -> Incoming {
    match ServerFrame::deserialize(frame) {
        Ok(frame) => Incoming::Frame(Box::new(frame)),
        Err(error) => {
            let kind = frame.get("type").and_then(Value::as_str).unwrap_or("without a type");
            tracing::warn!(kind, %error, "a frame that this version cannot read is ignored");
            Incoming::Unknown(frame.to_string())
        }
    }
}

fn refusal(error: tungstenite::Error) -> Error {
    let tungstenite::Error::Http(answer) = error else { return Error::Network(error.to_string()) };
    let (parts, body) = answer.into_parts();
    let json = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    let answer = RawResponse { status: parts.status.as_u16(), headers: parts.headers, json };
    accept(answer).err().unwrap_or_else(|| Error::Protocol("no WebSocket at this address".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_from_a_newer_server_is_told_apart() {
        let read = |text| read(serde_json::from_str(text));
        let pong = r#"{"type":"PONG","payload":{"versions":{}}}"#;
        assert!(matches!(read(pong)[..], [Incoming::Frame(_)]));
        let newer = r#"{"payload":{},"type":"FANFARE"}"#;
        assert_eq!(read(newer), [Incoming::Unknown(newer.to_owned())]);
        assert!(matches!(read("garbage")[..], [Incoming::Unknown(_)]));
        let joined = format!("[{pong},{newer},{pong}]");
        assert!(matches!(read(&joined)[..], [Incoming::Frame(_), Incoming::Unknown(_), Incoming::Frame(_)]));
    }

    #[tokio::test]
    async fn an_address_without_a_server_is_a_network_error_with_and_without_tls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hang_up = async {
            for _ in 0..2 {
                drop(listener.accept().await);
            }
        };
        let connect = async {
            for scheme in ["http", "https"] {
                let error = RawSocket::connect(&format!("{scheme}://{address}"), None).await.unwrap_err();
                assert!(matches!(error, Error::Network(_)), "{error}");
            }
        };
        tokio::join!(hang_up, connect);
    }
}
