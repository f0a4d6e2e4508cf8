//! A view of the state for tests: what must be equal for everyone who loaded the same.
//!
//! Moments (presence, typing), other people's read marks (heard, never fetched) and the connection are
//! left out.

use std::collections::{BTreeMap, BTreeSet};

use madang_proto::{
    ChannelId, MessageId, UserId, WorkspaceId,
    channels::Channel,
    emoji::EmojiList,
    messages::Message,
    sanctions::Sanction,
    settings::Settings,
    workspaces::{Member, Workspace},
};

use super::{Later, Notices, State};

/// What must be equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// The workspaces.
    pub workspaces: BTreeMap<WorkspaceId, Workspace>,
    /// The members of those workspaces where they are loaded.
    pub workspace_members: BTreeMap<WorkspaceId, BTreeMap<UserId, Member>>,
    /// The channels one is not in, of those workspaces where they are loaded.
    pub directories: BTreeMap<WorkspaceId, BTreeMap<ChannelId, Channel>>,
    /// The channels one is in.
    pub channels: BTreeMap<ChannelId, ComparableChannel>,
    /// What one saved, if loaded.
    pub saved: Option<BTreeSet<MessageId>>,
    /// What one is under.
    pub sanctions: Vec<Sanction>,
    /// What one has chosen.
    pub settings: Settings,
    /// Drafts, scheduled messages and reminders, if loaded.
    pub later: Option<Later>,
    /// The emoji of those workspaces where they are loaded.
    pub emoji: BTreeMap<WorkspaceId, EmojiList>,
    /// How many notifications are unread.
    pub unread_notifications: i64,
    /// The newest notifications and the settings, if loaded.
    pub notices: Option<Notices>,
}

/// What must be equal of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparableChannel {
    /// The channel, with its version, one's own read mark and the unread count.
    pub facts: Channel,
    /// The loaded messages, by `seq`; absent when none was ever loaded or heard.
    pub messages: Option<BTreeMap<i64, Message>>,
    /// The members, if loaded.
    pub members: Option<BTreeMap<UserId, Member>>,
}

impl State {
    /// Everything that is loaded.
    #[must_use]
    pub fn comparable(&self) -> Comparable {
        let channel = |known: &super::ChannelState| ComparableChannel {
            facts: known.facts().clone(),
            messages: (known.is_open() || known.messages().len() > 0)
                .then(|| known.messages().map(|message| (message.seq, message.as_ref().clone())).collect()),
            members: known.members().cloned(),
        };
        // How many are in a channel and what its newest and oldest messages are, only those in it hear.
        let other = |(id, known): (&ChannelId, &Channel)| {
            (*id, Channel { member_count: 0, last_seq: 0, first_seq: 1, version: 0, ..known.clone() })
        };
        Comparable {
            workspaces: self.workspaces.clone(),
            workspace_members: self
                .workspace_members
                .iter()
                .filter_map(|(id, members)| Some((*id, members.list()?.clone())))
                .collect(),
            directories: self
                .workspaces
                .keys()
                .filter_map(|id| Some((*id, self.directory(*id)?.iter().map(other).collect())))
                .collect(),
            channels: self.channels().map(|known| (known.id(), channel(known))).collect(),
            saved: self.saved().cloned(),
            sanctions: self.sanctions.clone(),
            settings: self.settings,
            later: self.later().cloned(),
            emoji: self.emoji.clone(),
            unread_notifications: self.unread_notifications().unread,
            // What else is numbered with the settings may move their version on.
            notices: self.notices().cloned().map(|mut notices| {
                notices.settings.version = 0;
                notices
            }),
        }
    }
}

impl Comparable {
    /// The same without what `other` never loaded: older messages, members, lists. A client that heard
    /// everything is equal to a fresh one: `old == fresh.like(&old)`.
    #[must_use]
    pub fn like(mut self, other: &Self) -> Self {
        self.workspace_members.retain(|id, _| other.workspace_members.contains_key(id));
        self.directories.retain(|id, _| other.directories.contains_key(id));
        self.saved = self.saved.filter(|_| other.saved.is_some());
        self.emoji.retain(|id, _| other.emoji.contains_key(id));
        self.later = self.later.filter(|_| other.later.is_some());
        self.notices = self.notices.filter(|_| other.notices.is_some());
        for (id, channel) in &mut self.channels {
            let Some(theirs) = other.channels.get(id) else { continue };
            match (&mut channel.messages, &theirs.messages) {
                (Some(mine), Some(other)) => {
                    if let (Some(first), Some(last)) = (other.keys().next(), other.keys().next_back()) {
                        // Who has the newest message has to have everything after the first one.
                        let open_end = *last == theirs.facts.last_seq;
                        mine.retain(|seq, _| seq >= first && (open_end || seq <= last));
                    }
                }
                (mine, None) => *mine = None,
                (None, Some(_)) => {}
            }
            if theirs.members.is_none() {
                channel.members = None;
            }
        }
        self
    }
}
