//! A socket without a client behind it: every frame is seen, nothing is done by itself.
//!
//! But who is there is told a little later than it is so, four times a second: it comes between other frames
//! whenever it likes. So `PRESENCE` is seen only by tests that are about it ([`Raw::and_presence`]).

use std::collections::VecDeque;

use madang_client::{
    Incoming, RawSocket,
    proto::{Command, Event, close::CloseCode, command::Hello, event::Ready, event::ServerFrame},
};
use serde_json::{Value, json};

use super::{PATIENCE, User};

/// A bare connection to the gateway.
pub struct Raw {
    socket: RawSocket,
    /// Frames that came before the answer to a question.
    passed: VecDeque<ServerFrame>,
    /// Whether `PRESENCE` is seen.
    presence: bool,
}

impl Raw {
    fn new(socket: RawSocket) -> Self {
        Self { socket, passed: VecDeque::new(), presence: false }
    }

    /// The same, and `PRESENCE` is seen too.
    pub fn and_presence(self) -> Self {
        Self { presence: true, ..self }
    }

    /// A socket that has said nothing; with a token in the header, if there is one.
    pub async fn open(url: &str, token: Option<&str>) -> Self {
        Self::new(RawSocket::connect(url, token).await.unwrap())
    }

    /// A socket to an address of the gateway just as given.
    pub async fn open_at(url: &str) -> Self {
        Self::new(RawSocket::open(url, None).await.unwrap())
    }

    /// A socket that has said `HELLO` with the session of `user`.
    pub async fn of(user: &User) -> Self {
        Self::with(user, Hello::default()).await.0
    }

    /// A socket that has said this `HELLO` with the session of `user`, and the `READY`.
    pub async fn with(user: &User, hello: Hello) -> (Self, Ready) {
        let token = user.http.current_token().unwrap().0;
        let mut raw = Self::open(user.http.server(), Some(&token)).await;
        let ready = raw.socket.hello(hello).await.unwrap();
        (raw, ready)
    }

    /// Sends a text just as given. The server may have closed already.
    pub async fn text(&mut self, text: &str) {
        drop(self.socket.send_text(text).await);
    }

    /// Sends bytes just as given. The server may have closed already.
    pub async fn binary(&mut self, bytes: Vec<u8>) {
        drop(self.socket.send_binary(bytes).await);
    }

    /// Sends a command.
    pub async fn send(&mut self, command: Command, rid: Option<&str>) {
        self.socket.send(command, rid).await.unwrap();
    }

    /// The next frame, or the code of the end.
    pub async fn next(&mut self) -> Result<ServerFrame, Option<u16>> {
        match self.passed.pop_front() {
            Some(frame) => Ok(frame),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next_frame()).await {
                Ok(Incoming::Frame(frame)) if !self.presence && matches!(frame.event, Event::Presence(_)) => {
                }
                Ok(Incoming::Frame(frame)) => return Ok(*frame),
                Ok(Incoming::Unknown(text)) => panic!("not a frame: {text}"),
                Ok(Incoming::Closed(code)) => return Err(code),
                Err(_) => panic!("nothing came"),
            }
        }
    }

    /// The code that the server closes with; what comes before is passed over.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Everything that was sent to this connection until now. A `PING` marks the place.
    pub async fn heard(&mut self) -> Vec<ServerFrame> {
        self.text(&json!({"type": "PING", "rid": "until here"}).to_string()).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await.unwrap();
            if frame.rid.as_deref() == Some("until here") {
                return frames
                    .into_iter()
                    .filter(|f: &ServerFrame| !matches!(f.event, Event::Pong(_)))
                    .collect();
            }
            frames.push(frame);
        }
    }

    /// Sends a frame with a `rid` and gives its one answer: `Ok` the payload of the `ACK`, `Err` the code
    /// of the `ERROR`. What comes before it is kept.
    pub async fn ask(&mut self, mut frame: Value) -> Result<Value, Value> {
        frame["rid"] = json!("asked");
        self.text(&frame.to_string()).await;
        loop {
            let frame = self.receive().await.unwrap();
            match frame.event {
                Event::Ack(payload) if frame.rid.as_deref() == Some("asked") => return Ok(payload),
                Event::Error(error) if frame.rid.as_deref() == Some("asked") => {
                    return Err(serde_json::to_value(error.code).unwrap());
                }
                _ => self.passed.push_back(frame),
            }
        }
    }
}

/// The number of a close code as it comes in.
pub const fn code(code: CloseCode) -> Option<u16> {
    Some(code.number())
}
