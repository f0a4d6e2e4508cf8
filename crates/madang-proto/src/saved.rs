//! Saved messages: what someone keeps for later. Nobody else knows.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{MessageId, Timestamp, messages::Message, schema::Cursor};

/// A saved message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Saved {
    /// Which.
    pub message: Message,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// Which saved messages: `GET /users/me/saved`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SavedQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<Cursor>)]
    pub before: Option<i64>,
}

/// The payload of the event `SAVED`: the user saved a message, or no longer keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedChange {
    /// Which message.
    pub message_id: MessageId,
    /// Saved, or no longer.
    pub saved: bool,
}
