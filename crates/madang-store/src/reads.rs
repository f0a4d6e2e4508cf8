//! Read marks.
//!
//! Invariants:
//! - A mark moves back only by [`move_back`], which gives it the next version.
//! - `seen_seq`, or the mark where it is further, only grows: what others know stays true.

use madang_proto::{ChannelId, UserId, accounts::UserSummary, limits, messages::Message, reads::SeenBy};

use crate::{
    Result, Tx,
    db::{all, optional},
    packed,
};

/// What became of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// It moved forward.
    Moved {
        /// Its version.
        version: i64,
        /// Whether others are told.
        shared: bool,
    },
    /// It stood there or further already, in this version.
    Stood(i64),
    /// It moved back since: its version is later than the one that was named.
    Overtaken,
    /// Who marks is not a member.
    Missing,
}

/// Moves a member's read mark forward, unless it moved back since the named version.
///
/// # Errors
/// When the database fails.
pub async fn advance(
    tx: &mut Tx,
    channel: ChannelId,
    user: UserId,
    seq: i64,
    known: Option<i64>,
) -> Result<Advance> {
    let known = known.unwrap_or(i64::MAX);
    let moved = optional!(
        &mut *tx,
        (i64, bool),
        "UPDATE channel_members SET last_read_seq = $1
         WHERE channel_id = $2 AND user_id = $3 AND left_at IS NULL AND last_read_seq < $1 AND read_version <= $4
         RETURNING read_version, (SELECT share_read_marks FROM users WHERE id = channel_members.user_id)",
        seq,
        channel.get(),
        user.get(),
        known
    )?;
    if let Some((version, shared)) = moved {
        return Ok(Advance::Moved { version, shared });
    }
    let version = optional!(
        tx,
        (i64,),
        "SELECT read_version FROM channel_members WHERE channel_id = $1 AND user_id = $2 AND left_at IS NULL",
        channel.get(),
        user.get()
    )?;
    Ok(match version {
        Some((version,)) if version > known => Advance::Overtaken,
        Some((version,)) => Advance::Stood(version),
        None => Advance::Missing,
    })
}

/// Puts a member's read mark before a message (the channel is locked). Gives its new version; none when there is no
/// such member.
///
/// # Errors
/// When the database fails.
pub async fn move_back(
    tx: &mut Tx,
    channel: ChannelId,
    user: UserId,
    seq: i64,
    last_seq: i64,
) -> Result<Option<i64>> {
    let own = all!(
        &mut *tx,
        (i64,),
        "SELECT seq FROM messages WHERE channel_id = $1 AND seq >= $2 AND author_id = $3
         ORDER BY seq DESC LIMIT $4 + 0",
        channel.get(),
        seq.max(last_seq - limits::UNREAD_OWN_AMONG),
        user.get(),
        limits::UNREAD_SKIPPED as i64
    )?;
    let own: Vec<i64> = own.into_iter().rev().map(|row| row.0).collect();
    let own = if own.is_empty() { None } else { Some(packed::text(&own)?) };
    let row = optional!(
        tx,
        (i64,),
        "UPDATE channel_members
         SET seen_seq = CASE WHEN last_read_seq > seen_seq THEN last_read_seq ELSE seen_seq END,
             last_read_seq = $1, own_after = $2, read_version = read_version + 1
         WHERE channel_id = $3 AND user_id = $4 AND left_at IS NULL RETURNING read_version",
        seq - 1,
        own,
        channel.get(),
        user.get()
    )?;
    Ok(row.map(|row| row.0))
}

/// The members of its channel who have read up to a message and let others know, without its author and those who
/// came after it. At most `limit` of them, by id, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn seen(tx: &mut Tx, message: &Message, after: Option<UserId>, limit: u32) -> Result<SeenBy> {
    let rows = all!(
        tx,
        (i64, Option<i64>, Option<String>, Option<String>, Option<String>),
        "WITH seen AS (
             SELECT u.id, u.username, u.display_name, u.avatar_url
             FROM channel_members m JOIN users u ON u.id = m.user_id
             WHERE m.channel_id = $1 AND m.left_at IS NULL AND m.user_id <> $2 AND m.joined_at <= $3
               AND (m.last_read_seq >= $4 OR m.seen_seq >= $4) AND u.share_read_marks)
         SELECT all_of_them.number, page.id, page.username, page.display_name, page.avatar_url
         FROM (SELECT COUNT(*) AS number FROM seen) AS all_of_them
         LEFT JOIN (SELECT * FROM seen WHERE id > $5 ORDER BY id LIMIT $6 + 0) AS page ON TRUE
         ORDER BY page.id",
        message.channel_id.get(),
        message.author.id.get(),
        message.created_at.millis(),
        message.seq,
        after.map_or(0, UserId::get),
        i64::from(limit) + 1
    )?;
    let count = rows.first().map_or(0, |row| row.0);
    let person =
        |(_, id, username, display_name, avatar_url): (_, Option<i64>, Option<String>, Option<String>, _)| {
            Some(UserSummary { id: id?.into(), username: username?, display_name: display_name?, avatar_url })
        };
    let mut items: Vec<_> = rows.into_iter().filter_map(person).collect();
    let more = items.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        items.pop();
    }
    let next_cursor = items.last().filter(|_| more).map(|user| user.id.to_string());
    Ok(SeenBy { count, items, next_cursor })
}

/// A user's own messages after their mark, as they were when it moved back.
pub(crate) fn own_after(text: Option<&str>) -> Vec<i64> {
    // What no version ever wrote takes nothing from the count.
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
