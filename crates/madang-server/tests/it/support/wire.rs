//! A connection without a library: the handshake as bytes, every frame as it is on the wire.

use madang_client::proto::{Encoding, event::ServerFrame, msgpack};
use madang_websocket::{
    Opcode,
    deflate::{deflate, inflate},
    from_client, written,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{PATIENCE, User};

const DEFLATE: &str = "permessage-deflate";

/// What a client offers, and how it begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offer {
    pub subprotocol: Option<&'static str>,
    pub extension: Option<&'static str>,
    pub batch: bool,
}

impl Offer {
    pub const fn of(encoding: Encoding) -> Self {
        Self { subprotocol: Some(encoding.subprotocol()), extension: None, batch: false }
    }

    pub const fn deflate(self) -> Self {
        Self { extension: Some(DEFLATE), ..self }
    }

    pub const fn batch(self) -> Self {
        Self { batch: true, ..self }
    }

    fn encoding(&self) -> Encoding {
        let known = Encoding::ALL.into_iter().find(|known| Some(known.subprotocol()) == self.subprotocol);
        known.unwrap_or_default()
    }
}

/// A message of the server as it came.
#[derive(Debug)]
pub struct Came {
    /// How it was written.
    pub opcode: Opcode,
    /// Whether it was compressed.
    pub compressed: bool,
    /// Bytes on the wire.
    pub bytes: usize,
    /// What it is, unpacked.
    pub payload: Vec<u8>,
}

/// A bare connection.
pub struct Wire {
    stream: TcpStream,
    input: Vec<u8>,
    offer: Offer,
    /// The server's answer to the handshake.
    pub answer: String,
}

impl Wire {
    /// A connection that was answered and has said nothing.
    pub async fn open(url: &str, offer: Offer) -> Self {
        let host = url.strip_prefix("http://").unwrap();
        let mut request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in [("Protocol", offer.subprotocol), ("Extensions", offer.extension)] {
            request.extend(value.map(|value| format!("Sec-WebSocket-{name}: {value}\r\n")));
        }
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
        }
        Self { stream, input: Vec::new(), offer, answer: String::from_utf8(answer).unwrap() }
    }

    /// A connection of `user` that has said `HELLO`, and what it was answered first.
    pub async fn of(user: &User, offer: Offer) -> (Self, Came) {
        let mut wire = Self::open(user.http.server(), offer).await;
        let token = user.http.current_token().unwrap().0;
        let batch = offer.batch;
        wire.say(&json!({"type": "HELLO", "payload": {"token": token, "batch": batch}, "rid": "hello"}))
            .await;
        let came = wire.next().await.unwrap();
        (wire, came)
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.answer.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Sends bytes just as given. The server may have closed already.
    pub async fn bytes(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes).await);
    }

    /// Says something in the connection's encoding; compressed, where it may be and becomes smaller.
    pub async fn say(&mut self, said: &Value) {
        let (opcode, payload) = match self.offer.encoding() {
            Encoding::Json => (Opcode::Text, said.to_string().into_bytes()),
            Encoding::MessagePack => (Opcode::Binary, msgpack::to_vec(said).unwrap()),
        };
        let packed = deflate(&payload).filter(|_| self.header("Sec-WebSocket-Extensions").is_some());
        let (compressed, payload) = (packed.is_some(), packed.unwrap_or(payload));
        self.bytes(&from_client(opcode, true, compressed, [1, 2, 3, 4], &payload)).await;
    }

    /// The next message, or the code of the end.
    pub async fn next(&mut self) -> Result<Came, Option<u16>> {
        loop {
            let whole = written(&self.input).next();
            let whole = whole.map(|f| (f.opcode, f.compressed, f.bytes.len(), f.payload.to_vec()));
            if let Some((opcode, compressed, bytes, payload)) = whole {
                self.input.drain(..bytes);
                if opcode == Opcode::Close {
                    return Err(payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
                }
                let payload = if compressed { inflate(payload, 1 << 24).unwrap() } else { payload };
                return Ok(Came { opcode, compressed, bytes, payload });
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await.unwrap();
            if read.unwrap_or_default() == 0 {
                return Err(None);
            }
        }
    }

    /// The code that the server closes with.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}

impl Came {
    /// The frames in it.
    pub fn frames(&self) -> Vec<Value> {
        let value: Value = match self.opcode {
            Opcode::Text => serde_json::from_slice(&self.payload).unwrap(),
            _ => msgpack::from_slice(&self.payload).unwrap(),
        };
        let frames = if let Value::Array(frames) = value { frames } else { vec![value] };
        for frame in &frames {
            serde_json::from_value::<ServerFrame>(frame.clone()).unwrap();
        }
        frames
    }
}
