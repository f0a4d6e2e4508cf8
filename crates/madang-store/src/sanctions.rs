//! Sanctions: who has to be silent or to stay away, where, and until when.

use madang_proto::{
    ChannelId, SanctionId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    sanctions::{Sanction, SanctionKind, SanctionsQuery},
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: SanctionId,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    channel_id: i64,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
    kind: String,
    reason: String,
    #[sqlx(try_from = "i64")]
    by_id: UserId,
    by_username: String,
    by_display_name: String,
    by_avatar_url: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    expires_at: Option<i64>,
}

impl From<Row> for Sanction {
    fn from(r: Row) -> Self {
        let user = UserSummary {
            id: r.user_id,
            username: r.username,
            display_name: r.display_name,
            avatar_url: r.avatar_url,
        };
        let by = UserSummary {
            id: r.by_id,
            username: r.by_username,
            display_name: r.by_display_name,
            avatar_url: r.by_avatar_url,
        };
        Self {
            id: r.id,
            workspace_id: r.workspace_id,
            channel_id: (r.channel_id != 0).then(|| r.channel_id.into()),
            user,
            // A word that no version ever wrote does the least harm.
            kind: if r.kind == SanctionKind::Ban.as_str() { SanctionKind::Ban } else { SanctionKind::Mute },
            reason: r.reason,
            by: Some(by),
            created_at: r.created_at,
            expires_at: r.expires_at.map(Timestamp::from),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.workspace_id, s.channel_id, s.user_id, u.username, u.display_name, u.avatar_url,
                    s.kind, s.reason, b.id AS by_id, b.username AS by_username,
                    b.display_name AS by_display_name, b.avatar_url AS by_avatar_url, s.created_at, s.expires_at
             FROM sanctions s JOIN users u ON u.id = s.user_id JOIN users b ON b.id = s.created_by WHERE ",
            $rest
        )
    };
}

/// Puts a sanction in force, in the place of another of its kind for the same person and place.
///
/// # Errors
/// When the database fails.
pub async fn put(tx: &mut Tx, new: &Sanction, by: UserId) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO sanctions (id, workspace_id, channel_id, user_id, kind, reason, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (user_id, workspace_id, channel_id, kind) DO UPDATE
         SET id = excluded.id, reason = excluded.reason, created_by = excluded.created_by,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
        new.id.get(),
        new.workspace_id.get(),
        new.channel_id.map_or(0, ChannelId::get),
        new.user.id.get(),
        new.kind.as_str(),
        &new.reason,
        by.get(),
        new.created_at.millis(),
        new.expires_at.map(Timestamp::millis)
    )?;
    Ok(())
}

/// Takes a sanction away. False when it was not there.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, id: SanctionId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM sanctions WHERE id = $1", id.get())? == 1)
}

/// A sanction of a workspace.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: SanctionId) -> Result<Option<Sanction>> {
    let row = optional!(tx, Row, select!("s.id = $1 AND s.workspace_id = $2"), id.get(), workspace.get())?;
    Ok(row.map(Sanction::from))
}

/// What a user is under, everywhere, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Sanction>> {
    let rows = all!(tx, Row, select!("s.user_id = $1 ORDER BY s.id"), user.get())?;
    Ok(rows.into_iter().map(|row| Sanction::from(row).for_them()).collect())
}

/// Sanctions of a workspace, the newest first, each with its place.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(
    tx: &mut Tx,
    id: WorkspaceId,
    query: SanctionsQuery,
    limit: u32,
) -> Result<Vec<(i64, Sanction)>> {
    let rows = all!(
        tx,
        Row,
        select!(
            "s.workspace_id = $1 AND s.id < $2 AND ($3 = '' OR s.kind = $3) AND ($4 = 0 OR s.user_id = $4)
             AND ($5 = 0 OR s.channel_id = $5) ORDER BY s.id DESC LIMIT $6"
        ),
        id.get(),
        query.before.map_or(i64::MAX, SanctionId::get),
        query.kind.map_or("", SanctionKind::as_str),
        query.user_id.map_or(0, UserId::get),
        query.channel_id.map_or(0, ChannelId::get),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| (row.id.get(), row.into())).collect())
}

/// Whether someone has to stay away from a channel, or from a workspace.
///
/// # Errors
/// When the database fails.
pub async fn is_banned(
    tx: &mut Tx,
    workspace: WorkspaceId,
    channel: Option<ChannelId>,
    user: UserId,
) -> Result<bool> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT id FROM sanctions WHERE user_id = $1 AND workspace_id = $2 AND channel_id = $3 AND kind = 'ban'",
        user.get(),
        workspace.get(),
        channel.map_or(0, ChannelId::get)
    )?;
    Ok(row.is_some())
}

/// Sanctions whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &mut Tx, now: Timestamp, limit: u32) -> Result<Vec<Sanction>> {
    let rows = all!(
        tx,
        Row,
        select!("s.expires_at <= $1 ORDER BY s.expires_at LIMIT $2"),
        now.millis(),
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(Sanction::from).collect())
}

/// When the time of the next one is over.
///
/// # Errors
/// When the database fails.
pub async fn next_expiry(tx: &mut Tx) -> Result<Option<Timestamp>> {
    let row = optional!(tx, (Option<i64>,), "SELECT MIN(expires_at) FROM sanctions")?;
    Ok(row.and_then(|row| row.0).map(Timestamp::from))
}
