//! Drafts: what someone began to write in a channel. Nobody else knows.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, Timestamp,
    schema::{Content, Cursor},
};

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// Where it is to be sent; a thread is a channel too.
    pub channel_id: ChannelId,
    /// The text.
    pub content: String,
    /// When it was written.
    pub updated_at: Timestamp,
}

/// `PUT /channels/:id/draft`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDraft {
    /// The text, as that of a message.
    #[schema(value_type = Content)]
    pub content: String,
}

/// Which drafts: `GET /drafts`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DraftQuery {
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<Cursor>)]
    pub before: Option<i64>,
}

/// The payload of the event `DRAFT`: how the user's draft in a channel is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DraftChange {
    /// Which channel.
    pub channel_id: ChannelId,
    /// The draft; absent when there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
}
