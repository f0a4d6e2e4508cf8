//! Scheduled messages: what is to be sent at a time. Nobody but the author knows of one before.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, ScheduledId, Timestamp, error::ErrorCode, schema::Content};

/// A message that is to be sent, or was refused when it should have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Scheduled {
    /// The id; the message will have one of its own.
    pub id: ScheduledId,
    /// Where to; a thread is a channel too.
    pub channel_id: ChannelId,
    /// The text.
    pub content: String,
    /// When.
    pub send_at: Timestamp,
    /// Why it was not sent then; it stays until its author gives it another time or deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ScheduledFailure>,
}

/// Why a scheduled message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledFailure {
    /// The code that sending it was refused with.
    pub code: ErrorCode,
    /// What happened, for people.
    pub detail: String,
}

/// `POST /channels/:id/scheduled`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateScheduled {
    /// The text.
    #[schema(value_type = Content)]
    pub content: String,
    /// When to send it.
    pub send_at: Timestamp,
}

/// `PUT /scheduled/:id`: what is missing stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateScheduled {
    /// Another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Content>)]
    pub content: Option<String>,
    /// Another time; needed where the one it had is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
}

/// The payload of the event `SCHEDULED`: how a scheduled message of the user is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledChange {
    /// Which.
    pub id: ScheduledId,
    /// The scheduled message; absent when it was sent or deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
}
