//! Channels: everything with messages, members, an order and an unread count.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    messages::Message,
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

/// A channel. `joined`, `last_read_seq` and `unread_count` are the asking user's own and absent in
/// events for everyone.
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
    /// `last_seq` less `last_read_seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<i64>,
    /// Of a direct message or group: whose it is, by id, the asking user among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserSummary>,
    /// Of a thread: what it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadOf>,
}

impl Channel {
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

/// `POST /channels` and `POST /workspaces/:workspace_id/channels`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChannel {
    /// The workspace; the user's first when missing. Not with the path that names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
    /// 1 to 80 characters, no line breaks, no `#` in front.
    pub name: String,
    /// What kind.
    pub kind: ChannelKind,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// `PUT /channels/:id`: what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannel {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ChannelKind>,
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
    /// Name, topic or kind changed.
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
