//! Presence and typing: what is true for a moment and never stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, UserId};

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
