//! One WebSocket to the gateway: frames out, frames in, and how it ended.
//!
//! [`RawSocket`] does nothing by itself: no heartbeat, no return, no state. The client's driver is built
//! on it, and so are tests and load generators that want to see every frame.
//!
//! Invariants:
//! - A frame of a type that this version does not know is told apart from a broken one, so a newer
//!   server does no harm.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use madang_proto::{
    Command, Event,
    command::{ClientFrame, Hello},
    error::ErrorCode,
    event::{Ready, ServerFrame},
};
use serde::Serialize;
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
}

impl RawSocket {
    /// Connects to the gateway of the server at `server` (`http://…` or `https://…`); the token goes
    /// into the `Authorization` header.
    ///
    /// # Errors
    /// The server's refusal, or [`Error::Network`].
    pub async fn connect(server: &str, token: Option<&str>) -> Result<Self, Error> {
        let url = match server.split_once("://") {
            Some(("https", rest)) => format!("wss://{rest}{BASE}/ws"),
            Some((_, rest)) => format!("ws://{rest}{BASE}/ws"),
            None => format!("ws://{server}{BASE}/ws"),
        };
        Self::open(&url, token).await
    }

    /// Connects to a `ws://` or `wss://` address just as given.
    ///
    /// # Errors
    /// The server's refusal, or [`Error::Network`].
    pub async fn open(url: &str, token: Option<&str>) -> Result<Self, Error> {
        let mut request = url.into_client_request().map_err(|e| Error::Protocol(format!("{url}: {e}")))?;
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Error::Protocol("a token with characters that no header takes".to_owned()))?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        match timeout(PATIENCE, connect_async(request)).await {
            Ok(Ok((stream, _))) => Ok(Self { stream }),
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

    /// Sends anything as JSON.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send_json(&mut self, frame: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(frame).map_err(|e| Error::Protocol(format!("frame: {e}")))?;
        self.send_text(text).await
    }

    /// Sends a command.
    ///
    /// # Errors
    /// [`Error::Network`] when the connection is gone or takes nothing.
    pub async fn send(&mut self, command: Command, rid: Option<&str>) -> Result<(), Error> {
        self.send_json(&ClientFrame { command, rid: rid.map(str::to_owned) }).await
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
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return read(text.as_str()),
                Some(Ok(Message::Close(frame))) => {
                    return Incoming::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
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

fn read(text: &str) -> Incoming {
    match serde_json::from_str::<ServerFrame>(text) {
        Ok(frame) => Incoming::Frame(Box::new(frame)),
        Err(error) => {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let kind = value.get("type").and_then(Value::as_str).unwrap_or("without a type");
            tracing::warn!(kind, %error, "a frame that this version cannot read is ignored");
            Incoming::Unknown(text.to_owned())
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
        assert!(matches!(read(r#"{"type":"PONG","payload":{"versions":{}}}"#), Incoming::Frame(_)));
        let newer = r#"{"type":"FANFARE","payload":{}}"#;
        assert_eq!(read(newer), Incoming::Unknown(newer.to_owned()));
        assert!(matches!(read("garbage"), Incoming::Unknown(_)));
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
