//! Many messages in one row: the database puts them together as JSON, their authors once each.
//!
//! A row costs more than what is in it: each value of each row is copied on its way, and on SQLite, which
//! has a thread of its own, each row wakes the one who waits. So a page is one row with two texts.

use std::collections::HashSet;

use madang_proto::{ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message};

use crate::{Error, Result, reactions};

/// Messages, their authors and one's own reactions as the database put them together, and a number beside
/// them.
#[derive(sqlx::FromRow)]
pub(crate) struct Packed {
    messages: Option<String>,
    authors: Option<String>,
    own: Option<String>,
    /// What the statement asked for besides.
    pub(crate) found: Option<i64>,
}

/// A query in the words of each database.
pub(crate) struct Texts {
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
}

impl Texts {
    /// From a common table `page` that selects `{message}` from messages, from what is asked for besides,
    /// and from who asks.
    pub(crate) fn new(page: &str, found: &str, user: &str) -> Self {
        let text = |array: &str, group: &str, cast: &str| {
            format!(
                "{page} SELECT (SELECT {group}({array}({MESSAGE})) FROM page){cast} AS messages,
                        (SELECT {group}({array}(u.id, u.username, u.display_name, u.avatar_url))
                         FROM (SELECT DISTINCT author_id FROM page) AS a
                         JOIN users u ON u.id = a.author_id){cast} AS authors,
                        (SELECT {group}({array}(message_id, emoji)) FROM reactions
                         WHERE (message_id, user_id) IN
                               (SELECT id, {user} FROM page WHERE reactions IS NOT NULL)){cast} AS own,
                        {found} AS found"
            )
            .replace("{message}", MESSAGE)
        };
        Self {
            sqlite: text("json_array", "json_group_array", ""),
            postgres: text("json_build_array", "json_agg", "::text"),
        }
    }
}

/// The columns of a message, in the order of [`Row`].
const MESSAGE: &str = "id, channel_id, seq, version, author_id, created_at, edited_at, deleted_at, nonce, content, reactions, pinned_at, thread";

/// A message as it is packed.
type Row = (
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
);
/// An author as they are packed: id, username, display name, picture.
type Author = (i64, String, String, Option<String>);

/// The messages, in no order.
pub(crate) fn unpack(packed: &Packed) -> Result<Vec<Message>> {
    let rows: Vec<Row> = list(packed.messages.as_deref())?;
    let authors: Vec<Author> = list(packed.authors.as_deref())?;
    let mut authors: Vec<UserSummary> = authors
        .into_iter()
        .map(|(id, username, display_name, avatar_url)| UserSummary {
            id: UserId::from(id),
            username,
            display_name,
            avatar_url,
        })
        .collect();
    authors.sort_unstable_by_key(|a| a.id);
    let own: HashSet<(i64, String)> = list(packed.own.as_deref())?.into_iter().collect();
    // A message whose author is not there is left out, as a join would.
    rows.into_iter().filter_map(|row| message(row, &authors, &own).transpose()).collect()
}

/// The JSON of something in a column.
pub(crate) fn text<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Fault(sqlx::Error::Encode(e.into())))
}

/// What a column has as JSON.
pub(crate) fn object<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Option<T>> {
    let decoded = text.map(serde_json::from_str).transpose();
    decoded.map_err(|e| Error::Fault(sqlx::Error::Decode(e.into())))
}

fn list<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Vec<T>> {
    let decoded = text.map_or_else(|| Ok(Vec::new()), serde_json::from_str);
    decoded.map_err(|e| Error::Fault(sqlx::Error::Decode(e.into())))
}

fn message(row: Row, authors: &[UserSummary], own: &HashSet<(i64, String)>) -> Result<Option<Message>> {
    let (
        id,
        channel,
        seq,
        version,
        author,
        created_at,
        edited_at,
        deleted_at,
        nonce,
        content,
        reactions,
        pinned_at,
        thread,
    ) = row;
    let author = authors.binary_search_by_key(&author, |a| a.id.get()).ok().and_then(|i| authors.get(i));
    let Some(author) = author else { return Ok(None) };
    let mut reactions = reactions::unpacked(reactions.as_deref())?;
    for reaction in &mut reactions {
        reaction.me = Some(own.contains(&(id, reaction.emoji.clone())));
    }
    Ok(Some(Message {
        id: MessageId::from(id),
        channel_id: ChannelId::from(channel),
        seq,
        version,
        author: author.clone(),
        user: author.clone(),
        content,
        nonce,
        edited_at: edited_at.map(Timestamp::from),
        deleted_at: deleted_at.map(Timestamp::from),
        thread: object(thread.as_deref())?,
        reactions,
        pinned: pinned_at.is_some(),
        created_at: Timestamp::from(created_at),
    }))
}
