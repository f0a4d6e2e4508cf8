//! WebSocket frames (RFC 6455) as a load generator needs them: cheap.
//!
//! A client has to mask what it sends; the mask here is zero, which leaves the bytes as they are. What
//! the server sends is taken apart in place: nothing is copied.

use std::ops::Range;

use crate::Error;

/// Most bytes of a frame that is believed.
pub const LARGEST: usize = 64 << 20;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message of text.
    Text,
    /// A message of bytes.
    Binary,
    /// The end; the payload begins with the code.
    Close,
    /// Asks for a pong.
    Ping,
    /// The answer to a ping.
    Pong,
}

/// A whole frame in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Whether its payload is compressed.
    pub compressed: bool,
    /// Where its payload stands.
    pub payload: Range<usize>,
}

/// Appends a masked frame of text.
pub fn text(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, 0x81, payload);
}

/// Appends a masked frame of bytes.
pub fn binary(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, 0x82, payload);
}

/// Appends a pong.
pub fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    masked(out, 0x8a, payload);
}

fn masked(out: &mut Vec<u8>, first: u8, payload: &[u8]) {
    out.push(first);
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => out.push(0x80 | short),
        (_, Ok(medium)) => {
            out.push(0x80 | 126);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
}

/// The frame that begins at `at`, or nothing while it is not whole.
///
/// # Errors
/// When the bytes are not a frame that a server may send to a client.
#[inline]
pub fn next(bytes: &[u8], at: usize) -> Result<Option<Frame>, Error> {
    let Some([first, second]) = bytes.get(at..at + 2) else { return Ok(None) };
    let wide = |n: usize| bytes.get(at + 2..at + 2 + n);
    let (header, length) = match second {
        126 => match wide(2) {
            Some(b) => (4, usize::from(b[0]) << 8 | usize::from(b[1])),
            None => return Ok(None),
        },
        127 => match wide(8) {
            Some(b) => (10, b.iter().fold(0, |n: usize, b| n.saturating_mul(256) | usize::from(*b))),
            None => return Ok(None),
        },
        0x80.. => return Err(Error::Protocol("a masked frame from the server".to_owned())),
        short => (2, usize::from(*short)),
    };
    if length > LARGEST {
        return Err(Error::Protocol(format!("a frame of {length} bytes")));
    }
    let kind = match first {
        0x81 | 0xc1 => Kind::Text,
        0x82 | 0xc2 => Kind::Binary,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8a => Kind::Pong,
        other => return Err(Error::Protocol(format!("a frame that begins with {other:#04x}"))),
    };
    let payload = at + header..at + header + length;
    let compressed = first & 0x40 != 0;
    Ok((payload.end <= bytes.len()).then_some(Frame { kind, compressed, payload }))
}

/// How many bytes a frame that begins at `at` and is not whole will need, as far as its header tells.
#[must_use]
pub fn needed(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1) {
        Some(126) if bytes.len() >= at + 4 => {
            4 + (usize::from(bytes[at + 2]) << 8 | usize::from(bytes[at + 3]))
        }
        Some(127) if bytes.len() >= at + 10 => {
            10 + bytes[at + 2..at + 10]
                .iter()
                .fold(0, |n: usize, b| n.saturating_mul(256) | usize::from(*b))
                .min(LARGEST)
        }
        Some(short) => 2 + usize::from(short & 0x7f),
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would write: the same without the mask.
    fn served(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        masked(&mut bytes, first, payload);
        bytes[1] &= 0x7f;
        let mask = bytes.len() - payload.len() - 4;
        bytes.drain(mask..mask + 4);
        bytes
    }

    #[test]
    fn frames_of_every_length_come_back_whole_and_only_whole() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 70_000] {
            let payload = vec![b'x'; length];
            let bytes = served(0x81, &payload);
            for cut in [0, 1, 2, 3, 9, bytes.len() - 1] {
                assert_eq!(
                    next(&bytes[..cut.min(bytes.len() - 1)], 0).unwrap(),
                    None,
                    "{length} cut at {cut}"
                );
            }
            let frame = next(&bytes, 0).unwrap().unwrap();
            assert_eq!((frame.kind, &bytes[frame.payload.clone()]), (Kind::Text, &payload[..]));
            assert_eq!(frame.payload.end, bytes.len());
            assert_eq!(needed(&bytes[..10.min(bytes.len())], 0), bytes.len());
        }
    }

    #[test]
    fn joined_frames_are_taken_apart() {
        let bytes = [served(0x81, b"one"), served(0xc2, b"two"), served(0x89, b""), served(0x88, &[15, 160])];
        let bytes = bytes.concat();
        let (mut at, mut kinds) = (0, Vec::new());
        while let Some(frame) = next(&bytes, at).unwrap() {
            kinds.push((frame.kind, frame.compressed));
            at = frame.payload.end;
        }
        let plain = [Kind::Ping, Kind::Close].map(|kind| (kind, false));
        assert_eq!(kinds, [&[(Kind::Text, false), (Kind::Binary, true)][..], &plain].concat());
    }

    #[test]
    fn what_no_server_may_send_is_an_error() {
        for bytes in [
            &[0x81, 0x80][..],
            &[0x01, 0x00],
            &[0xa1, 0x00],
            &[0x80, 0x00],
            &[0xc9, 0x00],
            &[0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert!(next(bytes, 0).is_err(), "{bytes:?}");
        }
    }
}
