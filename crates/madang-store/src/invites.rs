//! Invites: what their codes open, until when and how often. Of a code only the hash is here.

use madang_proto::{
    ChannelId, InviteId, Timestamp, UserId, WorkspaceId, accounts::UserSummary, invites::Invite,
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: InviteId,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    channel_id: Option<i64>,
    #[sqlx(try_from = "i64")]
    user_id: UserId,
    username: String,
    display_name: String,
    avatar_url: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    expires_at: Option<i64>,
    access_until: Option<i64>,
    max_uses: Option<i64>,
    uses: i64,
}

impl From<Row> for Invite {
    fn from(r: Row) -> Self {
        let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            id: r.id,
            workspace_id: r.workspace_id,
            channel_id: r.channel_id.map(ChannelId::from),
            by: UserSummary {
                id: r.user_id,
                username: r.username,
                display_name: r.display_name,
                avatar_url: r.avatar_url,
            },
            created_at: r.created_at,
            expires_at: r.expires_at.map(Timestamp::from),
            access_until: r.access_until.map(Timestamp::from),
            max_uses: r.max_uses.map(number),
            uses: number(r.uses),
            code: None,
        }
    }
}

macro_rules! select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT i.id, i.workspace_id, i.channel_id, u.id AS user_id, u.username, u.display_name, u.avatar_url,
                    i.created_at, i.expires_at, i.access_until, i.max_uses, i.uses
             FROM invites i JOIN users u ON u.id = i.created_by WHERE ",
            $($rest),+
        )
    };
}

/// Whether one can be used at the moment `$2`.
macro_rules! usable {
    () => {
        "(i.expires_at IS NULL OR i.expires_at > $2) AND (i.max_uses IS NULL OR i.uses < i.max_uses)
         AND (i.access_until IS NULL OR i.access_until > $2)"
    };
}

/// Stores an invite.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &Invite, code_hash: &str) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO invites (id, workspace_id, channel_id, code_hash, created_by, created_at, expires_at, access_until, max_uses,
                              uses)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
        new.id.get(),
        new.workspace_id.get(),
        new.channel_id.map(ChannelId::get),
        code_hash,
        new.by.id.get(),
        new.created_at.millis(),
        new.expires_at.map(Timestamp::millis),
        new.access_until.map(Timestamp::millis),
        new.max_uses.map(i64::from)
    )?;
    Ok(())
}

/// Those of a workspace that can be used, and guest links that give access, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_workspace(tx: &mut Tx, id: WorkspaceId, now: Timestamp) -> Result<Vec<Invite>> {
    let sql = select!("i.workspace_id = $1 AND (i.access_until > $2 OR (", usable!(), ")) ORDER BY i.id");
    let rows = all!(tx, Row, sql, id.get(), now.millis())?;
    Ok(rows.into_iter().map(Invite::from).collect())
}

/// The one that a code opens, if it can be used.
///
/// # Errors
/// When the database fails.
pub async fn by_code(tx: &mut Tx, code_hash: &str, now: Timestamp) -> Result<Option<Invite>> {
    let sql = select!("i.code_hash = $1 AND ", usable!());
    Ok(optional!(tx, Row, sql, code_hash, now.millis())?.map(Invite::from))
}

/// One of a workspace.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: InviteId) -> Result<Option<Invite>> {
    let sql = select!("i.id = $1 AND i.workspace_id = $2");
    Ok(optional!(tx, Row, sql, id.get(), workspace.get())?.map(Invite::from))
}

/// The guest links of a channel.
///
/// # Errors
/// When the database fails.
pub async fn links_of_channel(tx: &mut Tx, id: ChannelId) -> Result<Vec<InviteId>> {
    let sql = "SELECT id FROM invites WHERE channel_id = $1 AND access_until IS NOT NULL";
    Ok(all!(tx, (i64,), sql, id.get())?.into_iter().map(|row| row.0.into()).collect())
}

/// Uses an invite once. False when it was used up meanwhile, or is gone.
///
/// # Errors
/// When the database fails.
pub async fn take(tx: &mut Tx, id: InviteId) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE invites SET uses = uses + 1 WHERE id = $1 AND (max_uses IS NULL OR uses < max_uses)",
        id.get()
    )?;
    Ok(touched == 1)
}

/// Takes an invite of a workspace away. False when there is none.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, workspace: WorkspaceId, id: InviteId) -> Result<bool> {
    let sql = "DELETE FROM invites WHERE id = $1 AND workspace_id = $2";
    Ok(execute!(tx, sql, id.get(), workspace.get())? == 1)
}

/// Takes an invite away, whatever its workspace.
///
/// # Errors
/// When the database fails.
pub async fn forget(tx: &mut Tx, id: InviteId) -> Result<()> {
    execute!(tx, "DELETE FROM invites WHERE id = $1", id.get()).map(drop)
}

/// Takes those away that cannot be used any more. A guest link stays until its access is over.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM invites WHERE access_until IS NULL AND (expires_at <= $1 OR uses >= max_uses)",
        now.millis()
    )?;
    Ok(())
}
