//! A room: a channel as it is now, and its newest messages, so that neither a message nor a resume asks
//! the database.
//!
//! Invariants:
//! - What it says is what a database snapshot at its `version` says.
//! - `recent` holds the messages that changed after `since`, as they are now, in the order of their
//!   versions; nothing else of the channel changed after `since`.

use std::collections::VecDeque;

use madang_proto::{
    ChannelId, MessageId, Timestamp, UserId,
    channels::{Channel, ChannelChanges},
    messages::Message,
    reactions::ReactionChange,
};
use parking_lot::Mutex;

/// Most messages that are kept of a channel.
const RECENT: usize = 32;
/// Most bytes of their texts and reactions.
const RECENT_BYTES: usize = 16 * 1024;
/// About what a reaction takes.
const REACTION_BYTES: usize = 64;
/// What nothing was said in for so long is forgotten, ms.
const QUIET_MS: i64 = 5 * 60_000;

pub struct Room(Mutex<State>);

struct State {
    channel: Channel,
    since: i64,
    recent: VecDeque<Recent>,
    bytes: usize,
    used_at: Timestamp,
}

/// A message as it is now.
#[derive(Clone)]
struct Recent {
    message: Message,
    /// Whose its reactions are: what each person sees as their own differs.
    reactions: Vec<(String, UserId)>,
}

/// How a user stands to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub user: UserId,
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

    /// Its newest version.
    pub fn version(&self) -> i64 {
        self.0.lock().channel.version
    }

    /// The channel, and what changed in it since a version, if that is known here.
    pub fn since(&self, seat: Seat, version: i64) -> (Channel, Option<ChannelChanges>) {
        let state = self.0.lock();
        let channel = state.channel(seat);
        if version < state.since || version > channel.version {
            return (channel, None);
        }
        let missed = state.recent.iter().skip_while(|recent| recent.message.version <= version);
        let messages = missed.map(|recent| recent.seen_by(seat.user)).collect();
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
        let used_at = message.edited_at.or(message.deleted_at).unwrap_or(message.created_at);
        state.used_at = state.used_at.max(used_at);
        let known = if message.seq <= state.channel.last_seq { state.forget(message.id) } else { None };
        state.channel.last_seq = state.channel.last_seq.max(message.seq);
        let known = known.filter(|_| !message.reactions.is_empty());
        let reactions = known.map(|known| known.reactions).unwrap_or_default();
        state.remember(Recent { message: message.clone(), reactions });
        true
    }

    /// Takes in that someone reacted. False when something before it is missing here.
    pub fn react(&self, change: &ReactionChange) -> bool {
        let state = &mut *self.0.lock();
        if change.version != state.channel.version + 1 {
            return change.version <= state.channel.version;
        }
        state.channel.version = change.version;
        let Some(mut recent) = state.forget(change.message_id) else {
            state.begin_anew();
            return true;
        };
        recent.message.version = change.version;
        change.apply_to(&mut recent.message.reactions, None);
        let one = (change.emoji.clone(), change.user_id);
        match change.added {
            true => recent.reactions.push(one),
            false => recent.reactions.retain(|known| *known != one),
        }
        state.remember(recent);
        true
    }

    /// Takes in what the database says of a change of old, so that the next who asks is answered from here.
    pub fn learn(&self, version: i64, changes: &ChannelChanges) {
        let state = &mut *self.0.lock();
        let all = !changes.more && changes.members.is_empty() && changes.version == state.channel.version;
        let recent = changes.messages.iter().map(|m| Recent { message: m.clone(), reactions: Vec::new() });
        let recent: Vec<Recent> = recent.collect();
        let bytes = recent.iter().map(Recent::bytes).sum();
        let fits = recent.len() <= RECENT && bytes <= RECENT_BYTES && recent.iter().all(Recent::is_whole);
        if all && fits && version < state.since {
            state.recent = recent.into();
            state.recent.make_contiguous().sort_by_key(|recent| recent.message.version);
            (state.since, state.bytes) = (version, bytes);
        }
    }

    /// Whether something was said in it lately.
    pub fn is_in_use(&self, now: Timestamp) -> bool {
        now.millis() - self.0.lock().used_at.millis() < QUIET_MS
    }
}

impl Recent {
    /// The message with one person's own reactions.
    fn seen_by(&self, user: UserId) -> Message {
        let mut message = self.message.clone();
        for reaction in &mut message.reactions {
            let own = |(emoji, by): &(String, UserId)| *by == user && *emoji == reaction.emoji;
            reaction.me = Some(self.reactions.iter().any(own));
        }
        message
    }

    /// Whether it is known whose the reactions are.
    fn is_whole(&self) -> bool {
        let count: i64 = self.message.reactions.iter().map(|reaction| reaction.count).sum();
        usize::try_from(count) == Ok(self.reactions.len())
    }

    const fn bytes(&self) -> usize {
        self.message.content.len() + self.reactions.len() * REACTION_BYTES
    }
}

impl State {
    /// Takes out a message, because it changed.
    fn forget(&mut self, id: MessageId) -> Option<Recent> {
        let place = self.recent.iter().position(|recent| recent.message.id == id)?;
        let recent = self.recent.remove(place)?;
        self.bytes -= recent.bytes();
        Some(recent)
    }

    /// Keeps a message as it is after the newest change.
    fn remember(&mut self, recent: Recent) {
        if !recent.is_whole() {
            return self.begin_anew();
        }
        self.bytes += recent.bytes();
        self.recent.push_back(recent);
        while self.recent.len() > RECENT || self.bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.since = oldest.message.version;
        }
    }

    /// Of what changed until now the database is to be asked.
    fn begin_anew(&mut self) {
        self.recent.clear();
        self.bytes = 0;
        self.since = self.channel.version;
    }

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

    fn seat(user: i64) -> Seat {
        Seat { user: user.into(), read: Some(3) }
    }

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
            reactions: Vec::new(),
            pinned: false,
            thread: None,
            created_at: 0.into(),
        }
    }

    fn missed(room: &Room, version: i64) -> Option<Vec<(i64, String)>> {
        let messages = room.since(seat(1), version).1?.messages;
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
        let channel = room.channel(seat(1));
        assert_eq!((channel.version, channel.last_seq, channel.unread_count), (13, 6, Some(3)));
    }

    #[test]
    fn what_the_database_told_one_is_told_to_the_next() {
        let room = room(10, 4);
        let changes = |version, ids: &[i64]| {
            let messages = ids.iter().map(|id| message(*id, *id + 6, "안녕")).collect();
            let channel = room.channel(seat(1));
            ChannelChanges { channel, messages, members: Vec::new(), version, more: false }
        };
        room.learn(8, &changes(9, &[3]));
        room.learn(7, &ChannelChanges { more: true, ..changes(10, &[2]) });
        assert_eq!(missed(&room, 8), None, "of another time, or not all of it");
        room.learn(8, &changes(10, &[4, 3]));
        assert!(room.take(&message(5, 11, "hi")));
        let numbers = |version| Some(missed(&room, version)?.into_iter().map(|m| m.0).collect::<Vec<_>>());
        assert_eq!((numbers(8), numbers(9)), (Some(vec![3, 4, 5]), Some(vec![4, 5])));
        assert_eq!(numbers(7), None);
    }

    #[test]
    fn it_does_not_go_on_over_a_gap() {
        let room = room(10, 4);
        assert!(!room.take(&message(6, 12, "hi")));
        assert!(room.take(&message(4, 10, "known")), "nothing new");
        assert_eq!(room.channel(seat(1)).version, 10);
    }

    #[test]
    fn it_keeps_a_bounded_part() {
        let room = room(0, 0);
        let text = "가".repeat(200);
        (1..=1_000).for_each(|id| assert!(room.take(&message(id, id, &text))));
        let kept = (0..1_000).find_map(|version| missed(&room, version)).unwrap().len();
        assert!(kept <= RECENT && kept * text.len() <= RECENT_BYTES && kept > 20, "{kept}");
    }

    fn reaction(message: i64, version: i64, user: i64, added: bool) -> ReactionChange {
        let (channel_id, message_id, emoji) = (1.into(), message.into(), "👍".to_owned());
        ReactionChange { channel_id, message_id, emoji, user_id: user.into(), added, version }
    }

    /// How many reacted, and whether this user did.
    fn reacted(room: &Room, user: i64, version: i64) -> Option<Vec<(i64, bool)>> {
        let messages = room.since(seat(user), version).1?.messages;
        Some(messages.iter().flat_map(|m| &m.reactions).map(|r| (r.count, r.me.unwrap())).collect())
    }

    #[test]
    fn it_knows_whose_the_reactions_to_new_messages_are_and_asks_for_those_to_old_ones() {
        let room = room(10, 4);
        assert!(room.take(&message(5, 11, "안녕")) && room.react(&reaction(5, 12, 1, true)));
        assert!(room.react(&reaction(5, 13, 2, true)) && room.react(&reaction(5, 14, 2, false)));
        assert_eq!(
            (reacted(&room, 1, 10), reacted(&room, 2, 13)),
            (Some(vec![(1, true)]), Some(vec![(1, false)]))
        );
        let mut edited = message(5, 15, "안녕하세요");
        edited.reactions.push(madang_proto::reactions::Reaction {
            emoji: "👍".to_owned(),
            count: 1,
            me: None,
        });
        assert!(room.take(&edited));
        assert_eq!(reacted(&room, 1, 14), Some(vec![(1, true)]), "an edit keeps them");
        assert!(room.react(&reaction(4, 16, 1, true)), "to a message of which nothing is known");
        assert_eq!((missed(&room, 15), missed(&room, 16)), (None, Some(vec![])));
        assert!(room.take(&message(6, 17, "hi")) && !room.react(&reaction(6, 19, 1, true)), "a gap");
        assert!(room.react(&reaction(6, 17, 1, true)) && missed(&room, 16).is_some(), "nothing new");
    }

    #[test]
    fn many_reactions_take_a_bounded_part() {
        let room = room(0, 0);
        assert!(room.take(&message(1, 1, "hi")));
        assert!((1..=1_000).all(|user| room.react(&reaction(1, user + 1, user, true))));
        let state = room.0.lock();
        assert!(state.bytes <= RECENT_BYTES && state.recent.len() <= 1);
    }
}
