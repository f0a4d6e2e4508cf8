//! Retention: how long messages are kept.
//!
//! A channel without a rule of its own has that of its workspace. Threads have the rule of the channel of their root.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule. `PUT /workspaces/:id/retention` and `PUT /channels/:id/retention`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// After how many days messages are removed, 1 to 36,500; for good when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36_500)]
    pub days: Option<u32>,
}

impl Retention {
    /// Whether messages are kept for good.
    #[must_use]
    pub const fn is_forever(&self) -> bool {
        self.days.is_none()
    }
}
