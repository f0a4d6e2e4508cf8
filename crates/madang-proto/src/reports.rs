//! Reports: messages that someone wants those who keep order to look at.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, MessageId, ReportId, Timestamp, WorkspaceId, accounts::UserSummary, schema::ReasonText,
};

/// How a report was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// There is nothing to do.
    Dismissed,
    /// The message was deleted.
    MessageDeleted,
    /// Its author has to be silent in the workspace.
    AuthorMuted,
    /// Its author is out of the workspace.
    AuthorBanned,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dismissed, Self::MessageDeleted, Self::AuthorMuted, Self::AuthorBanned];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dismissed => "dismissed",
            Self::MessageDeleted => "message_deleted",
            Self::AuthorMuted => "author_muted",
            Self::AuthorBanned => "author_banned",
        }
    }
}

/// A report, with the message as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The id; sorted by time.
    pub id: ReportId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Where the message stands.
    pub channel_id: ChannelId,
    /// The message.
    pub message_id: MessageId,
    /// Who wrote it.
    pub author: UserSummary,
    /// What it said when it was reported.
    pub content: String,
    /// Who reported it.
    pub reporter: UserSummary,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
    /// How it was decided on; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<UserSummary>,
    /// When they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
}

/// `POST /messages/:id/report`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReport {
    /// Why, 1 to 500 characters.
    #[schema(value_type = ReasonText)]
    pub reason: String,
}

/// `PUT /workspaces/:id/reports/:report_id`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveReport {
    /// What is done.
    pub resolution: Resolution,
    /// Of a mute or ban: why, as the author is told. "a reported message" when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasonText>)]
    pub reason: Option<String>,
    /// Of a mute or ban: until when; until it is lifted when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Which reports: the newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportsQuery {
    /// Those that are decided on, in the place of the open ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[param(required = false)]
    pub resolved: bool,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ReportId>)]
    pub before: Option<ReportId>,
}
