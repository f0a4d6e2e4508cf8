//! A server of one channel for the tests: keeps its state, answers questions, lists its events.

use std::collections::{BTreeMap, BTreeSet};

use madang_proto::{
    ChannelId, Event, Timestamp, UserId,
    accounts::{User, UserSummary},
    channels::{Channel, ChannelAction, ChannelChange, ChannelChanges, ChannelKind},
    command::Resume,
    event::Ready,
    mentions::{self, Mention},
    messages::Message,
    permissions::Role,
    reactions::ReactionChange,
    reads::{ReadMark, UnreadMark},
    retention::Retention,
    settings::Settings,
    workspaces::{EditHistory, Member, MemberAction, MemberChange, Workspace},
};

pub(super) const ME: i64 = 1;
pub(super) const GENERAL: i64 = 100;
pub(super) const WORKSPACE: i64 = 10;

pub(super) fn summary(id: i64) -> UserSummary {
    let name = format!("user{id}");
    UserSummary { id: id.into(), username: name.clone(), display_name: name, avatar_url: None }
}

pub(super) fn user(id: i64) -> User {
    let created_at = Timestamp::from(0);
    User { summary: summary(id), guest: false, email: None, about: None, time_zone: None, created_at }
}

pub(super) fn member(id: i64) -> Member {
    Member { user: summary(id), role: Role::Member, joined_at: Timestamp::from(id) }
}

pub(super) fn channel(id: i64) -> Channel {
    Channel {
        id: id.into(),
        workspace_id: WORKSPACE.into(),
        kind: ChannelKind::Public,
        name: format!("channel{id}"),
        topic: String::new(),
        is_default: false,
        created_by: None,
        member_count: 1,
        last_seq: 0,
        first_seq: 1,
        version: 0,
        created_at: Timestamp::from(0),
        joined: Some(true),
        last_read_seq: Some(0),
        read_version: 0,
        unread_count: Some(0),
        unread_skipped: Vec::new(),
        mention_count: Some(0),
        unread_mentions: Vec::new(),
        people: Vec::new(),
        thread: None,
        overrides: Vec::new(),
        slow_mode: 0,
        archived_at: None,
        retention: None,
    }
}

/// Mentions as a server would find them that knows me and another.
fn mentions_of(content: &str) -> Vec<Mention> {
    let people = ["me", "other"];
    mentions::resolve(&mentions::written(content), |name| {
        people
            .iter()
            .position(|known| *known == name)
            .map(|at| UserId::from(ME + i64::try_from(at).unwrap_or(0)))
    })
}

pub(super) struct Server {
    pub(super) facts: Channel,
    /// As I see them.
    pub(super) messages: Vec<Message>,
    /// Who put which emoji on which message.
    reactions: BTreeSet<(i64, &'static str, i64)>,
    /// My mark, and how often it moved back.
    read: (i64, i64),
    /// The members' newest change.
    members: BTreeMap<UserId, MemberChange>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            facts: channel(GENERAL),
            messages: Vec::new(),
            reactions: BTreeSet::new(),
            read: (0, 0),
            members: BTreeMap::new(),
        }
    }

    fn next(&mut self) -> i64 {
        self.facts.version += 1;
        self.facts.version
    }

    /// The channel as in an event: nobody's own fields.
    fn shared(&self) -> Channel {
        self.facts.clone().for_everyone()
    }

    /// The channel as I see it.
    pub(super) fn mine(&self) -> Channel {
        let (read, read_version) = self.read;
        let mut mine =
            Channel { joined: Some(true), last_read_seq: Some(read), read_version, ..self.facts.clone() };
        let skipped = self.messages.iter().filter(|m| m.author.id == ME.into() || m.deleted_at.is_some());
        let mentioning = self.messages.iter().filter(|m| mentions::reach(&m.mentions, ME.into()));
        mine.set_unread(skipped.map(|m| m.seq).collect(), mentioning.map(|m| m.seq).collect());
        mine
    }

    pub(super) fn send(&mut self, author: i64, content: &str) -> Event {
        let version = self.next();
        self.facts.last_seq += 1;
        let seq = self.facts.last_seq;
        let message = Message {
            id: (1_000 + seq).into(),
            channel_id: self.facts.id,
            seq,
            version,
            author: summary(author).into(),
            user: summary(author).into(),
            content: content.to_owned(),
            nonce: Some(format!("nonce{seq}")),
            edited_at: None,
            deleted_at: None,
            reactions: Vec::new(),
            mentions: mentions_of(content),
            pinned: false,
            files: Vec::new(),
            previews: Vec::new(),
            thread: None,
            created_at: Timestamp::from(seq),
        };
        self.messages.push(message.clone());
        if author == ME {
            self.read.0 = seq;
        }
        Event::Message(message)
    }

    /// I read a message; nothing is told when I had.
    pub(super) fn read(&mut self, place: usize) -> Option<Event> {
        let (message, (read, version)) = (&self.messages[place], self.read);
        let seq = message.seq;
        self.read.0 = read.max(seq);
        let (channel_id, user_id, message_id) = (self.facts.id, ME.into(), message.id);
        let mark = ReadMark { channel_id, user_id, message_id, seq, read_version: Some(version) };
        (seq > read).then_some(Event::ReadReceipt(mark))
    }

    /// I mark a message and those after it as unread.
    pub(super) fn unread(&mut self, place: usize) -> Event {
        let message = &self.messages[place];
        self.read = (message.seq - 1, self.read.1 + 1);
        let (channel_id, message_id, (last_read_seq, read_version)) = (self.facts.id, message.id, self.read);
        Event::Unread(UnreadMark { channel_id, message_id, last_read_seq, read_version })
    }

    pub(super) fn edit(&mut self, place: usize, content: Option<&str>) -> Event {
        let version = self.next();
        let message = &mut self.messages[place];
        message.version = version;
        message.content = content.unwrap_or_default().to_owned();
        message.mentions = mentions_of(&message.content);
        let at = Some(Timestamp::from(version));
        if content.is_some() {
            message.edited_at = at;
        } else {
            message.deleted_at = at;
            message.reactions.clear();
            self.reactions.retain(|(seq, ..)| *seq != message.seq);
        }
        let mut shared = message.clone();
        shared.reactions.iter_mut().for_each(|reaction| reaction.me = None);
        Event::Message(shared)
    }

    /// Puts the emoji there, or takes it away where it was.
    pub(super) fn react(&mut self, place: usize, emoji: &'static str, user: i64) -> Event {
        let version = self.next();
        let message = &mut self.messages[place];
        message.version = version;
        let one = (message.seq, emoji, user);
        let added = self.reactions.insert(one);
        if !added {
            self.reactions.remove(&one);
        }
        let (channel_id, message_id, emoji) = (self.facts.id, message.id, emoji.to_owned());
        let change = ReactionChange { channel_id, message_id, emoji, user_id: user.into(), added, version };
        change.apply_to(&mut message.reactions, Some(ME.into()));
        Event::Reaction(change)
    }

    pub(super) fn toggle_member(&mut self, user: i64) -> Event {
        let version = self.next();
        let there = self.members.get(&user.into()).is_some_and(|c| c.action == MemberAction::Joined);
        let action = if there { MemberAction::Left } else { MemberAction::Joined };
        self.facts.member_count += if there { -1 } else { 1 };
        let change = MemberChange {
            action,
            workspace_id: self.facts.workspace_id,
            channel_id: Some(self.facts.id),
            member: member(user),
            version: Some(version),
        };
        self.members.insert(user.into(), change.clone());
        Event::Member(change)
    }

    pub(super) fn set_topic(&mut self, topic: &str) -> Event {
        self.next();
        topic.clone_into(&mut self.facts.topic);
        Event::Channel(ChannelChange { action: ChannelAction::Updated, channel: self.shared() })
    }

    /// Removes the oldest messages.
    pub(super) fn remove_oldest(&mut self, count: usize) -> Event {
        self.next();
        self.messages.drain(..count);
        self.facts.first_seq += i64::try_from(count).unwrap();
        Event::Channel(ChannelChange { action: ChannelAction::Updated, channel: self.shared() })
    }

    pub(super) fn changes(&self, after: i64, most: usize) -> ChannelChanges {
        let messages = self.messages.iter().map(|message| message.version);
        let members = self.members.values().filter_map(|change| change.version);
        let mut versions: Vec<i64> = messages.chain(members).filter(|version| *version > after).collect();
        versions.sort_unstable();
        let more = versions.len() > most;
        let version = if more { versions[most - 1] } else { self.facts.version };
        let told = |v: i64| v > after && v <= version;
        let mut messages: Vec<_> = self.messages.iter().filter(|m| told(m.version)).cloned().collect();
        messages.sort_by_key(|message| message.version);
        let mut members: Vec<_> =
            self.members.values().filter(|c| c.version.is_some_and(told)).cloned().collect();
        members.sort_by_key(|change| change.version);
        ChannelChanges { channel: self.mine(), messages, members, version, more }
    }

    /// At most `most` messages before `before`, the newest of them.
    pub(super) fn page(&self, before: Option<i64>, most: usize) -> Vec<Message> {
        let fitting = self.messages.iter().filter(|message| before.is_none_or(|seq| message.seq < seq));
        let mut page: Vec<_> = fitting.rev().take(most).cloned().collect();
        page.reverse();
        page
    }

    pub(super) fn member_list(&self) -> Vec<Member> {
        let there = self.members.values().filter(|change| change.action == MemberAction::Joined);
        there.map(|change| change.member.clone()).collect()
    }

    pub(super) fn ready(&self, resume: Option<Resume>, most: usize) -> Event {
        let after = resume.and_then(|resume| resume.channels.get(&self.facts.id).copied());
        let channel = self.mine();
        let too_far = after.is_some_and(|after| channel.version - after > 25);
        Event::Ready(Box::new(Ready {
            session_id: 1.into(),
            user: user(ME),
            heartbeat_interval_ms: 30_000,
            server_time: Timestamp::from(0),
            workspaces: vec![workspace()],
            channels: vec![channel],
            online: Vec::new(),
            users_version: 0,
            presence: vec![],
            changes: after.filter(|_| !too_far).map(|after| self.changes(after, most)).into_iter().collect(),
            resync: if too_far { vec![ChannelId::from(GENERAL)] } else { vec![] },
            sanctions: vec![],
            settings: Settings::default(),
            notifications: Default::default(),
        }))
    }
}

pub(super) fn workspace() -> Workspace {
    Workspace {
        id: WORKSPACE.into(),
        name: "Yard".into(),
        open: true,
        allow_guests: true,
        edit_history: EditHistory::Everyone,
        retention: Retention::default(),
        emoji_version: 0,
        default_channel_id: GENERAL.into(),
        created_at: Timestamp::from(0),
        role: Some(Role::Member),
    }
}
