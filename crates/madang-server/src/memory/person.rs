//! A user in memory: who it is, what they are in and what of it they have not read.

use std::{collections::HashMap, sync::Arc};

use madang_proto::{
    ChannelId, WorkspaceId,
    accounts::User,
    channels::Channel,
    limits,
    notifications::NotificationCount,
    permissions::{InChannel, Role},
    presence::UserStatus,
    sanctions::{Sanction, SanctionKind},
    settings::Settings,
    workspaces::Workspace,
};
use madang_store::{channels::Found, unread::merge};
use parking_lot::Mutex;

use super::{
    notified::Notified,
    read::Read,
    room::{Room, Seat},
};

/// A user and what they are in.
pub struct Person {
    /// Who it is.
    pub user: User,
    /// What they say of themself; some of it may be over.
    pub status: UserStatus,
    /// The workspaces, with the user's role.
    pub workspaces: Vec<Workspace>,
    /// The channels in their order.
    pub channels: Vec<ChannelId>,
    /// What they are under.
    pub sanctions: Vec<Sanction>,
    /// What they have chosen.
    pub settings: Settings,
    pub(super) read: HashMap<ChannelId, Read>,
    /// Messages that mention them by name, of channels where there are any.
    pub(super) mentions: Mutex<HashMap<ChannelId, Vec<i64>>>,
    pub(super) notified: Mutex<Notified>,
    pub(super) as_of: i64,
}

/// A user, and their channels in the order in which the person lists them.
pub struct Standing {
    /// The user.
    pub person: Arc<Person>,
    /// The channels.
    pub rooms: Vec<Arc<Room>>,
}

impl Person {
    /// What is known of a channel and how the user stands to it, as the database would say, but for whether
    /// they follow it when it is a thread; `parent` is the channel of its root then.
    pub fn found(&self, id: ChannelId, room: &Room, parent: Option<(ChannelId, Arc<Room>)>) -> Found {
        let channel = room.channel(self.seat(id));
        let role = self.role(channel.workspace_id);
        let parent = parent.map(|(id, room)| room.channel(self.seat(id)));
        let here = parent.as_ref().map_or(id, |of| of.id);
        let muted = self.sanctions.iter().any(|sanction| sanction.mutes(channel.workspace_id, here));
        let slow_mode = parent.as_ref().unwrap_or(&channel).slow_mode;
        let parent = parent.map(|of| InChannel::of(&of, role, self.user.summary.id));
        Found { role, channel, parent, slow_mode, muted }
    }

    /// How they stand to a channel.
    pub fn seat(&self, channel: ChannelId) -> Seat {
        Seat { user: self.user.summary.id, read: self.read.get(&channel).map(Read::now) }
    }

    /// Says what they have not read of a channel.
    pub fn tell(&self, channel: &mut Channel, room: &Room) {
        let (mut skipped, mut mentions) = (Vec::new(), Vec::new());
        if channel.unread_count.is_some_and(|unread| unread > 0) {
            let own = self.read.get(&channel.id).map_or_else(Vec::new, |read| read.own.clone());
            let (everyone, deleted) = room.marks(self.user.summary.id);
            skipped = merge(own, deleted.into_iter());
            mentions = self.mentions.lock().get(&channel.id).cloned().unwrap_or_default();
            mentions = merge(mentions, everyone.into_iter());
        }
        channel.set_unread(skipped, mentions);
    }

    /// How many notifications they have not read.
    pub fn unread(&self) -> NotificationCount {
        self.notified.lock().count
    }

    /// Whether some of these may be in a channel.
    pub fn has_unread_in(&self, channel: ChannelId) -> bool {
        self.notified.lock().channels.contains(&channel)
    }

    /// Takes in a message that mentions them by name.
    pub(super) fn mention(&self, channel: ChannelId, seq: i64) {
        if self.read.get(&channel).is_some_and(|read| read.is_new(seq)) {
            let mentions = &mut *self.mentions.lock();
            let known = mentions.entry(channel).or_default();
            if let Err(place) = known.binary_search(&seq) {
                known.insert(place, seq);
                known.drain(..known.len().saturating_sub(limits::MENTIONS_COUNTED));
            }
        }
    }

    /// Whether they have to be silent in all of a workspace.
    pub fn is_muted(&self, workspace: WorkspaceId) -> bool {
        let everywhere = |s: &Sanction| s.channel_id.is_none() && s.workspace_id == workspace;
        self.sanctions.iter().any(|s| s.kind == SanctionKind::Mute && everywhere(s))
    }

    /// Their role in a workspace.
    pub fn role(&self, workspace: WorkspaceId) -> Option<Role> {
        self.workspaces.iter().find(|w| w.id == workspace).and_then(|w| w.role)
    }
}
