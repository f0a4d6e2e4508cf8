//! One channel as one of its members sees it, and the rule of versions.
//!
//! Every durable change of a channel has the channel's next `version`. The event with the next one is applied. One that
//! is not newer was applied before. One further on shows a gap: it waits in `buffer` while the changes since the known
//! version, which are states, are fetched, and goes on where they end.
//!
//! Invariants:
//! - `version` only grows, except when the channel is fetched anew.
//! - A change that adds (a member more) is applied once, at its version.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use madang_proto::{
    ChannelId, Event, MessageId, UserId,
    channels::{Channel, ChannelChanges},
    limits,
    messages::Message,
    reads::ReadMark,
    workspaces::{Member, MemberAction, MemberChange},
};

use super::{Reloaded, members::Members, timeline::Timeline, unread::OwnMark};

/// Most events that wait for a gap to be filled; past it the changes bring everything anyway.
const BUFFERED: usize = 512;

/// A channel in the state.
#[derive(Debug, Clone)]
pub struct ChannelState {
    /// The facts; `version` is the newest change that was applied.
    pub(super) facts: Channel,
    /// The version at which the facts were true as a whole: sums from earlier changes are in them.
    facts_version: i64,
    pub(super) timeline: Timeline,
    pub(super) members: Members,
    pub(super) own_mark: OwnMark,
    pub(super) reads: BTreeMap<UserId, ReadMark>,
    pub(super) typing: BTreeMap<UserId, Instant>,
    pub(super) buffer: BTreeMap<i64, Event>,
    pub(super) catching_up: bool,
    pub(super) reloading: bool,
    /// The changes were told in part, without messages that changed again later: no event goes on from here.
    partial: bool,
    /// Messages had been loaded, were dropped, and are not there again.
    pub(super) reopen: bool,
}

impl ChannelState {
    pub(super) fn new(facts: Channel) -> Self {
        let mut new = Self {
            facts_version: facts.version,
            // What was asked for in an earlier stay is not an answer in this one.
            timeline: Timeline::since(facts.version, facts.first_seq),
            members: Members::since(facts.version),
            facts,
            own_mark: OwnMark::default(),
            reads: BTreeMap::new(),
            typing: BTreeMap::new(),
            buffer: BTreeMap::new(),
            catching_up: false,
            reloading: false,
            partial: false,
            reopen: false,
        };
        let facts = Channel { last_read_seq: new.facts.last_read_seq.or(Some(0)), ..new.facts.clone() };
        new.put_facts(&facts);
        new
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        self.facts.id
    }

    /// The channel itself, with one's own read mark and unread count as they are now.
    #[must_use]
    pub const fn facts(&self) -> &Channel {
        &self.facts
    }

    /// The newest change that was applied.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.facts.version
    }

    /// The loaded messages, oldest first, without holes; tombstones among them.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> + ExactSizeIterator {
        self.timeline.iter()
    }

    /// A loaded message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.timeline.get(id)
    }

    /// Whether a page was loaded. Messages heard live may be there before.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.timeline.is_open()
    }

    /// Whether there are messages before the loaded ones.
    #[must_use]
    pub fn has_older(&self) -> bool {
        self.timeline.first().unwrap_or(self.facts.last_seq + 1) > self.facts.first_seq
    }

    /// Whether there are messages after the loaded ones.
    #[must_use]
    pub fn has_newer(&self) -> bool {
        self.timeline.last().is_some_and(|last| last < self.facts.last_seq)
    }

    /// The members, if they were loaded.
    #[must_use]
    pub const fn members(&self) -> Option<&BTreeMap<UserId, Member>> {
        self.members.list()
    }

    /// Up to where others have read, as far as it was heard.
    #[must_use]
    pub const fn reads(&self) -> &BTreeMap<UserId, ReadMark> {
        &self.reads
    }

    /// Who is typing at the moment `now`.
    pub fn typing(&self, now: Instant) -> impl Iterator<Item = UserId> + '_ {
        self.typing.iter().filter(move |(_, until)| **until > now).map(|(user, _)| *user)
    }

    /// Takes over newer facts, keeping one's own fields where they are absent. `last_seq` never goes
    /// back: a message may have been heard before.
    pub(super) fn put_facts(&mut self, facts: &Channel) {
        if facts.version < self.facts_version.max(self.version()) {
            return;
        }
        self.put_unread(facts);
        self.facts_version = facts.version;
        self.facts = Channel {
            version: self.facts.version,
            last_seq: facts.last_seq.max(self.facts.last_seq),
            first_seq: facts.first_seq.max(self.facts.first_seq),
            joined: Some(true),
            last_read_seq: self.facts.last_read_seq,
            read_version: self.facts.read_version,
            unread_skipped: std::mem::take(&mut self.facts.unread_skipped),
            unread_mentions: std::mem::take(&mut self.facts.unread_mentions),
            ..facts.clone()
        };
        self.timeline.rise(self.facts.first_seq, self.facts.last_seq);
        self.count_unread();
    }

    /// The version up to which everything is applied, after a snapshot.
    pub(super) fn set_version(&mut self, version: i64) {
        self.facts.version = version;
    }

    /// A message as an event or an answer showed it. One that is older than what was applied may be
    /// long out of date.
    pub(super) fn put_message(&mut self, message: Message, me: Option<UserId>) {
        self.learn_seq(&message, me);
        self.typing.remove(&message.author.id);
        if message.version > self.version() {
            self.timeline.put(Arc::new(message), self.facts.last_seq);
        } else {
            self.timeline.update(Arc::new(message));
        }
    }

    pub(super) fn put_page(&mut self, epoch: u64, page: &[Message], me: Option<UserId>) -> bool {
        for message in page {
            self.learn_seq(message, me);
        }
        self.timeline.put_page(epoch, page, self.facts.last_seq, me)
    }

    fn put_member(&mut self, change: &MemberChange, version: i64) {
        self.members.change(change.action, &change.member);
        let counted = version > self.facts_version;
        match change.action {
            MemberAction::Joined if counted => self.facts.member_count += 1,
            MemberAction::Left if counted => self.facts.member_count -= 1,
            MemberAction::Joined | MemberAction::Left | MemberAction::Updated => {}
        }
        if counted {
            self.facts.change_people(change);
        }
        if change.action == MemberAction::Left {
            self.reads.remove(&change.user_id());
            self.typing.remove(&change.user_id());
        }
    }

    /// An event with a version. `true` when it shows a gap and the changes must be asked for.
    pub(super) fn versioned(&mut self, version: i64, event: Event, me: Option<UserId>) -> bool {
        let waits = self.reloading || self.partial;
        if version == self.version() + 1 && !waits {
            self.apply_next(version, event, me);
            self.drain(me);
            return false;
        }
        if version > self.version() || self.reloading {
            self.buffer.insert(version, event);
            if self.buffer.len() > BUFFERED {
                self.buffer.pop_last();
            }
            return !waits;
        }
        if let Event::Message(message) = event {
            self.put_message(message, me);
        }
        false
    }

    fn apply_next(&mut self, version: i64, event: Event, me: Option<UserId>) {
        self.facts.version = version;
        match event {
            Event::Message(message) => {
                self.learn_unread(&message, me);
                self.learn_seq(&message, me);
                self.typing.remove(&message.author.id);
                self.timeline.put(Arc::new(message), self.facts.last_seq);
            }
            Event::Reaction(change) => self.timeline.react(change, me),
            Event::Channel(change) => self.put_facts(&change.channel),
            Event::Member(change) => self.put_member(&change, version),
            Event::Ready(_)
            | Event::Typing(_)
            | Event::Presence(_)
            | Event::User(_)
            | Event::Online(_)
            | Event::Saved(_)
            | Event::Draft(_)
            | Event::Scheduled(_)
            | Event::Reminder(_)
            | Event::Unread(_)
            | Event::Settings(_)
            | Event::Notification(_)
            | Event::Notifications(_)
            | Event::NotificationSettings(_)
            | Event::Export(_)
            | Event::Watched(_)
            | Event::ReadReceipt(_)
            | Event::Workspace(_)
            | Event::Sanction(_)
            | Event::Emoji(_)
            | Event::Resync(_)
            | Event::Ack(_)
            | Event::Error(_)
            | Event::Pong(_) => {}
        }
    }

    /// Goes on with what waited, as far as it is without a gap. `true` when another gap remains.
    pub(super) fn drain(&mut self, me: Option<UserId>) -> bool {
        loop {
            let known = self.version();
            let Some(entry) = self.buffer.first_entry() else { return false };
            let version = *entry.key();
            if version > known + 1 {
                return true;
            }
            let event = entry.remove();
            if version == self.version() + 1 {
                self.apply_next(version, event, me);
            } else if let Event::Message(message) = event {
                self.put_message(message, me);
            }
        }
    }

    /// The changes after a version. `true` when more must be asked for.
    pub(super) fn put_changes(&mut self, after: i64, changes: ChannelChanges, me: Option<UserId>) -> bool {
        if after > self.version() || self.reloading {
            // An answer to a question that is no longer asked.
            return false;
        }
        let known = self.version();
        self.put_facts(&changes.channel);
        for member in &changes.members {
            let version = member.version.unwrap_or(0);
            if version > known {
                self.put_member(member, version);
            }
        }
        for message in &changes.messages {
            if message.version > known {
                self.learn_unread(message, me);
            }
            self.learn_seq(message, me);
            self.typing.remove(&message.author.id);
        }
        let (newer, overtaken): (Vec<_>, Vec<_>) =
            changes.messages.into_iter().partition(|message| message.version > known);
        self.timeline.put_all(newer, self.facts.last_seq);
        overtaken.into_iter().for_each(|message| self.timeline.update(Arc::new(message)));
        self.partial = (changes.more && changes.version > known) || self.is_uncovered();
        self.set_version(changes.version.max(known));
        self.partial || self.drain(me) || changes.more
    }

    /// Too much was missed: what was loaded is dropped, and events wait for [`ChannelState::restart`].
    /// Answers whether messages and members had been loaded.
    pub(super) fn stop(&mut self) -> (bool, bool) {
        self.reopen |= self.is_open();
        let loaded = (self.reopen, self.members.list().is_some());
        self.timeline.clear();
        self.members.distrust();
        self.catching_up = false;
        self.reloading = true;
        loaded
    }

    /// Goes on from a snapshot of the channel and what was fetched after it. `true` when a gap remains.
    pub(super) fn restart(&mut self, fetched: Reloaded, me: Option<UserId>) -> bool {
        (self.reloading, self.partial, self.reopen) = (false, false, false);
        // A page asked for meanwhile may be older than the snapshot.
        self.timeline.clear();
        self.members.distrust();
        let version = fetched.channel.version;
        if version < self.version() {
            self.trust_facts();
        }
        self.facts_version = version;
        self.set_version(version);
        self.put_facts(&fetched.channel);
        if let Some(page) = fetched.messages {
            let epoch = self.timeline.expect_page();
            self.put_page(epoch, &page, me);
        }
        if let Some(members) = fetched.members {
            let epoch = self.members.expect();
            self.members.put(epoch, Some(members));
        }
        self.partial = self.is_uncovered();
        self.partial || self.drain(me)
    }

    /// No event goes on before the changes are there.
    pub(super) const fn hold(&mut self) {
        self.partial = true;
    }

    /// Whether the facts are newer than what was applied.
    pub(super) const fn is_behind(&self) -> bool {
        self.facts.version < self.facts_version
    }

    /// What waited for a connection that is gone.
    pub(super) fn forget_buffer(&mut self) {
        self.buffer.clear();
        (self.catching_up, self.reloading, self.partial) = (false, false, false);
        self.typing.clear();
    }

    pub(super) fn type_until(&mut self, user: UserId, typing: bool, now: Instant) {
        if typing {
            self.typing.insert(user, now + Duration::from_millis(u64::from(limits::TYPING_MS)));
        } else {
            self.typing.remove(&user);
        }
    }
}
