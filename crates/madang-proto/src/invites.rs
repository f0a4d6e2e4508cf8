//! Invites: codes that bring whoever has them into a workspace, and into a channel of it; as guest links, into that
//! channel alone and for a time.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, InviteId, Timestamp, WorkspaceId,
    accounts::{Secret, UserSummary},
};

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    /// The id.
    pub id: InviteId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The channel that one comes into besides the default one; of a guest link, the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Who made it.
    pub by: UserSummary,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be used; absent when until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Of a guest link: until when whoever came by it is in the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_until: Option<Timestamp>,
    /// How often it can be used; absent when as often as one likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// How often it was used.
    pub uses: u32,
    /// The code: only in the answer to making it. The server keeps no more than a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
}

impl Invite {
    /// Of a guest link: its channel, and until when it gives access.
    #[must_use]
    pub fn guest_link(&self) -> Option<(ChannelId, Timestamp)> {
        self.channel_id.zip(self.access_until)
    }
}

/// `POST /workspaces/:id/invites`
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvite {
    /// A channel that whoever comes is in besides the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Until when it can be used; until it is revoked, or the access is over, when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Makes it a guest link: whoever comes by it is in that channel only, as a visitor, until this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_until: Option<Timestamp>,
    /// How often it can be used, 1 to 10,000; as often as one likes when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub max_uses: Option<u32>,
}

/// Which invites are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvitesQuery {
    /// The guest links of this channel; all invites of the workspace, when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ChannelId>)]
    pub channel_id: Option<ChannelId>,
}

/// `POST /invites/accept` and `POST /invites/preview`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvite {
    /// The code.
    pub code: Secret,
}

/// What a code opens, as whoever has it may know before they come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitePreview {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub workspace_name: String,
    /// The channel that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// The channel's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_name: Option<String>,
    /// Until when it can be used; absent when until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Of a guest link: until when it gives access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_until: Option<Timestamp>,
}
