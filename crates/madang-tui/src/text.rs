//! Text for a grid of cells: cleaning, measuring, wrapping.
//!
//! Width is what a terminal gives a grapheme: two cells for Hangul, Han, Kana and most emoji, none for
//! combining marks (Unicode Annex 11, by `unicode-width`).
//!
//! Invariants:
//! - Cleaned text has no control characters and nothing that turns the direction of text around it, so
//!   nobody's message or name can steer the terminal or pretend to be something else.
//! - A wrapped row is at most as wide as asked, but for spaces that hang over its end.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Invisible characters that steer how others are shown: marks and overrides of direction, and the
/// byte order mark.
const fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'
            ..='\u{202E}' | '\u{2060}'
            ..='\u{2064}' | '\u{2066}'
            ..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'
            ..='\u{FFFB}' | '\u{E0000}'
            ..='\u{E0FFF}'
    )
}

/// Text of several lines, safe to show: in NFC, line breaks as `\n`, tabs as spaces.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len());
    for c in text.nfc() {
        match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push_str("    "),
            c if c.is_control() || steers(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Text of one line, clean.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// What others wrote, as it is shown. Terminals do not agree on how wide a composed emoji is, and where
/// one is wider than it was thought to be, the rest of its row goes astray: so families are shown as their
/// members, flags as their letters, and modifiers are left out.
pub fn shown(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for c in text.chars() {
        match c {
            // Between letters, as in Devanagari, the joiner shapes them; behind a symbol it composes.
            '\u{200D}' if last >= '\u{2190}' => {}
            '\u{FE0E}' | '\u{FE0F}' | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}' => {}
            '\u{1F1E6}'..='\u{1F1FF}' => {
                let letter = u32::from(c) - 0x1F1E6 + u32::from('A');
                out.extend(char::from_u32(letter));
            }
            c => out.push(c),
        }
        last = c;
    }
    out
}

/// What others wrote, as it is shown in one line.
pub fn shown_line(text: &str) -> String {
    shown(text).replace('\n', " ")
}

/// How many cells it takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a line in at most `most` cells, with `…` where something is cut off.
pub fn fit(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += width(grapheme);
        if used >= most {
            break;
        }
        out.push_str(grapheme);
    }
    if most > 0 {
        out.push('…');
    }
    out
}

/// The rows that `text` takes when no row is wider than `most`, as byte ranges. A row ends at a line
/// break, else behind a space or beside a wide character, else wherever it must. The line breaks
/// themselves are in no row.
pub fn wrap(text: &str, most: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut begin = 0;
    for line in text.split('\n') {
        wrap_line(line, begin, most.max(2), &mut rows);
        begin += line.len() + 1;
    }
    rows
}

fn wrap_line(line: &str, offset: usize, most: usize, rows: &mut Vec<Range<usize>>) {
    let (mut begin, mut used) = (0, 0);
    // Where the row could end, and how wide it is up to there.
    let mut chance = None;
    let mut last_wide = false;
    for (at, grapheme) in line.grapheme_indices(true) {
        let cells = width(grapheme);
        let wide = cells > 1;
        if at > begin && (wide || last_wide) {
            chance = Some((at, used));
        }
        last_wide = wide;
        let space = grapheme == " ";
        if used + cells > most && !(space && used == most) {
            let (end, up_to) = chance.filter(|(end, _)| *end > begin).unwrap_or((at, used));
            rows.push(offset + begin..offset + end);
            begin = end;
            used -= up_to;
            chance = None;
        }
        used += cells;
        if space {
            chance = Some((at + 1, used));
        }
    }
    rows.push(offset + begin..offset + line.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, most: usize) -> Vec<&str> {
        wrap(text, most).into_iter().map(|row| &text[row]).collect()
    }

    #[test]
    fn what_steers_a_terminal_does_not_get_through() {
        assert_eq!(clean("a\u{1b}[31mb\u{7}\u{0}\u{9b}c\u{202e}d\r\ne\tf"), "a[31mbcd\ne    f");
        assert_eq!(clean_line("two\nlines\u{2028}here"), "two lines here");
        let nfd: String = "마당".nfd().collect();
        assert_eq!(clean(&nfd), "마당");
    }

    #[test]
    fn emoji_on_whose_width_terminals_do_not_agree_are_taken_apart() {
        assert_eq!(shown("👩‍👩‍👧 🇰🇷 ❤️ 👍🏽 1️⃣"), "👩👩👧 KR ❤ 👍 1");
        assert_eq!(shown("क्‍ष"), "क्‍ष");
    }

    #[test]
    fn words_wrap_at_spaces_and_hangul_anywhere() {
        assert_eq!(rows("one two three", 8), ["one two ", "three"]);
        assert_eq!(rows("one two three", 7), ["one two ", "three"], "a space may hang over");
        assert_eq!(rows("안녕하세요", 4), ["안녕", "하세", "요"]);
        assert_eq!(rows("안녕하세요", 5), ["안녕", "하세", "요"]);
        assert_eq!(rows("ab안녕", 5), ["ab안", "녕"]);
        assert_eq!(rows("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(rows("a\n\nb", 3), ["a", "", "b"]);
        assert_eq!(rows("", 3), [""]);
    }

    #[test]
    fn no_row_is_wider_than_asked() {
        let text = "가나다 abc 라마바 defghijklmnop  사 👩‍👩‍👧 e\u{301}e\u{301}";
        for most in 2..20 {
            let rows = rows(text, most);
            assert_eq!(rows.concat(), text);
            assert!(rows.iter().all(|row| width(row.trim_end()) <= most), "{most}: {rows:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        assert_eq!(fit("general", 10), "general");
        assert_eq!(fit("general", 4), "gen…");
        assert_eq!(fit("일반대화", 5), "일반…");
        assert_eq!(fit("일반대화", 4), "일…");
    }
}
