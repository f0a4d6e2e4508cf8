//! Accounts and sessions: who someone is and how they sign in.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    SessionId, Timestamp, UserId,
    schema::{DisplayName, Email, Password, Username},
};

/// A user as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct UserSummary {
    /// The id; a guest's begins with `guest_`.
    pub id: UserId,
    /// The unique name.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// Where the picture is, if there is one: a path of this server, to be had by whoever knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// A user in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// What others see.
    #[serde(flatten)]
    pub summary: UserSummary,
    /// Whether this is a guest.
    pub guest: bool,
    /// The e-mail address; only shown to the user themself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A text about themself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where their clock is, as IANA names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A string that never shows in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Secret(pub String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// `POST /auth/register`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Letters, digits, `.`, `_` and `-` of any script; 2 to 32 characters; unique whatever the case.
    #[schema(value_type = Username)]
    pub username: String,
    /// 8 to 256 characters.
    #[schema(value_type = Password)]
    pub password: Secret,
    /// The name to show; the username when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DisplayName>)]
    pub display_name: Option<String>,
    /// For mail, if wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Email>)]
    pub email: Option<String>,
}

/// `POST /auth/login`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The unique name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// `POST /auth/guest`
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestLogin {
    /// The name to show; one is made up when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DisplayName>)]
    pub display_name: Option<String>,
}

/// `POST /auth/refresh`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The newest refresh token of the session.
    pub refresh_token: Secret,
}

/// What signing in and refreshing answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Who signed in.
    pub user: User,
    /// The session.
    pub session_id: SessionId,
    /// For `Authorization: Bearer`.
    pub access_token: Secret,
    /// For `POST /auth/refresh`, once.
    pub refresh_token: Secret,
    /// Seconds that `access_token` is valid.
    pub expires_in: i64,
}

/// One login on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// What the client called itself.
    pub user_agent: String,
    /// The address it was last seen from.
    pub address: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it last signed in or refreshed.
    pub last_used_at: Timestamp,
    /// Whether it is the session that asks.
    pub current: bool,
}
