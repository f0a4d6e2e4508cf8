//! What is unread: which messages after a read mark mention whom, and which do not count.
//!
//! How many messages there are after a mark, the numbers of the channel say. Here is what differs from that: those
//! that are deleted, and those that mention someone. One's own do not count either; there are some after the mark
//! only when it moved back, and then they stand beside it (`reads`).
//!
//! Invariants:
//! - Each function is one statement, however many channels and messages there are.
//! - Of deleted messages and of mentions the newest are read, and no more.

use std::{collections::HashMap, sync::Arc};

use madang_proto::{ChannelId, UserId, channels::Channel, limits};

use crate::{Result, Tx, db::all, packed};

/// The user of a row that is for several.
const SEVERAL: i64 = 0;
/// The user of a row that lists deleted messages.
const NOBODY: i64 = -1;

/// Most mentions for one user that are read of a channel.
const MENTIONS: i64 = limits::MENTIONS_COUNTED as i64;
/// Most deleted messages that are read of a channel.
const DELETED: i64 = limits::UNREAD_SKIPPED as i64;

/// A message that mentions everyone, or those who were there.
#[derive(Debug, Clone)]
pub struct Everyone {
    /// Its `seq`.
    pub seq: i64,
    /// Those who were there, by id; everyone where there is no such list.
    pub people: Option<Arc<[UserId]>>,
}

impl Everyone {
    /// Whether it is for this user.
    #[must_use]
    pub fn is_for(&self, user: UserId) -> bool {
        self.people.as_ref().is_none_or(|people| people.binary_search(&user).is_ok())
    }
}

/// Messages of a channel, by `seq`.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// Those that mention the user by name.
    pub by_name: Vec<i64>,
    /// Those that mention everyone.
    pub everyone: Vec<Everyone>,
    /// Those that are deleted.
    pub deleted: Vec<i64>,
}

impl Marks {
    /// The messages that mention a user.
    #[must_use]
    fn of(self, user: UserId) -> Vec<i64> {
        let everyone = self.everyone.iter().filter(|mention| mention.is_for(user)).map(|mention| mention.seq);
        merge(self.by_name, everyone)
    }
}

/// Both in order, each once.
#[must_use]
pub fn merge(mut all: Vec<i64>, others: impl Iterator<Item = i64>) -> Vec<i64> {
    all.extend(others);
    all.sort_unstable();
    all.dedup();
    all
}

#[derive(sqlx::FromRow)]
struct Row {
    channel_id: i64,
    user_id: i64,
    seq: i64,
    people: Option<String>,
}

impl Row {
    /// Adds what it tells.
    fn add_to(self, marks: &mut Marks) -> Result<()> {
        let listed: Option<Vec<i64>> = packed::object(self.people.as_deref())?;
        match self.user_id {
            SEVERAL => {
                let people = listed.map(|people| people.into_iter().map(UserId::from).collect());
                marks.everyone.push(Everyone { seq: self.seq, people });
            }
            NOBODY => marks.deleted = merge(listed.unwrap_or_default(), std::iter::empty()),
            _ => marks.by_name.push(self.seq),
        }
        Ok(())
    }
}

fn by_channel(rows: Vec<Row>) -> Result<HashMap<ChannelId, Marks>> {
    let mut found: HashMap<ChannelId, Marks> = HashMap::new();
    for row in rows {
        let marks = found.entry(row.channel_id.into()).or_default();
        row.add_to(marks)?;
    }
    Ok(found)
}

// A parameter that stands alone after LIMIT would be looked into by SQLite for each plan; a sum is not.
macro_rules! deleted {
    ($rest:literal) => {
        concat!(
            "(SELECT string_agg(CAST(seq AS TEXT), ',') FROM (
                  SELECT d.seq FROM messages d WHERE d.deleted_at IS NOT NULL AND ",
            $rest,
            " ORDER BY d.seq DESC LIMIT $3 + 0) AS newest)"
        )
    };
}

macro_rules! select {
    ($mentions:literal, $deleted:literal, $member:literal) => {
        concat!(
            "SELECT channel_id, user_id, seq, people FROM (
                 SELECT n.channel_id, n.user_id, n.seq, n.people,
                        ROW_NUMBER() OVER (PARTITION BY n.channel_id, n.user_id ORDER BY n.seq DESC) AS place
                 FROM channel_members m JOIN mentions n ON n.channel_id = m.channel_id AND n.user_id IN (0, $1)
                 WHERE m.user_id = $1 AND m.left_at IS NULL AND ", $mentions, $member, ") AS newest
             WHERE place <= $2
             UNION ALL
             SELECT channel_id, -1, 0, '[' || seqs || ']' FROM (
                 SELECT m.channel_id, ", deleted!($deleted), " AS seqs
                 FROM channel_members m WHERE m.user_id = $1 AND m.left_at IS NULL", $member, ") AS gone
             WHERE seqs IS NOT NULL
             ORDER BY channel_id, seq"
        )
    };
}

/// Of the channels of a user: their newest unread mentions by name, and of everyone and of deleted messages the
/// newest, read or not.
///
/// # Errors
/// When the database fails.
pub async fn around(tx: &mut Tx, user: UserId) -> Result<HashMap<ChannelId, Marks>> {
    let rows = all!(
        tx,
        Row,
        select!("(n.user_id = 0 OR n.seq > m.last_read_seq)", "d.channel_id = m.channel_id", ""),
        user.get(),
        MENTIONS,
        DELETED
    )?;
    by_channel(rows)
}

/// Says of channels, or of all of them, what a user has not read. One's own messages are told already.
///
/// # Errors
/// When the database fails.
pub async fn tell(tx: &mut Tx, user: UserId, channels: &mut [Channel]) -> Result<()> {
    let rows = match &*channels {
        // With nothing unread there is nothing to ask.
        channels if channels.iter().all(|c| c.unread_count.unwrap_or(0) == 0) => Vec::new(),
        [one] => all!(
            tx,
            Row,
            select!(
                "n.seq > m.last_read_seq",
                "d.channel_id = m.channel_id AND d.seq > m.last_read_seq",
                " AND m.channel_id = $4"
            ),
            user.get(),
            MENTIONS,
            DELETED,
            one.id.get()
        )?,
        _ => all!(
            tx,
            Row,
            select!("n.seq > m.last_read_seq", "d.channel_id = m.channel_id AND d.seq > m.last_read_seq", ""),
            user.get(),
            MENTIONS,
            DELETED
        )?,
    };
    let mut found = by_channel(rows)?;
    for channel in channels {
        let mut marks = found.remove(&channel.id).unwrap_or_default();
        let own = std::mem::take(&mut channel.unread_skipped);
        let skipped = merge(own, std::mem::take(&mut marks.deleted).into_iter());
        channel.set_unread(skipped, marks.of(user));
    }
    Ok(())
}

/// The newest messages of a channel that mention everyone, and that are deleted.
///
/// # Errors
/// When the database fails.
pub async fn of_channel(tx: &mut Tx, channel: ChannelId) -> Result<Marks> {
    let rows = all!(
        tx,
        Row,
        concat!(
            "SELECT channel_id, user_id, seq, people FROM (
                 SELECT channel_id, user_id, seq, people FROM mentions
                 WHERE channel_id = $1 AND user_id = 0 ORDER BY seq DESC LIMIT $2 + 0) AS newest
             UNION ALL
             SELECT $1, -1, 0, '[' || seqs || ']' FROM (SELECT ",
            deleted!("d.channel_id = $1"),
            " AS seqs) AS gone WHERE seqs IS NOT NULL
             ORDER BY channel_id, seq"
        ),
        channel.get(),
        MENTIONS,
        DELETED
    )?;
    Ok(by_channel(rows)?.remove(&channel).unwrap_or_default())
}
