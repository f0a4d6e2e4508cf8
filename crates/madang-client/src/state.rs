//! What a client knows: its workspaces, channels, messages, people; kept true by events.
//!
//! Pure: [`State::apply`] takes an event and the time and answers with [`Effect`]s, which are questions
//! to the server. Their answers come back through the `put_…` methods. The driver does nothing else
//! than to carry events, questions and answers, so everything about order, gaps, doubles and resuming
//! can be tested here without a server.
//!
//! Invariants:
//! - In whatever order and however often events and answers come, the state ends the same.
//! - One question about a channel at a time.
//! - Nothing in a channel depends on an event that was not applied at its version.

mod apply;
mod channel;
mod comparable;
mod directory;
mod emoji;
mod later;
mod members;
mod notifications;
mod presence;
mod profiles;
mod ready;
mod saved;
mod timeline;
mod unread;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::{User, UserSummary},
    channels::{Channel, ChannelChanges},
    command::Resume,
    emoji::EmojiList,
    limits,
    messages::Message,
    sanctions::Sanction,
    workspaces::{Member, Workspace},
};

pub use channel::ChannelState;
pub use comparable::{Comparable, ComparableChannel};
use directory::Directory;
pub use later::Later;
use members::Members;
pub use notifications::Notices;
use presence::People;

use crate::{Outbox, status::ConnectionStatus};

/// A question to the server that the state needs answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `GET /channels/:id/changes?after=`; answered by [`State::put_changes`] until that asks no more.
    Changes {
        /// Which channel.
        channel: ChannelId,
        /// The version that the state has.
        after: i64,
    },
    /// The channel, then its newest page and its members if they had been loaded; answered by
    /// [`State::put_reloaded`].
    Reload {
        /// Which channel.
        channel: ChannelId,
        /// Whether messages had been loaded.
        messages: bool,
        /// Whether members had been loaded.
        members: bool,
    },
    /// `GET /workspaces/:id`; answered by [`State::put_workspace`].
    Workspace(WorkspaceId),
    /// All members of a workspace, once more; begin with [`State::expect_workspace_members`].
    WorkspaceMembers(WorkspaceId),
    /// `WATCH` with [`State::watched`]; answered by `WATCHED`.
    Watch,
    /// All that one saved, once more; begin with [`State::expect_saved`].
    Saved,
    /// `GET /users/changes?after=`, all of it; answered by [`State::put_user_changes`].
    Users {
        /// The version that the state has.
        after: i64,
    },
    /// Drafts, scheduled messages and reminders, once more; begin with [`State::expect_later`].
    Later,
    /// `GET /workspaces/:id/emoji`; answered by [`State::put_emoji`].
    Emoji(WorkspaceId),
    /// All channels of a workspace, once more; begin with [`State::expect_directory`].
    Directory(WorkspaceId),
    /// The newest notifications and the settings, once more; begin with [`State::expect_notices`].
    Notifications,
}

/// A channel fetched anew: first the channel, then what had been loaded of it.
#[derive(Debug, Clone)]
pub struct Reloaded {
    /// The channel.
    pub channel: Channel,
    /// Its newest page of messages, if messages had been loaded.
    pub messages: Option<Vec<Message>>,
    /// All its members, if they had been loaded.
    pub members: Option<Vec<Member>>,
}

/// Everything a client knows.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Where the connection stands.
    pub connection: ConnectionStatus,
    /// What was written and is not stored yet.
    pub outbox: Outbox,
    /// What one has chosen.
    pub settings: madang_proto::settings::Settings,
    me: Option<Arc<User>>,
    server_time: Option<(Timestamp, Instant)>,
    workspaces: BTreeMap<WorkspaceId, Workspace>,
    workspace_members: BTreeMap<WorkspaceId, Arc<Members>>,
    directories: BTreeMap<WorkspaceId, Arc<Directory>>,
    channels: BTreeMap<ChannelId, Arc<ChannelState>>,
    people: People,
    users: Arc<BTreeMap<UserId, UserSummary>>,
    saved: saved::Saves,
    sanctions: Vec<Sanction>,
    later: later::Laters,
    profiles: profiles::Profiles,
    emoji: BTreeMap<WorkspaceId, EmojiList>,
    notified: notifications::Notified,
}

impl State {
    /// The user who is signed in, once connected.
    #[must_use]
    pub fn me(&self) -> Option<&User> {
        self.me.as_deref()
    }

    /// The id of the user who is signed in, once connected.
    #[must_use]
    pub fn my_id(&self) -> Option<UserId> {
        self.me.as_ref().map(|me| me.summary.id)
    }

    /// The server's clock at the moment `now`, once connected.
    #[must_use]
    pub fn server_time(&self, now: Instant) -> Option<Timestamp> {
        let (time, at) = self.server_time?;
        let passed = now.saturating_duration_since(at).as_millis();
        Some(time.plus_millis(i64::try_from(passed).unwrap_or(0)))
    }

    /// One's workspaces.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.values()
    }

    /// The mutes and bans that one is under, oldest first.
    #[must_use]
    pub fn sanctions(&self) -> &[Sanction] {
        &self.sanctions
    }

    /// One of one's workspaces.
    #[must_use]
    pub fn workspace(&self, id: WorkspaceId) -> Option<&Workspace> {
        self.workspaces.get(&id)
    }

    /// The members of a workspace, if they were loaded.
    #[must_use]
    pub fn workspace_members(&self, id: WorkspaceId) -> Option<&BTreeMap<UserId, Member>> {
        self.workspace_members.get(&id)?.list()
    }

    /// The channels that one is in.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelState> {
        self.channels.values().map(Arc::as_ref)
    }

    /// A channel that one is in.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelState> {
        self.channels.get(&id).map(Arc::as_ref)
    }

    /// A channel that one is in, by name.
    #[must_use]
    pub fn channel_named(&self, name: &str) -> Option<&ChannelState> {
        self.channels().find(|channel| channel.facts().name == name)
    }

    /// Someone's names, if they were heard of as an author or a member.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&UserSummary> {
        self.users.get(&id)
    }

    /// What to say in `HELLO` about where one stands; `None` the first time. The smallest ids are left
    /// out where there are too many channels: those are the oldest.
    #[must_use]
    pub fn resume(&self) -> Option<Resume> {
        self.me.as_ref()?;
        let newest_first = self.channels.values().rev().take(limits::RESUME_CHANNELS);
        Some(Resume { channels: newest_first.map(|channel| (channel.id(), channel.version())).collect() })
    }

    /// When the next typing indicator runs out, if nothing else happens.
    #[must_use]
    pub fn typing_ends_at(&self) -> Option<Instant> {
        self.channels.values().flat_map(|channel| channel.typing.values()).min().copied()
    }

    /// Removes the typing indicators that have run out.
    pub fn expire(&mut self, now: Instant) {
        for channel in self.channels.values_mut() {
            if channel.typing.values().any(|until| *until <= now) {
                Arc::make_mut(channel).typing.retain(|_, until| *until > now);
            }
        }
    }

    fn channel_mut(&mut self, id: ChannelId) -> Option<&mut ChannelState> {
        self.channels.get_mut(&id).map(Arc::make_mut)
    }

    /// The question about the changes of a channel, unless it is being asked.
    fn ask_changes(&mut self, id: ChannelId) -> Vec<Effect> {
        let Some(channel) = self.channel_mut(id) else { return Vec::new() };
        if channel.catching_up || channel.reloading {
            return Vec::new();
        }
        channel.catching_up = true;
        vec![Effect::Changes { channel: id, after: channel.version() }]
    }

    /// Drops what is loaded of a channel and asks for it anew, unless that is being done.
    fn ask_reload(&mut self, id: ChannelId) -> Vec<Effect> {
        let Some(channel) = self.channel_mut(id) else { return Vec::new() };
        if channel.reloading {
            return Vec::new();
        }
        let (messages, members) = channel.stop();
        vec![Effect::Reload { channel: id, messages, members }]
    }

    /// The answer to [`Effect::Changes`].
    pub fn put_changes(&mut self, after: i64, mut changes: ChannelChanges) -> Vec<Effect> {
        let (id, me) = (changes.channel.id, self.my_id());
        for message in &mut changes.messages {
            self.meet_author(message);
            self.forget_pending(message);
        }
        for member in &mut changes.members {
            self.meet(&mut member.member.user);
        }
        self.meet_all(&mut changes.channel.people);
        let mut effects = self.distrust_saved_of(&changes.channel);
        let Some(channel) = self.channel_mut(id) else { return effects };
        channel.catching_up = false;
        let more = channel.put_changes(after, changes, me);
        effects.extend(if more { self.ask_changes(id) } else { Vec::new() });
        effects
    }

    /// The answer to [`Effect::Reload`].
    pub fn put_reloaded(&mut self, mut fetched: Reloaded) -> Vec<Effect> {
        let (id, me) = (fetched.channel.id, self.my_id());
        for message in fetched.messages.iter_mut().flatten() {
            self.meet_author(message);
            self.forget_pending(message);
        }
        self.meet_members(fetched.members.as_mut());
        self.meet_all(&mut fetched.channel.people);
        let Some(channel) = self.channel_mut(id) else { return Vec::new() };
        if !channel.reloading {
            return Vec::new();
        }
        if channel.restart(fetched, me) { self.ask_changes(id) } else { Vec::new() }
    }

    /// The answer to a question about a channel was that it is not there: one is no longer in it.
    pub fn forget_channel(&mut self, id: ChannelId) {
        self.channels.remove(&id);
    }

    /// A page of messages is being fetched; [`State::put_page`] follows with the number this answers.
    pub fn expect_page(&mut self, id: ChannelId) -> u64 {
        self.channel_mut(id).map_or(0, |channel| channel.timeline.expect_page())
    }

    /// A page of messages, or that none came. `false` when it is to be fetched again, because the
    /// channel was loaded anew meanwhile.
    pub fn put_page(&mut self, id: ChannelId, number: u64, page: Option<&[Message]>) -> bool {
        let me = self.my_id();
        let mut page = page.map(<[Message]>::to_vec);
        for message in page.iter_mut().flatten() {
            self.meet_author(message);
            self.forget_pending(message);
        }
        let Some(channel) = self.channel_mut(id) else { return true };
        match page {
            Some(_) if channel.reloading => {
                channel.timeline.give_up_page();
                false
            }
            Some(page) => channel.put_page(number, &page, me),
            None => {
                channel.timeline.give_up_page();
                true
            }
        }
    }

    /// A message as an answer of the server showed it.
    pub fn put_message(&mut self, mut message: Message) {
        let me = self.my_id();
        self.meet_author(&mut message);
        self.forget_pending(&message);
        if let Some(channel) = self.channel_mut(message.channel_id) {
            channel.put_message(message, me);
        }
    }

    /// The members of a channel are being fetched; [`State::put_members`] follows with the number.
    pub fn expect_members(&mut self, id: ChannelId) -> u64 {
        self.channel_mut(id).map_or(0, |channel| channel.members.expect())
    }

    /// The members of a channel, or that they did not come. `false` when they are to be fetched again.
    pub fn put_members(&mut self, id: ChannelId, number: u64, mut members: Option<Vec<Member>>) -> bool {
        self.meet_members(members.as_mut());
        let Some(channel) = self.channel_mut(id) else { return true };
        if channel.reloading && members.is_some() {
            return false;
        }
        channel.members.put(number, members)
    }

    /// The members of a workspace are being fetched; [`State::put_workspace_members`] follows with the
    /// number.
    pub fn expect_workspace_members(&mut self, id: WorkspaceId) -> u64 {
        Arc::make_mut(self.workspace_members.entry(id).or_default()).expect()
    }

    /// The members of a workspace, or that they did not come. `false` when they are to be fetched again.
    pub fn put_workspace_members(
        &mut self,
        id: WorkspaceId,
        number: u64,
        mut members: Option<Vec<Member>>,
    ) -> bool {
        self.meet_members(members.as_mut());
        let list = self.workspace_members.get_mut(&id);
        list.is_none_or(|list| Arc::make_mut(list).put(number, members))
    }
}
