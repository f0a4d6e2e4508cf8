//! Pins: messages that a channel keeps at hand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Timestamp, accounts::UserSummary, messages::Message};

/// A pinned message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// Which.
    pub message: Message,
    /// Who pinned it.
    pub user: UserSummary,
    /// When.
    pub pinned_at: Timestamp,
}
