//! Messages: read by cursor and by version, edited, deleted. They are sent through the
//! [`writer`](crate::writer).

mod page;

use std::sync::{Arc, LazyLock};

use madang_proto::{ChannelId, MessageId, Timestamp, UserId, accounts::UserSummary, messages::Message};

pub use self::page::{Place, Window, page};
use crate::{
    Error, Result, Tx,
    db::{counted, optional},
    files, mentions, message_archive,
    packed::{self, ARCHIVED, Packed, Texts},
    previews, reactions,
};

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
    mentions: Option<String>,
    files: Option<String>,
    previews: Option<String>,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
}

impl TryFrom<Row> for Message {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        let author = Arc::new(UserSummary {
            id: r.author_id,
            username: r.username,
            display_name: r.display_name,
            avatar_url: r.avatar_url,
        });
        Ok(Self {
            id: r.id,
            channel_id: r.channel_id,
            seq: r.seq,
            version: r.version,
            user: Arc::clone(&author),
            author,
            content: r.content,
            nonce: r.nonce,
            edited_at: r.edited_at.map(Timestamp::from),
            deleted_at: r.deleted_at.map(Timestamp::from),
            reactions: reactions::unpacked(r.reactions.as_deref())?,
            mentions: mentions::unpacked(r.mentions.as_deref())?,
            pinned: r.pinned_at.is_some(),
            files: files::unpacked(r.files.as_deref())?,
            previews: previews::unpacked(r.previews.as_deref())?,
            thread: packed::object(r.thread.as_deref())?,
            created_at: r.created_at,
        })
    }
}

macro_rules! select {
    ($table:literal) => {
        concat!(
            "SELECT m.id, m.channel_id, m.seq, m.version, m.content, m.nonce, m.created_at, m.edited_at,
                    m.deleted_at, m.reactions, m.pinned_at, m.author_id, m.thread, m.mentions, m.files, m.previews,
                    u.username, u.display_name, u.avatar_url
             FROM ",
            $table,
            " m JOIN users u ON u.id = m.author_id
             WHERE m.id = $1 AND m.seq >= (SELECT first_seq FROM channels c WHERE c.id = m.channel_id)"
        )
    };
}

/// The message with this id, or its tombstone, as everyone sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: MessageId) -> Result<Option<Message>> {
    const LIVE: &str = select!("messages");
    const OLD: &str = select!("messages_archive");
    let mut row = optional!(&mut *tx, Row, LIVE, id.get())?;
    if row.is_none() {
        row = optional!(tx, Row, OLD, id.get())?;
    }
    row.map(Message::try_from).transpose()
}

/// The same in a change, with its channel locked: one from the archive comes back to be changed.
///
/// # Errors
/// When the database fails.
pub async fn find_to_change(tx: &mut Tx, id: MessageId) -> Result<Option<Message>> {
    message_archive::bring_back(tx, id).await?;
    find(tx, id).await
}

/// The `seq` of a message of this channel.
///
/// # Errors
/// When the database fails.
pub async fn seq_of(tx: &mut Tx, channel: ChannelId, id: MessageId) -> Result<Option<i64>> {
    const LIVE: &str = "SELECT seq FROM messages WHERE id = $1 AND channel_id = $2";
    const OLD: &str = "SELECT seq FROM messages_archive WHERE id = $1 AND channel_id = $2";
    let mut row = optional!(&mut *tx, (i64,), LIVE, id.get(), channel.get())?;
    if row.is_none() {
        row = optional!(tx, (i64,), OLD, id.get(), channel.get())?;
    }
    Ok(row.map(|r| r.0))
}

/// The changes among the messages of a table; beside them, up to which version there are some in the archive.
fn changes(table: &str, and: &str) -> Texts {
    let page = format!(
        "WITH page AS MATERIALIZED (
             SELECT * FROM (SELECT {{message}} FROM {table}
                            WHERE channel_id = $1 AND version > $2 AND changed {and}
                            ORDER BY version LIMIT $3 + 0) AS changed
             UNION ALL
             SELECT * FROM (SELECT {{message}} FROM {table}
                            WHERE channel_id = $1 AND version > $2 AND NOT changed
                              AND seq > $2 - (SELECT version - last_seq FROM channels WHERE id = $1) {and}
                            ORDER BY seq LIMIT $3 + 0) AS fresh)"
    );
    Texts::new(&page, "(SELECT archived_version FROM channels WHERE id = $1)", "$4")
}

static CHANGED: LazyLock<Texts> = LazyLock::new(|| changes("messages", ""));
static CHANGED_BEFORE: LazyLock<Texts> =
    LazyLock::new(|| changes("messages_archive AS messages", &format!("AND {ARCHIVED}")));

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
    let mut messages = Vec::new();
    for texts in [&*CHANGED, &*CHANGED_BEFORE] {
        macro_rules! question {
            ($c:ident, $sql:ident) => {
                sqlx::query_as::<_, Packed>(texts.$sql.as_str())
                    .bind(channel.get())
                    .bind(version)
                    .bind(i64::from(limit))
                    .bind(user.get())
                    .fetch_one(&mut **$c)
                    .await
            };
        }
        let packed = match counted(&mut *tx) {
            Tx::Sqlite(c) => question!(c, sqlite),
            Tx::Postgres(c) => question!(c, postgres),
        }?;
        messages.append(&mut packed::unpack(&packed)?);
        if packed.found.is_none_or(|archived| archived <= version) {
            break;
        }
    }
    messages.sort_unstable_by_key(|m| m.version);
    messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(messages)
}

static OF_NONCES: LazyLock<Texts> = LazyLock::new(|| {
    let page = |nonces: &str| {
        format!(
            "WITH known AS (
                 SELECT n.message_id AS id FROM {nonces} JOIN message_nonces n
                 ON n.author_id = asked.author_id AND n.nonce = asked.nonce), {}",
            packed::page_of_ids("known")
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
    let page = |ids: &str| format!("WITH asked AS (SELECT {ids}), {}", packed::page_of_ids("asked"));
    let Texts { sqlite, .. } = Texts::new(&page("value AS id FROM json_each($1)"), "NULL", "$2");
    let postgres = page("value::bigint AS id FROM json_array_elements_text($1::json)");
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

/// Stores what may change of a message as it is in `message`: its content, times, reactions, thread, mentions,
/// files, version. Its previews are stored by [`previews`].
///
/// # Errors
/// `NotFound` when it is gone.
pub async fn update(tx: &mut Tx, message: &Message) -> Result<()> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE messages SET content = $1, edited_at = $2, deleted_at = $3, reactions = $4, thread = $5,
                             version = $6, mentions = $7, files = $8, changed = TRUE
         WHERE id = $9 RETURNING id",
        &message.content,
        message.edited_at.map(Timestamp::millis),
        message.deleted_at.map(Timestamp::millis),
        reactions::packed(&message.reactions)?,
        message.thread.as_ref().map(packed::text).transpose()?,
        message.version,
        mentions::packed(&message.mentions)?,
        files::packed(&message.files)?,
        message.id.get()
    )?;
    row.map(|_| ()).ok_or(Error::NotFound)
}
