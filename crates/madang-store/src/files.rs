//! Files: what is known of them. Their bytes are kept elsewhere.
//!
//! A file is `coming` while its bytes are, then `ready`, and `removed` until its bytes are gone. One that became the
//! `avatar` of its uploader (`profiles.rs`) or an `emoji` of a workspace (`emoji.rs`) is that instead of `ready`.
//!
//! Invariants:
//! - There is a row before the first byte is kept, until the last one is gone.
//! - At most one message carries a file, and only its uploader's.

use madang_proto::{ChannelId, FileId, MessageId, Timestamp, UserId, WorkspaceId, files::File};

use crate::{
    Result, Tx,
    db::{all, counted, execute, optional},
    packed,
};

/// A file that is to come.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// The id.
    pub id: FileId,
    /// Whose.
    pub uploader: UserId,
    /// What it is called.
    pub name: String,
    /// Bytes, as far as is known.
    pub size: i64,
    /// When.
    pub created_at: Timestamp,
}

/// A file and where it stands.
#[derive(Debug, Clone)]
pub struct Found {
    /// The file.
    pub file: File,
    /// Who uploaded it.
    pub uploader: UserId,
    /// The channel of the message that carries it.
    pub channel: Option<ChannelId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: FileId,
    #[sqlx(try_from = "i64")]
    uploader_id: UserId,
    name: String,
    media_type: String,
    size: i64,
    sha256: String,
    width: Option<i64>,
    height: Option<i64>,
    duration_ms: Option<i64>,
    thumbnail: bool,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    channel_id: Option<i64>,
}

impl From<Row> for Found {
    fn from(r: Row) -> Self {
        let pixels = |side: Option<i64>| side.and_then(|n| u32::try_from(n).ok());
        let file = File {
            id: r.id,
            name: r.name,
            media_type: r.media_type,
            size: r.size,
            sha256: r.sha256,
            width: pixels(r.width),
            height: pixels(r.height),
            duration_ms: r.duration_ms,
            thumbnail: r.thumbnail,
            created_at: r.created_at,
        };
        Self { file, uploader: r.uploader_id, channel: r.channel_id.map(ChannelId::from) }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, uploader_id, name, media_type, size, sha256, width, height, duration_ms, thumbnail, created_at,
                    channel_id
             FROM files ",
            $rest
        )
    };
}

/// Holds what a user keeps, so that nobody else adds to it until the end of the transaction. Gives how many
/// bytes that is, and how many uploads are coming.
///
/// # Errors
/// When the database fails.
pub async fn lock_usage(tx: &mut Tx, user: UserId) -> Result<(i64, i64)> {
    if let Tx::Postgres(_) = tx {
        execute!(tx, "SELECT 1 FROM users WHERE id = $1 FOR UPDATE", user.get())?;
    }
    let row = optional!(
        tx,
        (i64, i64),
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN state = 'coming' THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM files WHERE uploader_id = $1 AND state <> 'removed'",
        user.get()
    )?;
    Ok(row.unwrap_or_default())
}

/// How many bytes all files have.
///
/// # Errors
/// When the database fails.
pub async fn usage(tx: &mut Tx) -> Result<i64> {
    let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE state <> 'removed'";
    Ok(optional!(tx, (i64,), sql)?.map_or(0, |r| r.0))
}

/// How many bytes the messages of a workspace carry.
///
/// # Errors
/// When the database fails.
pub async fn usage_of_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE workspace_id = $1 AND state <> 'removed'",
        workspace.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

/// Notes a file that is to come.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &NewFile) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO files (id, uploader_id, name, size, created_at) VALUES ($1, $2, $3, $4, $5)",
        new.id.get(),
        new.uploader.get(),
        &new.name,
        new.size,
        new.created_at.millis()
    )?;
    Ok(())
}

/// A file of this user that is coming.
///
/// # Errors
/// When the database fails.
pub async fn coming(tx: &mut Tx, id: FileId, user: UserId) -> Result<Option<NewFile>> {
    let row = optional!(
        tx,
        (String, i64, i64),
        "SELECT name, size, created_at FROM files WHERE id = $1 AND uploader_id = $2 AND state = 'coming'",
        id.get(),
        user.get()
    )?;
    Ok(row.map(|(name, size, at)| NewFile { id, uploader: user, name, size, created_at: at.into() }))
}

/// Notes that a file has come. False when it was removed meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn complete(tx: &mut Tx, file: &File) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE files SET state = 'ready', name = $1, media_type = $2, size = $3, sha256 = $4, width = $5,
                          height = $6, duration_ms = $7, thumbnail = $8
         WHERE id = $9 AND state = 'coming'",
        &file.name,
        &file.media_type,
        file.size,
        &file.sha256,
        file.width.map(i64::from),
        file.height.map(i64::from),
        file.duration_ms,
        file.thumbnail,
        file.id.get()
    )?;
    Ok(touched == 1)
}

/// Notes that a file has come and is its uploader's avatar, in the place of the one before, with the secret part of its
/// address in the place of a name. False when it was removed meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn complete_avatar(tx: &mut Tx, file: &NewFile) -> Result<bool> {
    remove_avatar(tx, file.uploader).await?;
    let touched = execute!(
        tx,
        "UPDATE files SET state = 'avatar', name = $1, size = $2 WHERE id = $3 AND state = 'coming'",
        &file.name,
        file.size,
        file.id.get()
    )?;
    Ok(touched == 1)
}

/// Removes a user's avatar, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn remove_avatar(tx: &mut Tx, user: UserId) -> Result<()> {
    let sql = "UPDATE files SET state = 'removed' WHERE uploader_id = $1 AND state = 'avatar'";
    execute!(tx, sql, user.get())?;
    Ok(())
}

/// Whether this file is an avatar with this secret part of its address.
///
/// # Errors
/// When the database fails.
pub async fn is_avatar(tx: &mut Tx, id: FileId, secret: &str) -> Result<bool> {
    let sql = "SELECT id FROM files WHERE id = $1 AND state = 'avatar' AND name = $2";
    Ok(optional!(tx, (i64,), sql, id.get(), secret)?.is_some())
}

/// A file that has come.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: FileId) -> Result<Option<Found>> {
    let row = optional!(tx, Row, select!("WHERE id = $1 AND state = 'ready'"), id.get())?;
    Ok(row.map(Found::from))
}

/// Which of these have come and are a user's own, in no order.
///
/// # Errors
/// When the database fails.
pub async fn of_uploader(tx: &mut Tx, user: UserId, ids: &[FileId]) -> Result<Vec<File>> {
    const OF_SQLITE: &str =
        select!("WHERE uploader_id = $1 AND state = 'ready' AND id IN (SELECT value FROM json_each($2))");
    const OF_POSTGRES: &str = select!("WHERE uploader_id = $1 AND state = 'ready' AND id = ANY($2)");
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let rows: Vec<Row> = match counted(tx) {
        Tx::Sqlite(c) => {
            let asked = packed::text(&ids)?;
            sqlx::query_as(OF_SQLITE).bind(user.get()).bind(asked).fetch_all(&mut **c).await?
        }
        Tx::Postgres(c) => sqlx::query_as(OF_POSTGRES).bind(user.get()).bind(ids).fetch_all(&mut **c).await?,
    };
    Ok(rows.into_iter().map(|row| Found::from(row).file).collect())
}

/// Gives files of its author to a message, in the transaction that stores it. False, and none is given, when
/// another message carries one of them or one is gone.
///
/// # Errors
/// When the database fails.
pub async fn attach(
    tx: &mut Tx,
    message: MessageId,
    channel: ChannelId,
    author: UserId,
    files: &[File],
) -> Result<bool> {
    let mut given = 0;
    for file in files {
        given += execute!(
            &mut *tx,
            "UPDATE files SET message_id = $1, channel_id = $2,
                              workspace_id = (SELECT workspace_id FROM channels WHERE id = $2)
             WHERE id = $3 AND uploader_id = $4 AND state = 'ready' AND message_id IS NULL",
            message.get(),
            channel.get(),
            file.id.get(),
            author.get()
        )?;
    }
    if usize::try_from(given) == Ok(files.len()) {
        return Ok(true);
    }
    release(tx, message).await?;
    Ok(false)
}

/// Takes the files of a message that was not stored back from it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn release(tx: &mut Tx, message: MessageId) -> Result<()> {
    let text =
        "UPDATE files SET message_id = NULL, channel_id = NULL, workspace_id = NULL WHERE message_id = $1";
    execute!(tx, text, message.get())?;
    Ok(())
}

/// Removes the files of a message.
///
/// # Errors
/// When the database fails.
pub async fn remove_of_message(tx: &mut Tx, message: MessageId) -> Result<()> {
    execute!(tx, "UPDATE files SET state = 'removed' WHERE message_id = $1", message.get())?;
    Ok(())
}

/// Removes some files of a message; nothing is asked where there are none.
///
/// # Errors
/// When the database fails.
pub async fn remove_some(tx: &mut Tx, message: MessageId, ids: &[FileId]) -> Result<()> {
    const OF_SQLITE: &str = "UPDATE files SET state = 'removed'
                             WHERE message_id = $1 AND id IN (SELECT value FROM json_each($2))";
    const OF_POSTGRES: &str = "UPDATE files SET state = 'removed' WHERE message_id = $1 AND id = ANY($2)";
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    match counted(tx) {
        Tx::Sqlite(c) => {
            let gone = packed::text(&ids)?;
            sqlx::query(OF_SQLITE).bind(message.get()).bind(gone).execute(&mut **c).await?;
        }
        Tx::Postgres(c) => {
            sqlx::query(OF_POSTGRES).bind(message.get()).bind(ids).execute(&mut **c).await?;
        }
    }
    Ok(())
}

/// Removes a file of this user that is coming. False when there is none.
///
/// # Errors
/// When the database fails.
pub async fn give_up(tx: &mut Tx, id: FileId, user: UserId) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE files SET state = 'removed' WHERE id = $1 AND uploader_id = $2 AND state = 'coming'",
        id.get(),
        user.get()
    )?;
    Ok(touched == 1)
}

/// Removes what was uploaded before a time and no message carries, whether it has come or not.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    if let Tx::Postgres(_) = tx {
        // In the order in which the writer locks several.
        execute!(
            &mut *tx,
            "SELECT 1 FROM files WHERE message_id IS NULL AND state IN ('coming', 'ready') AND created_at < $1
             ORDER BY id FOR UPDATE",
            before.millis()
        )?;
    }
    execute!(
        tx,
        "UPDATE files SET state = 'removed'
         WHERE message_id IS NULL AND state IN ('coming', 'ready') AND created_at < $1",
        before.millis()
    )
}

/// Files whose bytes are to go.
///
/// # Errors
/// When the database fails.
pub async fn removed(tx: &mut Tx, limit: u32) -> Result<Vec<FileId>> {
    let rows = all!(
        tx,
        (i64,),
        "SELECT id FROM files WHERE state = 'removed' ORDER BY id LIMIT $1",
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|(id,)| FileId::from(id)).collect())
}

/// Forgets a removed file, whose bytes are gone.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, id: FileId) -> Result<()> {
    execute!(tx, "DELETE FROM files WHERE id = $1 AND state = 'removed'", id.get())?;
    Ok(())
}

/// The files of a message as they stand with it: nothing when there are none.
pub(crate) fn packed(files: &[File]) -> Result<Option<String>> {
    if files.is_empty() { Ok(None) } else { packed::text(files).map(Some) }
}

/// The files of a message as they stood with it.
pub(crate) fn unpacked(text: Option<&str>) -> Result<Vec<File>> {
    Ok(packed::object(text)?.unwrap_or_default())
}
