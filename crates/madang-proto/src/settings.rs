//! Settings: what a user has chosen for themselves, on all their devices.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings of a user: `GET /users/me/settings`, in `READY`, and the payload of the event `SETTINGS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Whether others are told what one has read.
    pub share_read_marks: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { share_read_marks: true }
    }
}

/// `PUT /users/me/settings`: what is missing stays.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSettings {
    /// Whether others are told what one has read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_read_marks: Option<bool>,
}
