//! Pages of a channel: from `messages` alone, and from the archive too where that has a part of it.

use std::sync::LazyLock;

use madang_proto::{ChannelId, MessageId, UserId, messages::Message};

use crate::{
    Db, Error, Result, authors,
    db::counted,
    kept::ask,
    packed::{ARCHIVED, Texts, Unsigned},
};

/// Which messages of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The newest.
    Newest,
    /// The newest before this one.
    Before(MessageId),
    /// The oldest after this one.
    After(MessageId),
    /// Those before this one, and it and those after it.
    Around(MessageId),
    /// Those before this `seq`, and it and those after it.
    AroundSeq(i64),
}

// SQLite looks into a parameter that stands alone after LIMIT when it plans, and so plans the statement anew
// for every page; a sum it does not.
static PAGE: LazyLock<Texts> = LazyLock::new(|| {
    Texts::lists(
        "WITH place AS (
             SELECT CASE WHEN $2 = 0 THEN $5
                    ELSE (SELECT seq + $5 FROM messages WHERE id = $2 AND channel_id = $1) END AS seq)
         SELECT (SELECT {packed} FROM (SELECT {message} FROM messages
                                       WHERE channel_id = $1 AND seq < (SELECT seq FROM place)
                                       ORDER BY seq DESC LIMIT $3 + 0) AS m) AS older,
                (SELECT {packed} FROM (SELECT {message} FROM messages
                                       WHERE channel_id = $1 AND seq >= (SELECT seq FROM place)
                                       ORDER BY seq LIMIT $4 + 0) AS m) AS newer,
                (SELECT seq FROM place) AS found",
        "$6",
    )
});

// The same, of all messages.
static WHOLE_PAGE: LazyLock<Texts> = LazyLock::new(|| {
    let side = |which: &str, order: &str, limit: &str| {
        let of = |table: &str, and: &str| {
            format!(
                "SELECT * FROM (SELECT {{message}} FROM {table} WHERE channel_id = $1 AND {which} {and}
                                ORDER BY seq {order} LIMIT {limit} + 0) AS page"
            )
        };
        let (live, old) =
            (of("messages", ""), of("messages_archive AS messages", &format!("AND {ARCHIVED}")));
        format!(
            "SELECT {{packed}} FROM (SELECT * FROM ({live} UNION ALL {old}) AS every
                                     ORDER BY seq {order} LIMIT {limit} + 0) AS m"
        )
    };
    let older = side("seq < (SELECT seq FROM place)", "DESC", "$3");
    let newer = side("seq >= (SELECT seq FROM place)", "ASC", "$4");
    Texts::lists(
        &format!(
            "WITH place AS (
                 SELECT CASE WHEN $2 = 0 THEN $5
                        ELSE $5 + COALESCE((SELECT seq FROM messages WHERE id = $2 AND channel_id = $1),
                            (SELECT seq FROM messages_archive WHERE id = $2 AND channel_id = $1)) END AS seq)
             SELECT ({older}) AS older, ({newer}) AS newer, (SELECT seq FROM place) AS found"
        ),
        "$6",
    )
});

/// What [`PAGE`] gives: packed messages before the place and from it on, and its `seq`.
type Page = (Option<String>, Option<String>, Option<i64>);

/// What is asked for of a channel.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Where.
    pub place: Place,
    /// How many before the place, at most.
    pub older: u32,
    /// How many from it on, at most.
    pub newer: u32,
    /// The oldest and the newest `seq` of the channel, as they were a moment ago.
    pub ends: (i64, i64),
}

impl Window {
    /// Whether messages, in their order, are all that is asked for; `border` is the `seq` that parts older from newer.
    /// `seq` has no holes, so what is archived is missed.
    fn is_whole(&self, messages: &[Message], border: i64) -> bool {
        let (first, last) = self.ends;
        let (older, newer) = messages.split_at(messages.partition_point(|m| m.seq < border));
        let without_holes = |part: &[Message]| part.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq);
        let (oldest, newest) = (first.min(border), last.max(first - 1));
        let is_full =
            |part: &[Message], most: u32| usize::try_from(most).is_ok_and(|most| part.len() >= most);
        let older_end = newest.min(border - 1);
        let has_older =
            is_full(older, self.older) || older.first().map_or(older_end + 1, |m| m.seq) <= oldest;
        let has_newer = is_full(newer, self.newer) || newer.last().map_or(border - 1, |m| m.seq) >= newest;
        let joins = (older.is_empty() || older.last().is_some_and(|m| m.seq >= older_end))
            && (newer.is_empty() || newer.first().is_some_and(|m| m.seq == border.max(first)));
        has_older && has_newer && joins && without_holes(older) && without_holes(newer)
    }
}

/// Messages of a channel as a user sees them, oldest first. One statement, and so one snapshot; another one where the
/// archive is needed.
///
/// # Errors
/// `NotFound` when the place is not a message of this channel.
pub async fn page(db: &Db, channel: ChannelId, user: UserId, window: Window) -> Result<Vec<Message>> {
    if let Some((messages, border)) = part(db, channel, user, window, &PAGE).await?
        && window.is_whole(&messages, border)
    {
        return Ok(messages);
    }
    let whole = part(db, channel, user, window, &WHOLE_PAGE).await?;
    whole.map(|(messages, _)| messages).ok_or(Error::NotFound)
}

async fn part(
    db: &Db,
    channel: ChannelId,
    user: UserId,
    window: Window,
    texts: &'static Texts,
) -> Result<Option<(Vec<Message>, i64)>> {
    // What is added to the seq of the place to come to the border between older and newer.
    let (id, border) = match window.place {
        Place::Newest => (0, i64::MAX),
        Place::Before(id) | Place::Around(id) => (id.get(), 0),
        Place::After(id) => (id.get(), 1),
        Place::AroundSeq(seq) => (0, seq),
    };
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Page>(texts.$sql.as_str())
                .bind(channel.get())
                .bind(id)
                .bind(i64::from(window.older))
                .bind(i64::from(window.newer))
                .bind(border)
                .bind(user.get())
                .fetch_one($c)
        };
    }
    let (older, newer, found) = match counted(db) {
        Db::Sqlite { kept, .. } => ask!(kept, c => question!(c, sqlite)),
        Db::Postgres { kept, .. } => ask!(kept, c => question!(c, postgres)),
    }?;
    let Some(border) = found else { return Ok(None) };
    let unsigned = Unsigned::new(older.as_deref())?.and(newer.as_deref())?;
    let authors = authors::find(db, unsigned.authors()).await?;
    let mut messages = unsigned.signed(&authors)?;
    messages.retain(|m| m.seq >= window.ends.0);
    messages.sort_unstable_by_key(|m| m.seq);
    Ok(Some((messages, border)))
}
