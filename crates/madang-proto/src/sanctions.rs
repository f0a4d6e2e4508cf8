//! Sanctions: people who have to be silent, or to stay away, in a channel or in all of a workspace.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, SanctionId, Timestamp, UserId, WorkspaceId, accounts::UserSummary, schema::ReasonText,
};

/// What someone is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SanctionKind {
    /// They read, but do not write, reply, react, pin or invite.
    Mute,
    /// They are out and cannot come in.
    Ban,
}

impl SanctionKind {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mute => "mute",
            Self::Ban => "ban",
        }
    }
}

/// A sanction that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sanction {
    /// The id.
    pub id: SanctionId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The channel; absent when it is for all of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Who is under it.
    pub user: UserSummary,
    /// What it is.
    pub kind: SanctionKind,
    /// Why.
    pub reason: String,
    /// Who imposed it; absent where the person under it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserSummary>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; absent when until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl Sanction {
    /// As the person under it is told.
    #[must_use]
    pub fn for_them(self) -> Self {
        Self { by: None, ..self }
    }

    /// Whether it silences in this channel.
    #[must_use]
    pub fn mutes(&self, workspace: WorkspaceId, channel: ChannelId) -> bool {
        let here = self.channel_id.is_none_or(|id| id == channel);
        self.kind == SanctionKind::Mute && self.workspace_id == workspace && here
    }
}

/// `POST /workspaces/:id/sanctions`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSanction {
    /// Whom.
    pub user_id: UserId,
    /// What.
    pub kind: SanctionKind,
    /// Where; in all of the workspace when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Why, 1 to 500 characters. The person is told.
    #[schema(value_type = ReasonText)]
    pub reason: String,
    /// Until when; until it is lifted when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Which sanctions: the newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SanctionsQuery {
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<SanctionKind>,
    /// Of this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub user_id: Option<UserId>,
    /// In this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ChannelId>)]
    pub channel_id: Option<ChannelId>,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<SanctionId>)]
    pub before: Option<SanctionId>,
}

/// What happened to a sanction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SanctionAction {
    /// It is in force, perhaps in the place of another for the same person, place and kind.
    Imposed,
    /// It is over: its time, or someone lifted it.
    Lifted,
}

/// The payload of `SANCTION`, which the person under it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SanctionChange {
    /// What happened.
    pub action: SanctionAction,
    /// The sanction.
    pub sanction: Sanction,
}

impl SanctionChange {
    /// Brings a list of someone's sanctions up to date.
    pub fn apply_to(&self, sanctions: &mut Vec<Sanction>) {
        let new = &self.sanction;
        let place = |s: &Sanction| (s.workspace_id, s.channel_id, s.kind == SanctionKind::Ban);
        match self.action {
            SanctionAction::Imposed => {
                sanctions.retain(|known| place(known) != place(new));
                sanctions.push(new.clone());
                sanctions.sort_by_key(|known| known.id);
            }
            SanctionAction::Lifted => sanctions.retain(|known| known.id != new.id),
        }
    }
}
