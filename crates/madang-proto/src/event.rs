//! What the gateway tells a client: a closed set of events.
//!
//! Invariants:
//! - An event about a channel's durable state carries the `version` that the change made; typing
//!   and presence carry none.
//! - No match on [`Event`] has a wildcard arm: a new variant fails to compile where it must be
//!   handled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    ChannelId, ConnectionId, Timestamp,
    accounts::User,
    channels::{Channel, ChannelChange, ChannelChanges},
    drafts::DraftChange,
    emoji::EmojiChange,
    error::ErrorPayload,
    exports::Export,
    messages::Message,
    msgpack,
    notifications::{NewNotification, NotificationCount, NotificationSettings, NotificationsChange},
    presence::{Online, Presence, Typing, Watched},
    profiles::UserChange,
    reactions::ReactionChange,
    reads::{ReadMark, UnreadMark},
    reminders::ReminderChange,
    sanctions::{Sanction, SanctionChange},
    saved::SavedChange,
    scheduled::ScheduledChange,
    settings::Settings,
    workspaces::{MemberChange, Workspace},
};

/// The payload of `READY`: all that a client needs to start or to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// This connection.
    pub session_id: ConnectionId,
    /// Who is connected.
    pub user: User,
    /// How often the client sends `PING`.
    pub heartbeat_interval_ms: u32,
    /// The server's clock.
    pub server_time: Timestamp,
    /// The user's workspaces.
    pub workspaces: Vec<Workspace>,
    /// The user's channels, with their own read marks and the newest versions.
    pub channels: Vec<Channel>,
    /// Those who are there, of the user's workspaces that are `named` in `online`.
    pub presence: Vec<Presence>,
    /// How many are there, by workspace.
    pub online: Vec<Online>,
    /// The version of the newest change of a profile that concerns the user, or of a later one.
    pub users_version: i64,
    /// For each channel in `resume`: what changed since.
    pub changes: Vec<ChannelChanges>,
    /// Channels in `resume` that are too far behind: fetch a page anew.
    pub resync: Vec<ChannelId>,
    /// The mutes and bans that the user is under, everywhere, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanctions: Vec<Sanction>,
    /// What the user has chosen.
    #[serde(default)]
    pub settings: Settings,
    /// How many notifications the user has not read.
    #[serde(default)]
    pub notifications: NotificationCount,
}

/// The payload of `RESYNC`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resync {
    /// Which channel.
    pub channel_id: ChannelId,
}

/// The payload of `PONG`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pong {
    /// The newest versions of the channels that this connection hears, as far as anything happened
    /// in them since the server started: whoever has less missed something and asks for the changes.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub versions: BTreeMap<ChannelId, i64>,
}

/// Everything that the gateway tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "payload", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    /// The answer to `HELLO`.
    Ready(Box<Ready>),
    /// A message was sent, edited (`edited_at`), pinned, unpinned or deleted (`deleted_at`).
    Message(Message),
    /// Someone types, or no more.
    Typing(Typing),
    /// Someone came or went.
    Presence(Presence),
    /// Someone changed how they show.
    User(UserChange),
    /// How many are there, where that is all that is told, or is so no more.
    Online(Online),
    /// The answer to `WATCH`.
    Watched(Watched),
    /// Someone read on.
    ReadReceipt(ReadMark),
    /// The user marked a channel as unread.
    Unread(UnreadMark),
    /// Someone put an emoji on a message, or took it away.
    Reaction(ReactionChange),
    /// The user saved a message on another device, or no longer keeps it.
    Saved(SavedChange),
    /// The user wrote a draft, or has none in a channel any more.
    Draft(DraftChange),
    /// A scheduled message of the user is there, changed, failed, or was sent or deleted.
    Scheduled(ScheduledChange),
    /// A reminder of the user is there, due, or deleted.
    Reminder(ReminderChange),
    /// The user changed their settings.
    Settings(Settings),
    /// The user is notified of something.
    Notification(Box<NewNotification>),
    /// Notifications of the user were read, or are gone.
    Notifications(NotificationsChange),
    /// The user wants to be notified otherwise.
    NotificationSettings(NotificationSettings),
    /// What the user asked to take away is ready, or could not be made.
    Export(Export),
    /// A channel changed.
    Channel(ChannelChange),
    /// Members changed.
    Member(MemberChange),
    /// A workspace changed, or the user is in it from now on.
    Workspace(Workspace),
    /// A workspace has an emoji of its own more, or less.
    Emoji(EmojiChange),
    /// The user is muted or banned, or no longer.
    Sanction(SanctionChange),
    /// Too far behind in a channel.
    Resync(Resync),
    /// A request with a `rid` was done; the payload depends on the request.
    #[schema(value_type = Object)]
    Ack(Value),
    /// A request was not done, or a frame could not be read.
    Error(ErrorPayload),
    /// The answer to `PING`.
    Pong(Pong),
}

/// A frame from the server: an event, and in an answer the `rid` of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerFrame {
    /// What it tells.
    #[serde(flatten)]
    pub event: Event,
    /// The request that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
}

impl ServerFrame {
    /// The JSON text of the frame.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every type here is maps with string keys, so writing JSON cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The MessagePack of the frame.
    #[must_use]
    pub fn to_msgpack(&self) -> Vec<u8> {
        // As above.
        msgpack::to_vec(self).unwrap_or_default()
    }
}

impl From<Event> for ServerFrame {
    fn from(event: Event) -> Self {
        Self { event, rid: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_type_payload_rid_and_comes_back() {
        let typing = Typing { channel_id: 7.into(), user_id: 9.into(), typing: true };
        let frame = ServerFrame { event: Event::Typing(typing), rid: Some("a".into()) };
        let text = frame.to_json();
        assert_eq!(
            text,
            r#"{"type":"TYPING","payload":{"channel_id":"7","user_id":"9","typing":true},"rid":"a"}"#
        );
        assert_eq!(serde_json::from_str::<ServerFrame>(&text).unwrap(), frame);
    }
}
