//! What is said on a connection: the gateway's own protocol, or that of a peer to compare with.
//!
//! A small chat server on `ws` speaks a part of the gateway's protocol, so only the way to it differs; one on
//! Socket.IO has its own framing (Engine.IO 4 over WebSocket, whose packets are text with a digit in front).
//! What is read or written in another way is another dialect.

use std::fmt::Write as _;

use madang_proto::{Encoding, msgpack};
use serde_json::Value;

use crate::{
    frame::{self, Frame, Kind},
    said::{self, Said},
    scan::{self, Scanned},
    socket::KEY,
};

/// What is said on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `docs/protocol.md`.
    Madang(Manner),
    /// Socket.IO 4: the events `join` and `message`, both acknowledged.
    SocketIo,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::Madang(Manner::default())
    }
}

/// How the gateway's protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Of both sides.
    pub encoding: Encoding,
    /// Whether the server may compress what it sends; what is sent to it is not worth it.
    pub deflate: bool,
    /// Whether the server may put several frames into one message.
    pub batch: bool,
}

/// What to do with a message before the connection is live.
#[derive(Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing.
    Wait,
    /// Say this.
    Say(&'static str),
    /// Everything flows from now on.
    Live,
    /// The same, if it is among these frames; those after it are part of what flows.
    Look(Vec<Said>),
}

/// The acknowledgement of `join`; messages are numbered far above it.
const JOIN: &str = r#"420["join","1"]"#;

impl Dialect {
    /// The request for the upgrade.
    #[must_use]
    pub fn request(self, host: &str, token: &str) -> String {
        let (path, mut more) = match self {
            Self::Madang(_) => ("/api/v1/ws", format!("Authorization: Bearer {token}\r\n")),
            Self::SocketIo => ("/socket.io/?EIO=4&transport=websocket", String::new()),
        };
        for (name, value) in self.offers() {
            // Writing to a string cannot fail.
            let _ = write!(more, "{name}: {value}\r\n");
        }
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
        )
    }

    /// Headers of the request that the answer has to repeat: name, and how the value begins.
    pub fn offers(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let Manner { encoding, deflate, .. } = self.manner();
        let protocol = (encoding != Encoding::Json).then(|| encoding.subprotocol());
        let extension = deflate.then_some("permessage-deflate");
        [("Sec-WebSocket-Protocol", protocol), ("Sec-WebSocket-Extensions", extension)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }

    const fn manner(self) -> Manner {
        match self {
            Self::Madang(manner) => manner,
            Self::SocketIo => Manner { encoding: Encoding::Json, deflate: false, batch: false },
        }
    }

    /// Whether the server may send such a frame.
    #[inline]
    pub fn admits(self, frame: &Frame) -> bool {
        let Manner { encoding, deflate, .. } = self.manner();
        let kind = if encoding == Encoding::Json { Kind::Text } else { Kind::Binary };
        frame.kind == kind && (deflate || !frame.compressed)
    }

    /// Appends a frame with these words, which are JSON in the gateway's protocol.
    pub fn put(self, out: &mut Vec<u8>, words: &str) {
        match self.manner().encoding {
            Encoding::Json => frame::text(out, words.as_bytes()),
            Encoding::MessagePack => {
                let value = serde_json::from_str::<Value>(words).unwrap_or_default();
                frame::binary(out, &msgpack::to_vec(&value).unwrap_or_default());
            }
        }
    }

    /// The first words after the upgrade; `resume` are members of a JSON object, or nothing.
    #[must_use]
    pub fn hello(self, resume: &str) -> Option<String> {
        let resume = if resume.is_empty() {
            String::new()
        } else {
            format!(r#","resume":{{"channels":{{{resume}}}}}"#)
        };
        match self {
            Self::Madang(Manner { batch, .. }) => Some(format!(
                r#"{{"type":"HELLO","payload":{{"subscribe":"joined","batch":{batch}{resume}}}}}"#
            )),
            // The server speaks first.
            Self::SocketIo => None,
        }
    }

    /// What to do with a message before the connection is live.
    #[must_use]
    pub fn greet(self, frame: &[u8]) -> Greeting {
        match self {
            Self::Madang(_) if scan::is_ready(frame) => Greeting::Live,
            Self::Madang(manner) => Greeting::Look(said::read(frame, manner.encoding)),
            Self::SocketIo if frame.starts_with(b"0{") => Greeting::Say("40"),
            Self::SocketIo if frame.starts_with(b"40{") => Greeting::Say(JOIN),
            Self::SocketIo if frame == b"430[]" => Greeting::Live,
            Self::SocketIo => Greeting::Wait,
        }
    }

    /// A message to a channel; `number` comes back with the acknowledgement.
    pub fn message(self, into: &mut String, channel: u64, content: &str, run: &str, number: u64) {
        into.clear();
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Madang(_) => write!(
                into,
                r#"{{"type":"MESSAGE","payload":{{"channel_id":"{channel}","content":"{content}","nonce":"{run}-{number}"}},"rid":"{number}"}}"#
            ),
            Self::SocketIo => {
                write!(into, r#"42{number}["message",{{"channel_id":"{channel}","content":"{content}"}}]"#)
            }
        };
    }

    /// What keeps a connection alive that has nothing to say.
    #[must_use]
    pub const fn ping(self) -> Option<&'static str> {
        match self {
            Self::Madang(_) => Some(r#"{"type":"PING"}"#),
            Self::SocketIo => None,
        }
    }

    /// Reads the frames of a message to a live connection.
    #[inline]
    pub fn scan(self, message: &[u8], into: &mut Vec<Scanned>) {
        match self {
            Self::Madang(Manner { encoding: Encoding::Json, .. }) if message.first() == Some(&b'{') => {
                into.push(scan::scan(message));
            }
            Self::Madang(manner) => {
                into.extend(said::read(message, manner.encoding).iter().map(Said::scanned));
            }
            Self::SocketIo => into.push(socket_io(message)),
        }
    }
}

/// A packet of Socket.IO.
fn socket_io(frame: &[u8]) -> Scanned {
    if let Some(rest) = frame.strip_prefix(br#"42["message",{"id":""#)
        && let Some(seen) = scan::fields(rest)
    {
        return Scanned::Message(seen);
    }
    if let Some((rid, rest)) = frame.strip_prefix(b"43").and_then(scan::number)
        && let Some(seen) = rest.strip_prefix(br#"[{"id":""#).and_then(scan::fields)
    {
        return Scanned::Ack { rid, seen: Some(seen) };
    }
    match frame {
        b"2" => Scanned::Ping("3"),
        _ => Scanned::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{scan::Seen, schedule::Stamp};

    #[test]
    fn a_connection_to_socket_io_comes_to_life() {
        let greet = |frame: &str| Dialect::SocketIo.greet(frame.as_bytes());
        assert_eq!(greet(r#"0{"sid":"a","upgrades":[]}"#), Greeting::Say("40"));
        assert_eq!(greet(r#"40{"sid":"b"}"#), Greeting::Say(JOIN));
        assert_eq!(greet("2"), Greeting::Wait);
        assert_eq!(greet("430[]"), Greeting::Live);
        assert_eq!(Dialect::default().greet(br#"{"type":"READY","payload":{}}"#), Greeting::Live);
    }

    #[test]
    fn what_is_offered_is_what_is_admitted() {
        let plain = Manner::default();
        let packed = Manner { encoding: Encoding::MessagePack, deflate: true, batch: true };
        let offers = |manner| Dialect::Madang(manner).offers().map(|(_, value)| value).collect::<Vec<_>>();
        assert!(offers(plain).is_empty());
        assert_eq!(offers(packed), ["madang.v1.msgpack", "permessage-deflate"]);
        let request = Dialect::Madang(packed).request("localhost", "secret");
        assert!(request.contains("\r\nSec-WebSocket-Protocol: madang.v1.msgpack\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n") && !request.trim_end().contains("\r\n\r\n"));

        let frame = |kind, compressed| Frame { kind, compressed, payload: 0..0 };
        for (frame, as_plain, as_packed) in [
            (frame(Kind::Text, false), true, false),
            (frame(Kind::Text, true), false, false),
            (frame(Kind::Binary, false), false, true),
            (frame(Kind::Binary, true), false, true),
        ] {
            let admitted = [plain, packed].map(|manner| Dialect::Madang(manner).admits(&frame));
            assert_eq!(admitted, [as_plain, as_packed], "{frame:?}");
        }
    }

    #[test]
    fn the_same_is_said_in_both_encodings() {
        let packed = Dialect::Madang(Manner { encoding: Encoding::MessagePack, ..Manner::default() });
        let hello = packed.hello(r#""5":9"#).unwrap();
        let mut bytes = Vec::new();
        packed.put(&mut bytes, &hello);
        // Behind a header with a mask: a short length.
        assert_eq!(bytes[0], 0x82);
        let said: Value = msgpack::from_slice(&bytes[6..]).unwrap();
        assert_eq!(said, serde_json::from_str::<Value>(&hello).unwrap());
        assert_eq!(said["payload"]["resume"]["channels"]["5"], 9);
    }

    #[test]
    fn packets_of_socket_io() {
        let stamp = Stamp { due: 12, number: 7 };
        let (content, seen) = (stamp.content(40), Seen { channel: 1, seq: 3, stamp: Some(stamp) });
        let fields = format!(r#"{{"id":"3","channel_id":"1","seq":3,"content":"{content}"}}"#);
        let scan = |frame: String| {
            let mut scanned = Vec::new();
            Dialect::SocketIo.scan(frame.as_bytes(), &mut scanned);
            scanned[0]
        };
        assert_eq!(scan(format!(r#"42["message",{fields}]"#)), Scanned::Message(seen));
        assert_eq!(scan(format!("4317[{fields}]")), Scanned::Ack { rid: 17, seen: Some(seen) });
        assert_eq!(scan("2".to_owned()), Scanned::Ping("3"));
        assert_eq!(scan(r#"42["other",1]"#.to_owned()), Scanned::Other);

        let mut text = String::new();
        Dialect::SocketIo.message(&mut text, 1, "hello", "run", 17);
        assert_eq!(text, r#"4217["message",{"channel_id":"1","content":"hello"}]"#);
    }
}
