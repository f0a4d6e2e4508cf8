//! The language of a search: `from:@alice in:#general "two words" 마당`.
//!
//! Words stand apart by spaces; what is in double quotes is a phrase; a word with one of the filters' names
//! and a colon in front is a filter, whose value may be quoted.
//!
//! Invariants:
//! - Every text is read or refused with a reason; what has no meaning as a filter is a word.

use std::{iter::Peekable, str::Chars};

use madang_proto::{ChannelId, UserId, input::Reason, limits, search::Moment};
use madang_store::search::Fact;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Texts that must be there, and whether they are phrases.
    pub texts: Vec<(String, bool)>,
    /// Who wrote it.
    pub from: Vec<Who>,
    /// Where: in any of these.
    pub within: Vec<Where>,
    /// What else must hold.
    pub facts: Vec<Fact>,
    /// Before all of these.
    pub before: Vec<Moment>,
    /// After all of these.
    pub after: Vec<Moment>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Who asks.
    Me,
    /// By id.
    Id(UserId),
    /// By name.
    Name(String),
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// By id.
    Id(ChannelId),
    /// By name.
    Name(String),
}

/// What messages can have.
///
/// # Errors
/// Says what there is.
pub fn has(value: &str) -> Result<Fact, Reason> {
    match value.to_lowercase().as_str() {
        "file" => Ok(Fact::File),
        "image" => Ok(Fact::Image),
        "link" => Ok(Fact::Link),
        "pin" => Ok(Fact::Pin),
        "reaction" => Ok(Fact::Reaction),
        "video" => Ok(Fact::Video),
        _ => Err(Reason("has: knows file, image, link, pin, reaction, video".to_owned())),
    }
}

fn is(value: &str) -> Result<Fact, Reason> {
    match value.to_lowercase().as_str() {
        "edited" => Ok(Fact::Edited),
        _ => Err(Reason("is: knows edited".to_owned())),
    }
}

fn moment(filter: &str, value: &str) -> Result<Moment, Reason> {
    value.parse().map_err(|e| Reason(format!("{filter}: {e}")))
}

/// An id, or a name that may have `sign` before it.
fn id_or_name<I: std::str::FromStr, T>(value: &str, sign: char, id: fn(I) -> T, name: fn(String) -> T) -> T {
    match value.strip_prefix(sign) {
        Some(named) => name(named.to_owned()),
        None => value.parse().map_or_else(|_| name(value.to_owned()), id),
    }
}

/// The characters up to the closing quote or the end; the opening quote is gone.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> String {
    chars.by_ref().take_while(|c| *c != '"').collect()
}

impl Query {
    /// Reads it.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn read(text: &str) -> Result<Self, Reason> {
        if text.chars().count() > limits::SEARCH_CHARS {
            return Err(Reason(format!("at most {} characters", limits::SEARCH_CHARS)));
        }
        let mut query = Self::default();
        let mut chars = text.chars().peekable();
        let mut terms = 0;
        while let Some(&c) = chars.peek() {
            if c.is_whitespace() {
                chars.next();
                continue;
            }
            terms += 1;
            if terms > limits::SEARCH_TERMS {
                return Err(Reason(format!("at most {} words and filters", limits::SEARCH_TERMS)));
            }
            if c == '"' {
                chars.next();
                query.texts.push((quoted(&mut chars), true));
                continue;
            }
            let mut word = String::new();
            while let Some(c) = chars.next_if(|c| !c.is_whitespace() && *c != '"') {
                word.push(c);
            }
            query.word(&word, &mut chars)?;
        }
        Ok(query)
    }

    fn word(&mut self, word: &str, rest: &mut Peekable<Chars<'_>>) -> Result<(), Reason> {
        let (name, value) = word.split_once(':').unwrap_or_default();
        let name = name.to_lowercase();
        if !["from", "in", "has", "is", "before", "after"].contains(&name.as_str()) {
            self.texts.push((word.to_owned(), false));
            return Ok(());
        }
        let value = match value {
            "" | "@" | "#" if rest.next_if_eq(&'"').is_some() => format!("{value}{}", quoted(rest)),
            value => value.to_owned(),
        };
        if value.trim_start_matches(['@', '#']).trim().is_empty() {
            return Err(Reason(format!("{name}: needs a value, without a space before it")));
        }
        match name.as_str() {
            "from" if value == "me" => self.from.push(Who::Me),
            "from" => self.from.push(id_or_name(&value, '@', Who::Id, Who::Name)),
            "in" => self.within.push(id_or_name(&value, '#', Where::Id, Where::Name)),
            "has" => self.facts.push(has(&value)?),
            "is" => self.facts.push(is(&value)?),
            "before" => self.before.push(moment(&name, &value)?),
            _ => self.after.push(moment(&name, &value)?),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Query {
        Query::read(text).unwrap()
    }

    fn word(text: &str) -> (String, bool) {
        (text.to_owned(), false)
    }

    #[test]
    fn words_phrases_and_filters() {
        let query = read(r#"from:@Alice in:#general "두 낱말" 마당 has:LINK is:edited after:2026-11-01 x:y"#);
        assert_eq!(query.texts, [("두 낱말".to_owned(), true), word("마당"), word("x:y")]);
        assert_eq!(query.from, [Who::Name("Alice".to_owned())]);
        assert_eq!(query.within, [Where::Name("general".to_owned())]);
        assert_eq!(query.facts, [Fact::Link, Fact::Edited]);
        assert_eq!((query.after, query.before), (vec!["2026-11-01".parse().unwrap()], vec![]));
        let ids = read("from:7340032000001 from:me in:5 in:#5");
        assert_eq!(ids.from, [Who::Id(7_340_032_000_001.into()), Who::Me]);
        assert_eq!(ids.within, [Where::Id(5.into()), Where::Name("5".to_owned())]);
    }

    #[test]
    fn quotes_hold_values_together_and_need_no_end() {
        assert_eq!(
            read(r#"in:"책 모임" in:#"한 줄" a"b c"#).within,
            [Where::Name("책 모임".into()), Where::Name("한 줄".into())]
        );
        assert_eq!(read(r#"a"b c"#).texts, [word("a"), ("b c".to_owned(), true)]);
        assert_eq!(read(r#""from:alice""#).texts, [("from:alice".to_owned(), true)]);
        assert_eq!(read(" \t "), Query::default());
        assert_eq!(read("http://example.org").texts, [word("http://example.org")]);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (text, reason) in [
            ("from:", "needs a value"),
            ("in: general", "needs a value"),
            ("from:@", "needs a value"),
            ("has:feathers", "knows file, image, link, pin, reaction, video"),
            ("is:new", "knows edited"),
            ("before:tomorrow", "before: expected a message id, a date"),
            (&"x".repeat(201), "at most 200 characters"),
            (&"x ".repeat(17), "at most 16 words"),
        ] {
            let Reason(said) = Query::read(text).unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
