//! Channels: everything with messages, members, an order and an unread count.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    limits,
    messages::Message,
    overrides::Override,
    retention::Retention,
    schema::{ChannelName, NewChannelKind, Topic},
    threads::ThreadOf,
    workspaces::{MemberAction, MemberChange},
};

/// What kind of channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Seen and joined by everyone in the workspace.
    Public,
    /// Seen by its members only.
    Private,
    /// A direct message of two, or a note to oneself: these people, for good.
    Dm,
    /// A direct message of more people, who may leave it.
    Group,
    /// The replies to a message; its members are those who follow it.
    Thread,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Public, Self::Private, Self::Dm, Self::Group, Self::Thread];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Dm => "dm",
            Self::Group => "group",
            Self::Thread => "thread",
        }
    }

    /// Whether it is among certain people, and has no name and no keeper.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Dm | Self::Group)
    }
}

/// A channel. `joined`, `last_read_seq`, `read_version`, `unread_count`, `unread_skipped`, `mention_count` and
/// `unread_mentions` are the asking user's own and absent in events for everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// The id.
    pub id: ChannelId,
    /// The workspace it is in.
    pub workspace_id: WorkspaceId,
    /// What kind it is.
    pub kind: ChannelKind,
    /// The name, unique in the workspace whatever the case; empty where it has none of its own.
    pub name: String,
    /// What it is about; may be empty.
    pub topic: String,
    /// Whether everyone in the workspace is in it.
    pub is_default: bool,
    /// Who made it; absent for the first one of a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// How many members it has.
    pub member_count: i64,
    /// The `seq` of its newest message; 0 when there is none.
    pub last_seq: i64,
    /// The `seq` of the oldest message that is kept; 1 when it is absent. Those before it are gone for good.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub first_seq: i64,
    /// The number of its newest durable change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the asking user is a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
    /// The `seq` up to which the asking user has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read_seq: Option<i64>,
    /// How often the asking user has marked it as unread; 0 when it is absent. Of two marks the one of the later
    /// version counts, and of one version the one that is further.
    #[serde(default, skip_serializing_if = "is_never")]
    pub read_version: i64,
    /// How many messages that are there come after `last_read_seq`, less the number of `unread_skipped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<i64>,
    /// The `seq` of each message after `last_read_seq` that is not unread: it is deleted, or the asking user's own.
    /// The newest 500.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_skipped: Vec<i64>,
    /// How many unread messages mention the asking user, or everyone; 100 stands for more, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention_count: Option<i64>,
    /// The `seq` of each of these messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_mentions: Vec<i64>,
    /// Of a direct message or group: whose it is, by id, the asking user among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserSummary>,
    /// Of a thread: what it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadOf>,
    /// What it allows and denies, other than the roles do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Seconds that lie between two messages of one person; 0 when it is absent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_mode: u32,
    /// Since when it is only kept to be read; absent when it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// How long its messages are kept; as its workspace says when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

const fn one() -> i64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_one(number: &i64) -> bool {
    *number == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_never(number: &i64) -> bool {
    *number == 0
}

impl Channel {
    /// Without anyone's own fields, as everyone hears of it.
    #[must_use]
    pub fn for_everyone(self) -> Self {
        Self {
            joined: None,
            last_read_seq: None,
            read_version: 0,
            unread_count: None,
            unread_skipped: Vec::new(),
            mention_count: None,
            unread_mentions: Vec::new(),
            ..self
        }
    }

    /// How many messages someone has not read who has read up to `read`: those that are gone do not count.
    #[must_use]
    pub fn unread_after(&self, read: i64) -> i64 {
        (self.last_seq - self.not_before(read)).max(0)
    }

    /// What is gone can be read no more.
    fn not_before(&self, read: i64) -> i64 {
        read.max(self.first_seq - 1)
    }

    /// Takes over which of its messages are not to be counted, and which mention the asking user, both in their
    /// order, and counts what is unread. Who has not read up to anywhere has none.
    pub fn set_unread(&mut self, skipped: Vec<i64>, mut mentions: Vec<i64>) {
        let Some(read) = self.last_read_seq else { return };
        let read = self.not_before(read);
        let skipped = newest(skipped, read, limits::UNREAD_SKIPPED);
        mentions.retain(|seq| skipped.binary_search(seq).is_err());
        let mentions = newest(mentions, read, limits::MENTIONS_COUNTED);
        self.unread_count = Some((self.last_seq - read - count(&skipped)).max(0));
        self.mention_count = Some(count(&mentions));
        (self.unread_skipped, self.unread_mentions) = (skipped, mentions);
    }

    /// The `seq` of the oldest message that the asking user has not read.
    #[must_use]
    pub fn first_unread_seq(&self) -> Option<i64> {
        let read = self.not_before(self.last_read_seq?);
        (read + 1..=self.last_seq).find(|seq| self.unread_skipped.binary_search(seq).is_err())
    }

    /// Shows someone of its people as they show from now on.
    pub fn rename(&mut self, user: &UserSummary) {
        if let Ok(place) = self.people.binary_search_by_key(&user.id, |known| known.id)
            && let Some(known) = self.people.get_mut(place)
        {
            known.clone_from(user);
        }
    }

    /// Brings `people` up to date with someone who came or went. A direct message of two stays theirs.
    pub fn change_people(&mut self, change: &MemberChange) {
        if !self.kind.is_direct() {
            return;
        }
        let place = self.people.binary_search_by_key(&change.user_id(), |user| user.id);
        match (change.action, place) {
            (MemberAction::Joined, Err(place)) => self.people.insert(place, change.member.user.clone()),
            (MemberAction::Left, Ok(place)) if self.kind == ChannelKind::Group => {
                self.people.remove(place);
            }
            (MemberAction::Joined | MemberAction::Left | MemberAction::Updated, _) => {}
        }
    }
}

/// The newest of them, past a read mark.
fn newest(mut all: Vec<i64>, read: i64, most: usize) -> Vec<i64> {
    all.retain(|seq| *seq > read);
    all.drain(..all.len().saturating_sub(most));
    all
}

fn count(all: &[i64]) -> i64 {
    i64::try_from(all.len()).unwrap_or(i64::MAX)
}

/// `POST /channels` and `POST /workspaces/:workspace_id/channels`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChannel {
    /// The workspace; the user's first when missing. Not with the path that names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    /// 1 to 80 characters, no line breaks, no `#` in front.
    #[schema(value_type = ChannelName)]
    pub name: String,
    /// What kind.
    #[schema(value_type = NewChannelKind)]
    pub kind: ChannelKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Topic>)]
    pub topic: Option<String>,
}

/// `PUT /channels/:id`: what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannel {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ChannelName>)]
    pub name: Option<String>,
    /// A new topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Topic>)]
    pub topic: Option<String>,
    /// Another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NewChannelKind>)]
    pub kind: Option<ChannelKind>,
    /// What it allows and denies from now on: the whole list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub overrides: Option<Vec<Override>>,
    /// Seconds that lie between two messages of one person; 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 21600)]
    pub slow_mode: Option<u32>,
    /// Whether it is only kept to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Which channels are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChannelsQuery {
    /// The archived ones too; not, when missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[param(required = false)]
    pub archived: bool,
}

impl ChannelsQuery {
    /// Whether this one is listed.
    #[must_use]
    pub const fn lists(self, channel: &Channel) -> bool {
        self.archived || channel.archived_at.is_none()
    }
}

/// `POST /channels/:id/members`: invite.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddChannelMember {
    /// Whom.
    pub user_id: UserId,
}

/// What happened to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelAction {
    /// A public channel is there to be joined; or, with the user's own fields, the user is in it
    /// from now on.
    Created,
    /// Name, topic, kind, what it allows or how long its messages are kept changed, it was archived or restored, or
    /// its oldest messages were removed.
    Updated,
    /// It is gone.
    Deleted,
}

/// The payload of `CHANNEL`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelChange {
    /// What happened.
    pub action: ChannelAction,
    /// The channel after it. Its `version` is the one that this change made.
    pub channel: Channel,
}

/// What changed in a channel after a version: states, not events. `GET /channels/:id/changes`, and
/// in `READY` for each resumed channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelChanges {
    /// The channel as it is now.
    pub channel: Channel,
    /// Messages whose newest change is later, by `version`.
    pub messages: Vec<Message>,
    /// Members whose newest change is later, by `version`.
    pub members: Vec<MemberChange>,
    /// Everything up to this version is told.
    pub version: i64,
    /// Whether there is more after `version`.
    pub more: bool,
}
