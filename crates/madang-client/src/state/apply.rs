//! What each event does to the state: one exhaustive match.

use std::{sync::Arc, time::Instant};

use madang_proto::{
    ChannelId, Event, WorkspaceId,
    channels::{Channel, ChannelAction, ChannelChange, ChannelKind},
    messages::Message,
    permissions::Role,
    reads::{ReadMark, UnreadMark},
    saved::SavedChange,
    workspaces::{MemberAction, MemberChange, Workspace},
};

use super::{ChannelState, Effect, State, directory::put_other, later::LaterChange};

impl State {
    /// Applies an event that came at the moment `now`.
    pub fn apply(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        match event {
            Event::Ready(ready) => self.apply_ready(*ready, now),
            Event::Message(message) => self.apply_message(message),
            Event::Typing(typing) => {
                if Some(typing.user_id) != self.my_id()
                    && let Some(channel) = self.channel_mut(typing.channel_id)
                {
                    channel.type_until(typing.user_id, typing.typing, now);
                }
                Vec::new()
            }
            Event::Presence(presence) => {
                self.put_presence(presence);
                Vec::new()
            }
            Event::User(change) => {
                self.change_user(change);
                Vec::new()
            }
            Event::Online(online) => self.put_online(online),
            Event::Watched(watched) => {
                self.put_watched(watched);
                Vec::new()
            }
            Event::ReadReceipt(mark) => self.put_read_mark(mark),
            Event::Unread(mark) => self.put_unread_mark(mark),
            Event::Settings(settings) => {
                self.settings = settings;
                Vec::new()
            }
            Event::Reaction(change) => {
                let (id, version, me) = (change.channel_id, change.version, self.my_id());
                let Some(channel) = self.channel_mut(id) else { return Vec::new() };
                if channel.versioned(version, Event::Reaction(change), me) {
                    return self.ask_changes(id);
                }
                Vec::new()
            }
            Event::Saved(change) => {
                self.change_saved(&change);
                Vec::new()
            }
            Event::Draft(change) => {
                self.change_later(LaterChange::Draft(change));
                Vec::new()
            }
            Event::Scheduled(change) => {
                self.change_later(LaterChange::Scheduled(change));
                Vec::new()
            }
            Event::Reminder(change) => {
                self.change_later(LaterChange::Reminder(change));
                Vec::new()
            }
            Event::Notification(new) => self.put_notification(*new),
            Event::Notifications(change) => self.change_notifications(change),
            Event::NotificationSettings(settings) => self.put_notification_settings(settings),
            Event::Channel(change) => {
                let mut effects = match change.action {
                    ChannelAction::Deleted => self.distrust_saved(),
                    ChannelAction::Created | ChannelAction::Updated => {
                        self.distrust_saved_of(&change.channel)
                    }
                };
                effects.extend(self.apply_channel(change));
                effects
            }
            Event::Member(change) => {
                let mine = Some(change.user_id()) == self.my_id() && change.action != MemberAction::Updated;
                let mut effects = if mine { self.distrust_saved() } else { Vec::new() };
                effects.extend(self.apply_member(change));
                effects
            }
            Event::Workspace(workspace) => self.apply_workspace(workspace),
            Event::Emoji(change) => self.change_emoji(&change).into_iter().collect(),
            Event::Sanction(mut change) => {
                self.meet(&mut change.sanction.user);
                change.sanction.by.iter_mut().for_each(|by| self.meet(by));
                change.apply_to(&mut self.sanctions);
                Vec::new()
            }
            Event::Resync(resync) => self.ask_reload(resync.channel_id),
            Event::Pong(pong) => {
                let behind = |(id, version): &(ChannelId, i64)| {
                    self.channel(*id).is_some_and(|channel| channel.version() < *version)
                };
                let behind: Vec<_> = pong.versions.into_iter().filter(behind).collect();
                behind.into_iter().flat_map(|(id, _)| self.ask_changes(id)).collect()
            }
            // Whoever asked for it is told; nothing else depends on it.
            Event::Export(_) => Vec::new(),
            // Answers to requests: whoever asked takes them.
            Event::Ack(_) | Event::Error(_) => Vec::new(),
        }
    }

    fn apply_message(&mut self, mut message: Message) -> Vec<Effect> {
        if message.deleted_at.is_some() {
            self.change_saved(&SavedChange { message_id: message.id, saved: false });
        }
        self.meet_author(&mut message);
        self.forget_pending(&message);
        let (id, version, me) = (message.channel_id, message.version, self.my_id());
        let Some(channel) = self.channel_mut(id) else { return Vec::new() };
        if channel.versioned(version, Event::Message(message), me) {
            return self.ask_changes(id);
        }
        Vec::new()
    }

    /// A message of one's own is stored: it is no longer on its way, even if the acknowledgement got
    /// lost.
    pub(super) fn forget_pending(&mut self, message: &Message) {
        if let Some(nonce) = &message.nonce
            && Some(message.author.id) == self.my_id()
        {
            self.outbox.acknowledge(nonce);
        }
    }

    fn put_read_mark(&mut self, mark: ReadMark) -> Vec<Effect> {
        let (mine, id) = (Some(mark.user_id) == self.my_id(), mark.channel_id);
        let Some(channel) = self.channel_mut(id) else { return Vec::new() };
        let version = mark.read_version.unwrap_or(channel.facts.read_version);
        let uncovered = mine && channel.read_to(mark.seq, version);
        let known = channel.reads.entry(mark.user_id).or_insert_with(|| mark.clone());
        if known.seq < mark.seq {
            *known = mark;
        }
        if uncovered { self.ask_what_is_unread(id) } else { Vec::new() }
    }

    fn put_unread_mark(&mut self, mark: UnreadMark) -> Vec<Effect> {
        let id = mark.channel_id;
        let uncovered = self
            .channel_mut(id)
            .is_some_and(|channel| channel.uncover(mark.read_version, mark.last_read_seq));
        if uncovered { self.ask_what_is_unread(id) } else { Vec::new() }
    }

    /// One's mark moved back: what it uncovers, the facts of the channel tell.
    fn ask_what_is_unread(&mut self, id: ChannelId) -> Vec<Effect> {
        if let Some(channel) = self.channel_mut(id) {
            channel.hold();
        }
        self.ask_changes(id)
    }

    fn apply_channel(&mut self, mut change: ChannelChange) -> Vec<Effect> {
        self.meet_all(&mut change.channel.people);
        let channel = &change.channel;
        match change.action {
            ChannelAction::Deleted => {
                self.channels.remove(&channel.id);
                self.put_other(channel.id, channel.clone(), false);
                Vec::new()
            }
            ChannelAction::Created if channel.joined == Some(true) => self.put_joined(change.channel),
            ChannelAction::Created | ChannelAction::Updated => {
                let (id, version, me) = (channel.id, channel.version, self.my_id());
                if let Some(known) = self.channel_mut(id) {
                    if known.versioned(version, Event::Channel(change), me) {
                        return self.ask_changes(id);
                    }
                } else {
                    self.put_other(id, change.channel, true);
                }
                Vec::new()
            }
        }
    }

    /// One is in this channel from now on, or was already.
    pub fn put_joined(&mut self, mut channel: Channel) -> Vec<Effect> {
        self.meet_all(&mut channel.people);
        let (id, version) = (channel.id, channel.version);
        self.put_other(id, channel.clone(), false);
        let Some(known) = self.channel_mut(id) else {
            self.channels.insert(id, Arc::new(ChannelState::new(channel)));
            return Vec::new();
        };
        known.put_facts(&channel);
        if version > known.version() { self.ask_changes(id) } else { Vec::new() }
    }

    /// One is not in this channel any more.
    pub fn put_left(&mut self, id: ChannelId) {
        if let Some(known) = self.channels.remove(&id)
            && known.facts().kind == ChannelKind::Public
            && !self.visits(known.facts().workspace_id)
        {
            self.put_other(id, known.facts().clone(), true);
        }
    }

    /// A channel that one is not in: there, or gone from that list.
    fn put_other(&mut self, id: ChannelId, channel: Channel, there: bool) {
        let Some(directory) = self.directories.get_mut(&channel.workspace_id).map(Arc::make_mut) else {
            return;
        };
        if directory.fetching > 0 {
            directory.heard.push((id, there.then(|| channel.clone())));
        }
        if there {
            put_other(&mut directory.channels, channel);
        } else {
            directory.channels.remove(&id);
        }
    }

    fn apply_member(&mut self, mut change: MemberChange) -> Vec<Effect> {
        self.meet(&mut change.member.user);
        let me = self.my_id();
        let mine = Some(change.user_id()) == me;
        let Some(id) = change.channel_id else { return self.apply_workspace_member(&change) };
        let version = change.version.unwrap_or(0);
        if mine && change.action == MemberAction::Left {
            // An old event about an earlier stay does not end this one.
            if self.channel(id).is_some_and(|known| version > known.version() || version == 0) {
                self.put_left(id);
            }
            return Vec::new();
        }
        let Some(known) = self.channel_mut(id) else { return Vec::new() };
        if known.versioned(version, Event::Member(change), me) { self.ask_changes(id) } else { Vec::new() }
    }

    fn apply_workspace_member(&mut self, change: &MemberChange) -> Vec<Effect> {
        let id = change.workspace_id;
        if Some(change.user_id()) == self.my_id() {
            match change.action {
                MemberAction::Left => {
                    self.workspaces.remove(&id);
                    self.distrust_profiles();
                    self.workspace_members.remove(&id);
                    self.directories.remove(&id);
                    self.emoji.remove(&id);
                    self.channels.retain(|_, channel| channel.facts().workspace_id != id);
                    // Whoever was known from there only is known no more.
                    return vec![Effect::Watch];
                }
                MemberAction::Joined | MemberAction::Updated => match self.workspaces.get_mut(&id) {
                    Some(workspace) => workspace.role = Some(change.member.role),
                    None => return vec![Effect::Workspace(id), Effect::Watch],
                },
            }
        }
        if let Some(members) = self.workspace_members.get_mut(&id) {
            Arc::make_mut(members).change(change.action, &change.member);
        }
        if change.action == MemberAction::Updated {
            let channels = self.channels.values_mut();
            for channel in channels.filter(|channel| channel.facts().workspace_id == id) {
                Arc::make_mut(channel).members.set_role(&change.member);
            }
        }
        Vec::new()
    }

    /// Whether one sees no more of a workspace than the channels of one's guest links.
    pub(crate) fn visits(&self, id: WorkspaceId) -> bool {
        self.workspaces.get(&id).is_some_and(|workspace| workspace.role == Some(Role::Visitor))
    }

    /// The answer to [`Effect::Workspace`].
    pub fn put_workspace(&mut self, workspace: Workspace) {
        self.workspaces.insert(workspace.id, workspace);
    }

    fn apply_workspace(&mut self, workspace: Workspace) -> Vec<Effect> {
        let id = workspace.id;
        let visited = self.visits(id);
        let before = self.workspaces.get(&id);
        let role = workspace.role.or_else(|| before.and_then(|known| known.role));
        // What changes of emoji told already is not taken back by a name that was given at the same time.
        let emoji_version = workspace.emoji_version.max(before.map_or(0, |known| known.emoji_version));
        let known = self.workspaces.insert(id, Workspace { role, emoji_version, ..workspace });
        let workspace = role.is_none().then_some(Effect::Workspace(id));
        // Of a new one, or of one that one only visited, nobody is known yet.
        let settled = visited && role > Some(Role::Visitor);
        let people = (known.is_none() || settled).then_some(Effect::Watch);
        let directory = settled.then(|| self.distrust_directory(id)).flatten();
        workspace.into_iter().chain(people).chain(directory).collect()
    }
}
