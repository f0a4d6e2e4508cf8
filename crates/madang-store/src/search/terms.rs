//! What is looked for: phrases of tokens and facts about a message, all of which must hold. The same in the
//! words of each database, and by itself for a message that is at hand.
//!
//! Invariants:
//! - What a database finds by [`Terms`] is what [`Terms::found_in`] finds in the same content.
//! - No word that people typed reaches a query but as tokens, which have no signs with a meaning there.

use std::ops::Range;

use madang_proto::{ChannelId, UserId, messages::Message};

use super::tokens::{self, Token};

/// From so many characters on, the last word of what is looked for may go on in the text.
pub const PREFIX_CHARS: usize = 3;
/// Most places that are named in one message.
const PLACES: usize = 100;

/// Before the id of a channel, of an author, and before the name of a fact. No token has these characters.
const CHANNEL: char = '\u{E000}';
const AUTHOR: char = '\u{E001}';
const FACT: char = '\u{E002}';

/// Something about a message that is no word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Who wrote it.
    Author(UserId),
    /// It has a link.
    Link,
    /// It was edited.
    Edited,
    /// It carries a file.
    File,
    /// It carries a picture.
    Image,
    /// It carries a video.
    Video,
    /// Someone put an emoji on it.
    Reaction,
    /// It is pinned.
    Pin,
}

impl Fact {
    /// Those that hold of a message or not, whoever wrote it.
    const OF_MESSAGES: [Self; 7] =
        [Self::Link, Self::Edited, Self::File, Self::Image, Self::Video, Self::Reaction, Self::Pin];

    fn token(self) -> String {
        match self {
            Self::Author(id) => format!("{AUTHOR}{}", id.get()),
            Self::Link => format!("{FACT}link"),
            Self::Edited => format!("{FACT}edited"),
            Self::File => format!("{FACT}file"),
            Self::Image => format!("{FACT}image"),
            Self::Video => format!("{FACT}video"),
            Self::Reaction => format!("{FACT}reaction"),
            Self::Pin => format!("{FACT}pin"),
        }
    }

    fn holds(self, message: &Message) -> bool {
        let carries = |kind: &str| message.files.iter().any(|file| file.media_type.starts_with(kind));
        match self {
            Self::Author(id) => message.author.id == id,
            Self::Link => has_link(&message.content),
            Self::Edited => message.edited_at.is_some(),
            Self::File => !message.files.is_empty(),
            Self::Image => carries("image/"),
            Self::Video => carries("video/"),
            Self::Reaction => !message.reactions.is_empty(),
            Self::Pin => message.pinned,
        }
    }
}

fn has_link(content: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        content.match_indices(scheme).any(|(at, _)| {
            content[at + scheme.len()..].chars().next().is_some_and(|c| c.is_alphanumeric() || c == '[')
        })
    })
}

fn channel_token(id: ChannelId) -> String {
    format!("{CHANNEL}{}", id.get())
}

/// What a message is found by: its channel, the facts and its tokens, with a space around each.
#[must_use]
pub fn words(message: &Message) -> String {
    let mut words =
        format!(" {} {} ", channel_token(message.channel_id), Fact::Author(message.author.id).token());
    for fact in Fact::OF_MESSAGES {
        if fact.holds(message) {
            words.push_str(&fact.token());
            words.push(' ');
        }
    }
    tokens::push_words(&mut words, &message.content);
    words
}

/// Tokens that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Phrase {
    tokens: Vec<String>,
    /// The last token may be the beginning of one.
    prefix: bool,
}

impl Phrase {
    /// `None` where there is nothing to look for. In an exact one the last word does not go on.
    fn new(text: &str, exact: bool) -> Option<Self> {
        let mut tokens = tokens::tokens(text);
        // The end of a run is part of the pair before it, and in the text the run may go on.
        if let [.., pair, last] = &tokens[..]
            && last.dense
            && pair.dense
            && pair.to == last.to
        {
            tokens.pop();
        }
        let last = tokens.last()?;
        let prefix = if last.dense {
            last.text.chars().nth(1).is_none()
        } else {
            !exact && last.text.chars().count() >= PREFIX_CHARS
        };
        Some(Self { tokens: tokens.into_iter().map(|t| t.text).collect(), prefix })
    }

    /// The characters of the text that it stands for where it begins at the first of these tokens.
    fn at(&self, text: &[Token]) -> Option<Range<usize>> {
        let here = text.get(..self.tokens.len())?;
        let (last, before) = self.tokens.split_last()?;
        let end = here.last()?;
        let fits = if self.prefix { end.text.starts_with(last.as_str()) } else { end.text == *last };
        if !fits || !before.iter().zip(here).all(|(wanted, token)| token.text == *wanted) {
            return None;
        }
        // Of a pair that only begins with what was looked for, the first character.
        let to = if self.prefix && end.dense { end.from + 1 } else { end.to };
        Some(here.first()?.from..to)
    }

    fn fts5(&self) -> String {
        format!("\"{}\"{}", self.tokens.join(" "), if self.prefix { " *" } else { "" })
    }

    fn tsquery(&self) -> String {
        let last = self.tokens.len() - 1;
        let lexeme = |(n, token): (usize, &String)| {
            format!("'{token}'{}", if self.prefix && n == last { ":*" } else { "" })
        };
        self.tokens.iter().enumerate().map(lexeme).collect::<Vec<_>>().join(" & ")
    }

    fn pattern(&self) -> String {
        format!("% {}{}%", self.tokens.join(" "), if self.prefix { "" } else { " " })
    }
}

/// A word or phrase that is looked for in texts as they come: where words are written apart it is whole words, else
/// any part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword(Phrase);

impl Keyword {
    /// `None` where there is nothing to look for.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Phrase::new(text, true).map(Self)
    }

    /// Whether a text has it, of which these are the tokens.
    #[must_use]
    pub fn is_in(&self, text: &[Token]) -> bool {
        (0..text.len()).any(|n| text.get(n..).is_some_and(|rest| self.0.at(rest).is_some()))
    }
}

/// All that must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    phrases: Vec<Phrase>,
    facts: Vec<Fact>,
}

impl Terms {
    /// Adds a text that must be there; an exact one, in which the last word does not go on. False where the
    /// text has nothing that could be looked for.
    pub fn text(&mut self, text: &str, exact: bool) -> bool {
        let phrase = Phrase::new(text, exact);
        let added = phrase.is_some();
        self.phrases.extend(phrase.filter(|phrase| !self.phrases.contains(phrase)));
        added
    }

    /// Adds a fact that must hold.
    pub fn fact(&mut self, fact: Fact) {
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.phrases.is_empty() && self.facts.is_empty()
    }

    /// The places of the content that were looked for, in characters, in order and apart from each other;
    /// `None` where not everything holds.
    #[must_use]
    pub fn found_in(&self, message: &Message) -> Option<Vec<Range<usize>>> {
        if message.deleted_at.is_some() || !self.facts.iter().all(|fact| fact.holds(message)) {
            return None;
        }
        let tokens = tokens::tokens(&message.content);
        let mut places = Vec::new();
        for phrase in &self.phrases {
            let before = places.len();
            places.extend((0..tokens.len()).filter_map(|n| phrase.at(tokens.get(n..)?)).take(PLACES));
            if places.len() == before {
                return None;
            }
        }
        Some(joined(places))
    }

    /// The question to FTS5, in one of these channels if any are named.
    pub(super) fn fts5(&self, channels: &[ChannelId]) -> String {
        let quoted = |token: String| format!("\"{token}\"");
        let any = channels.iter().map(|id| quoted(channel_token(*id))).collect::<Vec<_>>().join(" OR ");
        let facts = self.facts.iter().map(|fact| quoted(fact.token()));
        let all = facts.chain(self.phrases.iter().map(Phrase::fts5));
        all.chain((!any.is_empty()).then(|| format!("({any})"))).collect::<Vec<_>>().join(" AND ")
    }

    /// The question to PostgreSQL's index: that all tokens are there, in any order.
    pub(super) fn tsquery(&self, channels: &[ChannelId]) -> String {
        let quoted = |token: String| format!("'{token}'");
        let any = channels.iter().map(|id| quoted(channel_token(*id))).collect::<Vec<_>>().join(" | ");
        let facts = self.facts.iter().map(|fact| quoted(fact.token()));
        let all = facts.chain(self.phrases.iter().map(Phrase::tsquery));
        all.chain((!any.is_empty()).then(|| format!("({any})"))).collect::<Vec<_>>().join(" & ")
    }

    /// Patterns of which the words of a message must fit each.
    pub(super) fn patterns(&self) -> Vec<String> {
        let facts = self.facts.iter().map(|fact| format!("% {} %", fact.token()));
        facts.chain(self.phrases.iter().map(Phrase::pattern)).collect()
    }

    /// Those of the patterns that say more than that all tokens are there.
    pub(super) fn patterns_of_order(&self) -> Vec<String> {
        self.phrases.iter().filter(|phrase| phrase.tokens.len() > 1).map(Phrase::pattern).collect()
    }
}

/// Ranges in order; those that touch are one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined.truncate(PLACES);
    joined
}
