//! A line or box that one types into: the composer, and each field of a form.
//!
//! The cursor stands between graphemes, so a syllable, an accented letter or a family emoji is one step
//! and one deletion. What comes in is brought to NFC together with what stands before it: Hangul typed in
//! pieces becomes whole.
//!
//! Invariants:
//! - The text is clean (see [`crate::text`]) and in NFC.
//! - The cursor is on the border of a grapheme.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::text;

/// What is typed, and where the cursor stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    cursor: usize,
}

/// What a key did to an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The text changed.
    Changed,
    /// Only the cursor moved.
    Moved,
    /// The key is not for typing.
    Unused,
}

impl Input {
    /// With this text, and the cursor behind it.
    pub fn new(text: &str) -> Self {
        let text = text::clean(text);
        Self { cursor: text.len(), text }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Puts text in at the cursor.
    pub fn insert(&mut self, new: &str) {
        let before: String = format!("{}{}", &self.text[..self.cursor], text::clean(new)).nfc().collect();
        let all: String = format!("{before}{}", &self.text[self.cursor..]).nfc().collect();
        self.cursor = before.len().min(all.len());
        self.text = all;
        // What came in may have become one with what follows.
        while !self.text.is_char_boundary(self.cursor) || !self.is_border(self.cursor) {
            self.cursor += 1;
        }
    }

    fn is_border(&self, at: usize) -> bool {
        GraphemeCursor::new(at, self.text.len(), true).is_boundary(&self.text, 0).unwrap_or(true)
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let head = &self.text[..self.cursor];
        head.unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let tail = &self.text[self.cursor..];
        let end = tail.unicode_word_indices().next().map(|(at, word)| at + word.len());
        self.cursor + end.unwrap_or(tail.len())
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    fn cut(&mut self, from: usize, to: usize) -> Typed {
        if from == to {
            return Typed::Moved;
        }
        self.text.replace_range(from..to, "");
        self.cursor = from;
        Typed::Changed
    }

    fn go(&mut self, to: usize) -> Typed {
        self.cursor = to;
        Typed::Moved
    }

    /// A key for typing or moving. Enter, Tab, Escape, Up and Down are not among them.
    pub fn key(&mut self, key: KeyEvent) -> Typed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if control => self.go(self.line_start()),
            KeyCode::Char('e') if control => self.go(self.line_end()),
            KeyCode::Char('u') if control => self.cut(self.line_start(), self.cursor),
            KeyCode::Char('w') if control => self.cut(self.word_before(), self.cursor),
            KeyCode::Char('h') if control => self.cut(self.before(), self.cursor),
            KeyCode::Char(c) if !control && !alt => {
                self.insert(c.encode_utf8(&mut [0; 4]));
                Typed::Changed
            }
            KeyCode::Backspace if control || alt => self.cut(self.word_before(), self.cursor),
            KeyCode::Backspace => self.cut(self.before(), self.cursor),
            KeyCode::Delete if control || alt => self.cut(self.cursor, self.word_after()),
            KeyCode::Delete => self.cut(self.cursor, self.after()),
            KeyCode::Left if control || alt => self.go(self.word_before()),
            KeyCode::Left => self.go(self.before()),
            KeyCode::Right if control || alt => self.go(self.word_after()),
            KeyCode::Right => self.go(self.after()),
            KeyCode::Home => self.go(self.line_start()),
            KeyCode::End => self.go(self.line_end()),
            _ => Typed::Unused,
        }
    }

    /// The rows in a box of this width, one column of which is kept for the cursor.
    pub fn rows(&self, width: usize) -> Vec<&str> {
        text::wrap(&self.text, width.saturating_sub(1)).into_iter().map(|row| &self.text[row]).collect()
    }

    /// The row and the column of the cursor in a box of this width.
    pub fn cursor_at(&self, width: usize) -> (usize, usize) {
        let rows = text::wrap(&self.text, width.saturating_sub(1));
        let row = rows.iter().rposition(|row| row.start <= self.cursor).unwrap_or(0);
        let start = rows.get(row).map_or(0, |row| row.start);
        (row, text::width(&self.text[start..self.cursor]))
    }

    /// Moves the cursor to the row above or below. `false` when there is none.
    pub fn move_row(&mut self, down: bool, width: usize) -> bool {
        let (row, column) = self.cursor_at(width);
        let rows = text::wrap(&self.text, width.saturating_sub(1));
        let target = if down { row.checked_add(1) } else { row.checked_sub(1) };
        let Some(range) = target.and_then(|row| rows.get(row)) else { return false };
        let mut used = 0;
        let line = &self.text[range.clone()];
        let fits = line.grapheme_indices(true).take_while(|(_, grapheme)| {
            used += text::width(grapheme);
            used <= column
        });
        let end = fits.last().map_or(0, |(at, grapheme)| at + grapheme.len());
        self.cursor = range.start + end;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, keys: &[(KeyCode, KeyModifiers)]) -> Input {
        let mut input = Input::new(text);
        for (code, modifiers) in keys {
            input.key(KeyEvent::new(*code, *modifiers));
        }
        input
    }

    const PLAIN: KeyModifiers = KeyModifiers::NONE;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn hangul_in_pieces_becomes_whole_and_is_one_step() {
        let mut input = Input::default();
        for piece in ["\u{1112}", "\u{1161}", "\u{11ab}"] {
            input.insert(piece);
        }
        assert_eq!(input.text(), "한");
        assert_eq!(input.cursor_at(10), (0, 2));
        assert_eq!(typed("한글", &[(KeyCode::Backspace, PLAIN)]).text(), "한");
        assert_eq!(typed("한글", &[(KeyCode::Left, PLAIN)]).cursor_at(10), (0, 2));
        assert_eq!(typed("e\u{301}👩‍👧x", &[(KeyCode::Backspace, PLAIN); 2]).text(), "é");
    }

    #[test]
    fn text_goes_in_at_the_cursor_and_is_cleaned() {
        let mut input = typed("ad", &[(KeyCode::Left, PLAIN)]);
        input.insert("b\u{1b}c");
        assert_eq!((input.text(), input.cursor_at(10)), ("abcd", (0, 3)));
        let mut input = typed("\u{301}x", &[(KeyCode::Home, PLAIN)]);
        input.insert("e");
        assert_eq!((input.text(), input.cursor_at(10)), ("éx", (0, 1)));
    }

    #[test]
    fn words_and_lines_are_deleted_whole() {
        assert_eq!(typed("hello big world", &[(KeyCode::Char('w'), CONTROL)]).text(), "hello big ");
        assert_eq!(typed("one\ntwo three", &[(KeyCode::Char('u'), CONTROL)]).text(), "one\n");
        let keys = [(KeyCode::Home, PLAIN), (KeyCode::Delete, CONTROL)];
        assert_eq!(typed("one two", &keys).text(), " two");
    }

    #[test]
    fn the_cursor_is_where_the_next_character_goes() {
        assert_eq!(Input::new("안녕하세요").cursor_at(7), (1, 4));
        assert_eq!(Input::new("안녕하").cursor_at(7), (0, 6));
        assert_eq!(Input::new("one\n").cursor_at(20), (1, 0));
        assert_eq!(Input::new("").rows(20), [""]);
    }

    #[test]
    fn up_and_down_keep_the_column_as_far_as_the_row_goes() {
        let mut input = Input::new("안녕하세요\nab\n반갑습니다");
        assert_eq!(input.cursor_at(30), (2, 10));
        assert!(input.move_row(false, 30));
        assert_eq!(input.cursor_at(30), (1, 2));
        assert!(input.move_row(false, 30) && !input.move_row(false, 30));
        assert_eq!(input.cursor_at(30), (0, 2));
        assert!(input.move_row(true, 30));
    }
}
