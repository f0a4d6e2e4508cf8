//! Presence and typing: what is true for a moment and never stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, UserId, WorkspaceId};

/// Whether someone is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Connected and active.
    Online,
    /// Connected, but idle or away by choice.
    Away,
    /// Not connected.
    #[default]
    Offline,
}

/// The payload of `PRESENCE`, and the answer of `GET /users/:id/presence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Who.
    pub user_id: UserId,
    /// Whether they are there.
    pub status: Status,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
}

/// How many of a workspace are there: the payload of `ONLINE`, and a part of `READY` and `WATCHED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Online {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// How many are online or away.
    pub online: u32,
    /// Whether each of them is told of by `PRESENCE`. Where too many are there, only the number is told,
    /// and of people only those whom one watches.
    pub named: bool,
}

/// The payload of `WATCHED`: all that a connection is told of people from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watched {
    /// Those watched, whether they are there or not, and those who are there in workspaces that are
    /// `named`. Whoever is not in it is not known.
    pub presence: Vec<Presence>,
    /// How many are there, by workspace.
    pub online: Vec<Online>,
}

/// What a user may say of themself: offline is not chosen but happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenStatus {
    /// As the connections tell.
    Online,
    /// Away until changed.
    Away,
}

/// `PUT /users/:id/status`; lasts while the user is connected.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateStatus {
    /// What to show.
    pub status: ChosenStatus,
    /// Up to 100 characters; cleared when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
}

/// The payload of the event `TYPING`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Typing {
    /// Where.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// Begun or repeated, or over. Without repetition it is over after six seconds.
    pub typing: bool,
}
