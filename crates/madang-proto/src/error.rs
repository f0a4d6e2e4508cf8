//! Errors as clients see them: RFC 9457 problems at HTTP, `ERROR` payloads at the gateway.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of error it is: stable, and all that a program should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not signed in, or the token is bad or expired: sign in or refresh.
    Unauthenticated,
    /// Seen, but not allowed.
    Forbidden,
    /// Missing, or not for your eyes.
    NotFound,
    /// The input is wrong; `errors` says where.
    Invalid,
    /// The input is right but does not fit what is there.
    Conflict,
    /// The path is there, but not with this method; `Allow` says which there are.
    MethodNotAllowed,
    /// The request was made under a condition that does not hold, such as another version of tus.
    PreconditionFailed,
    /// Body or frame too large.
    TooLarge,
    /// The body is of a type that is not taken here.
    UnsupportedMediaType,
    /// The bytes that were asked for are not there.
    RangeNotSatisfiable,
    /// Only for WebSocket clients.
    UpgradeRequired,
    /// Too often: wait as long as `Retry-After` says.
    RateLimited,
    /// There is no room: on the server, or in what one may keep there.
    StorageFull,
    /// Try again later; nothing was done, or a nonce makes the retry harmless.
    Unavailable,
    /// A fault of the server. It was logged.
    Internal,
}

impl ErrorCode {
    /// All of them, by status.
    pub const ALL: [Self; 15] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::Invalid,
        Self::UpgradeRequired,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::StorageFull,
    ];

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RangeNotSatisfiable => 416,
            Self::Invalid => 422,
            Self::UpgradeRequired => 426,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::StorageFull => 507,
        }
    }

    /// A short title for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Unauthenticated => "Not signed in",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Conflict",
            Self::PreconditionFailed => "Precondition failed",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::RangeNotSatisfiable => "No such range",
            Self::UpgradeRequired => "Upgrade required",
            Self::Invalid => "Invalid input",
            Self::RateLimited => "Too many requests",
            Self::Internal => "Server error",
            Self::StorageFull => "No room",
            Self::Unavailable => "Temporarily unavailable",
        }
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }
}

/// One wrong field of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, as named in the request.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// An RFC 9457 problem (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` is the identifier.
    #[serde(rename = "type")]
    pub kind: String,
    /// The title of `code`.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Stable identifier.
    pub code: ErrorCode,
    /// The wrong fields, for `invalid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds to wait, for `rate_limited` and `unavailable`; the header `Retry-After` repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

/// The payload of an `ERROR` frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorPayload {
    /// Stable identifier.
    pub code: ErrorCode,
    /// What happened and what to do, for people.
    pub detail: String,
    /// The wrong fields, for `invalid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds to wait, for `rate_limited` and `unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}
