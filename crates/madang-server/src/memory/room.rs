//! A room: a channel as it is now, and its newest messages, so that neither a message nor a resume asks
//! the database.
//!
//! Invariants:
//! - What it says is what a database snapshot at its `version` says.
//! - `recent` holds every change after `since`, in the order of the versions, and all were messages.

use std::collections::{HashSet, VecDeque};

use madang_proto::{
    ChannelId, Timestamp,
    channels::{Channel, ChannelChanges},
    messages::Message,
};
use parking_lot::Mutex;

/// Most messages that are kept of a channel.
const RECENT: usize = 32;
/// Most bytes of their texts.
const RECENT_BYTES: usize = 16 * 1024;
/// What nothing was said in for so long is forgotten, ms.
const QUIET_MS: i64 = 5 * 60_000;

pub struct Room(Mutex<State>);

struct State {
    channel: Channel,
    since: i64,
    recent: VecDeque<Message>,
    bytes: usize,
    used_at: Timestamp,
}

/// How a user stands to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Whether they are a member, and then up to where they have read.
    pub read: Option<i64>,
}

impl Room {
    /// The channel as the database has it; whose own fields it carries does not matter.
    pub fn new(channel: Channel, now: Timestamp) -> Self {
        let channel = Channel { joined: None, last_read_seq: None, unread_count: None, ..channel };
        let since = channel.version;
        Self(Mutex::new(State { channel, since, recent: VecDeque::new(), bytes: 0, used_at: now }))
    }

    /// Of a thread: the channel of its root.
    pub fn parent(&self) -> Option<ChannelId> {
        self.0.lock().channel.thread.map(|of| of.channel_id)
    }

    /// The channel as a user stands to it.
    pub fn channel(&self, seat: Seat) -> Channel {
        self.0.lock().channel(seat)
    }

    /// The same, and what changed in it since a version, if that is known here.
    pub fn since(&self, seat: Seat, version: i64) -> (Channel, Option<ChannelChanges>) {
        let state = self.0.lock();
        let channel = state.channel(seat);
        if version < state.since || version > channel.version {
            return (channel, None);
        }
        let mut seen = HashSet::new();
        let mut messages: Vec<Message> = state
            .recent
            .iter()
            .rev()
            .take_while(|m| m.version > version)
            .filter(|m| seen.insert(m.id))
            .cloned()
            .collect();
        messages.reverse();
        let (version, members) = (channel.version, Vec::new());
        let changes = ChannelChanges { channel: channel.clone(), messages, members, version, more: false };
        (channel, Some(changes))
    }

    /// Takes in a message that was stored. False when something before it is missing here.
    pub fn take(&self, message: &Message) -> bool {
        let state = &mut *self.0.lock();
        if message.version != state.channel.version + 1 {
            return message.version <= state.channel.version;
        }
        state.channel.version = message.version;
        state.channel.last_seq = state.channel.last_seq.max(message.seq);
        state.bytes += message.content.len();
        state.used_at = message.edited_at.or(message.deleted_at).unwrap_or(message.created_at);
        state.recent.push_back(message.clone());
        while state.recent.len() > RECENT || state.bytes > RECENT_BYTES {
            let Some(oldest) = state.recent.pop_front() else { break };
            state.bytes -= oldest.content.len();
            state.since = oldest.version;
        }
        true
    }

    /// Whether something was said in it lately.
    pub fn is_in_use(&self, now: Timestamp) -> bool {
        now.millis() - self.0.lock().used_at.millis() < QUIET_MS
    }
}

impl State {
    fn channel(&self, seat: Seat) -> Channel {
        let unread = |read: i64| (self.channel.last_seq - read).max(0);
        Channel {
            joined: Some(seat.read.is_some()),
            last_read_seq: seat.read,
            unread_count: seat.read.map(unread),
            ..self.channel.clone()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use madang_proto::{accounts::UserSummary, channels::ChannelKind};

    use super::*;

    const SEAT: Seat = Seat { read: Some(3) };

    pub(in crate::memory) fn room(version: i64, last_seq: i64) -> Room {
        let channel = Channel {
            id: 1.into(),
            workspace_id: 1.into(),
            kind: ChannelKind::Public,
            name: "마당".to_owned(),
            topic: String::new(),
            is_default: false,
            created_by: None,
            member_count: 2,
            last_seq,
            version,
            created_at: 0.into(),
            joined: None,
            last_read_seq: None,
            unread_count: None,
            people: Vec::new(),
            thread: None,
        };
        Room::new(channel, 0.into())
    }

    pub(in crate::memory) fn message(id: i64, version: i64, content: &str) -> Message {
        let author = UserSummary {
            id: 1.into(),
            username: "jimin".to_owned(),
            display_name: "지민".to_owned(),
            avatar_url: None,
        };
        Message {
            id: id.into(),
            channel_id: 1.into(),
            seq: id,
            version,
            user: author.clone(),
            author,
            content: content.to_owned(),
            nonce: None,
            edited_at: None,
            deleted_at: None,
            thread: None,
            created_at: 0.into(),
        }
    }

    fn missed(room: &Room, version: i64) -> Option<Vec<(i64, String)>> {
        let messages = room.since(SEAT, version).1?.messages;
        Some(messages.into_iter().map(|m| (m.id.get(), m.content)).collect())
    }

    #[test]
    fn it_tells_what_changed_since_a_version_as_states() {
        let room = room(10, 4);
        assert!(room.take(&message(5, 11, "안녕")) && room.take(&message(6, 12, "hi")));
        assert!(room.take(&message(5, 13, "안녕하세요")), "an edit");
        let (edited, hi) = ((5, "안녕하세요".to_owned()), (6, "hi".to_owned()));
        assert_eq!(missed(&room, 10), Some(vec![hi.clone(), edited.clone()]));
        assert_eq!(missed(&room, 12), Some(vec![edited]));
        assert_eq!(missed(&room, 13), Some(vec![]));
        assert_eq!((missed(&room, 9), missed(&room, 14)), (None, None), "before and after its time");
        let channel = room.channel(SEAT);
        assert_eq!((channel.version, channel.last_seq, channel.unread_count), (13, 6, Some(3)));
    }

    #[test]
    fn it_does_not_go_on_over_a_gap() {
        let room = room(10, 4);
        assert!(!room.take(&message(6, 12, "hi")));
        assert!(room.take(&message(4, 10, "known")), "nothing new");
        assert_eq!(room.channel(SEAT).version, 10);
    }

    #[test]
    fn it_keeps_a_bounded_part() {
        let room = room(0, 0);
        let text = "가".repeat(200);
        (1..=1_000).for_each(|id| assert!(room.take(&message(id, id, &text))));
        let kept = (0..1_000).find_map(|version| missed(&room, version)).unwrap().len();
        assert!(kept <= RECENT && kept * text.len() <= RECENT_BYTES && kept > 20, "{kept}");
    }
}
