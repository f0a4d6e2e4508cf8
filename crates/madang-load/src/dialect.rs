//! What is said on a connection: the gateway's own protocol, or that of a peer to compare with.
//!
//! A small chat server on `ws` speaks a part of the gateway's protocol, so only the way to it differs; one on
//! Socket.IO has its own framing (Engine.IO 4 over WebSocket, whose packets are text with a digit in front).
//! What is read or written in another way is another dialect.

use std::fmt::Write as _;

use crate::{
    scan::{self, Scanned},
    socket::KEY,
};

/// What is said on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// `docs/protocol.md`.
    #[default]
    Madang,
    /// Socket.IO 4: the events `join` and `message`, both acknowledged.
    SocketIo,
}

/// What to do with a frame before the connection is live.
#[derive(Debug, PartialEq, Eq)]
pub enum Greeting {
    /// Nothing.
    Wait,
    /// Say this.
    Say(&'static str),
    /// Everything flows from now on.
    Live,
}

/// The acknowledgement of `join`; messages are numbered far above it.
const JOIN: &str = r#"420["join","1"]"#;

impl Dialect {
    /// The request for the upgrade.
    #[must_use]
    pub fn request(self, host: &str, token: &str) -> String {
        let (path, authorization) = match self {
            Self::Madang => ("/api/v1/ws", format!("Authorization: Bearer {token}\r\n")),
            Self::SocketIo => ("/socket.io/?EIO=4&transport=websocket", String::new()),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{authorization}\r\n"
        )
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
            Self::Madang => Some(format!(r#"{{"type":"HELLO","payload":{{"subscribe":"joined"{resume}}}}}"#)),
            // The server speaks first.
            Self::SocketIo => None,
        }
    }

    /// What to do with a frame before the connection is live.
    #[must_use]
    pub fn greet(self, frame: &[u8]) -> Greeting {
        match self {
            Self::Madang if scan::is_ready(frame) => Greeting::Live,
            Self::SocketIo if frame.starts_with(b"0{") => Greeting::Say("40"),
            Self::SocketIo if frame.starts_with(b"40{") => Greeting::Say(JOIN),
            Self::SocketIo if frame == b"430[]" => Greeting::Live,
            Self::Madang | Self::SocketIo => Greeting::Wait,
        }
    }

    /// A message to a channel; `number` comes back with the acknowledgement.
    pub fn message(self, into: &mut String, channel: u64, content: &str, run: &str, number: u64) {
        into.clear();
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Madang => write!(
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
            Self::Madang => Some(r#"{"type":"PING"}"#),
            Self::SocketIo => None,
        }
    }

    /// Reads a frame of a live connection.
    #[must_use]
    #[inline]
    pub fn scan(self, frame: &[u8]) -> Scanned {
        match self {
            Self::Madang => scan::scan(frame),
            Self::SocketIo => socket_io(frame),
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
        assert_eq!(Dialect::Madang.greet(br#"{"type":"READY","payload":{}}"#), Greeting::Live);
    }

    #[test]
    fn packets_of_socket_io() {
        let stamp = Stamp { due: 12, number: 7 };
        let (content, seen) = (stamp.content(40), Seen { channel: 1, seq: 3, stamp: Some(stamp) });
        let fields = format!(r#"{{"id":"3","channel_id":"1","seq":3,"content":"{content}"}}"#);
        let scan = |frame: String| Dialect::SocketIo.scan(frame.as_bytes());
        assert_eq!(scan(format!(r#"42["message",{fields}]"#)), Scanned::Message(seen));
        assert_eq!(scan(format!("4317[{fields}]")), Scanned::Ack { rid: 17, seen: Some(seen) });
        assert_eq!(scan("2".to_owned()), Scanned::Ping("3"));
        assert_eq!(scan(r#"42["other",1]"#.to_owned()), Scanned::Other);

        let mut text = String::new();
        Dialect::SocketIo.message(&mut text, 1, "hello", "run", 17);
        assert_eq!(text, r#"4217["message",{"channel_id":"1","content":"hello"}]"#);
    }
}
