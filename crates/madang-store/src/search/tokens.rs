//! The tokenizer of search: what a text is looked up by.
//!
//! A text is brought to NFC and its case is folded. Where words are written apart, a token is a word. Where
//! they are not, or particles grow on them (Hangul, Han, Kana, Thai, …; also emoji), each character makes a
//! token with the one after it, and the last of a run one of its own: `마당서버` is `마당 당서 서버 버`. So any part
//! of a run is a sequence of tokens of the whole; a single character is the beginning of a token.
//!
//! Invariants:
//! - The tokens depend on the text alone, whatever the database. Another result for any text needs another
//!   [`VERSION`], which indexes everything anew.
//! - A token has no ASCII but letters and digits, and is at most [`WORD_CHARS`] letters and 2 KB long, which
//!   PostgreSQL takes.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::decompose_canonical, is_nfc_quick};

/// Which tokenizer this is. 2 knows more facts about a message than 1.
pub const VERSION: i64 = 2;
/// Characters after which a word goes on as another token.
pub const WORD_CHARS: usize = 64;
/// Bytes of a token after which its word goes on as another: letters may have very many marks.
const WORD_BYTES: usize = 1_000;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is looked up.
    pub text: String,
    /// The first of its characters in the text (in NFC).
    pub from: usize,
    /// The character after its last.
    pub to: usize,
    /// Whether it is of characters that make tokens in pairs.
    pub dense: bool,
}

enum Kind {
    /// Part of a word.
    Word,
    /// Makes tokens with its neighbours.
    Dense,
    /// Stands at the letter before it.
    Mark,
    /// Joins, directs or varies what is around it, and is no part of it.
    Unseen,
    /// Between tokens.
    Gap,
}

fn kind(c: char) -> Kind {
    match c {
        _ if c.is_ascii() => {
            if c.is_ascii_alphanumeric() { Kind::Word } else { Kind::Gap }
        }
        '\u{300}'..='\u{36F}' => Kind::Mark,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' => {
            Kind::Unseen
        }
        '\u{E00}'..='\u{EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' // Myanmar, Khmer
        | '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' // Hangul
        | '\u{3005}'..='\u{3007}' | '\u{3031}'..='\u{3035}' | '\u{3041}'..='\u{309F}' // Hiragana
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{318F}' | '\u{31A0}'..='\u{31BF}' // Katakana, Bopomofo
        | '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}'
        | '\u{2E80}'..='\u{2FDF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' // Han
        | '\u{A000}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{17000}'..='\u{1B2FF}' | '\u{20000}'..='\u{3FFFF}'
        | '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' // signs and emoji
        => Kind::Dense,
        _ if c.is_alphanumeric() => Kind::Word,
        _ => Kind::Gap,
    }
}

/// The text in NFC.
fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// Adds a character without its case. What differs only in case has the same small form of its capital form: ß
/// and SS, ς and σ; without its marks, of which a capital has fewer that are one with it.
fn fold(c: char, word: &mut String) {
    if c.is_ascii() {
        word.push(c.to_ascii_lowercase());
    } else {
        decompose_canonical(c, |c| word.extend(c.to_uppercase().flat_map(char::to_lowercase)));
    }
}

/// A walk over a text.
struct Walk<E: FnMut(&str, usize, usize, bool)> {
    emit: E,
    word: String,
    chars: usize,
    from: usize,
    to: usize,
    /// The last character of a dense run, and where it stands.
    before: Option<(char, usize)>,
}

impl<E: FnMut(&str, usize, usize, bool)> Walk<E> {
    fn end_word(&mut self) {
        if self.chars > 0 {
            (self.emit)(&self.word, self.from, self.to, false);
            self.word.clear();
            self.chars = 0;
        }
    }

    fn end_long_word(&mut self) {
        if self.chars == WORD_CHARS || self.word.len() >= WORD_BYTES {
            self.end_word();
        }
    }

    fn end_run(&mut self) {
        if let Some((c, at)) = self.before.take() {
            (self.emit)(c.encode_utf8(&mut [0; 4]), at, at + 1, true);
        }
    }

    fn step(&mut self, at: usize, c: char) {
        match kind(c) {
            Kind::Unseen => {}
            Kind::Mark if self.chars > 0 => {
                self.word.push(c);
                self.to = at + 1;
                self.end_long_word();
            }
            Kind::Mark => {}
            Kind::Word => {
                self.end_run();
                if self.chars == 0 {
                    self.from = at;
                }
                fold(c, &mut self.word);
                self.chars += 1;
                self.to = at + 1;
                self.end_long_word();
            }
            Kind::Dense => {
                self.end_word();
                if let Some((before, from)) = self.before.replace((c, at)) {
                    self.word.extend([before, c]);
                    (self.emit)(&self.word, from, at + 1, true);
                    self.word.clear();
                }
            }
            Kind::Gap => {
                self.end_word();
                self.end_run();
            }
        }
    }
}

/// Calls `emit` with each token, its first character, the one after its last, and whether it is dense.
fn each(text: &str, emit: impl FnMut(&str, usize, usize, bool)) {
    let mut walk = Walk { emit, word: String::new(), chars: 0, from: 0, to: 0, before: None };
    for (at, c) in nfc(text).chars().enumerate() {
        walk.step(at, c);
    }
    walk.end_word();
    walk.end_run();
}

/// The tokens of a text.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    each(text, |text, from, to, dense| tokens.push(Token { text: text.to_owned(), from, to, dense }));
    tokens
}

/// Adds the tokens of a text, each with a space after it.
pub fn push_words(words: &mut String, text: &str) {
    each(text, |token, _, _, _| {
        words.push_str(token);
        words.push(' ');
    });
}
