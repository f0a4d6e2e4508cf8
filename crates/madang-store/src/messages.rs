//! Messages: read by cursor and by version, edited, deleted. They are sent through the
//! [`writer`](crate::writer).

use std::sync::LazyLock;

use madang_proto::{ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message};

use crate::{
    Db, Error, Result, Tx, authors,
    db::{counted, optional},
    kept::ask,
    packed::{self, Packed, Texts, Unsigned},
    reactions,
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
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: MessageId,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    seq: i64,
    version: i64,
    content: String,
    nonce: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    reactions: Option<String>,
    pinned_at: Option<i64>,
    #[sqlx(try_from = "i64")]
    author_id: UserId,
    thread: Option<String>,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

impl TryFrom<Row> for Message {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        let author = UserSummary {
            id: r.author_id,
            username: r.username,
            display_name: r.display_name,
            avatar_url: r.avatar_url,
        };
        Ok(Self {
            id: r.id,
            channel_id: r.channel_id,
            seq: r.seq,
            version: r.version,
            user: author.clone(),
            author,
            content: r.content,
            nonce: r.nonce,
            edited_at: r.edited_at.map(Timestamp::from),
            deleted_at: r.deleted_at.map(Timestamp::from),
            reactions: reactions::unpacked(r.reactions.as_deref())?,
            pinned: r.pinned_at.is_some(),
            thread: packed::object(r.thread.as_deref())?,
            created_at: r.created_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.channel_id, m.seq, m.version, m.content, m.nonce, m.created_at, m.edited_at,
                    m.deleted_at, m.reactions, m.pinned_at, m.author_id, m.thread, u.username, u.display_name,
                    u.avatar_url
             FROM messages m JOIN users u ON u.id = m.author_id ",
            $rest
        )
    };
}

/// The message with this id, or its tombstone, as everyone sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: MessageId) -> Result<Option<Message>> {
    optional!(tx, Row, select!("WHERE m.id = $1"), id.get())?.map(Message::try_from).transpose()
}

/// The `seq` of a message of this channel.
///
/// # Errors
/// When the database fails.
pub async fn seq_of(tx: &mut Tx, channel: ChannelId, id: MessageId) -> Result<Option<i64>> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT seq FROM messages WHERE id = $1 AND channel_id = $2",
        id.get(),
        channel.get()
    )?;
    Ok(row.map(|r| r.0))
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

/// What [`PAGE`] gives: packed messages before the place and from it on, and its `seq`.
type Page = (Option<String>, Option<String>, Option<i64>);

/// Messages of a channel as a user sees them, oldest first: at most `older` before the place and `newer` from it on. One
/// statement, and so one snapshot.
///
/// # Errors
/// `NotFound` when the place is not a message of this channel.
pub async fn page(
    db: &Db,
    channel: ChannelId,
    user: UserId,
    place: Place,
    older: u32,
    newer: u32,
) -> Result<Vec<Message>> {
    // What is added to the seq of the place to come to the border between older and newer.
    let (id, border) = match place {
        Place::Newest => (0, i64::MAX),
        Place::Before(id) | Place::Around(id) => (id.get(), 0),
        Place::After(id) => (id.get(), 1),
    };
    let Texts { sqlite, postgres } = &*PAGE;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Page>($sql.as_str())
                .bind(channel.get())
                .bind(id)
                .bind(i64::from(older))
                .bind(i64::from(newer))
                .bind(border)
                .bind(user.get())
                .fetch_one($c)
        };
    }
    let (older, newer, found) = match counted(db) {
        Db::Sqlite { kept, .. } => ask!(kept, c => question!(c, sqlite)),
        Db::Postgres { kept, .. } => ask!(kept, c => question!(c, postgres)),
    }?;
    if found.is_none() {
        return Err(Error::NotFound);
    }
    let unsigned = Unsigned::new(older.as_deref())?.and(newer.as_deref())?;
    let authors = authors::find(db, unsigned.authors()).await?;
    let mut messages = unsigned.signed(&authors)?;
    messages.sort_unstable_by_key(|m| m.seq);
    Ok(messages)
}

static CHANGED: LazyLock<Texts> = LazyLock::new(|| {
    Texts::new(
        "WITH page AS MATERIALIZED (
             SELECT * FROM (SELECT {message} FROM messages
                            WHERE channel_id = $1 AND version > $2
                              AND changed
                            ORDER BY version LIMIT $3 + 0) AS changed
             UNION ALL
             SELECT * FROM (SELECT {message} FROM messages
                            WHERE channel_id = $1 AND version > $2 AND NOT changed
                              AND seq > $2 - (SELECT version - last_seq FROM channels WHERE id = $1)
                            ORDER BY seq LIMIT $3 + 0) AS fresh)",
        "$2",
        "$4",
    )
});

/// Messages whose newest change is later than `version`, as a user sees them, by version.
///
/// The version of a message that never changed is its seq and the number of other changes until then,
/// which is at most the channel's version less its last seq: that bounds where to look for them.
///
/// # Errors
/// When the database fails.
pub async fn changed_since(
    tx: &mut Tx,
    channel: ChannelId,
    user: UserId,
    version: i64,
    limit: u32,
) -> Result<Vec<Message>> {
    let Texts { sqlite, postgres } = &*CHANGED;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str())
                .bind(channel.get())
                .bind(version)
                .bind(i64::from(limit))
                .bind(user.get())
                .fetch_one(&mut **$c)
                .await
        };
    }
    let packed = match counted(tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    let mut messages = packed::unpack(&packed?)?;
    messages.sort_unstable_by_key(|m| m.version);
    messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(messages)
}

static OF_NONCES: LazyLock<Texts> = LazyLock::new(|| {
    let page = |nonces: &str| {
        format!(
            "WITH page AS MATERIALIZED (
                 SELECT {{message}} FROM messages WHERE id IN (
                     SELECT n.message_id FROM {nonces} JOIN message_nonces n
                     ON n.author_id = asked.author_id AND n.nonce = asked.nonce))"
        )
    };
    let sqlite = "(SELECT value ->> 0 AS author_id, value ->> 1 AS nonce FROM json_each($1)) AS asked";
    let postgres = "(SELECT (value ->> 0)::bigint AS author_id, value ->> 1 AS nonce
                     FROM json_array_elements($1::json) AS pairs (value)) AS asked";
    // Each author asks for their own.
    let Texts { sqlite, .. } = Texts::new(&page(sqlite), "NULL", "messages.author_id");
    Texts { sqlite, ..Texts::new(&page(postgres), "NULL::bigint", "messages.author_id") }
});

/// The messages that authors sent with these nonces.
///
/// # Errors
/// When the database fails.
pub(crate) async fn of_nonces(tx: &mut Tx, nonces: &[(i64, &str)]) -> Result<Vec<Message>> {
    let Texts { sqlite, postgres } = &*OF_NONCES;
    let asked = packed::text(nonces)?;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str()).bind(asked).fetch_one(&mut **$c).await
        };
    }
    let packed = match counted(tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    packed::unpack(&packed?)
}

static OF_IDS: LazyLock<Texts> = LazyLock::new(|| {
    let page = |ids: &str| {
        format!("WITH page AS MATERIALIZED (SELECT {{message}} FROM messages WHERE id IN (SELECT {ids}))")
    };
    let Texts { sqlite, .. } = Texts::new(&page("value FROM json_each($1)"), "NULL", "$2");
    let postgres = page("value::bigint FROM json_array_elements_text($1::json)");
    Texts { sqlite, ..Texts::new(&postgres, "NULL::bigint", "$2") }
});

/// These messages as a user sees them, in no order.
///
/// # Errors
/// When the database fails.
pub async fn of_ids(tx: &mut Tx, user: UserId, ids: &[MessageId]) -> Result<Vec<Message>> {
    let Texts { sqlite, postgres } = &*OF_IDS;
    let asked = packed::text(&ids.iter().map(|id| id.get()).collect::<Vec<_>>())?;
    macro_rules! question {
        ($c:ident, $sql:ident) => {
            sqlx::query_as::<_, Packed>($sql.as_str()).bind(asked).bind(user.get()).fetch_one(&mut **$c).await
        };
    }
    let packed = match counted(tx) {
        Tx::Sqlite(c) => question!(c, sqlite),
        Tx::Postgres(c) => question!(c, postgres),
    };
    packed::unpack(&packed?)
}

/// Stores what may change of a message as it is in `message`: its content, times, reactions, thread, version.
///
/// # Errors
/// `NotFound` when it is gone.
pub async fn update(tx: &mut Tx, message: &Message) -> Result<()> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE messages SET content = $1, edited_at = $2, deleted_at = $3, reactions = $4, thread = $5,
                             version = $6, changed = TRUE
         WHERE id = $7 RETURNING id",
        &message.content,
        message.edited_at.map(Timestamp::millis),
        message.deleted_at.map(Timestamp::millis),
        reactions::packed(&message.reactions)?,
        message.thread.as_ref().map(packed::text).transpose()?,
        message.version,
        message.id.get()
    )?;
    row.map(|_| ()).ok_or(Error::NotFound)
}
