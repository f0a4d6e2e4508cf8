//! Checks and normal forms of what people type, for the server and for clients alike.
//!
//! Every text is brought to NFC (Unicode Annex 15) first, so that Hangul typed on any system is
//! stored, compared and counted in one form. Lengths count Unicode scalar values after that.
//!
//! Invariants:
//! - What a function returns is stored as it is; checking it again changes nothing.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use crate::limits;

/// What is wrong with an input, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Reason(pub String);

type Checked = Result<String, Reason>;

fn reason(text: impl Into<String>) -> Checked {
    Err(Reason(text.into()))
}

fn within(text: String, most: usize) -> Checked {
    let count = text.chars().count();
    if count > most { reason(format!("at most {most} characters, this has {count}")) } else { Ok(text) }
}

/// Characters that turn the direction of the text around them or are invisible: they can make one
/// name look like another.
const fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn line(text: &str, most: usize) -> Checked {
    let text: String = text.trim().nfc().collect();
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return reason("no line breaks or control characters");
    }
    within(text, most)
}

fn name(text: &str, most: usize) -> Checked {
    let text = line(text, most)?;
    if text.is_empty() {
        return reason("must not be empty");
    }
    if text.chars().any(is_deceptive) {
        return reason("no invisible or direction-changing characters");
    }
    Ok(text)
}

/// A message's content: not blank, line breaks kept, other control characters refused.
///
/// # Errors
/// Says which rule it breaks.
pub fn content(text: &str) -> Checked {
    let text: String = text.nfc().collect();
    if text.trim().is_empty() {
        return reason("must not be blank");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return reason("no control characters but line breaks and tabs");
    }
    within(text, limits::CONTENT_CHARS)
}

/// A nonce: anything printable, 1 to 64 characters.
///
/// # Errors
/// Says which rule it breaks.
pub fn nonce(text: &str) -> Checked {
    if text.is_empty() || text.chars().any(char::is_control) {
        return reason("1 to 64 printable characters");
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
        return reason(format!("at least {least} characters"));
    }
    if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-')) {
        return reason("only letters, digits, '.', '_' and '-'");
    }
    if !text.starts_with(char::is_alphanumeric) {
        return reason("must begin with a letter or digit");
    }
    if text.to_lowercase().starts_with(crate::ids::GUEST_PREFIX) {
        return reason("'guest_' is kept for guests");
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

/// A password, unchanged but for NFC, so that it is the same from every keyboard (RFC 8265).
///
/// # Errors
/// Says which rule it breaks.
pub fn password(text: &str) -> Checked {
    let (least, most) = limits::PASSWORD_CHARS;
    let text: String = text.nfc().collect();
    if text.chars().count() < least {
        return reason(format!("at least {least} characters"));
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
    if fine { Ok(text) } else { reason("must look like name@example.org") }
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
    if text.starts_with('#') { reason("without '#' in front") } else { Ok(text) }
}

/// A channel's topic; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn topic(text: &str) -> Checked {
    line(text, limits::TOPIC_CHARS)
}

/// A custom status; may be empty.
///
/// # Errors
/// Says which rule it breaks.
pub fn custom_status(text: &str) -> Checked {
    line(text, limits::CUSTOM_STATUS_CHARS)
}

/// One emoji: a sequence that Unicode recommends for general interchange (RGI, UTS #51), fully
/// qualified, so that it is one whether or not it came with variation selectors.
///
/// # Errors
/// Says which rule it breaks.
pub fn emoji(text: &str) -> Checked {
    let listed = EMOJI.get(&*without_selectors(text));
    listed.map_or_else(|| reason("one emoji, such as Unicode lists"), |emoji| Ok((*emoji).to_owned()))
}

/// The emoji that Unicode lists, by what they are without variation selectors. (The crate's own lookup of those
/// takes some of two skin tones for others.)
static EMOJI: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let toned = emojis::iter().flat_map(|emoji| emoji.skin_tones().into_iter().flatten());
    let all = emojis::iter().chain(toned).map(emojis::Emoji::as_str);
    all.map(|emoji| (without_selectors(emoji), emoji)).collect()
});

fn without_selectors(text: &str) -> String {
    text.replace('\u{FE0F}', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_key_however_it_was_typed() {
        for (typed, kept) in [
            ("👍", "👍"),
            ("👍\u{FE0F}", "👍"),
            ("\u{2764}", "\u{2764}\u{FE0F}"),
            ("❤️", "\u{2764}\u{FE0F}"),
            ("👍🏽", "👍🏽"),
            ("🇰🇷", "🇰🇷"),
            ("1\u{20E3}", "1\u{FE0F}\u{20E3}"),
            ("👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
            ("🏳\u{200D}🌈", "🏳\u{FE0F}\u{200D}🌈"),
            ("🧑🏻‍🤝‍🧑🏿", "🧑🏻‍🤝‍🧑🏿"),
            (
                "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
                "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
            ),
        ] {
            assert_eq!(emoji(typed).as_deref(), Ok(kept), "{typed:?}");
        }
        for bad in [
            "",
            "a",
            "1",
            "#",
            "👍👍",
            "👍 ",
            "마당",
            ":thumbsup:",
            "🇰",
            "\u{FE0F}",
            "\u{200D}",
            "👍\u{FE0E}",
            "👍a",
        ] {
            assert!(emoji(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hangul_in_pieces_becomes_whole_and_counts_once() {
        let nfd: String = "마당".nfd().collect();
        assert_eq!(content(&nfd).unwrap(), "마당");
        let long: String = "가".repeat(limits::CONTENT_CHARS).nfd().collect();
        assert_eq!(content(&long).unwrap().chars().count(), limits::CONTENT_CHARS);
        assert!(content(&"가".repeat(limits::CONTENT_CHARS + 1)).is_err());
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
        assert!(email("a@b").is_ok() && email("a@@b").is_err() && email("a b@c").is_err());
        assert!(password("1234567").is_err() && password("12345678").is_ok());
        assert!(nonce("").is_err() && nonce(&"n".repeat(65)).is_err() && nonce("n").is_ok());
    }
}
