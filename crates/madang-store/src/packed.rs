//! Many messages in one row: the database puts them together as JSON, their authors once each.
//!
//! A row costs more than what is in it: each value of each row is copied on its way, and on SQLite, which
//! has a thread of its own, each row wakes the one who waits. So many messages are one row with two texts.

use std::sync::Arc;

use madang_proto::{ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message};

use crate::{Error, Result, files, mentions, previews, reactions};

/// Messages and their authors as the database put them together, and a number beside them.
#[derive(sqlx::FromRow)]
pub(crate) struct Packed {
    messages: Option<String>,
    authors: Option<String>,
    /// What the statement asked for besides.
    pub(crate) found: Option<i64>,
}

/// A query in the words of each database.
pub(crate) struct Texts {
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
}

/// How a database puts rows together.
struct Words {
    array: &'static str,
    group: &'static str,
    cast: &'static str,
}

const SQLITE: Words = Words { array: "json_array", group: "json_group_array", cast: "" };
const POSTGRES: Words = Words { array: "json_build_array", group: "json_agg", cast: "::text" };

impl Words {
    /// A query with what its places stand for.
    fn fill(&self, query: &str, user: &str) -> String {
        let Self { array, group, cast } = self;
        let own = format!(
            "CASE WHEN messages.reactions IS NOT NULL THEN (
                 SELECT {group}(r.emoji){cast} FROM reactions AS r
                 WHERE r.message_id = messages.id AND r.user_id = {user}) END AS own"
        );
        // Most messages have nothing beside their text, and each value costs.
        let any = BESIDE.replace(", ", " IS NOT NULL OR ");
        let beside = format!("CASE WHEN {any} IS NOT NULL THEN {array}({BESIDE}, own) END");
        query
            .replace("{packed}", &format!("{group}({array}({MESSAGE}, {beside})){cast}"))
            .replace("{message}", &format!("{MESSAGE}, {BESIDE}, {own}"))
            .replace(
                "{author}",
                &format!("{group}({array}(u.id, u.username, u.display_name, u.avatar_url)){cast}"),
            )
    }
}

impl Texts {
    /// From a query in which `{packed}` stands for a list of the messages that its part selects by `{message}`
    /// from `messages`, and from who asks.
    pub(crate) fn lists(query: &str, user: &str) -> Self {
        Self { sqlite: SQLITE.fill(query, user), postgres: POSTGRES.fill(query, user) }
    }

    /// From a common table `page` that selects `{message}` from `messages`, from what is asked for besides, and
    /// from who asks.
    pub(crate) fn new(page: &str, found: &str, user: &str) -> Self {
        let query = format!(
            "{page} SELECT (SELECT {{packed}} FROM page) AS messages,
                    (SELECT {{author}} FROM (SELECT DISTINCT author_id FROM page) AS a
                     JOIN users u ON u.id = a.author_id) AS authors,
                    {found} AS found"
        );
        Self::lists(&query, user)
    }
}

macro_rules! kept {
    ($before:literal) => {
        concat!(
            $before,
            "messages.seq >= (SELECT first_seq FROM channels WHERE channels.id = messages.channel_id)"
        )
    };
}

/// Not those messages that are about to go.
pub(crate) const KEPT: &str = kept!("");
/// Which archived messages are asked for: those that are kept, and not back among the others. The question has them as
/// `messages`, from `messages_archive`.
pub(crate) const ARCHIVED: &str =
    kept!("NOT EXISTS (SELECT 1 FROM messages AS live WHERE live.id = messages.id) AND ");

/// The common table `page` of the messages, archived or not, whose `id` another common table has.
pub(crate) fn page_of_ids(table: &str) -> String {
    format!(
        "page AS MATERIALIZED (
             SELECT {{message}} FROM messages WHERE id IN (SELECT id FROM {table}) AND {KEPT}
             UNION ALL
             SELECT {{message}} FROM messages_archive AS messages
             WHERE id IN (SELECT id FROM {table}) AND {ARCHIVED})"
    )
}

/// The columns of a message, in the order of [`Row`].
pub(crate) const MESSAGE: &str = "id, channel_id, seq, version, author_id, created_at, nonce, content";
/// Those of what few messages have, in the order of [`Beside`].
pub(crate) const BESIDE: &str =
    "edited_at, deleted_at, reactions, pinned_at, thread, mentions, files, previews";

/// A message as it is packed.
type Row = (i64, i64, i64, i64, i64, i64, Option<String>, String, Option<Beside>);
/// The rest of it, if there is any; which of the reactions are one's own comes last.
type Beside = (
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);
/// An author as they are packed: id, username, display name, picture.
pub(crate) type Author = (i64, String, String, Option<String>);

/// A user of those columns.
pub(crate) fn summary((id, username, display_name, avatar_url): Author) -> UserSummary {
    UserSummary { id: UserId::from(id), username, display_name, avatar_url }
}

/// Messages whose authors are still to be found.
pub(crate) struct Unsigned(Vec<Row>);

impl Unsigned {
    /// From a packed list of messages.
    pub(crate) fn new(messages: Option<&str>) -> Result<Self> {
        Ok(Self(list(messages)?))
    }

    /// Adds a packed list.
    pub(crate) fn and(mut self, messages: Option<&str>) -> Result<Self> {
        self.0.append(&mut list(messages)?);
        Ok(self)
    }

    /// Whose messages they are, once for each message.
    pub(crate) fn authors(&self) -> Vec<UserId> {
        self.0.iter().map(|row| UserId::from(row.4)).collect()
    }

    /// The messages with their authors, who come sorted by id. A message whose author is not there is left
    /// out, as a join would.
    pub(crate) fn signed(self, authors: &[Arc<UserSummary>]) -> Result<Vec<Message>> {
        self.0.into_iter().filter_map(|row| message(row, authors).transpose()).collect()
    }
}

/// The messages, in no order.
pub(crate) fn unpack(packed: &Packed) -> Result<Vec<Message>> {
    let authors: Vec<Author> = list(packed.authors.as_deref())?;
    let mut authors: Vec<_> = authors.into_iter().map(summary).map(Arc::new).collect();
    authors.sort_unstable_by_key(|a| a.id);
    Unsigned::new(packed.messages.as_deref())?.signed(&authors)
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

fn message(row: Row, authors: &[Arc<UserSummary>]) -> Result<Option<Message>> {
    let (id, channel, seq, version, author, created_at, nonce, content, beside) = row;
    let (edited_at, deleted_at, reactions, pinned_at, thread, mentions, carried, previews, own) =
        beside.unwrap_or_default();
    let author = authors.binary_search_by_key(&author, |a| a.id.get()).ok().and_then(|i| authors.get(i));
    let Some(author) = author else { return Ok(None) };
    let mut reactions = reactions::unpacked(reactions.as_deref())?;
    let own: Vec<String> = list(own.as_deref())?;
    for reaction in &mut reactions {
        reaction.me = Some(own.contains(&reaction.emoji));
    }
    Ok(Some(Message {
        id: MessageId::from(id),
        channel_id: ChannelId::from(channel),
        seq,
        version,
        author: Arc::clone(author),
        user: Arc::clone(author),
        content,
        nonce,
        edited_at: edited_at.map(Timestamp::from),
        deleted_at: deleted_at.map(Timestamp::from),
        reactions,
        mentions: mentions::unpacked(mentions.as_deref())?,
        pinned: pinned_at.is_some(),
        files: files::unpacked(carried.as_deref())?,
        previews: previews::unpacked(previews.as_deref())?,
        thread: object(thread.as_deref())?,
        created_at: Timestamp::from(created_at),
    }))
}
