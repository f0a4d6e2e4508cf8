//! Workspaces: a team's courtyard, with its channels and people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    permissions::Role,
    retention::Retention,
    schema::{Username, WorkspaceName},
};

/// Who sees what messages said before they were edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EditHistory {
    /// Everyone who sees the message.
    #[default]
    Everyone,
    /// The message's author, admins and owners.
    Admins,
    /// Nobody.
    Nobody,
}

impl EditHistory {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everyone, Self::Admins, Self::Nobody];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Admins => "admins",
            Self::Nobody => "nobody",
        }
    }
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// The id.
    pub id: WorkspaceId,
    /// The name to show.
    pub name: String,
    /// Whether everyone who registers on this server becomes a member.
    pub open: bool,
    /// Whether guests are let in.
    pub allow_guests: bool,
    /// Who sees what messages said before they were edited.
    pub edit_history: EditHistory,
    /// How long messages are kept where the channel does not say; for good when it is absent.
    #[serde(default, skip_serializing_if = "Retention::is_forever")]
    pub retention: Retention,
    /// The channel that everyone is in, but visitors.
    pub default_channel_id: ChannelId,
    /// How often its own emoji changed: whoever has them as of another number reads them anew.
    #[serde(default)]
    #[schema(required = true)]
    pub emoji_version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The asking user's role; absent in events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// `POST /workspaces`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    /// The name to show, 1 to 80 characters.
    #[schema(value_type = WorkspaceName)]
    pub name: String,
    /// Whether guests are let in; not, when missing.
    #[serde(default)]
    pub allow_guests: bool,
}

/// `PUT /workspaces/:id`: what is missing stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspace {
    /// The name to show, 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WorkspaceName>)]
    pub name: Option<String>,
    /// Whether everyone who registers from now on becomes a member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// Whether guests are let in from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_guests: Option<bool>,
    /// Who sees what messages said before they were edited, also long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_history: Option<EditHistory>,
}

/// A member of a workspace or of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Who.
    pub user: UserSummary,
    /// The role in the workspace.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

/// `POST /workspaces/:id/members`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddWorkspaceMember {
    /// Whom, by the unique name.
    #[schema(value_type = Username)]
    pub username: String,
}

/// `PUT /workspaces/:id/members/:user_id`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspaceMember {
    /// The new role.
    pub role: Role,
}

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberAction {
    /// Came in.
    Joined,
    /// Went out, or was put out.
    Left,
    /// Has another role.
    Updated,
}

/// The payload of `MEMBER`: someone came, went or changed, in a channel or in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberChange {
    /// What happened.
    pub action: MemberAction,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The channel; absent when the workspace's members changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Whom it is about.
    pub member: Member,
    /// The channel's version that this change made; absent when the workspace's members changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

impl MemberChange {
    /// Whom it is about.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.member.user.id
    }
}
