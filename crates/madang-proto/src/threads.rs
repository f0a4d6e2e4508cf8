//! Threads: channels of replies to a message.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, FileId, MessageId, Timestamp,
    channels::Channel,
    messages::Message,
    schema::{Caption, Nonce, ThreadCursor},
};

/// What a message has to do with a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageThread {
    /// The thread, which is a channel of its own.
    pub channel_id: ChannelId,
    /// On a reply, and on a reply that was also sent to the channel: what the thread is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_id: Option<MessageId>,
    /// How many replies there are, without the deleted ones; 0 on replies.
    pub reply_count: i64,
    /// When the newest reply came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reply_at: Option<Timestamp>,
}

impl MessageThread {
    /// Of a reply in the thread of `root`.
    #[must_use]
    pub const fn refer(thread: ChannelId, root: MessageId) -> Self {
        Self { channel_id: thread, root_id: Some(root), reply_count: 0, last_reply_at: None }
    }
}

/// What a channel of kind `thread` belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThreadOf {
    /// The channel of the message.
    pub channel_id: ChannelId,
    /// The message.
    pub root_id: MessageId,
}

/// `POST /messages/:id/thread`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReply {
    /// As in `CreateMessage`.
    #[schema(value_type = Caption)]
    pub content: String,
    /// As in `CreateMessage`; what stands in the channel too carries none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    pub file_ids: Vec<FileId>,
    /// As in `CreateMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Nonce>)]
    pub nonce: Option<String>,
    /// Whether it stands in the channel too, as a message of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_to_channel: bool,
}

/// A thread that one follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowedThread {
    /// The thread, with one's own read mark and unread count.
    pub channel: Channel,
    /// What it is about, or its tombstone.
    pub root: Message,
}

/// Which threads: from the cursor on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ThreadPageQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ThreadCursor>)]
    pub after: Option<String>,
}
