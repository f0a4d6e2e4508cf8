//! Read marks: up to where someone has read a channel, and who has seen a message.
//!
//! A mark moves on by itself, with what a device shows, and back only when its user says so (`MarkUnread`). Each
//! time it moves back it has the next `read_version`. Of two marks the one of the later version counts, of one
//! version the one that is further: so it does not matter in which order they come.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{ChannelId, MessageId, UserId, accounts::UserSummary};

/// `PUT /channels/:id/read`
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The newest message read.
    pub message_id: MessageId,
    /// The channel's `read_version` as the client knew it when the message was read. With it, a mark from before
    /// the channel was marked as unread is refused; without, it counts as made now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_version: Option<i64>,
}

/// `PUT /channels/:id/unread`
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkUnread {
    /// The oldest message that is unread from now on.
    pub message_id: MessageId,
}

/// The payload of the event `READ_RECEIPT`, and the answer of marking read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadMark {
    /// Where.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// The newest message read.
    pub message_id: MessageId,
    /// Its `seq`.
    pub seq: i64,
    /// Of one's own marks: the version in which this one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_version: Option<i64>,
}

/// The payload of the event `UNREAD`, and the answer of marking as unread: the user's own mark moved back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadMark {
    /// Where.
    pub channel_id: ChannelId,
    /// The oldest message that is unread from now on.
    pub message_id: MessageId,
    /// Where the mark is now: before this message.
    pub last_read_seq: i64,
    /// The version that this change made.
    pub read_version: i64,
}

/// Who has seen a message: `GET /messages/:id/seen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenBy {
    /// How many in all.
    pub count: i64,
    /// Some of them, by id.
    pub items: Vec<UserSummary>,
    /// For the next page; absent at the end.
    pub next_cursor: Option<String>,
}

/// Which of those who have seen a message: by user id from the cursor on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeenQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub after: Option<UserId>,
}
