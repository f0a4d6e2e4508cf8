//! Exports: which are to be made, which are there, and which are to be forgotten. Their bytes are kept elsewhere.
//!
//! Invariants:
//! - A user has at most one of themself and of each workspace that is not `removed`; of a workspace one waits at most.
//! - A row goes after its bytes.

use madang_proto::{
    ExportId, Timestamp, UserId, WorkspaceId,
    exports::{Export, ExportState},
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: ExportId,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    workspace_id: i64,
    state: String,
    attempts: i64,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    expires_at: Option<i64>,
    size: Option<i64>,
    sha256: Option<String>,
}

/// An export that is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What the user is told.
    pub export: Export,
    /// Whose.
    pub user: UserId,
    /// How often it was begun.
    pub attempts: i64,
    /// Bytes of the file.
    pub size: Option<i64>,
}

impl From<Row> for Stored {
    fn from(r: Row) -> Self {
        let state = ExportState::ALL.into_iter().find(|state| state.as_str() == r.state);
        let export = Export {
            id: r.id,
            workspace_id: (r.workspace_id != 0).then(|| r.workspace_id.into()),
            state: state.unwrap_or(ExportState::Failed),
            created_at: r.created_at,
            expires_at: r.expires_at.map(Timestamp::from),
            sha256: r.sha256,
            link: None,
        };
        Self { export, user: r.user_id, attempts: r.attempts, size: r.size }
    }
}

/// What the database keeps of what an export is of.
fn number(workspace: Option<WorkspaceId>) -> i64 {
    workspace.map_or(0, WorkspaceId::get)
}

/// The export that a user has of themself, or of a workspace.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId, of: Option<WorkspaceId>) -> Result<Option<Stored>> {
    let row = optional!(
        tx,
        Row,
        "SELECT id, user_id, workspace_id, state, attempts, created_at, expires_at, size, sha256 FROM exports
         WHERE user_id = $1 AND workspace_id = $2 AND state <> 'removed'",
        user.get(),
        number(of)
    )?;
    Ok(row.map(Stored::from))
}

/// Whether someone's export of a workspace is to be made.
///
/// # Errors
/// When the database fails.
pub async fn is_waiting(tx: &mut Tx, workspace: WorkspaceId) -> Result<bool> {
    let sql = "SELECT id FROM exports WHERE workspace_id = $1 AND state = 'waiting'";
    Ok(optional!(tx, (i64,), sql, workspace.get())?.is_some())
}

/// Notes one that is to be made, in the place of what the user had of the same.
///
/// # Errors
/// `Conflict` when someone was quicker.
pub async fn replace(tx: &mut Tx, user: UserId, export: &Export) -> Result<()> {
    execute!(
        &mut *tx,
        "UPDATE exports SET state = 'removed' WHERE user_id = $1 AND workspace_id = $2 AND state <> 'removed'",
        user.get(),
        number(export.workspace_id)
    )?;
    execute!(
        tx,
        "INSERT INTO exports (id, user_id, workspace_id, created_at) VALUES ($1, $2, $3, $4)",
        export.id.get(),
        user.get(),
        number(export.workspace_id),
        export.created_at.millis()
    )?;
    Ok(())
}

/// How many are to be made or forgotten, and when the next one's time is over.
///
/// # Errors
/// When the database fails.
pub async fn outlook(tx: &mut Tx) -> Result<(i64, Option<Timestamp>)> {
    let row = optional!(
        tx,
        (i64, Option<i64>),
        "SELECT CAST(COALESCE(SUM(CASE WHEN state IN ('waiting', 'removed') THEN 1 ELSE 0 END), 0) AS BIGINT),
                MIN(expires_at) FROM exports"
    )?;
    Ok(row.map_or((0, None), |(due, next)| (due, next.map(Timestamp::from))))
}

/// Begins with the one that waits longest.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx) -> Result<Option<Stored>> {
    let row = optional!(
        tx,
        Row,
        "UPDATE exports SET attempts = attempts + 1
         WHERE id = (SELECT id FROM exports WHERE state = 'waiting' ORDER BY created_at, id LIMIT 1)
         RETURNING id, user_id, workspace_id, state, attempts, created_at, expires_at, size, sha256"
    )?;
    Ok(row.map(Stored::from))
}

/// Stores what became of one that was waiting. False when it is not wanted any more.
///
/// # Errors
/// When the database fails.
pub async fn finish(tx: &mut Tx, export: &Export, size: Option<i64>) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE exports SET state = $1, expires_at = $2, size = $3, sha256 = $4
         WHERE id = $5 AND state = 'waiting'",
        export.state.as_str(),
        export.expires_at.map(Timestamp::millis),
        size,
        export.sha256.as_deref(),
        export.id.get()
    )?;
    Ok(touched == 1)
}

/// Takes away those whose time is over; gives those whose bytes are to go, at most so many.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<ExportId>> {
    execute!(&mut *tx, "UPDATE exports SET state = 'removed' WHERE expires_at <= $1", now.millis())?;
    let rows = all!(
        tx,
        (i64,),
        "SELECT id FROM exports WHERE state = 'removed' ORDER BY created_at LIMIT $1",
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| row.0.into()).collect())
}

/// Forgets one whose bytes are gone.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, id: ExportId) -> Result<()> {
    execute!(tx, "DELETE FROM exports WHERE id = $1 AND state = 'removed'", id.get())?;
    Ok(())
}
