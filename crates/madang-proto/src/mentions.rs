//! Mentions: `@name`, `@channel` and `@here` in a text, with whatever Korean particle stands right behind.
//!
//! How: [`written`] finds what stands behind each `@` outside code; [`names`] says which names that may be, the
//! longest first, because `지민님이` may be 지민님 with a particle, 지민 with two, or a name itself. Who is there
//! by these names is for the server to say ([`resolve`]).
//!
//! Invariants:
//! - Pure, and linear in the length of the text.
//! - Nothing inside code (`` ` ``, fences) and no e-mail address or web address is a mention.

use std::iter;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{UserId, code, input, limits};

/// Who is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MentionKind {
    /// One person.
    User,
    /// Everyone in the channel.
    Channel,
    /// Those in the channel who were connected when it was sent.
    Here,
}

/// Someone, or everyone, whom a message mentions. Each spelling stands once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mention {
    /// Who is meant.
    pub kind: MentionKind,
    /// Of one person: who, whatever their name is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// What stands behind the `@` in the text.
    pub name: String,
}

/// Whether mentions name a user, or everyone.
#[must_use]
pub fn reach(mentions: &[Mention], user: UserId) -> bool {
    mentions.iter().any(|m| m.kind == MentionKind::Channel || m.user_id == Some(user))
}

/// Whether one of the mentions is of this kind.
#[must_use]
pub fn has(mentions: &[Mention], kind: MentionKind) -> bool {
    mentions.iter().any(|m| m.kind == kind)
}

/// The people whom mentions name, each once.
#[must_use]
pub fn people(mentions: &[Mention]) -> Vec<UserId> {
    let mut people: Vec<_> = mentions.iter().filter_map(|m| m.user_id).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// What stands behind each `@` that may be a mention, each once and in their order, at most
/// [`limits::MENTIONS_PER_MESSAGE`].
#[must_use]
pub fn written(text: &str) -> Vec<&str> {
    let mut written: Vec<&str> = Vec::new();
    for at in marks(text) {
        let run = text[at + 1..].split(|c| !is_of_name(c)).next().unwrap_or_default();
        if run.starts_with(char::is_alphanumeric) && !written.contains(&run) {
            written.push(run);
            if written.len() == limits::MENTIONS_PER_MESSAGE {
                break;
            }
        }
    }
    written
}

/// The names that what stands behind an `@` may begin with, the longest first: all of it, and what is left
/// without Hangul, or the end of a sentence, right behind.
pub fn names(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().map(|(at, _)| at).skip(1).chain(iter::once(run.len()));
    let ends: Vec<usize> = ends.take(limits::DISPLAY_NAME_CHARS).collect();
    ends.into_iter()
        .rev()
        .map(|end| run.split_at(end))
        .filter(|(_, rest)| may_follow(rest))
        .map(|(name, _)| name)
}

/// The mentions of a text, of which `find` knows who is called so.
#[must_use]
pub fn resolve(written: &[&str], find: impl Fn(&str) -> Option<UserId>) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    for run in written {
        let mention = names(run).find_map(|name| {
            let (kind, user_id) = match everyone(name) {
                Some(kind) => (kind, None),
                None => (MentionKind::User, Some(find(name)?)),
            };
            Some(Mention { kind, user_id, name: name.to_owned() })
        });
        mentions.extend(mention.filter(|mention| !mentions.contains(mention)));
    }
    mentions
}

/// The kind of mention that a name is by itself.
#[must_use]
pub fn everyone(name: &str) -> Option<MentionKind> {
    match &*input::name_key(name) {
        "channel" => Some(MentionKind::Channel),
        "here" => Some(MentionKind::Here),
        _ => None,
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

const fn is_hangul(c: char) -> bool {
    matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}')
}

/// Whether this may stand right behind a name.
fn may_follow(rest: &str) -> bool {
    let behind = rest.trim_start_matches(['.', '_', '-']);
    behind.chars().next().is_none_or(is_hangul)
}

/// Where an `@` stands that may begin a mention.
fn marks(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    code::outside(text, &mut |at| {
        if text.as_bytes()[at] == b'@' && text[..at].chars().next_back().is_none_or(may_precede) {
            found.push(at);
        }
    });
    found
}

/// Whether this may stand right in front of a mention; in an address there is more before an `@`.
fn may_precede(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '-' | '+' | '/' | '=' | '&' | '%' | '@')
}

#[cfg(test)]
mod tests;
