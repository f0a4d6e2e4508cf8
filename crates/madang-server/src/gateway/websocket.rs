//! The WebSocket protocol (RFC 6455) as a server speaks it: the handshake, the framing, no IO.
//!
//! Own code because of what it must not cost: a library's buffers are more than all the rest of an idle
//! connection. Here a connection that waits holds no buffer, and the bytes of an event's frame are made
//! once and are the same for everyone, since a server's frames are not masked.
//!
//! Invariants:
//! - A decoder holds at most one message and one frame header more than the limit.
//! - What breaks the protocol is found before it is kept.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTROL_BYTES: usize = 125;
/// The longest header from a client: two bytes, eight of length, four of mask.
const HEADER_BYTES: usize = 14;
/// Memory that an idle decoder may keep.
const KEPT: usize = 256;

/// The answer to a client's `Sec-WebSocket-Key` (RFC 6455, 4.2.2).
#[must_use]
pub fn accept(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID.as_bytes());
    STANDARD.encode(hash.finalize())
}

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a message.
    Continuation,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// Is someone there?
    Ping,
    /// Someone is.
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    const fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn is_control(self) -> bool {
        self.bits() >= 8
    }
}

/// A whole, unmasked frame.
#[must_use]
pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(FIN | opcode.bits());
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if length <= CONTROL_BYTES => bytes.push(short),
        (_, Ok(middle)) => {
            bytes.push(126);
            bytes.extend(middle.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// A close frame.
#[must_use]
pub fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    payload.truncate(CONTROL_BYTES);
    frame(Opcode::Close, &payload)
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// To be answered by a pong with the same payload.
    Ping(Vec<u8>),
    /// An answer to a ping, or a sign of life.
    Pong,
    /// The end, with the client's code.
    Close(Option<u16>),
}

/// How a client broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Not a frame.
    Protocol,
    /// A text that is not UTF-8.
    NotUtf8,
    /// A message over the limit.
    TooLarge,
}

struct Header {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    start: usize,
    length: usize,
}

/// Makes messages from what a client sends, however it was cut.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// Bytes that came; those before `read` are dealt with.
    input: Vec<u8>,
    read: usize,
    /// What came of a message in parts.
    parts: Option<(Opcode, Vec<u8>)>,
}

impl Decoder {
    /// A decoder for messages of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, input: Vec::new(), read: 0, parts: None }
    }

    /// Takes bytes in.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next message, if it is whole.
    ///
    /// # Errors
    /// How the client broke the protocol; the connection is to be closed.
    pub fn next(&mut self) -> Result<Option<Message>, Violation> {
        loop {
            let waiting = self.input.get(self.read..).unwrap_or_default();
            let whole = self.header(waiting)?.and_then(|header| {
                let payload = waiting.get(header.start..header.start + header.length)?;
                Some((header, payload.to_vec()))
            });
            let Some((header, mut payload)) = whole else {
                self.forget_read();
                return Ok(None);
            };
            self.read += header.start + header.length;
            payload.iter_mut().zip(header.mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            if let Some(message) = self.message(&header, payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Gives back the memory of what was read.
    fn forget_read(&mut self) {
        self.input.drain(..self.read);
        self.read = 0;
        if self.input.is_empty() && self.input.capacity() > KEPT {
            self.input = Vec::new();
        }
    }

    /// The header at the front of the input, if it is whole.
    fn header(&self, waiting: &[u8]) -> Result<Option<Header>, Violation> {
        let [first, second, rest @ ..] = waiting else { return Ok(None) };
        let fin = first & FIN != 0;
        let opcode = Opcode::of(first & 0x0f).ok_or(Violation::Protocol)?;
        // No extension was agreed on, and a client has to mask.
        if first & 0x70 != 0 || second & MASKED == 0 {
            return Err(Violation::Protocol);
        }
        let (length, width) = match (second & 0x7f, rest) {
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
            (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8),
            (126 | 127, _) => return Ok(None),
            (short, _) => (u64::from(short), 0),
        };
        let length = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        if opcode.is_control() && (!fin || length > CONTROL_BYTES) {
            return Err(Violation::Protocol);
        }
        // A part belongs to a message that began, and only one can be begun.
        if !opcode.is_control() && (opcode == Opcode::Continuation) != self.parts.is_some() {
            return Err(Violation::Protocol);
        }
        let kept = self.parts.as_ref().map_or(0, |(_, parts)| parts.len());
        if !opcode.is_control() && kept.saturating_add(length) > self.limit {
            return Err(Violation::TooLarge);
        }
        let Some([a, b, c, d]) = rest.get(width..width + 4) else { return Ok(None) };
        let start = 2 + width + 4;
        debug_assert!(start <= HEADER_BYTES);
        Ok(Some(Header { fin, opcode, mask: [*a, *b, *c, *d], start, length }))
    }

    fn message(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Message>, Violation> {
        let (opcode, whole) = match header.opcode {
            Opcode::Ping => return Ok(Some(Message::Ping(payload))),
            Opcode::Pong => return Ok(Some(Message::Pong)),
            Opcode::Close => return closing(&payload).map(Some),
            Opcode::Continuation => {
                let (opcode, mut parts) = self.parts.take().ok_or(Violation::Protocol)?;
                parts.extend(payload);
                (opcode, parts)
            }
            Opcode::Text | Opcode::Binary => (header.opcode, payload),
        };
        if !header.fin {
            self.parts = Some((opcode, whole));
            return Ok(None);
        }
        match opcode {
            Opcode::Text => {
                String::from_utf8(whole).map(|t| Some(Message::Text(t))).map_err(|_| Violation::NotUtf8)
            }
            _ => Ok(Some(Message::Binary(whole))),
        }
    }
}

/// Reads the payload of a close frame (RFC 6455, 5.5.1 and 7.4).
fn closing(payload: &[u8]) -> Result<Message, Violation> {
    match payload {
        [] => Ok(Message::Close(None)),
        [a, b, reason @ ..] => {
            let code = u16::from_be_bytes([*a, *b]);
            let known = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            match (known, std::str::from_utf8(reason)) {
                (true, Ok(_)) => Ok(Message::Close(Some(code))),
                (true, Err(_)) => Err(Violation::NotUtf8),
                (false, _) => Err(Violation::Protocol),
            }
        }
        [_] => Err(Violation::Protocol),
    }
}

#[cfg(test)]
mod tests;
