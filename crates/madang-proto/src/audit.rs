//! The audit log: every act of those who keep a workspace or its channels.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{AuditId, ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// The workspace has another name or other settings.
    WorkspaceUpdated,
    /// Someone was brought into the workspace.
    MemberAdded,
    /// Someone was put out of the workspace.
    MemberRemoved,
    /// Someone has another role.
    RoleChanged,
    /// A channel has another name, topic or kind, allows other things, was archived or restored.
    ChannelUpdated,
    /// A channel was deleted.
    ChannelDeleted,
    /// Someone was put out of a channel.
    ChannelMemberRemoved,
    /// Someone else's message was deleted.
    MessageDeleted,
    /// Someone has to be silent or to stay away.
    SanctionImposed,
    /// Someone need no longer.
    SanctionLifted,
    /// A report was decided on.
    ReportResolved,
    /// An invite was made.
    InviteCreated,
    /// An invite was revoked.
    InviteRevoked,
    /// Messages of the workspace or of a channel are kept for another time.
    RetentionChanged,
    /// An emoji that someone else had made was deleted.
    EmojiDeleted,
    /// An owner asked for the workspace as a file.
    WorkspaceExported,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::WorkspaceUpdated,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::RoleChanged,
        Self::ChannelUpdated,
        Self::ChannelDeleted,
        Self::ChannelMemberRemoved,
        Self::MessageDeleted,
        Self::SanctionImposed,
        Self::SanctionLifted,
        Self::ReportResolved,
        Self::InviteCreated,
        Self::InviteRevoked,
        Self::RetentionChanged,
        Self::EmojiDeleted,
        Self::WorkspaceExported,
    ];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorkspaceUpdated => "workspace_updated",
            Self::MemberAdded => "member_added",
            Self::MemberRemoved => "member_removed",
            Self::RoleChanged => "role_changed",
            Self::ChannelUpdated => "channel_updated",
            Self::ChannelDeleted => "channel_deleted",
            Self::ChannelMemberRemoved => "channel_member_removed",
            Self::MessageDeleted => "message_deleted",
            Self::SanctionImposed => "sanction_imposed",
            Self::SanctionLifted => "sanction_lifted",
            Self::ReportResolved => "report_resolved",
            Self::InviteCreated => "invite_created",
            Self::InviteRevoked => "invite_revoked",
            Self::RetentionChanged => "retention_changed",
            Self::EmojiDeleted => "emoji_deleted",
            Self::WorkspaceExported => "workspace_exported",
        }
    }
}

/// One act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// The id; sorted by time.
    pub id: AuditId,
    /// Who did it.
    pub actor: UserSummary,
    /// What they did.
    pub action: AuditAction,
    /// On whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserSummary>,
    /// In which channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// On which message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What changed, as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub from: Option<Value>,
    /// What changed, as it was after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub to: Option<Value>,
    /// When.
    pub created_at: Timestamp,
}

/// Which acts: the newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub action: Option<AuditAction>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub actor_id: Option<UserId>,
    /// On whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub user_id: Option<UserId>,
    /// In which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ChannelId>)]
    pub channel_id: Option<ChannelId>,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<AuditId>)]
    pub before: Option<AuditId>,
}
