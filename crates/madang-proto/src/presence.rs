//! Presence, status and typing: who is there, what they say of it, and who writes.
//!
//! What someone says of themself ([`UserStatus`]) is stored; who is there and who types is not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    schema::{CustomStatus, EmojiText},
};

/// Whether someone is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Connected and active.
    Online,
    /// Connected, but idle or away by choice.
    Away,
    /// Connected, and not to be disturbed.
    Dnd,
    /// Not connected.
    #[default]
    Offline,
}

/// The payload of `PRESENCE`, and the answer of `GET /users/:id/presence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Who.
    pub user_id: UserId,
    /// Whether they are there.
    pub status: Status,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_status: Option<String>,
    /// The emoji beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// When `custom_status` and `emoji` go by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when they are not to be disturbed, where that ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnd_until: Option<Timestamp>,
}

impl Presence {
    /// How someone is who says this of themself; nothing else is shown of them where it is nothing.
    #[must_use]
    pub fn of(user_id: UserId, status: Status, said: Option<&UserStatus>) -> Self {
        let said = said.cloned().unwrap_or_default();
        let UserStatus { status: _, dnd_until, custom_status, emoji, expires_at } = said;
        Self { user_id, status, custom_status, emoji, expires_at, dnd_until }
    }

    /// Someone of whom nothing is known.
    #[must_use]
    pub fn offline(user_id: UserId) -> Self {
        Self::of(user_id, Status::Offline, None)
    }
}

/// How many of a workspace are there: the payload of `ONLINE`, and a part of `READY` and `WATCHED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Online {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// How many are there: online, away or not to be disturbed.
    pub online: u32,
    /// Whether each of them is told of by `PRESENCE`. Where too many are there, only the number is told,
    /// and of people only those whom one watches.
    pub named: bool,
}

/// The payload of `WATCHED`: all that a connection is told of people from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watched {
    /// Those watched, whether they are there or not, and those who are there in workspaces that are
    /// `named`. Whoever is not in it is not known.
    pub presence: Vec<Presence>,
    /// How many are there, by workspace.
    pub online: Vec<Online>,
}

/// What a user may say of themself: offline is not chosen but happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenStatus {
    /// As the connections tell.
    #[default]
    Online,
    /// Away until changed.
    Away,
    /// Not to be disturbed, until changed or until `dnd_until`.
    Dnd,
}

impl ChosenStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Online, Self::Away, Self::Dnd];

    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Dnd => "dnd",
        }
    }
}

/// What a user says of themself, on all devices and also while they are not there; `PUT /users/:id/status` puts it in
/// the place of what they said before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserStatus {
    /// What to show.
    pub status: ChosenStatus,
    /// Of `dnd`: until when; until changed, when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnd_until: Option<Timestamp>,
    /// Up to 100 characters; cleared when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CustomStatus>)]
    pub custom_status: Option<String>,
    /// One emoji beside it, or in its place; cleared when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<EmojiText>)]
    pub emoji: Option<String>,
    /// When `custom_status` and `emoji` are cleared; never, when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl UserStatus {
    /// What is left of it at a time: nothing, where it is what everyone says who says nothing.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Option<Self> {
        if self.dnd_until.is_some_and(|end| end <= now) {
            (self.status, self.dnd_until) = (ChosenStatus::Online, None);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            (self.custom_status, self.emoji, self.expires_at) = (None, None, None);
        }
        (self != Self::default()).then_some(self)
    }

    /// When something of it is over.
    #[must_use]
    pub fn next_end(&self) -> Option<Timestamp> {
        self.dnd_until.into_iter().chain(self.expires_at).min()
    }

    /// Whether its user is not to be disturbed at a time.
    #[must_use]
    pub fn is_dnd(&self, now: Timestamp) -> bool {
        self.status == ChosenStatus::Dnd && self.dnd_until.is_none_or(|end| end > now)
    }
}

/// The payload of the event `TYPING`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Typing {
    /// Where.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// Begun or repeated, or over. Without repetition it is over after six seconds.
    pub typing: bool,
}
