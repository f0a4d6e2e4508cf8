//! Pages: how long lists are read.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{MessageId, UserId};

/// A list that cannot be large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
}

/// A page of a long list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// For the next page in the direction asked for; absent at the end. For messages: older ones,
    /// with `before=`, unless `after=` was asked for.
    pub next_cursor: Option<String>,
    /// For the page in the other direction; absent at the end.
    pub prev_cursor: Option<String>,
}

/// Which messages: the newest when no place is named. `before`, `after`, `around` and `around_seq` exclude
/// each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MessagePageQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Messages before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<MessageId>)]
    pub before: Option<MessageId>,
    /// Messages after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<MessageId>)]
    pub after: Option<MessageId>,
    /// Messages on both sides of this one, and itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<MessageId>)]
    pub around: Option<MessageId>,
    /// The same around a place: the first unread message stands after the channel's `last_read_seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1)]
    pub around_seq: Option<i64>,
}

/// Which members: by user id from the cursor on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MemberPageQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub after: Option<UserId>,
}

/// Which changes of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// The newest version that the asking client has.
    #[param(minimum = 0)]
    pub after: i64,
}
