//! What a text of a line has to be: the same as when people type it, where they do.

use madang_proto::{
    audit::AuditAction,
    channels::ChannelKind,
    input::{self, Reason},
    limits,
    notifications::{NotificationKind, NotificationLevel},
    permissions::Role,
    presence::ChosenStatus,
    previews::{Preview, links},
    reports::Resolution,
    sanctions::SanctionKind,
    workspaces::EditHistory,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub type Checked = Result<String, Reason>;

pub fn as_is(text: &str) -> Checked {
    Ok(text.to_owned())
}

/// A line of text, as of an address or of an agent.
pub fn line(text: &str) -> Checked {
    if text.chars().any(char::is_control) || text.len() > 2_000 {
        return Err(Reason("no control characters, and at most 2,000 bytes".to_owned()));
    }
    as_is(text)
}

/// What stands for an emoji.
pub fn emoji(text: &str) -> Checked {
    if text.is_empty() || text.len() > 100 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Reason("is no emoji".to_owned()));
    }
    as_is(text)
}

/// The name of a guest is not one that one could choose.
pub fn username(text: &str) -> Checked {
    match text.strip_prefix(madang_proto::ids::GUEST_PREFIX) {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()) => as_is(text),
        _ => input::username(text),
    }
}

/// The name of a channel; those without one have none.
pub fn channel_name(text: &str) -> Checked {
    if text.is_empty() { as_is(text) } else { input::channel_name(text) }
}

/// A picture is shown from where it is: the web, or this server.
pub fn picture(text: &str) -> Checked {
    if text.starts_with("https://") || text.starts_with("http://") || text.starts_with("/api/") {
        return line(text);
    }
    Err(Reason("is no address of a picture".to_owned()))
}

pub fn file_name(text: &str) -> Checked {
    Ok(input::file_name(text))
}

pub fn media_type(text: &str) -> Checked {
    let fine = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.+-".contains(&b));
    if fine && text.len() <= 100 { as_is(text) } else { Err(Reason("is no media type".to_owned())) }
}

/// Only files whose bytes are whole go out: those of messages, pictures of people, and emoji.
pub fn file_state(text: &str) -> Checked {
    word(text, &["ready", "avatar", "emoji"], |state| state)
}

/// There is none of the picture of a user.
pub fn sha256(text: &str) -> Checked {
    let fine = matches!(text.len(), 0 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if fine { as_is(text) } else { Err(Reason("is no SHA-256 in hex".to_owned())) }
}

/// The ids of the people of a direct message, as `direct` makes them.
pub fn people_key(text: &str) -> Checked {
    let fine = text.bytes().all(|b| b.is_ascii_digit() || b == b',') && text.len() <= 20 * 21;
    if fine { as_is(text) } else { Err(Reason("is no list of people".to_owned())) }
}

pub fn word<T: Copy>(text: &str, all: &[T], as_str: impl Fn(T) -> &'static str) -> Checked {
    if all.iter().any(|one| as_str(*one) == text) {
        return as_is(text);
    }
    let all: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
    Err(Reason(format!("is none of {}", all.join(", "))))
}

pub fn status(text: &str) -> Checked {
    word(text, &ChosenStatus::ALL, ChosenStatus::as_str)
}

pub fn notification_kind(text: &str) -> Checked {
    word(text, &NotificationKind::ALL, NotificationKind::as_str)
}

pub fn notification_level(text: &str) -> Checked {
    word(text, &NotificationLevel::ALL, NotificationLevel::as_str)
}

pub fn role(text: &str) -> Checked {
    word(text, &Role::ALL, Role::as_str)
}

pub fn channel_kind(text: &str) -> Checked {
    word(text, &ChannelKind::ALL, ChannelKind::as_str)
}

pub fn edit_history(text: &str) -> Checked {
    object::<EditHistory>(&Value::from(text).to_string()).and_then(|_| as_is(text))
}

pub fn sanction_kind(text: &str) -> Checked {
    object::<SanctionKind>(&Value::from(text).to_string()).and_then(|_| as_is(text))
}

pub fn resolution(text: &str) -> Checked {
    object::<Resolution>(&Value::from(text).to_string()).and_then(|_| as_is(text))
}

pub fn action(text: &str) -> Checked {
    word(text, &AuditAction::ALL, AuditAction::as_str)
}

/// JSON that can be read as this, as it is written then.
pub fn object<T: Serialize + DeserializeOwned>(text: &str) -> Checked {
    let read = serde_json::from_str::<T>(text).and_then(|read| serde_json::to_string(&read));
    read.map_err(|error| Reason(error.to_string()))
}

pub fn reactions(text: &str) -> Checked {
    let pairs: Vec<(String, i64)> = serde_json::from_str(text).map_err(|e| Reason(e.to_string()))?;
    if pairs.len() > limits::REACTION_KINDS {
        return Err(Reason(format!("at most {} kinds", limits::REACTION_KINDS)));
    }
    for (one, _) in &pairs {
        emoji(one)?;
    }
    object::<Vec<(String, i64)>>(text)
}

/// What is shown of links leads into the web, and is no longer than what is read of it.
pub fn previews(text: &str) -> Checked {
    let all: Vec<Preview> = serde_json::from_str(text).map_err(|error| Reason(error.to_string()))?;
    let short = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
    let fine = |one: &Preview| {
        let (description, site) = (one.description.as_deref(), one.site_name.as_deref());
        links(&one.url) == [one.url.as_str()]
            && short(&one.title, limits::PREVIEW_TITLE_CHARS)
            && short(description.unwrap_or_default(), limits::PREVIEW_DESCRIPTION_CHARS)
            && short(site.unwrap_or_default(), limits::PREVIEW_SITE_CHARS)
    };
    if all.len() > limits::PREVIEWS_PER_MESSAGE || !all.iter().all(fine) {
        return Err(Reason("are no previews of links".to_owned()));
    }
    object::<Vec<Preview>>(text)
}
