//! Search: the index of messages, which follows the log, and what is found by it.
//!
//! Each channel has a version up to which it is indexed. What came later ([`behind`]) is read as it is now
//! ([`changed`]) and put into the index together with the new version ([`store`]). So nothing is missed or
//! done twice in effect, whatever ended in the middle.
//!
//! SQLite has FTS5, which finds the newest first and stops. PostgreSQL's index gives all that it finds, in no
//! order, which for a frequent word is a large part of everything; so first the newest messages are looked
//! through one by one (`WALK`), where a frequent word is found often enough, and the index is asked for a
//! word that was not.
//!
//! Invariants:
//! - The index follows: what it says was true at the indexed version. What is found is read anew.
//! - No transaction that writes is longer than its [`CHARS`] and [`CHANGES`].

mod postgres;
mod sqlite;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::{ops::Range, sync::LazyLock};

use madang_proto::{ChannelId, UserId, messages::Message};

pub use self::terms::{Fact, Keyword, Terms};
use crate::{
    Db, Result, Tx,
    db::{all, counted, execute},
    packed::{self, Packed, Texts},
};

/// Most changes that are looked at in one go.
pub const CHANGES: i64 = 256;
/// Characters of messages after which a transaction is full.
pub const CHARS: usize = 32 * 1024;
/// Messages that are looked through one by one before PostgreSQL's index is asked.
const WALK: i64 = 4_000;
/// Up to so many channels are part of the question to the index; among more, what it finds is looked through.
const ASKED_CHANNELS: usize = 32;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search<'a> {
    /// What must hold; not empty, unless channels are few.
    pub terms: &'a Terms,
    /// Who looks.
    pub user: UserId,
    /// In which channels.
    pub channels: &'a [ChannelId],
    /// Which messages, by id: neither of the two is among them.
    pub between: (i64, i64),
    /// How many at most.
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The messages with the places that were looked for, the newest first.
    pub messages: Vec<(Message, Vec<Range<usize>>)>,
    /// Before this message there is more.
    pub more_before: Option<i64>,
}

/// Looks for messages.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, search: &Search<'_>) -> Result<Found> {
    let packed = match tx {
        Tx::Sqlite(c) => sqlite::find(c, search).await?,
        Tx::Postgres(c) => postgres::find(c, search).await?,
    };
    let mut messages = packed::unpack(&packed)?;
    messages.retain(|m| packed.found.is_none_or(|border| m.id.get() >= border));
    messages.sort_unstable_by_key(|m| std::cmp::Reverse(m.id));
    // What was changed or deleted since it was indexed is not what was looked for.
    let found = |m: Message| search.terms.found_in(&m).map(|places| (m, places));
    Ok(Found { messages: messages.into_iter().filter_map(found).collect(), more_before: packed.found })
}

/// The channels that are part of the question to the index: none where they are many.
fn asked_channels<'a>(search: &Search<'a>) -> &'a [ChannelId] {
    let few = search.channels.len() <= ASKED_CHANNELS || search.terms.is_empty();
    if few { search.channels } else { &[] }
}

/// The common tables and the border of a search: `hits` selects ids, one more than are wanted (`$limit`).
fn texts(hits: &str, limit: &str, user: &str) -> Texts {
    Texts::new(
        &format!("WITH {hits}, {}", packed::page_of_ids("hits")),
        &format!(
            "(SELECT CASE WHEN (SELECT COUNT(*) FROM hits) > {limit} THEN
                 (SELECT MIN(id) FROM (SELECT id FROM hits ORDER BY id DESC LIMIT {limit}) AS kept) END)"
        ),
        user,
    )
}

/// A channel of which not all is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Behind {
    channel_id: i64,
    /// What is indexed already.
    indexed: i64,
    /// Where the channel is.
    version: i64,
    /// How many of its changes were no new messages.
    others: i64,
    /// Up to which version there are changes in the archive.
    archived: i64,
    total: i64,
}

/// Some of the channels of which not all is indexed, those with the fewest changes first; and how many
/// changes are not indexed in all. Every channel is looked at, or only those named, up to [`CHANGES`] of them.
///
/// # Errors
/// When the database fails.
pub async fn behind(db: &Db, among: Option<&[ChannelId]>) -> Result<(Vec<Behind>, i64)> {
    let tx = &mut db.read().await?.unhurried();
    let among = among.map(packed::text).transpose()?;
    macro_rules! question {
        ($among:literal) => {
            concat!(
                "SELECT channel_id, indexed, version, others, archived,
                        CAST(SUM(version - indexed) OVER () AS BIGINT) AS total
                 FROM (SELECT c.id AS channel_id, c.version, c.version - c.last_seq AS others, c.archived_version AS archived,
                              CASE WHEN s.tokenizer = $1 THEN s.version ELSE 0 END AS indexed
                       FROM channels c LEFT JOIN search_channels s ON s.channel_id = c.id
                       WHERE c.deleted_at IS NULL AND ",
                $among,
                ") AS channels
                 WHERE version > indexed
                 ORDER BY version - indexed, channel_id LIMIT $2"
            )
        };
    }
    let question = match (&among, &tx) {
        (None, _) => question!("$3 IS NULL"),
        (_, Tx::Sqlite(_)) => question!("c.id IN (SELECT CAST(value AS BIGINT) FROM json_each($3))"),
        (_, Tx::Postgres(_)) => {
            question!("c.id IN (SELECT value::bigint FROM json_array_elements_text($3::json))")
        }
    };
    let channels = all!(tx, Behind, question, tokens::VERSION, CHANGES, &among)?;
    let total = channels.first().map_or(0, |c| c.total);
    Ok((channels, total))
}

impl Behind {
    /// Which channel it is.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        self.channel_id.into()
    }
}

/// Changes of one channel that are to be indexed.
#[derive(Debug, Clone)]
struct Slice {
    channel: i64,
    /// Up to which version it is indexed afterwards.
    until: i64,
    /// How many changes that is.
    changes: i64,
    messages: Vec<Message>,
}

/// Changes that fit one transaction.
#[derive(Debug, Clone, Default)]
pub struct Batch(Vec<Slice>);

impl Batch {
    /// How many changes it has; not all of them are of messages.
    #[must_use]
    pub fn changes(&self) -> i64 {
        self.0.iter().map(|slice| slice.changes).sum()
    }
}

/// The changes among the messages of some tables, each with what else must hold of them.
fn changes(tables: &[(&str, &str)]) -> Texts {
    let columns = |cast: &str| {
        let names = ["channel", "indexed", "until", "others"];
        let column = |(n, name)| format!("(value ->> {n}){cast} AS {name}");
        names.iter().enumerate().map(column).collect::<Vec<_>>().join(", ")
    };
    let page = |asked: &str, messages: fn(&str, &str) -> String| {
        let of = |(table, and): &(&str, &str)| {
            let changed =
                format!("channel_id = channel AND version > indexed AND version <= until AND changed {and}");
            let fresh = format!(
                "channel_id = channel AND seq > indexed - others AND seq <= until
                 AND version > indexed AND version <= until AND NOT changed {and}"
            );
            [changed, fresh].map(|which| format!("SELECT {{message}} FROM {}", messages(table, &which)))
        };
        let parts = tables.iter().flat_map(of).collect::<Vec<_>>().join(" UNION ALL ");
        format!("WITH asked AS ({asked}), page AS MATERIALIZED ({parts})")
    };
    let asked = format!("SELECT {} FROM json_each($1)", columns(""));
    let each = |table: &str, which: &str| format!("asked CROSS JOIN {table} WHERE {which}");
    let Texts { sqlite, .. } = Texts::new(&page(&asked, each), "NULL", "NULL");
    let asked = format!("SELECT {} FROM json_array_elements($1::json) AS asked (value)", columns("::bigint"));
    // The limit, which is never reached, has the index asked for each channel.
    let each = |table: &str, which: &str| {
        format!("asked CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {which} LIMIT {CHANGES}) AS messages")
    };
    Texts { sqlite, ..Texts::new(&page(&asked, each), "NULL::bigint", "NULL") }
}

static CHANGED: LazyLock<Texts> = LazyLock::new(|| changes(&[("messages", "")]));
static ALL_CHANGED: LazyLock<Texts> = LazyLock::new(|| {
    let of_archive = format!("AND {}", packed::ARCHIVED);
    changes(&[("messages", ""), ("messages_archive AS messages", &of_archive)])
});

/// What is to be indexed next of these channels, as it is now. A message that never changed has as version its
/// seq and the number of other changes until then, which bounds where to look for them.
///
/// # Errors
/// When the database fails.
pub async fn changed(db: &Db, channels: &[Behind]) -> Result<Batch> {
    let mut room = CHANGES;
    let mut asked = Vec::new();
    let archived = channels.iter().any(|c| c.indexed < c.archived);
    for c in channels {
        if room == 0 {
            break;
        }
        let until = c.version.min(c.indexed + room);
        room -= until - c.indexed;
        asked.push((c.channel_id, c.indexed, until, c.others));
    }
    let json = packed::text(&asked)?;
    let Texts { sqlite, postgres } = if archived { &*ALL_CHANGED } else { &*CHANGED };
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str()).bind(json).fetch_one(&mut **$c).await
        };
    }
    let packed = match counted(&mut db.read().await?) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    let mut messages = packed::unpack(&packed?)?;
    messages.sort_unstable_by_key(|m| (m.channel_id, m.version));
    let slices = asked.into_iter().map(|(channel, indexed, until, _)| {
        let of_channel = messages.iter().filter(|m| m.channel_id.get() == channel).cloned().collect();
        Slice { channel, until, changes: until - indexed, messages: of_channel }
    });
    Ok(Batch(within(slices)))
}

/// As many of the changes as have room in a transaction, at least one message.
fn within(slices: impl Iterator<Item = Slice>) -> Vec<Slice> {
    let mut chars = 0;
    let mut batch = Vec::new();
    for mut slice in slices {
        let all = slice.messages.len();
        let fitting = slice.messages.iter().take_while(|m| {
            let before = chars;
            chars += m.content.chars().count();
            before < CHARS
        });
        let fitting = fitting.count();
        if let Some(next) = slice.messages.get(fitting) {
            let left = slice.until - (next.version - 1);
            (slice.until, slice.changes) = (slice.until - left, slice.changes - left);
            slice.messages.truncate(fitting);
        }
        let whole = fitting == all;
        batch.push(slice);
        if !whole {
            break;
        }
    }
    batch
}

/// Puts changes into the index; gives how many changes these were.
///
/// # Errors
/// When the database fails; then nothing is indexed.
pub async fn store(db: &Db, batch: &Batch) -> Result<i64> {
    let entries: Vec<Vec<(&Message, String)>> = {
        let words = |m| if is_there(m) { terms::words(m) } else { String::new() };
        batch.0.iter().map(|slice| slice.messages.iter().map(|m| (m, words(m))).collect()).collect()
    };
    let mut tx = db.begin().await?.unhurried();
    let versions: Vec<(i64, i64)> = batch.0.iter().map(|slice| (slice.channel, slice.until)).collect();
    // Another node may have been quicker; what it read is as new.
    let ours = match &mut tx {
        Tx::Sqlite(c) => sqlite::advance(c, &versions).await?,
        Tx::Postgres(c) => postgres::advance(c, &versions).await?,
    };
    let ours = batch.0.iter().zip(entries).filter(|(slice, _)| ours.contains(&slice.channel));
    let entries: Vec<_> = ours.flat_map(|(_, entries)| entries).collect();
    let (there, gone): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(message, _)| is_there(message));
    let gone: Vec<i64> = gone.into_iter().map(|(message, _)| message.id.get()).collect();
    match &mut tx {
        Tx::Sqlite(c) => sqlite::put(c, &there, &gone).await?,
        Tx::Postgres(c) => postgres::put(c, &there, &gone).await?,
    }
    tx.commit().await?;
    Ok(batch.changes())
}

const fn is_there(message: &Message) -> bool {
    message.deleted_at.is_none()
}

/// Empties the index, so that all is indexed anew.
///
/// # Errors
/// When the database fails.
pub async fn clear(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?.unhurried();
    execute!(&mut tx, "DELETE FROM search_channels")?;
    match &tx {
        Tx::Sqlite(_) => {
            execute!(&mut tx, "INSERT INTO message_words (message_words) VALUES ('delete-all')")?
        }
        Tx::Postgres(_) => execute!(&mut tx, "TRUNCATE message_words")?,
    };
    tx.commit().await
}
