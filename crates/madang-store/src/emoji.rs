//! A workspace's own emoji: files in a state of their own, by workspace and name.
//!
//! Invariants:
//! - A workspace has one emoji of a name.
//! - Whoever changes them takes the workspace's next `emoji_version` first, which holds its row until the end of the
//!   transaction: one at a time.

use madang_proto::{
    FileId, Timestamp, UserId, WorkspaceId,
    emoji::{CustomEmoji, EmojiList},
    files::File,
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: FileId,
    name: String,
    media_type: String,
    width: Option<i64>,
    height: Option<i64>,
    #[sqlx(try_from = "i64")]
    uploader_id: UserId,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
}

impl From<Row> for CustomEmoji {
    fn from(r: Row) -> Self {
        let pixels = |side: Option<i64>| side.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        Self {
            id: r.id,
            name: r.name,
            media_type: r.media_type,
            width: pixels(r.width),
            height: pixels(r.height),
            created_by: r.uploader_id,
            created_at: r.created_at,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, media_type, width, height, uploader_id, created_at FROM files WHERE state = 'emoji' AND ",
            $rest
        )
    };
}

/// Takes the next number of a workspace's emoji. Nobody else changes them until the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn next_version(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "UPDATE workspaces SET emoji_version = emoji_version + 1 WHERE id = $1 RETURNING emoji_version",
        workspace.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

/// Makes an emoji of a workspace from a file that is coming. False when it was removed meanwhile.
///
/// # Errors
/// When the database fails, or the name is taken.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, file: &File) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE files SET state = 'emoji', workspace_id = $1, name = $2, media_type = $3, size = $4, sha256 = $5,
                          width = $6, height = $7
         WHERE id = $8 AND state = 'coming'",
        workspace.get(),
        &file.name,
        &file.media_type,
        file.size,
        &file.sha256,
        file.width.map(i64::from),
        file.height.map(i64::from),
        file.id.get()
    )?;
    Ok(touched == 1)
}

/// The emoji of a workspace, by name, and their number.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(tx: &mut Tx, workspace: WorkspaceId) -> Result<EmojiList> {
    let version =
        optional!(&mut *tx, (i64,), "SELECT emoji_version FROM workspaces WHERE id = $1", workspace.get())?;
    let rows = all!(tx, Row, select!("workspace_id = $1"), workspace.get())?;
    let mut items: Vec<CustomEmoji> = rows.into_iter().map(CustomEmoji::from).collect();
    // Not by the database, which would follow its language.
    items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(EmojiList { items, version: version.map_or(0, |r| r.0) })
}

/// How many emoji a workspace has.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM files WHERE state = 'emoji' AND workspace_id = $1",
        workspace.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

/// The emoji of a workspace with this name.
///
/// # Errors
/// When the database fails.
pub async fn by_name(tx: &mut Tx, workspace: WorkspaceId, name: &str) -> Result<Option<CustomEmoji>> {
    let row = optional!(tx, Row, select!("workspace_id = $1 AND name = $2"), workspace.get(), name)?;
    Ok(row.map(CustomEmoji::from))
}

/// What is given of an emoji: whose it is, what it is, and how its bytes are told from others.
///
/// # Errors
/// When the database fails.
pub async fn picture(tx: &mut Tx, id: FileId) -> Result<Option<Picture>> {
    let row = optional!(
        tx,
        (i64, String, String, String),
        "SELECT workspace_id, name, media_type, sha256 FROM files WHERE state = 'emoji' AND id = $1",
        id.get()
    )?;
    let picture = |(workspace, name, media_type, sha256): (i64, String, String, String)| Picture {
        workspace: workspace.into(),
        name,
        media_type,
        sha256,
    };
    Ok(row.map(picture))
}

/// What is known of the bytes of an emoji.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Whose emoji it is.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub name: String,
    /// What the bytes are.
    pub media_type: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
}

/// Removes an emoji.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: FileId) -> Result<()> {
    execute!(tx, "UPDATE files SET state = 'removed' WHERE id = $1 AND state = 'emoji'", id.get())?;
    Ok(())
}
