//! The decoder: messages from what a client sends, however it was cut.
//!
//! Invariants:
//! - What breaks the protocol is found before it is kept, what is too large before it is unpacked.
//! - A decoder that waits for the first byte of a message holds next to nothing.

use super::{CONTROL_BYTES, FIN, MASKED, Opcode, RSV1, deflate, length};

/// The longest header from a client: two bytes, eight of length, four of mask.
const HEADER_BYTES: usize = 14;
/// Memory that an idle decoder may keep.
const KEPT: usize = 256;

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A compressed message that cannot be unpacked.
    NotDeflated,
    /// A message over the limit.
    TooLarge,
}

struct Header {
    fin: bool,
    compressed: bool,
    opcode: Opcode,
    mask: [u8; 4],
    start: usize,
    length: usize,
}

/// A message of which parts came.
#[derive(Debug)]
struct Begun {
    opcode: Opcode,
    compressed: bool,
    payload: Vec<u8>,
}

/// Makes messages from what a client sends, however it was cut.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    deflate: bool,
    /// Bytes that came; those before `read` are dealt with.
    input: Vec<u8>,
    read: usize,
    begun: Option<Begun>,
    /// Frames, parts of messages among them, that were not asked for yet.
    frames: u32,
}

impl Decoder {
    /// A decoder for messages of at most `limit` bytes, packed and unpacked; with `deflate`, they may be
    /// compressed.
    #[must_use]
    pub const fn new(limit: usize, deflate: bool) -> Self {
        Self { limit, deflate, input: Vec::new(), read: 0, begun: None, frames: 0 }
    }

    /// Takes bytes in.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// How many frames came since this was asked last: parts of messages, and what broke the protocol, too.
    pub const fn frames(&mut self) -> u32 {
        std::mem::replace(&mut self.frames, 0)
    }

    /// The next message, if it is whole.
    ///
    /// # Errors
    /// How the client broke the protocol; the connection is to be closed.
    pub fn message(&mut self) -> Result<Option<Message>, Violation> {
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
            self.frames = self.frames.saturating_add(1);
            payload.iter_mut().zip(header.mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            if let Some(message) = self.complete(&header, payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Bytes of memory that it holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.input.capacity() + self.begun.as_ref().map_or(0, |begun| begun.payload.capacity())
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
        let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
        let opcode = Opcode::of(first & 0x0f).ok_or(Violation::Protocol)?;
        // Only permessage-deflate can be agreed on, and a client has to mask.
        if first & 0x30 != 0 || second & MASKED == 0 {
            return Err(Violation::Protocol);
        }
        // The first frame of a message says for all of it that it is compressed.
        if compressed && !(self.deflate && matches!(opcode, Opcode::Text | Opcode::Binary)) {
            return Err(Violation::Protocol);
        }
        let Some((length, width)) = length(*second, rest) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| Violation::TooLarge)?;
        if opcode.is_control() && (!fin || length > CONTROL_BYTES) {
            return Err(Violation::Protocol);
        }
        // A part belongs to a message that began, and only one can be begun.
        if !opcode.is_control() && (opcode == Opcode::Continuation) != self.begun.is_some() {
            return Err(Violation::Protocol);
        }
        let kept = self.begun.as_ref().map_or(0, |begun| begun.payload.len());
        if !opcode.is_control() && kept.saturating_add(length) > self.limit {
            return Err(Violation::TooLarge);
        }
        let Some([a, b, c, d]) = rest.get(width..width + 4) else { return Ok(None) };
        let start = 2 + width + 4;
        debug_assert!(start <= HEADER_BYTES);
        Ok(Some(Header { fin, compressed, opcode, mask: [*a, *b, *c, *d], start, length }))
    }

    fn complete(&mut self, header: &Header, payload: Vec<u8>) -> Result<Option<Message>, Violation> {
        let whole = match header.opcode {
            Opcode::Ping => return Ok(Some(Message::Ping(payload))),
            Opcode::Pong => return Ok(Some(Message::Pong)),
            Opcode::Close => return closing(&payload).map(Some),
            Opcode::Continuation => {
                let mut begun = self.begun.take().ok_or(Violation::Protocol)?;
                begun.payload.extend(payload);
                begun
            }
            opcode @ (Opcode::Text | Opcode::Binary) => {
                Begun { opcode, compressed: header.compressed, payload }
            }
        };
        if !header.fin {
            self.begun = Some(whole);
            return Ok(None);
        }
        let payload = match whole.compressed {
            true => deflate::inflate(whole.payload, self.limit)?,
            false => whole.payload,
        };
        match whole.opcode {
            Opcode::Text => {
                String::from_utf8(payload).map(|t| Some(Message::Text(t))).map_err(|_| Violation::NotUtf8)
            }
            _ => Ok(Some(Message::Binary(payload))),
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
