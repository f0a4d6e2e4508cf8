//! Profiles: what people say of themselves, and how others learn that it changed.
//!
//! Whoever changes how they show takes the next version of all profiles, a number of the whole server. A client
//! that knows up to which version it has heard all asks for what changed since.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    accounts::User,
    schema::{About, DisplayName, OwnTimeZone},
};

/// `PUT /users/:id`: one's own; what is missing stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Another name to show, up to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DisplayName>)]
    pub display_name: Option<String>,
    /// A text about oneself, up to 500 characters; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<About>)]
    pub about: Option<String>,
    /// Where one's clock is, as IANA names it, such as `Asia/Seoul`; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OwnTimeZone>)]
    pub time_zone: Option<String>,
}

/// The payload of `USER`: someone changed how they show. It goes to those who share a workspace or a direct message
/// with them, and is newer than what comes along with messages and lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserChange {
    /// The user from now on, without what is private.
    pub user: User,
    /// The version of all profiles that this change made.
    pub version: i64,
}

/// Where the changes of profiles go on: `GET /users/changes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserChangesQuery {
    /// The version up to which all is known.
    #[serde(default)]
    #[param(minimum = 0, required = false)]
    pub after: i64,
}

/// Whose profile changed after a version, of those whom one may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserChanges {
    /// Those users as they are now, the first to change first; oneself among them, without what is private.
    pub users: Vec<User>,
    /// The version up to which all is told.
    pub version: i64,
    /// Whether there is more after it.
    pub more: bool,
}
