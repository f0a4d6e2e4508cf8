//! Messages: read by cursor and by version, edited, deleted. They are sent through the
//! [`writer`](crate::writer).

use madang_proto::{ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message};

use crate::{
    Error, Result, Tx,
    db::{all, optional},
};

/// Which side of a place in the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The newest messages before this `seq`.
    Before(i64),
    /// The oldest messages after this `seq`.
    After(i64),
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
    #[sqlx(try_from = "i64")]
    author_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

impl From<Row> for Message {
    fn from(r: Row) -> Self {
        let author = UserSummary {
            id: r.author_id,
            username: r.username,
            display_name: r.display_name,
            avatar_url: r.avatar_url,
        };
        Self {
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
            created_at: r.created_at,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.channel_id, m.seq, m.version, m.content, m.nonce, m.created_at, m.edited_at,
                    m.deleted_at, m.author_id, u.username, u.display_name, u.avatar_url
             FROM messages m JOIN users u ON u.id = m.author_id ",
            $rest
        )
    };
}

/// The message with this id, or its tombstone.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: MessageId) -> Result<Option<Message>> {
    Ok(optional!(tx, Row, select!("WHERE m.id = $1"), id.get())?.map(Message::from))
}

/// The message that an author sent with this nonce.
///
/// # Errors
/// When the database fails.
pub async fn find_by_nonce(tx: &mut Tx, author: UserId, nonce: &str) -> Result<Option<Message>> {
    let row = optional!(
        tx,
        Row,
        select!("WHERE m.id = (SELECT message_id FROM message_nonces WHERE author_id = $1 AND nonce = $2)"),
        author.get(),
        nonce
    )?;
    Ok(row.map(Message::from))
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

/// Up to `limit` messages on one side of a place, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn beside(tx: &mut Tx, channel: ChannelId, side: Side, limit: u32) -> Result<Vec<Message>> {
    let limit = i64::from(limit);
    let rows = match side {
        Side::Before(seq) => {
            let mut rows = all!(
                tx,
                Row,
                select!("WHERE m.channel_id = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3"),
                channel.get(),
                seq,
                limit
            )?;
            rows.reverse();
            rows
        }
        Side::After(seq) => all!(
            tx,
            Row,
            select!("WHERE m.channel_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT $3"),
            channel.get(),
            seq,
            limit
        )?,
    };
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Messages whose newest change is later than `version`, by version.
///
/// # Errors
/// When the database fails.
pub async fn changed_since(
    tx: &mut Tx,
    channel: ChannelId,
    version: i64,
    limit: u32,
) -> Result<Vec<Message>> {
    let rows = all!(
        tx,
        Row,
        select!("WHERE m.channel_id = $1 AND m.version > $2 ORDER BY m.version LIMIT $3"),
        channel.get(),
        version,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Stores a message's content, times and version as they are in `message`.
///
/// # Errors
/// `NotFound` when it is gone.
pub async fn update(tx: &mut Tx, message: &Message) -> Result<()> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE messages SET content = $1, edited_at = $2, deleted_at = $3, version = $4 WHERE id = $5 RETURNING id",
        &message.content,
        message.edited_at.map(Timestamp::millis),
        message.deleted_at.map(Timestamp::millis),
        message.version,
        message.id.get()
    )?;
    row.map(|_| ()).ok_or(Error::NotFound)
}
