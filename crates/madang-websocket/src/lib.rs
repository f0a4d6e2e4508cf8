//! The WebSocket protocol (RFC 6455) as a server speaks it, with permessage-deflate (RFC 7692): the
//! handshake, the framing, no IO.
//!
//! Own code because of what it must not cost: a library's buffers are more than all the rest of an idle
//! connection. Here a connection that waits holds no buffer, and the bytes of an event's frame are made
//! once and are the same for everyone, since a server's frames are not masked and no compression
//! remembers what was said before.
//!
//! A crate of its own, so that it is fuzzed and tried against a test suite without the rest.
//!
//! Invariants:
//! - A decoder holds at most one message and one frame header more than the limit.
//! - What breaks the protocol is found before it is kept.

#![warn(missing_docs)]

mod decoder;
pub mod deflate;
pub mod extension;

use base64::{Engine, engine::general_purpose::STANDARD};
pub use decoder::{Decoder, Message, Violation};
use sha1::{Digest, Sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const FIN: u8 = 0x80;
/// Marks the first frame of a compressed message.
const RSV1: u8 = 0x40;
const MASKED: u8 = 0x80;
const CONTROL_BYTES: usize = 125;

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

    /// Whether it speaks about the connection and not over it.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() >= 8
    }
}

/// A whole, unmasked frame.
#[must_use]
pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    put_together(FIN | opcode.bits(), None, payload)
}

/// A whole, unmasked frame of a payload that [`deflate::deflate`] gave.
#[must_use]
pub fn compressed(opcode: Opcode, deflated: &[u8]) -> Vec<u8> {
    put_together(FIN | RSV1 | opcode.bits(), None, deflated)
}

/// A frame of a client: a part of a message or a whole one (`fin`), masked.
#[must_use]
pub fn from_client(opcode: Opcode, fin: bool, compressed: bool, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let first = opcode.bits() | if fin { FIN } else { 0 } | if compressed { RSV1 } else { 0 };
    put_together(first, Some(mask), payload)
}

fn put_together(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 14);
    let masked = if mask.is_some() { MASKED } else { 0 };
    bytes.push(first);
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if length <= CONTROL_BYTES => bytes.push(masked | short),
        (_, Ok(middle)) => {
            bytes.push(masked | 126);
            bytes.extend(middle.to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    match mask {
        Some(mask) => {
            bytes.extend(mask);
            bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        }
        None => bytes.extend_from_slice(payload),
    }
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

/// A frame that a server wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<'a> {
    /// What it carries.
    pub opcode: Opcode,
    /// Whether the payload is compressed.
    pub compressed: bool,
    /// The whole frame.
    pub bytes: &'a [u8],
    /// What is in it.
    pub payload: &'a [u8],
}

/// The whole frames that a server wrote one after the other, up to the first that is not whole.
pub fn written(bytes: &[u8]) -> impl Iterator<Item = Written<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let [first, second, tail @ ..] = rest else { return None };
        let (length, width) = length(*second, tail)?;
        let start = 2 + width;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let (bytes, payload) = (rest.get(..end)?, rest.get(start..end)?);
        rest = rest.get(end..)?;
        Some(Written { opcode: Opcode::of(first & 0x0f)?, compressed: first & RSV1 != 0, bytes, payload })
    })
}

/// The length that a header says, and how many bytes it takes to say it beyond the second byte; nothing
/// when those are not all there.
fn length(second: u8, rest: &[u8]) -> Option<(u64, usize)> {
    match (second & 0x7f, rest) {
        (126, [a, b, ..]) => Some((u64::from(u16::from_be_bytes([*a, *b])), 2)),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            Some((u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8))
        }
        (126 | 127, _) => None,
        (short, _) => Some((u64::from(short), 0)),
    }
}

#[cfg(test)]
mod tests;
