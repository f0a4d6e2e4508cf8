//! Read marks: up to where someone has read a channel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, MessageId, UserId};

/// `PUT /channels/:id/read`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The newest message read.
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
    /// Its `seq`. A mark never moves back.
    pub seq: i64,
}
