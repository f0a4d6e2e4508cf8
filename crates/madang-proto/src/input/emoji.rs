//! Emoji: those that Unicode lists, in one form however they were typed, and the names of a workspace's own.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use super::{Checked, refuse, within};
use crate::limits;

/// The name of a workspace's own emoji, without the colons: small letters, digits, `_`, `+`, `-` and Hangul.
///
/// # Errors
/// Says which rule it breaks.
pub fn emoji_name(text: &str) -> Checked {
    let (least, most) = limits::EMOJI_NAME_CHARS;
    let text: String = text.nfc().collect();
    let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '+' | '-' | '가'..='힣');
    if !text.chars().all(fits) {
        return refuse("only small letters, digits, '_', '+', '-' and Hangul syllables");
    }
    if text.chars().count() < least {
        return refuse(format!("at least {least} characters"));
    }
    within(text, most)
}

/// What may be put on a message: as [`emoji`], or `:name:` of a workspace's own.
///
/// # Errors
/// Says which rule it breaks.
pub fn reaction(text: &str) -> Checked {
    match custom_emoji(text) {
        Some(name) => emoji_name(name).map(|name| format!(":{name}:")),
        None => emoji(text),
    }
}

/// The name in `:name:`, if it is written so.
#[must_use]
pub fn custom_emoji(reaction: &str) -> Option<&str> {
    reaction.strip_prefix(':')?.strip_suffix(':')
}

/// One emoji: a sequence that Unicode recommends for general interchange (RGI, UTS #51), fully
/// qualified, so that it is one whether or not it came with variation selectors.
///
/// # Errors
/// Says which rule it breaks.
pub fn emoji(text: &str) -> Checked {
    let listed = EMOJI.get(&*without_selectors(text));
    listed.map_or_else(|| refuse("one emoji, such as Unicode lists"), |emoji| Ok((*emoji).to_owned()))
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
    fn an_emoji_of_ones_own_has_a_plain_name() {
        let (nfd, long) = ("마당냥".nfd().collect::<String>(), "x".repeat(33));
        for (typed, kept) in
            [(":party_cat:", ":party_cat:"), (&*format!(":{nfd}:"), ":마당냥:"), (":+1:", ":+1:")]
        {
            assert_eq!(reaction(typed).as_deref(), Ok(kept), "{typed:?}");
        }
        assert_eq!(reaction("👍").as_deref(), Ok("👍"));
        for bad in ["", "a", "Cat", "a b", "ㅋㅋ", "a:b", "../x", "é!", "a\u{0}b", "名前", &long] {
            assert!(emoji_name(bad).is_err() && reaction(&format!(":{bad}:")).is_err(), "{bad:?}");
        }
        assert!(reaction("::").is_err() && reaction(":").is_err() && reaction("cat").is_err());
    }
}
