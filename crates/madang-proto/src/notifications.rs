//! Notifications: what someone is told of beside the channels themselves, and when they want that. Nobody else
//! knows.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, MessageId, NotificationId, Timestamp, WorkspaceId,
    accounts::UserSummary,
    limits,
    messages::Message,
    schema::{KeywordText, TimeZoneName},
    text::as_text,
    threads::ThreadOf,
};

/// What of a place makes a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationLevel {
    /// Each message.
    All,
    /// What is meant for one: mentions, keywords, replies in followed threads; of a workspace also its direct
    /// messages.
    Mentions,
    /// Nothing.
    Nothing,
}

impl NotificationLevel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::All, Self::Mentions, Self::Nothing];

    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Nothing => "nothing",
        }
    }
}

/// Why one is notified; of several reasons the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A message mentions the user, by name or with everyone.
    Mention,
    /// A message in a direct message or a group.
    Direct,
    /// A reply in a thread that the user follows.
    Reply,
    /// A message has one of the user's keywords.
    Keyword,
    /// A message in a channel of which the user wants all.
    Message,
    /// Someone brought the user into a private channel or a group.
    Invite,
}

impl NotificationKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Mention, Self::Direct, Self::Reply, Self::Keyword, Self::Message, Self::Invite];

    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Direct => "direct",
            Self::Reply => "reply",
            Self::Keyword => "keyword",
            Self::Message => "message",
            Self::Invite => "invite",
        }
    }
}

/// Something that a user is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// The id; later ones are larger.
    pub id: NotificationId,
    /// Why.
    pub kind: NotificationKind,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The channel; of a reply its thread.
    pub channel_id: ChannelId,
    /// The message; absent in an invite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// Of a reply: the message that the thread is about, and its channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadOf>,
    /// Who wrote the message, or invited.
    pub author: UserSummary,
    /// The beginning of the message as it is now, or the name of its first file; in an invite the channel's name.
    pub excerpt: String,
    /// When the message was sent, or the invite made.
    pub created_at: Timestamp,
    /// Whether the user was not to be disturbed then: it is shown without a sound.
    pub silent: bool,
    /// Whether the user has read it.
    pub read: bool,
}

/// How many notifications a user has not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationCount {
    /// How many.
    pub unread: i64,
    /// Goes up with each change of the user's notifications and of their settings: what has a smaller one is
    /// old.
    pub version: i64,
}

/// The payload of the event `NOTIFICATION`: a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewNotification {
    /// The notification.
    pub notification: Notification,
    /// How many are unread with it.
    pub count: NotificationCount,
}

/// The payload of the event `NOTIFICATIONS`: some were read or are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationsChange {
    /// Those that are read from now on.
    pub read: Vec<NotificationId>,
    /// Those that are gone: the message was deleted, the user left its channel, or they are too many.
    pub removed: Vec<NotificationId>,
    /// How many are unread then.
    pub count: NotificationCount,
}

/// Which notifications: `GET /notifications`, the newest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NotificationQuery {
    /// Only those that are not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Those before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<NotificationId>)]
    pub before: Option<NotificationId>,
}

/// `PUT /notifications/read`: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadNotifications {
    /// These.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub ids: Option<Vec<NotificationId>>,
    /// This one and all before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<NotificationId>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time of day, to the minute, as a clock on the wall shows it: `22:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:30")]
pub struct TimeOfDay((i8, i8));

impl TimeOfDay {
    /// The hour.
    #[must_use]
    pub const fn hour(self) -> i8 {
        self.0.0
    }

    /// The minute.
    #[must_use]
    pub const fn minute(self) -> i8 {
        self.0.1
    }
}

/// A text is no time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is written like 07:30")]
pub struct NoTimeOfDay;

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    fn from_str(text: &str) -> Result<Self, NoTimeOfDay> {
        let (hour, minute) = text.split_once(':').ok_or(NoTimeOfDay)?;
        let number = |text: &str, below: i8| {
            let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| two && *number < below).ok_or(NoTimeOfDay)
        };
        Ok(Self((number(hour, 24)?, number(minute, 60)?)))
    }
}

as_text!(TimeOfDay);

/// When a user is not to be disturbed, week by week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// On which days they begin.
    #[schema(min_items = 1)]
    pub days: Vec<Weekday>,
    /// When they begin.
    pub from: TimeOfDay,
    /// When they end: where it is not later than `from`, on the next day.
    pub to: TimeOfDay,
    /// Where these times hold, by its IANA name: `Asia/Seoul`.
    #[schema(value_type = TimeZoneName)]
    pub time_zone: String,
}

/// What a user wants in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceNotifications {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Of its channels, where nothing is said of them by themselves.
    pub level: NotificationLevel,
}

/// What a user wants in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChannelNotifications {
    /// The channel.
    pub channel_id: ChannelId,
    /// Absent: as in the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<NotificationLevel>,
    /// Nothing until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
}

/// When and of what a user wants to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationSettings {
    /// Words and phrases.
    pub keywords: Vec<String>,
    /// When not to be disturbed, week by week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Not to be disturbed until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Workspaces of which something is said.
    pub workspaces: Vec<WorkspaceNotifications>,
    /// Channels of which something is said.
    pub channels: Vec<ChannelNotifications>,
    /// As in [`NotificationCount`].
    pub version: i64,
}

/// `PUT /notifications/settings`: what is absent is no longer set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateNotificationSettings {
    /// Words and phrases.
    #[serde(default)]
    #[schema(value_type = Vec<KeywordText>, max_items = 50)]
    pub keywords: Vec<String>,
    /// When not to be disturbed, week by week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Not to be disturbed until then; what is past counts as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
}

/// `PUT /workspaces/:id/notifications`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspaceNotifications {
    /// Absent: direct messages and groups `all`, channels `mentions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<NotificationLevel>,
}

/// `PUT /channels/:id/notifications`: what is absent is no longer set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannelNotifications {
    /// Absent: as in the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<NotificationLevel>,
    /// Nothing until then; what is past counts as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
}

/// What a notification shows of a message.
#[must_use]
pub fn excerpt(content: &str, first_file: Option<&str>) -> String {
    let shown = if content.is_empty() { first_file.unwrap_or_default() } else { content };
    shown.chars().take(limits::EXCERPT_CHARS).collect()
}

/// What a notification shows of this message.
#[must_use]
pub fn excerpt_of(message: &Message) -> String {
    excerpt(&message.content, message.files.first().map(|file| file.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_digits_for_hours_and_minutes() {
        for text in ["00:00", "07:30", "23:59"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for text in ["", "7:30", "24:00", "12:60", "12:3", "+1:00", "12:00:00", "１２:００", "aa:bb"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        let long = "가".repeat(limits::EXCERPT_CHARS + 1);
        assert_eq!(excerpt(&long, None).chars().count(), limits::EXCERPT_CHARS);
        assert_eq!(excerpt("", Some("사진.jpg")), "사진.jpg");
    }
}
