//! A room: a channel as it is now and its newest messages, so that nobody asks the database for them.
//!
//! Invariants:
//! - What it says is what a database snapshot at its `version` says.
//! - `recent` holds the messages that changed after `since`, as they are now, in the order of their
//!   versions; nothing else of the channel changed after `since`.

use std::collections::VecDeque;

use madang_proto::{
    ChannelId, MessageId, Timestamp, UserId,
    accounts::UserSummary,
    channels::{Channel, ChannelChanges},
    messages::Message,
    reactions::ReactionChange,
};
use madang_store::unread::Marks;
use parking_lot::Mutex;

use super::everyone::Newest;

/// Most messages that are kept of a channel.
const RECENT: usize = 32;
/// Most bytes of these.
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
    newest: Newest,
    used_at: Timestamp,
    /// Grows when someone shows otherwise.
    names: u64,
}

/// A message as it is now.
#[derive(Clone)]
struct Recent {
    message: Message,
    /// Whose its reactions are: what each person sees as their own differs.
    reactions: Vec<(String, UserId)>,
}

/// What was asked of a room and not known there.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    version: i64,
    names: u64,
}

/// How a user stands to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub user: UserId,
    /// Whether they are a member, and then up to where they have read, and in which version of the mark.
    pub read: Option<(i64, i64)>,
}

impl Room {
    /// The channel as the database has it, and what of it is not simply unread; whose own fields it carries does
    /// not matter.
    pub fn new(channel: Channel, marks: Marks, now: Timestamp) -> Self {
        let channel = channel.for_everyone();
        let since = channel.version;
        Self(Mutex::new(State {
            channel,
            since,
            recent: VecDeque::new(),
            bytes: 0,
            newest: Newest(marks),
            used_at: now,
            names: 0,
        }))
    }

    /// The messages that mention a user with everyone, and those that are deleted.
    pub fn marks(&self, user: UserId) -> (Vec<i64>, Vec<i64>) {
        self.0.lock().newest.of(user)
    }

    /// Of a thread: the channel of its root.
    pub fn parent(&self) -> Option<ChannelId> {
        self.0.lock().channel.thread.map(|of| of.channel_id)
    }

    /// The channel as a user stands to it.
    pub fn channel(&self, seat: Seat) -> Channel {
        self.0.lock().channel(seat)
    }

    /// Whether it is a direct message or a group.
    pub fn is_direct(&self) -> bool {
        self.0.lock().channel.kind.is_direct()
    }

    /// Its newest version.
    pub fn version(&self) -> i64 {
        self.0.lock().channel.version
    }

    /// The channel, and what changed in it since a version; or, where that is not known here, what has to be said
    /// when it is learned.
    pub fn since(&self, seat: Seat, version: i64) -> (Channel, Result<ChannelChanges, Asked>) {
        let state = self.0.lock();
        let channel = state.channel(seat);
        if version < state.since || version > channel.version {
            return (channel, Err(Asked { version, names: state.names }));
        }
        let missed = state.recent.iter().skip_while(|recent| recent.message.version <= version);
        let messages = missed.map(|recent| recent.seen_by(seat.user)).collect();
        let (version, members) = (channel.version, Vec::new());
        let changes = ChannelChanges { channel: channel.clone(), messages, members, version, more: false };
        (channel, Ok(changes))
    }

    /// Takes in a message that was stored. False when something before it is missing here.
    pub fn take(&self, message: &Message) -> bool {
        let state = &mut *self.0.lock();
        if message.version != state.channel.version + 1 {
            return message.version <= state.channel.version;
        }
        let new = message.seq > state.channel.last_seq;
        if !state.newest.take(message, new) {
            return false;
        }
        state.channel.version = message.version;
        let used_at = message.edited_at.or(message.deleted_at).unwrap_or(message.created_at);
        state.used_at = state.used_at.max(used_at);
        let known = if new { None } else { state.forget(message.id) };
        state.channel.last_seq = state.channel.last_seq.max(message.seq);
        let reacted = known.filter(|_| !message.reactions.is_empty());
        let reactions = reacted.map(|known| known.reactions).unwrap_or_default();
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

    /// Someone shows otherwise from now on. Always up to date then.
    pub fn rename(&self, user: &UserSummary) -> bool {
        let state = &mut *self.0.lock();
        state.names += 1;
        for message in state.recent.iter_mut().map(|recent| &mut recent.message) {
            message.rename(user);
        }
        state.channel.rename(user);
        true
    }

    /// Whether a user shows in it.
    pub fn shows(&self, user: UserId) -> bool {
        let state = self.0.lock();
        state.channel.people.iter().any(|one| one.id == user)
            || state.recent.iter().any(|recent| recent.message.author.id == user)
    }

    /// Takes in what the database says of a change of old, so that the next who asks is answered from here.
    pub fn learn(&self, Asked { version, names }: Asked, changes: &ChannelChanges) {
        let state = &mut *self.0.lock();
        let all = !changes.more
            && changes.members.is_empty()
            && changes.version == state.channel.version
            && names == state.names;
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
        let unread = |(read, _): (i64, i64)| self.channel.unread_after(read);
        Channel {
            joined: Some(seat.read.is_some()),
            last_read_seq: seat.read.map(|(seq, _)| seq),
            read_version: seat.read.map_or(0, |(_, version)| version),
            unread_count: seat.read.map(unread),
            mention_count: seat.read.map(|_| 0),
            ..self.channel.clone()
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
