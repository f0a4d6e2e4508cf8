//! Direct messages: channels among certain people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{UserId, WorkspaceId};

/// `POST /dm`: the same people are always given the same channel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDirect {
    /// With whom: 1 to 19 others, or oneself alone for notes. Oneself need not be named.
    #[schema(min_items = 1, max_items = 19)]
    pub user_ids: Vec<UserId>,
    /// Where; the oldest workspace that all of them share when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<WorkspaceId>,
}
