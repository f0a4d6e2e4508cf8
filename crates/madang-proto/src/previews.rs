//! Previews of links: which links of a text are looked at, and what is shown of where they lead.
//!
//! Invariants:
//! - [`links`] is pure, and linear in the length of the text.
//! - A link in code, or between `<` and `>`, is none.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileId, code, limits};

/// What stands behind a link of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The link, as it stands in the text.
    pub url: String,
    /// What the page is called.
    pub title: String,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its site is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_name: Option<String>,
    /// A small picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<PreviewImage>,
}

/// The picture of a preview. It is a file of this server (`GET /files/:id`): nobody who reads has to ask the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewImage {
    /// The file.
    pub id: FileId,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// The web links of a text that are previewed: each once and in their order, at most
/// [`limits::PREVIEWS_PER_MESSAGE`].
#[must_use]
pub fn links(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    // Most texts have none, and are not walked through.
    if !text.contains("://") {
        return found;
    }
    let mut free_from = 0;
    code::outside(text, &mut |at| {
        if at < free_from || found.len() == limits::PREVIEWS_PER_MESSAGE || !begins(text, at) {
            return;
        }
        let link = link(&text[at..]);
        free_from = at + link.len();
        let is_suppressed = text[..at].ends_with('<') && text[free_from..].starts_with('>');
        if !is_suppressed && link.len() <= limits::LINK_BYTES && !found.contains(&link) && has_host(link) {
            found.push(link);
        }
    });
    found
}

const SCHEMES: [&str; 2] = ["http://", "https://"];

/// Whether a link begins here, and not in the middle of a word.
fn begins(text: &str, at: usize) -> bool {
    let bytes = &text.as_bytes()[at..];
    let is =
        |scheme: &&str| bytes.get(..scheme.len()).is_some_and(|b| b.eq_ignore_ascii_case(scheme.as_bytes()));
    matches!(bytes[0], b'h' | b'H')
        && SCHEMES.iter().any(is)
        && !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '/'))
}

fn has_host(link: &str) -> bool {
    link.split_once("://")
        .is_some_and(|(_, rest)| rest.starts_with(char::is_alphanumeric) || rest.starts_with('['))
}

/// The link that a text begins with: without the sentence that goes on behind it.
fn link(text: &str) -> &str {
    let (mut open, mut end) = ([0_usize; 2], text.len());
    let host = text.find("://").map_or(0, |at| at + 3);
    for (at, c) in text.char_indices().skip(host) {
        let bracket = match c {
            '(' | ')' => 0,
            _ => 1,
        };
        match c {
            '(' | '[' => open[bracket] += 1,
            ')' | ']' if open[bracket] > 0 => open[bracket] -= 1,
            ')' | ']' | '<' | '>' | '"' | '`' | '\\' | '|' | '{' | '}' => end = at,
            c if c.is_whitespace()
                || c.is_control()
                || matches!(c, '「' | '」' | '『' | '』' | '“' | '”' | '‘' | '’') =>
            {
                end = at;
            }
            _ => {}
        }
        if end < text.len() {
            break;
        }
    }
    let link = &text[..end];
    without_particle(link.trim_end_matches(is_of_sentence)).trim_end_matches(is_of_sentence)
}

/// What ends a sentence, or is a mark of Markdown, and not the end of a link.
const fn is_of_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '、' | '。' | '，' | '！' | '？'
    )
}

const fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}')
}

/// Particles behind a slash, where a Hangul name could stand as well.
const PARTICLES: [&str; 16] =
    ["은", "는", "이", "가", "을", "를", "에", "에서", "로", "으로", "와", "과", "도", "의", "부터", "까지"];

/// A link without the Hangul that is glued to the end of what is itself in Latin letters; the web client makes
/// links by the same rule.
fn without_particle(link: &str) -> &str {
    let bare = link.trim_end_matches(is_hangul);
    let particle = &link[bare.len()..];
    let is_latin =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '=' | '&' | '#' | '%' | ')' | '-' | '~');
    if bare.ends_with(is_latin) || (bare.ends_with('/') && PARTICLES.contains(&particle)) {
        bare
    } else {
        link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_where_the_sentence_goes_on() {
        for (text, link) in [
            ("보세요 https://example.org", "https://example.org"),
            ("HTTPS://Example.org/A, b", "HTTPS://Example.org/A"),
            ("(see https://example.org/a).", "https://example.org/a"),
            ("https://en.wikipedia.org/wiki/Rust_(film).", "https://en.wikipedia.org/wiki/Rust_(film)"),
            ("[마당](https://example.org/a)은", "https://example.org/a"),
            ("**https://example.org/a**", "https://example.org/a"),
            ("\"http://example.org/?q=1&r=2#x\"", "http://example.org/?q=1&r=2#x"),
            ("https://example.org를 보세요", "https://example.org"),
            ("https://example.org/a에서는", "https://example.org/a"),
            ("https://example.org/에서 봤다", "https://example.org/"),
            ("https://example.org/a를.", "https://example.org/a"),
            ("https://example.org/%EB%A7%88이라고", "https://example.org/%EB%A7%88"),
            ("https://ko.wikipedia.org/wiki/마당", "https://ko.wikipedia.org/wiki/마당"),
            ("https://한글.한국/", "https://한글.한국/"),
            ("http://[2001:db8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
            ("마당은https://example.org", "https://example.org"),
            ("https://a.example/b|c", "https://a.example/b"),
        ] {
            assert_eq!(links(text), [link], "{text}");
        }
    }

    #[test]
    fn what_is_no_link_or_not_meant_to_be_one_gives_none() {
        for text in [
            "",
            "example.org ftp://example.org //example.org",
            "`https://example.org`",
            "```\nhttps://example.org\n```",
            "<https://example.org/a>",
            "https:// http://. https://",
            "git+https://example.org xhttps://example.org",
            "\\https:\\//example.org",
            &format!("https://example.org/{}", "a".repeat(limits::LINK_BYTES)),
        ] {
            assert!(links(text).is_empty(), "{text}: {:?}", links(text));
        }
    }

    #[test]
    fn each_stands_once_and_they_are_three_at_most() {
        let text = "https://a.example https://a.example <https://b.example> https://c.example `https://d.example` \
                    https://e.example https://f.example";
        assert_eq!(links(text), ["https://a.example", "https://c.example", "https://e.example"]);
        assert!(links(&"https://".repeat(100_000)).len() <= 3, "and soon found");
        let inside = "https://a.example/?to=https://b.example";
        assert_eq!(links(inside), [inside]);
    }
}
