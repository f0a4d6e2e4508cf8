//! What goes over Redis: a header, an item, and a seal.
//!
//! ```text
//! version 1 | node 2 | start 8 | number 8 | kind 1 | the item … | seal 16
//! ```
//!
//! Numbers are big-endian. `start` is drawn anew by each bus, so that a node knows what is its own, and what is of
//! another life of a node. `number` grows with each item of a bus. The seal is HMAC-SHA256, cut to 16 bytes, over the
//! name of the Redis channel and all that is before it: who only can write to Redis can neither forge an item nor move
//! one to another channel or cluster.
//!
//! Invariants:
//! - Nothing of a message but its version and start is looked at before its seal is.
//! - Whatever bytes come, reading them ends in an item or a [`Refusal`].

#[cfg(test)]
mod tests;

use aws_lc_rs::{constant_time, hmac};
use bytes::{Buf, BufMut, Bytes};
use madang_proto::close::CloseCode;

use crate::{
    Audience, Class, Control, Envelope, Topic,
    bus::{Arriving, NodeId},
};

/// The version of this format. Another one is not read.
const VERSION: u8 = 1;
const SEAL: usize = 16;
const HEADER: usize = 1 + 2 + 8 + 8;

/// An item as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) node: NodeId,
    pub(super) start: u64,
    pub(super) number: u64,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Event(Event),
    Control(Control),
    Notice(Bytes),
    /// The node lost some of what it published.
    Gap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) topic: Topic,
    pub(super) version: Option<i64>,
    pub(super) class: Class,
    pub(super) audience: Audience,
    pub(super) payload: Bytes,
}

impl Event {
    pub(super) fn arriving(&self) -> Arriving<'_> {
        let Self { topic, version, class, audience, payload } = self;
        Arriving { topic: *topic, version: *version, class: *class, audience, payload: payload.clone() }
    }
}

/// Why something that came is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// This node sent it.
    Own,
    /// It is of another version of the format.
    Unknown,
    /// It is too short, was not sealed with our key for this channel, or is not an item.
    Forged,
}

/// Seals what this bus sends, and opens what others sent.
pub(super) struct Sealer {
    key: hmac::Key,
    node: NodeId,
    start: u64,
}

impl Sealer {
    pub(super) fn new(secret: &[u8], node: NodeId, start: u64) -> Self {
        // A key of its own, whatever else the secret is for.
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&secret, b"madang bus");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), node, start }
    }

    pub(super) fn seal(&self, channel: &str, number: u64, item: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + item.len() + SEAL);
        bytes.put_u8(VERSION);
        bytes.put_u16(self.node.0);
        bytes.put_u64(self.start);
        bytes.put_u64(number);
        bytes.put_slice(item);
        let tag = self.tag(channel.as_bytes(), &bytes);
        bytes.put_slice(&tag);
        bytes
    }

    pub(super) fn open(&self, channel: &[u8], mut bytes: Bytes) -> Result<Message, Refusal> {
        let body = bytes.len().checked_sub(SEAL).filter(|body| *body > HEADER).ok_or(Refusal::Forged)?;
        let seal = bytes.split_off(body);
        let sealed = bytes.clone();
        let version = bytes.get_u8();
        let (node, start, number) = (NodeId(bytes.get_u16()), bytes.get_u64(), bytes.get_u64());
        if version != VERSION {
            return Err(Refusal::Unknown);
        }
        if start == self.start {
            return Err(Refusal::Own);
        }
        constant_time::verify_slices_are_equal(&self.tag(channel, &sealed), &seal)
            .map_err(|_| Refusal::Forged)?;
        let content = read(bytes).ok_or(Refusal::Forged)?;
        Ok(Message { node, start, number, content })
    }

    fn tag(&self, channel: &[u8], bytes: &[u8]) -> [u8; SEAL] {
        let mut context = hmac::Context::with_key(&self.key);
        // A name never has a zero, so this ends it.
        context.update(channel);
        context.update(&[0]);
        context.update(bytes);
        let mut tag = [0; SEAL];
        tag.copy_from_slice(context.sign().as_ref().get(..SEAL).unwrap_or(&[0; SEAL]));
        tag
    }
}

const EVENT: u8 = 0;
const CONTROL: u8 = 1;
const NOTICE: u8 = 2;
const GAP: u8 = 3;

/// An event as an item; nothing when its audience is too long to be written.
pub(super) fn event(envelope: &Envelope) -> Option<Vec<u8>> {
    let (audience, payload) = (envelope.audience(), envelope.portable());
    let mut out = Vec::with_capacity(32 + payload.len());
    out.put_u8(EVENT);
    put_topic(&mut out, envelope.topic());
    out.put_u8(match envelope.class() {
        Class::Durable => 0,
        Class::Ephemeral => 1,
    });
    out.put_u8(u8::from(envelope.version().is_some()));
    out.put_i64(envelope.version().unwrap_or_default());
    for topics in [&audience.among, &audience.except] {
        let count = u16::try_from(topics.len()).ok()?;
        out.put_u16(count);
        topics.iter().for_each(|topic| put_topic(&mut out, *topic));
    }
    out.put_slice(&payload);
    Some(out)
}

/// A control as an item.
pub(super) fn control(control: Control) -> Vec<u8> {
    let mut out = vec![CONTROL];
    match control {
        Control::Subscribe { user, topic } => {
            out.put_u8(0);
            out.put_i64(user.get());
            put_topic(&mut out, topic);
        }
        Control::Unsubscribe { user, topic } => {
            out.put_u8(1);
            out.put_i64(user.get());
            put_topic(&mut out, topic);
        }
        Control::CloseSession { session, code } => {
            out.put_u8(2);
            out.put_i64(session.get());
            out.put_u16(code.number());
        }
        Control::CloseUser { user, code } => {
            out.put_u8(3);
            out.put_i64(user.get());
            out.put_u16(code.number());
        }
        Control::CloseAll { code } => {
            out.put_u8(4);
            out.put_u16(code.number());
        }
    }
    out
}

/// A notice as an item.
pub(super) fn notice(notice: &[u8]) -> Vec<u8> {
    let mut out = vec![NOTICE];
    out.put_slice(notice);
    out
}

/// That something was lost, as an item.
pub(super) fn gap() -> Vec<u8> {
    vec![GAP]
}

fn put_topic(out: &mut Vec<u8>, topic: Topic) {
    let (kind, id) = match topic {
        Topic::Channel(id) => (0, id.get()),
        Topic::Workspace(id) => (1, id.get()),
        Topic::User(id) => (2, id.get()),
        Topic::Presence(id) => (3, id.get()),
        Topic::Lobby(id) => (4, id.get()),
    };
    out.put_u8(kind);
    out.put_i64(id);
}

fn read(mut bytes: Bytes) -> Option<Content> {
    match bytes.try_get_u8().ok()? {
        EVENT => read_event(bytes).map(Content::Event),
        CONTROL => {
            let control = read_control(&mut bytes)?;
            bytes.is_empty().then_some(Content::Control(control))
        }
        NOTICE => Some(Content::Notice(bytes)),
        GAP => bytes.is_empty().then_some(Content::Gap),
        _ => None,
    }
}

fn read_event(mut bytes: Bytes) -> Option<Event> {
    let topic = read_topic(&mut bytes)?;
    let class = match bytes.try_get_u8().ok()? {
        0 => Class::Durable,
        1 => Class::Ephemeral,
        _ => return None,
    };
    let versioned = bytes.try_get_u8().ok()?;
    let version = bytes.try_get_i64().ok()?;
    let version = match versioned {
        0 => None,
        1 => Some(version),
        _ => return None,
    };
    let (among, except) = (read_topics(&mut bytes)?, read_topics(&mut bytes)?);
    Some(Event { topic, version, class, audience: Audience { among, except }, payload: bytes })
}

fn read_control(bytes: &mut Bytes) -> Option<Control> {
    let kind = bytes.try_get_u8().ok()?;
    if kind == 4 {
        return Some(Control::CloseAll { code: read_code(bytes)? });
    }
    let id = bytes.try_get_i64().ok()?;
    match kind {
        0 => Some(Control::Subscribe { user: id.into(), topic: read_topic(bytes)? }),
        1 => Some(Control::Unsubscribe { user: id.into(), topic: read_topic(bytes)? }),
        2 => Some(Control::CloseSession { session: id.into(), code: read_code(bytes)? }),
        3 => Some(Control::CloseUser { user: id.into(), code: read_code(bytes)? }),
        _ => None,
    }
}

fn read_topics(bytes: &mut Bytes) -> Option<Vec<Topic>> {
    let count = usize::from(bytes.try_get_u16().ok()?);
    (0..count).map(|_| read_topic(bytes)).collect()
}

fn read_topic(bytes: &mut Bytes) -> Option<Topic> {
    let kind = bytes.try_get_u8().ok()?;
    let id = bytes.try_get_i64().ok()?;
    match kind {
        0 => Some(Topic::Channel(id.into())),
        1 => Some(Topic::Workspace(id.into())),
        2 => Some(Topic::User(id.into())),
        3 => Some(Topic::Presence(id.into())),
        4 => Some(Topic::Lobby(id.into())),
        _ => None,
    }
}

fn read_code(bytes: &mut Bytes) -> Option<CloseCode> {
    let number = bytes.try_get_u16().ok()?;
    CloseCode::ALL.into_iter().find(|code| code.number() == number)
}
