//! What a frame says, found by looking for a few words in its bytes: no JSON is parsed for a delivery.
//!
//! The server writes a message's fields in the order of the contract's types, so `id`, `channel_id` and
//! `seq` stand at the beginning. A frame that is written otherwise is still read, by a real parser.
//!
//! Invariants:
//! - Fast and slow reading agree (tested).

use std::sync::LazyLock;

use madang_proto::Encoding;
use memchr::memmem::{self, Finder};

use crate::{
    said::{self, Said},
    schedule::Stamp,
};

/// A message as far as a load test cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The channel's id.
    pub channel: u64,
    /// Its place there.
    pub seq: u64,
    /// When it was due and which one it is; missing when the load generator did not write it.
    pub stamp: Option<Stamp>,
}

/// A frame from the server as far as a load test cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scanned {
    /// A delivery.
    Message(Seen),
    /// A request with this `rid` was done; for `MESSAGE`, the message as stored.
    Ack { rid: u64, seen: Option<Seen> },
    /// A request was not done.
    Refused { rid: Option<u64> },
    /// The beginning.
    Ready,
    /// To be answered with this at once.
    Ping(&'static str),
    /// Anything else.
    Other,
}

const MESSAGE: &[u8] = br#"{"type":"MESSAGE","payload":{"id":""#;
const ACK: &[u8] = br#"{"type":"ACK","payload":"#;
const CHANNEL: &[u8] = br#","channel_id":""#;
const SEQ: &[u8] = br#"","seq":"#;
const CONTENT: &[u8] = br#""content":""#;
/// Made once: making a searcher takes longer than the search.
static CONTENT_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(CONTENT));
const RID: &[u8] = br#""rid":""#;

/// Reads a frame.
#[must_use]
#[inline]
pub fn scan(frame: &[u8]) -> Scanned {
    if let Some(rest) = frame.strip_prefix(MESSAGE)
        && let Some(seen) = fields(rest)
    {
        return Scanned::Message(seen);
    }
    if let Some(rest) = frame.strip_prefix(ACK)
        && let Some(rid) = rid(frame)
    {
        let seen = rest.strip_prefix(br#"{"id":""#).and_then(fields);
        if seen.is_some() || rest.starts_with(b"{}") {
            return Scanned::Ack { rid, seen };
        }
    }
    slowly(frame)
}

/// The fields after `"id":"`.
#[inline]
pub(crate) fn fields(rest: &[u8]) -> Option<Seen> {
    let (_, rest) = number(rest)?;
    let (channel, rest) = number(rest.strip_prefix(b"\"")?.strip_prefix(CHANNEL)?)?;
    let (seq, rest) = number(rest.strip_prefix(SEQ)?)?;
    let content = CONTENT_FINDER.find(rest)?;
    Some(Seen { channel, seq, stamp: Stamp::read(&rest[content + CONTENT.len()..]) })
}

/// The decimal number at the beginning, and what follows.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    let mut digits = 0;
    for byte in bytes.iter().take(20) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    (digits > 0).then(|| (value, &bytes[digits..]))
}

/// The `rid` at the end of a frame.
fn rid(frame: &[u8]) -> Option<u64> {
    let at = memmem::rfind(frame, RID)?;
    let (rid, rest) = number(&frame[at + RID.len()..])?;
    (rest == b"\"}").then_some(rid)
}

fn slowly(frame: &[u8]) -> Scanned {
    said::read(frame, Encoding::Json).first().map_or(Scanned::Other, Said::scanned)
}

/// Whether a frame is the beginning, without reading the whole of it: it may be large.
#[must_use]
pub fn is_ready(frame: &[u8]) -> bool {
    frame.starts_with(br#"{"type":"READY""#)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const STAMP: Stamp = Stamp { due: 1_234_567, number: 89 };

    fn message_json(content: &str) -> Value {
        let author = json!({"id": "guest_7", "username": "al", "display_name": "A \"content\":\"x\""});
        json!({"id": "12", "channel_id": "345", "seq": 6, "version": 9, "author": author, "user": author,
               "content": content, "created_at": "2026-01-01T00:00:00Z"})
    }

    /// As the server writes it: in the order of the fields, which `json!` does not keep.
    fn ordered(kind: &str, content: &str, rid: &str) -> String {
        format!(
            r#"{{"type":"{kind}","payload":{{"id":"12","channel_id":"345","seq":6,"version":9,"author":{{"id":"guest_7","username":"al"}},"user":{{"id":"guest_7","username":"al"}},"content":"{content}","nonce":"n","created_at":"2026-01-01T00:00:00Z"}}{rid}}}"#
        )
    }

    #[test]
    fn fast_and_slow_agree() {
        let content = STAMP.content(128);
        let seen = Seen { channel: 345, seq: 6, stamp: Some(STAMP) };
        for (fast, slow, expected) in [
            (
                ordered("MESSAGE", &content, ""),
                json!({"type": "MESSAGE", "payload": message_json(&content)}).to_string(),
                Scanned::Message(seen),
            ),
            (
                ordered("ACK", &content, r#","rid":"89""#),
                json!({"type": "ACK", "payload": message_json(&content), "rid": "89"}).to_string(),
                Scanned::Ack { rid: 89, seen: Some(seen) },
            ),
            (
                ordered("MESSAGE", "hello", ""),
                json!({"type": "MESSAGE", "payload": message_json("hello")}).to_string(),
                Scanned::Message(Seen { stamp: None, ..seen }),
            ),
        ] {
            assert_eq!(scan(fast.as_bytes()), expected, "{fast}");
            assert_eq!(slowly(fast.as_bytes()), expected, "{fast}");
            assert_eq!(scan(slow.as_bytes()), expected, "{slow}");
        }
    }

    #[test]
    fn other_frames() {
        for (frame, expected) in [
            (r#"{"type":"ACK","payload":{},"rid":"4"}"#, Scanned::Ack { rid: 4, seen: None }),
            (
                r#"{"type":"ERROR","payload":{"code":"rate_limited"},"rid":"5"}"#,
                Scanned::Refused { rid: Some(5) },
            ),
            (r#"{"type":"ERROR","payload":{"code":"invalid"}}"#, Scanned::Refused { rid: None }),
            (r#"{"type":"PONG","payload":{"versions":{}}}"#, Scanned::Other),
            (r#"{"type":"READY","payload":{}}"#, Scanned::Ready),
            (r#"{"type":"MESSAGE","payload":{"id":"#, Scanned::Other),
            ("", Scanned::Other),
        ] {
            assert_eq!(scan(frame.as_bytes()), expected, "{frame}");
        }
        assert!(is_ready(br#"{"type":"READY","payload":{}}"#));
    }
}
