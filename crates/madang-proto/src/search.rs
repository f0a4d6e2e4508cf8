//! Search: what can be asked, and what is found.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    ChannelId, MessageId, Timestamp, UserId, WorkspaceId, ids,
    messages::Message,
    schema::{HasText, MomentText, SearchText},
    text::as_text,
};

/// `GET /messages/search`: all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words that must all be there, "phrases", and the filters `from:` `in:` `has:` `is:` `before:` `after:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<SearchText>)]
    pub q: Option<String>,
    /// Only in this workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<WorkspaceId>)]
    pub workspace_id: Option<WorkspaceId>,
    /// Only in this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<ChannelId>)]
    pub channel_id: Option<ChannelId>,
    /// Only of this author.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<UserId>)]
    pub author_id: Option<UserId>,
    /// Only messages before this one or this time: a message id such as `next_cursor`, a time, or a date (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<MomentText>)]
    pub before: Option<Moment>,
    /// Only messages after this one or this time; after a date is after the end of that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<MomentText>)]
    pub after: Option<Moment>,
    /// Only messages that have this: `file`, `image`, `link`, `pin`, `reaction` or `video`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<HasText>)]
    pub has: Option<String>,
    /// 1 to 100; 50 when missing.
    #[param(minimum = 1, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchResult {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The places in `content` that were looked for, in order and apart from each other.
    pub highlights: Vec<Highlight>,
}

/// A place in a message's `content`, in characters (Unicode scalar values), not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Highlight {
    /// How many characters stand before it.
    pub start: usize,
    /// How many characters stand before its end.
    pub end: usize,
}

/// A place in time among messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// That of a message.
    Message(MessageId),
    /// A time.
    Time(Timestamp),
    /// A whole day, by its first millisecond.
    Day(Timestamp),
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Moment {
    /// Messages before it have a smaller id than this.
    #[must_use]
    pub fn before(self) -> i64 {
        match self {
            Self::Message(id) => id.get(),
            Self::Time(time) | Self::Day(time) => ids::floor_at(time.millis()),
        }
    }

    /// Messages after it have a larger id than this.
    #[must_use]
    pub fn after(self) -> i64 {
        match self {
            Self::Message(id) => id.get(),
            Self::Time(time) => ids::floor_at(time.millis().saturating_add(1)) - 1,
            Self::Day(time) => ids::floor_at(time.millis().saturating_add(DAY_MS)) - 1,
        }
    }
}

/// The text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a message id, a date such as 2026-11-20, or a time such as 2026-11-20T09:30:00Z")]
pub struct InvalidMoment;

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Message(id));
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let day = is_date.then(|| format!("{text}T00:00:00Z").parse().ok()).flatten();
        day.map(Self::Day).ok_or(InvalidMoment)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => id.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Day(time) => f.write_str(time.to_string().get(..10).unwrap_or_default()),
        }
    }
}

as_text!(Moment);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_message_a_time_or_a_day_and_comes_back() {
        for text in ["7340032000001", "2026-11-20", "2026-11-20T09:30:00.000Z"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for text in ["", "0", "-1", "tomorrow", "2026-13-01", "2026-1-1", "20261120T", "2026-02-30"] {
            assert_eq!(text.parse::<Moment>(), Err(InvalidMoment), "{text:?}");
        }
    }

    #[test]
    fn a_day_has_a_message_of_each_of_its_moments_inside() {
        let day: Moment = "2026-11-20".parse().unwrap();
        let at = |text: &str| ids::floor_at(text.parse::<Timestamp>().unwrap().millis());
        assert!(at("2026-11-19T23:59:59.999Z") < day.before() && at("2026-11-20T00:00:00Z") >= day.before());
        assert!(at("2026-11-20T23:59:59.999Z") <= day.after() && at("2026-11-21T00:00:00Z") > day.after());
        let time: Moment = "2026-11-20T09:30:00Z".parse().unwrap();
        assert!(at("2026-11-20T09:30:00Z") <= time.after() && at("2026-11-20T09:30:00.001Z") > time.after());
    }
}
