//! Reminders: what someone wants to be told of at a time. Nobody else knows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, MessageId, ReminderId, Timestamp, schema::ReminderText};

/// A reminder of a message, or of anything that one wrote down, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reminder {
    /// The id.
    pub id: ReminderId,
    /// Of which message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The channel of that message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// What one wrote down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When.
    pub remind_at: Timestamp,
    /// Whether that time has come; it stays until it is deleted.
    pub due: bool,
}

/// `POST /reminders`: with a message, or a text, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReminder {
    /// Of which message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// What to write down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReminderText>)]
    pub text: Option<String>,
    /// When.
    pub remind_at: Timestamp,
}

/// The payload of the event `REMINDER`: how a reminder of the user is now; `due` is the moment to show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReminderChange {
    /// Which.
    pub id: ReminderId,
    /// The reminder; absent when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Reminder>,
}
