//! Points in time: Unix milliseconds inside, RFC 3339 in UTC on the wire.

use std::{fmt, str::FromStr};

use utoipa::ToSchema;

use crate::text::as_text;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T09:30:00.000Z")]
pub struct Timestamp(i64);

impl Timestamp {
    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time moved by `ms` milliseconds (back when negative).
    #[must_use]
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Timestamp {
    /// As headers of HTTP have it (RFC 9110, 5.6.7), in seconds: `Fri, 20 Nov 2026 08:30:00 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.0).ok();
        let text = time
            .and_then(|t| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&t).ok());
        text.unwrap_or_default()
    }
}

impl From<i64> for Timestamp {
    fn from(ms: i64) -> Self {
        Self(ms)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_in_utc_and_comes_back() {
        let t = Timestamp::from(1_795_163_400_007);
        assert_eq!(t.to_string(), "2026-11-20T08:30:00.007Z");
        assert_eq!("2026-11-20T17:30:00.007+09:00".parse::<Timestamp>().unwrap(), t);
        assert_eq!(t.http_date(), "Fri, 20 Nov 2026 08:30:00 GMT");
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
