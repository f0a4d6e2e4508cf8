//! How a file is given: which part of it (RFC 9110, 14), and with headers that keep a browser from running
//! anything of it.
//!
//! Invariants:
//! - What is not known to be safe is to be saved, never shown; nothing is believed but the type that was read
//!   from the bytes.
//! - An answer is kept by the one who asked, and used only after asking again: access may end. Emoji and avatars
//!   alone, which are small, many and never change, are used again without asking.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::kinds;

/// Nothing of it is run, whatever it is.
const POLICY: &str = "default-src 'none'; sandbox";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    All,
    /// These bytes.
    Some(Range<u64>),
    /// Nothing: the client has it.
    Unchanged,
    /// Bytes that are not there.
    Outside,
}

impl Part {
    /// What a request asks for, of a file of so many bytes with this tag.
    pub fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let known = |tags: &str| tags.split(',').map(bare).any(|known| known == "*" || known == tag);
        if text(header::IF_NONE_MATCH).is_some_and(known) {
            return Self::Unchanged;
        }
        // A range of another state of the file is of no use. Ours has one state, with one tag.
        if text(header::IF_RANGE).is_some_and(|other| other != tag) {
            return Self::All;
        }
        text(header::RANGE).map_or(Self::All, |range| Self::of_range(range, size))
    }

    /// One range; several, or what is no range, are passed over, as is allowed.
    fn of_range(range: &str, size: u64) -> Self {
        let number = |digits: &str| {
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().unwrap_or(u64::MAX))
        };
        let Some((from, to)) = range.strip_prefix("bytes=").and_then(|r| r.trim().split_once('-')) else {
            return Self::All;
        };
        match (from, to) {
            ("", "") => Self::All,
            ("", last) => match number(last) {
                None => Self::All,
                Some(0) => Self::Outside,
                Some(_) if size == 0 => Self::Outside,
                Some(last) => Self::Some(size.saturating_sub(last)..size),
            },
            (from, to) => match (number(from), if to.is_empty() { Some(u64::MAX) } else { number(to) }) {
                (Some(from), Some(to)) if from > to => Self::All,
                (Some(from), Some(_)) if from >= size => Self::Outside,
                (Some(from), Some(to)) => Self::Some(from..to.saturating_add(1).min(size)),
                _ => Self::All,
            },
        }
    }
}

/// What is given.
pub struct Given<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What it is.
    pub media_type: &'a str,
    /// Changes with the bytes; with its quotes.
    pub tag: &'a str,
    /// All of its bytes.
    pub size: u64,
    /// Whether whoever has it need not ask again.
    pub lasting: bool,
}

impl Given<'_> {
    /// The answer with this part of the bytes, which is `body`.
    pub fn answer(&self, part: &Part, body: Body) -> Response {
        let size = self.size;
        let (status, length, range) = match part {
            Part::All => (StatusCode::OK, Some(size), None),
            Part::Some(range) => {
                let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
                (StatusCode::PARTIAL_CONTENT, Some(range.end - range.start), Some(text))
            }
            Part::Unchanged => (StatusCode::NOT_MODIFIED, None, None),
            Part::Outside => (StatusCode::RANGE_NOT_SATISFIABLE, None, Some(format!("bytes */{size}"))),
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let media_type = match self.media_type {
            "text/plain" => "text/plain; charset=utf-8",
            known => known,
        };
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(header::ETAG, self.tag);
        if self.lasting {
            set(header::CACHE_CONTROL, "private, max-age=31536000, immutable");
        } else {
            set(header::CACHE_CONTROL, "private, no-cache");
            set(header::VARY, "authorization");
        }
        set(header::ACCEPT_RANGES, "bytes");
        set(header::CONTENT_SECURITY_POLICY, POLICY);
        set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if let Some(length) = length {
            set(header::CONTENT_TYPE, media_type);
            set(header::CONTENT_DISPOSITION, &disposition(self.name, kinds::is_inline(self.media_type)));
            set(header::CONTENT_LENGTH, &length.to_string());
        }
        if let Some(range) = range {
            set(header::CONTENT_RANGE, &range);
        }
        response
    }
}

/// `Content-Disposition` (RFC 6266): a name that every client can read, and the exact one (RFC 8187).
fn disposition(name: &str, inline: bool) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let exact: String = name
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    let kind = if inline { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(header::HeaderName, &str)]) -> Part {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Part::asked(&headers, "\"tag\"", 10)
    }

    #[test]
    fn one_range_is_given_and_what_is_none_is_passed_over() {
        for (range, part) in [
            ("bytes=0-3", Part::Some(0..4)),
            ("bytes=4-", Part::Some(4..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-30", Part::Some(0..10)),
            ("bytes=9-99", Part::Some(9..10)),
            ("bytes=0-99999999999999999999", Part::Some(0..10)),
            ("bytes=10-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=3-1", Part::All),
            ("bytes=0-1,3-4", Part::All),
            ("bytes=-", Part::All),
            ("bytes=+1-2", Part::All),
            ("lines=1-2", Part::All),
        ] {
            assert_eq!(asked(&[(header::RANGE, range)]), part, "{range}");
        }
        assert_eq!(Part::of_range("bytes=-5", 0), Part::Outside);
    }

    #[test]
    fn a_tag_decides_what_is_sent_again() {
        let range = (header::RANGE, "bytes=1-2");
        assert_eq!(asked(&[range.clone(), (header::IF_RANGE, "\"tag\"")]), Part::Some(1..3));
        assert_eq!(asked(&[range.clone(), (header::IF_RANGE, "\"other\"")]), Part::All);
        assert_eq!(asked(&[range.clone(), (header::IF_RANGE, "W/\"tag\"")]), Part::All, "weak");
        assert_eq!(asked(&[range, (header::IF_NONE_MATCH, "\"x\", W/\"tag\"")]), Part::Unchanged);
        assert_eq!(asked(&[(header::IF_NONE_MATCH, "*")]), Part::Unchanged);
        assert_eq!(asked(&[(header::IF_NONE_MATCH, "\"x\"")]), Part::All);
    }

    #[test]
    fn a_korean_name_is_written_so_that_every_client_finds_one() {
        assert_eq!(
            disposition("회의록 \"1\".pdf", true),
            "inline; filename=\"___ _1_.pdf\"; filename*=UTF-8''%ED%9A%8C%EC%9D%98%EB%A1%9D%20%221%22.pdf"
        );
        assert!(disposition("a.html", false).starts_with("attachment; "));
    }
}
