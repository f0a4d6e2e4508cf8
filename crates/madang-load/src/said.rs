//! What a message of the server says, by a real parser: in either encoding, one frame or several joined. Slower
//! than [`crate::scan`], so it is for what is rare, and for what is read once for many ([`crate::memo`]).
//!
//! Invariants:
//! - Fields that a load test does not care about are passed over.

use madang_proto::{Encoding, msgpack};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    scan::{Scanned, Seen},
    schedule::Stamp,
};

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    #[serde(rename = "type")]
    kind: String,
    /// What it carries.
    #[serde(default)]
    pub payload: Payload,
    rid: Option<String>,
}

/// Fields of a message, and of `READY`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Payload {
    channel_id: String,
    seq: Option<u64>,
    content: Option<String>,
    /// The channels that are heard.
    pub channels: Vec<Standing>,
    /// What one who came back missed.
    pub changes: Vec<Change>,
    /// Channels that have to be fetched anew.
    pub resync: Vec<String>,
}

/// Where a channel stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Which one.
    pub id: String,
    /// Its newest message.
    pub last_seq: u64,
}

/// What happened in a channel meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// Which one.
    pub channel: Standing,
    /// The messages.
    pub messages: Vec<Payload>,
    /// Whether that is not all.
    pub more: bool,
}

impl Payload {
    /// The message, if it is one.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        let stamp = Stamp::read(self.content.as_ref()?.as_bytes());
        Some(Seen { channel: self.channel_id.parse().ok()?, seq: self.seq?, stamp })
    }
}

impl Said {
    /// The frame as far as a load test cares.
    #[must_use]
    pub fn scanned(&self) -> Scanned {
        let rid = self.rid.as_ref().and_then(|rid| rid.parse().ok());
        match self.kind.as_str() {
            "MESSAGE" => self.payload.seen().map_or(Scanned::Other, Scanned::Message),
            "ACK" => rid.map_or(Scanned::Other, |rid| Scanned::Ack { rid, seen: self.payload.seen() }),
            "ERROR" => Scanned::Refused { rid },
            "READY" => Scanned::Ready,
            _ => Scanned::Other,
        }
    }
}

/// The frames of a message; none when they cannot be read.
#[must_use]
pub fn read(message: &[u8], encoding: Encoding) -> Vec<Said> {
    let several = match encoding {
        Encoding::Json => message.first() == Some(&b'['),
        Encoding::MessagePack => matches!(message.first(), Some(0x90..=0x9f | 0xdc | 0xdd)),
    };
    if several {
        return parse(message, encoding).unwrap_or_default();
    }
    parse(message, encoding).into_iter().collect()
}

fn parse<T: DeserializeOwned>(message: &[u8], encoding: Encoding) -> Option<T> {
    match encoding {
        Encoding::Json => serde_json::from_slice(message).ok(),
        Encoding::MessagePack => msgpack::from_slice(message).ok(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn both_encodings_say_the_same_alone_and_joined() {
        let stamp = Stamp { due: 12, number: 7 };
        let message = json!({"id": "3", "channel_id": "345", "seq": 6, "author": {"id": "guest_7"},
            "content": stamp.content(128), "created_at": "2026-01-01T00:00:00Z"});
        let seen = Seen { channel: 345, seq: 6, stamp: Some(stamp) };
        let frames = [
            (json!({"type": "MESSAGE", "payload": message}), Scanned::Message(seen)),
            (
                json!({"type": "ACK", "payload": message, "rid": "7"}),
                Scanned::Ack { rid: 7, seen: Some(seen) },
            ),
            (json!({"type": "ACK", "payload": {}, "rid": "8"}), Scanned::Ack { rid: 8, seen: None }),
            (
                json!({"type": "ERROR", "payload": {"code": "invalid"}, "rid": "9"}),
                Scanned::Refused { rid: Some(9) },
            ),
            (json!({"type": "PONG", "payload": {"versions": {"345": 9}}}), Scanned::Other),
        ];
        let (all, expected): (Vec<Value>, Vec<Scanned>) = frames.into_iter().unzip();
        let scanned = |message: &[u8], encoding| -> Vec<Scanned> {
            read(message, encoding).iter().map(Said::scanned).collect()
        };
        for (frame, expected) in all.iter().zip(&expected) {
            assert_eq!(scanned(frame.to_string().as_bytes(), Encoding::Json), [*expected]);
            assert_eq!(scanned(&msgpack::to_vec(frame).unwrap(), Encoding::MessagePack), [*expected]);
        }
        let many = [&all[..]; 4].concat();
        assert_eq!(scanned(json!(many).to_string().as_bytes(), Encoding::Json), [&expected[..]; 4].concat());
        let packed = msgpack::to_vec(&many).unwrap();
        assert_eq!(scanned(&packed, Encoding::MessagePack), [&expected[..]; 4].concat());
        assert!(read(b"[{", Encoding::Json).is_empty() && read(&[0x92, 1], Encoding::MessagePack).is_empty());
    }

    #[test]
    fn one_who_comes_back_is_told_what_happened() {
        let ready = json!({"type": "READY", "payload": {
            "channels": [{"id": "5", "name": "a", "last_seq": 9}],
            "changes": [{"channel": {"id": "5", "last_seq": 9}, "members": [], "version": 9, "more": true,
                "messages": [{"id": "1", "channel_id": "5", "seq": 8, "content": "hello"}]}],
            "resync": ["6"]}});
        for (bytes, encoding) in [
            (ready.to_string().into_bytes(), Encoding::Json),
            (msgpack::to_vec(&ready).unwrap(), Encoding::MessagePack),
        ] {
            let said = read(&bytes, encoding);
            let [Said { payload, .. }] = &said[..] else { panic!("{said:?}") };
            assert_eq!(said[0].scanned(), Scanned::Ready);
            assert_eq!((payload.channels[0].last_seq, &payload.resync[..]), (9, &["6".to_owned()][..]));
            assert!(payload.changes[0].more);
            assert_eq!(payload.changes[0].messages[0].seen(), Some(Seen { channel: 5, seq: 8, stamp: None }));
        }
    }
}
