//! What a client asks of the gateway: a closed set of commands.
//!
//! A frame is `{type, payload, rid?}`. [`ClientFrame::parse`] and [`ClientFrame::parse_msgpack`] are the
//! only ways in; they tell an unknown type from a wrong payload and keep the `rid` of a bad request, so
//! that the answer finds its way back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    ChannelId, MessageId, UserId,
    accounts::Secret,
    error::{ErrorCode, ErrorPayload},
    limits,
    messages::SendMessage,
    msgpack,
};

/// Which channels a connection hears from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subscribe {
    /// Every channel that the user is a member of, now and later.
    #[default]
    Joined,
    /// None: `JOIN_CHANNEL` names each.
    None,
}

/// Where a returning client stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The newest version that the client has, by channel.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub channels: BTreeMap<ChannelId, i64>,
}

/// The payload of `HELLO`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The access token, where neither header nor query carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// What to hear.
    #[serde(default)]
    pub subscribe: Subscribe,
    /// Where the client stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// Whether the server may put several frames into one WebSocket message, as an array.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub batch: bool,
}

/// The payload of `JOIN_CHANNEL` and `LEAVE_CHANNEL`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InChannel {
    /// Which.
    pub channel_id: ChannelId,
}

/// The payload of the command `TYPING`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTyping {
    /// Where.
    pub channel_id: ChannelId,
    /// Begun or repeated, or over.
    pub typing: bool,
}

/// The payload of the command `READ_RECEIPT`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReadMark {
    /// Where.
    pub channel_id: ChannelId,
    /// The newest message read.
    pub message_id: MessageId,
    /// The channel's `read_version` as the client knew it then; see [`MarkRead`](crate::reads::MarkRead).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_version: Option<i64>,
}

/// The payload of the command `REACTION`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReaction {
    /// On which message.
    pub message_id: MessageId,
    /// One emoji, with or without its variation selector.
    pub emoji: String,
    /// Put it there, or take it away.
    pub add: bool,
}

/// The payload of `WATCH`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Who, at most 100; in the place of those before.
    pub user_ids: Vec<UserId>,
}

/// The payload of `PING`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Everything that a client can ask of the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "payload", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Command {
    /// The first frame: who, what to hear, from where on. Answered by `READY`.
    Hello(Hello),
    /// Hear a channel on this connection; a public one is joined on the way.
    JoinChannel(InChannel),
    /// Hear a channel no more on this connection; membership stays.
    LeaveChannel(InChannel),
    /// Send a message; the `ACK` carries it as stored.
    Message(SendMessage),
    /// Say that one is typing, or no more.
    Typing(SetTyping),
    /// Say up to where one has read.
    ReadReceipt(SetReadMark),
    /// Put an emoji on a message, or take it away; the `ACK` carries the message.
    Reaction(SetReaction),
    /// Be told how these people are, also where people are only counted; answered by `WATCHED`.
    Watch(Watch),
    /// Heartbeat; answered by `PONG`.
    Ping(Empty),
}

impl Command {
    /// Its type, as on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => TYPES[0],
            Self::JoinChannel(_) => TYPES[1],
            Self::LeaveChannel(_) => TYPES[2],
            Self::Message(_) => TYPES[3],
            Self::Typing(_) => TYPES[4],
            Self::ReadReceipt(_) => TYPES[5],
            Self::Reaction(_) => TYPES[6],
            Self::Watch(_) => TYPES[7],
            Self::Ping(_) => TYPES[8],
        }
    }
}

/// The types of all commands, as on the wire.
pub const TYPES: [&str; 9] = [
    "HELLO",
    "JOIN_CHANNEL",
    "LEAVE_CHANNEL",
    "MESSAGE",
    "TYPING",
    "READ_RECEIPT",
    "REACTION",
    "WATCH",
    "PING",
];

/// A frame from a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientFrame {
    /// What it asks.
    #[serde(flatten)]
    pub command: Command,
    /// Comes back in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
}

impl ClientFrame {
    /// The MessagePack of the frame.
    #[must_use]
    pub fn to_msgpack(&self) -> Vec<u8> {
        // Every type here is maps with string keys, so writing cannot fail.
        msgpack::to_vec(self).unwrap_or_default()
    }
}

/// Why a frame could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFrame {
    /// The `rid` of the frame, where it could be read.
    pub rid: Option<String>,
    /// What is wrong; `None` when it is not even a frame of this protocol.
    pub error: Option<ErrorPayload>,
}

/// What is around a command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Around {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    #[serde(default, rename = "payload")]
    _payload: IgnoredAny,
    rid: Option<String>,
}

impl ClientFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`BadFrame`] with an `invalid` error where the sender can be told what is wrong, without one
    /// where the text is not JSON or not an object with a `type`.
    pub fn parse(text: &str) -> Result<Self, BadFrame> {
        let around = serde_json::from_str(text).ok();
        if let Some(frame) = Self::well_formed(around, || serde_json::from_str(text).ok()) {
            return Ok(frame);
        }
        Self::read(serde_json::from_str(text).map_err(|_| BadFrame { rid: None, error: None })?)
    }

    /// Reads a frame of MessagePack, by the same rules.
    ///
    /// # Errors
    /// As [`ClientFrame::parse`].
    pub fn parse_msgpack(bytes: &[u8]) -> Result<Self, BadFrame> {
        let around = msgpack::from_slice(bytes).ok();
        if let Some(frame) = Self::well_formed(around, || msgpack::from_slice(bytes).ok()) {
            return Ok(frame);
        }
        Self::read(msgpack::from_slice(bytes).map_err(|_| BadFrame { rid: None, error: None })?)
    }

    /// Nearly every frame, without a tree of values in between. What is not well formed, or has no payload, is
    /// read again by [`ClientFrame::read`], which says what is wrong.
    fn well_formed(around: Option<Around>, command: impl FnOnce() -> Option<Command>) -> Option<Self> {
        let rid = around?.rid;
        let fits = rid.as_ref().is_none_or(|rid| rid.chars().count() <= limits::RID_CHARS);
        fits.then(command)?.map(|command| Self { command, rid })
    }

    fn read(value: Value) -> Result<Self, BadFrame> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            #[serde(rename = "type")]
            kind: String,
            payload: Option<Value>,
            rid: Option<String>,
        }
        if !value.get("type").is_some_and(Value::is_string) {
            return Err(BadFrame { rid: None, error: None });
        }
        let rid = value.get("rid").and_then(Value::as_str).map(str::to_owned);
        let rid = rid.filter(|rid| rid.chars().count() <= limits::RID_CHARS);
        let bad = |rid: Option<String>, detail: String| BadFrame {
            rid,
            error: Some(ErrorPayload {
                code: ErrorCode::Invalid,
                detail,
                errors: Vec::new(),
                retry_after: None,
            }),
        };
        let raw: Raw = serde_json::from_value(value)
            .map_err(|e| bad(rid.clone(), format!("a frame is {{type, payload, rid?}}: {e}")))?;
        if raw.rid.is_some() && rid.is_none() {
            return Err(bad(None, format!("rid has at most {} characters", limits::RID_CHARS)));
        }
        if !TYPES.contains(&raw.kind.as_str()) {
            let kind: String = raw.kind.chars().take(32).collect();
            return Err(bad(rid, format!("unknown type {kind:?}; known: {}", TYPES.join(", "))));
        }
        let payload = raw.payload.unwrap_or_else(|| json!({}));
        match serde_json::from_value(json!({"type": raw.kind, "payload": payload})) {
            Ok(command) => Ok(Self { command, rid }),
            Err(e) => Err(bad(rid, format!("payload of {}: {e}", raw.kind))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_with_its_rid() {
        let frame =
            ClientFrame::parse(r#"{"type":"TYPING","payload":{"channel_id":"7","typing":true},"rid":"a"}"#);
        let frame = frame.unwrap();
        assert_eq!(frame.rid.as_deref(), Some("a"));
        assert!(matches!(frame.command, Command::Typing(t) if t.typing && t.channel_id.get() == 7));
        assert!(matches!(ClientFrame::parse(r#"{"type":"PING"}"#).unwrap().command, Command::Ping(_)));
    }

    #[test]
    fn both_ways_of_reading_say_the_same() {
        let long = "r".repeat(limits::RID_CHARS + 1);
        for text in [
            r#"{"type":"PING"}"#,
            r#"{"type":"PING","payload":{}}"#,
            r#"{"payload":{},"rid":null,"type":"PING"}"#,
            r#"{"rid":"a","payload":{"channel_id":"7","typing":true},"type":"TYPING"}"#,
            r#"{"type":"MESSAGE","payload":{"channel_id":"7","content":"마\ud55c\n","nonce":"n"},"rid":"a"}"#,
            r#"{"type":"PING","payload":{},"extra":1}"#,
            r#"{"type":"PING","payload":{},"payload":{}}"#,
            r#"{"type":"PING","payload":[]}"#,
            r#"{"type":"PING","payload":null}"#,
            r#"{"type":"TYPING","payload":{"channel_id":7,"typing":true}}"#,
            r#"{"type":"FLY","payload":{}}"#,
            r#"{"type":"PING","payload":{},"rid":7}"#,
            &format!(r#"{{"type":"PING","payload":{{}},"rid":"{long}"}}"#),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let (quick, slow) = (ClientFrame::parse(text), ClientFrame::read(value.clone()));
            let said = |result: Result<ClientFrame, BadFrame>| {
                result.map(|frame| serde_json::to_value(frame).unwrap())
            };
            let slow = said(slow);
            assert_eq!(said(quick), slow, "{text}");
            let packed = msgpack::to_vec(&value).unwrap();
            assert_eq!(said(ClientFrame::parse_msgpack(&packed)), slow, "{text} as MessagePack");
        }
    }

    #[test]
    fn what_is_not_a_frame_has_no_answer_and_what_is_wrong_in_one_has() {
        for garbage in ["", "[]", "7", "{}", "{\"type\":7}", "\u{0}", "{\"type\":\"PING\""] {
            assert_eq!(ClientFrame::parse(garbage).unwrap_err().error, None, "{garbage:?}");
        }
        for (wrong, word) in [
            (r#"{"type":"FLY","rid":"r"}"#, "unknown type"),
            (r#"{"type":"PING","rid":"r","extra":1}"#, "extra"),
            (r#"{"type":"PING","payload":{"x":1},"rid":"r"}"#, "unknown field"),
            (r#"{"type":"TYPING","payload":{"channel_id":7,"typing":true},"rid":"r"}"#, "TYPING"),
            (r#"{"type":"TYPING","payload":{"channel_id":"7"},"rid":"r"}"#, "typing"),
        ] {
            let bad = ClientFrame::parse(wrong).unwrap_err();
            assert_eq!(bad.rid.as_deref(), Some("r"), "{wrong}");
            let detail = bad.error.unwrap().detail;
            assert!(detail.contains(word), "{wrong} -> {detail}");
        }
    }
}
