//! Workspaces and the people in them.

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::UserSummary,
    permissions::Role,
    retention::Retention,
    workspaces::{EditHistory, Member, Workspace},
};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

pub(crate) fn role(word: &str) -> Role {
    // A word that no version ever wrote gives the least rights.
    Role::ALL.into_iter().find(|r| r.as_str() == word).unwrap_or(Role::Visitor)
}

fn edit_history(word: &str) -> EditHistory {
    // A word that no version ever wrote shows the least.
    EditHistory::ALL.into_iter().find(|e| e.as_str() == word).unwrap_or(EditHistory::Nobody)
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: WorkspaceId,
    name: String,
    open: bool,
    allow_guests: bool,
    edit_history: String,
    retention_days: Option<i64>,
    #[sqlx(try_from = "i64")]
    default_channel_id: ChannelId,
    emoji_version: i64,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    role: Option<String>,
}

impl From<Row> for Workspace {
    fn from(r: Row) -> Self {
        Self {
            id: r.id,
            name: r.name,
            open: r.open,
            allow_guests: r.allow_guests,
            edit_history: edit_history(&r.edit_history),
            retention: Retention { days: r.retention_days.and_then(|days| u32::try_from(days).ok()) },
            default_channel_id: r.default_channel_id,
            emoji_version: r.emoji_version,
            created_at: r.created_at,
            role: r.role.as_deref().map(role),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, w.name, w.open, w.allow_guests, w.edit_history, w.retention_days, w.default_channel_id,
                    w.emoji_version, w.created_at, m.role
             FROM workspaces w ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
pub(crate) struct MemberRow {
    #[sqlx(try_from = "i64")]
    pub user_id: UserId,
    pub username: String,
    pub display_name: String,
    pub avatar_url: Option<String>,
    pub role: String,
    #[sqlx(try_from = "i64")]
    pub joined_at: Timestamp,
}

impl From<MemberRow> for Member {
    fn from(r: MemberRow) -> Self {
        Self {
            user: UserSummary {
                id: r.user_id,
                username: r.username,
                display_name: r.display_name,
                avatar_url: r.avatar_url,
            },
            role: role(&r.role),
            joined_at: r.joined_at,
        }
    }
}

/// Whether there is any workspace yet.
///
/// # Errors
/// When the database fails.
pub async fn any(tx: &mut Tx) -> Result<bool> {
    Ok(optional!(tx, (i64,), "SELECT id FROM workspaces LIMIT 1")?.is_some())
}

/// Lets one transaction at a time decide who or what is first. SQLite has one writer anyway.
///
/// # Errors
/// When the database fails.
pub async fn lock_all(tx: &mut Tx) -> Result<()> {
    if let Tx::Postgres(_) = tx {
        execute!(tx, "LOCK TABLE workspaces IN SHARE ROW EXCLUSIVE MODE")?;
    }
    Ok(())
}

/// Stores a workspace; `role` is not looked at.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, w: &Workspace) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO workspaces (id, name, open, allow_guests, default_channel_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        w.id.get(),
        &w.name,
        w.open,
        w.allow_guests,
        w.default_channel_id.get(),
        w.created_at.millis()
    )?;
    Ok(())
}

/// Stores what may change of a workspace.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &mut Tx, w: &Workspace) -> Result<()> {
    execute!(
        tx,
        "UPDATE workspaces SET name = $1, open = $2, allow_guests = $3, edit_history = $4 WHERE id = $5",
        &w.name,
        w.open,
        w.allow_guests,
        w.edit_history.as_str(),
        w.id.get()
    )?;
    Ok(())
}

/// A workspace as a user sees it: with their role, if they are in it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: WorkspaceId, user: UserId) -> Result<Option<Workspace>> {
    let row = optional!(
        tx,
        Row,
        select!("LEFT JOIN workspace_members m ON m.workspace_id = w.id AND m.user_id = $2 WHERE w.id = $1"),
        id.get(),
        user.get()
    )?;
    Ok(row.map(Workspace::from))
}

/// The workspaces that a user is in, oldest membership first.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Workspace>> {
    let rows = all!(
        tx,
        Row,
        select!(
            "JOIN workspace_members m ON m.workspace_id = w.id WHERE m.user_id = $1 ORDER BY m.joined_at, w.id"
        ),
        user.get()
    )?;
    Ok(rows.into_iter().map(Workspace::from).collect())
}

/// The workspaces that let a newcomer in by themselves.
///
/// # Errors
/// When the database fails.
pub async fn for_newcomer(tx: &mut Tx, guest: bool) -> Result<Vec<Workspace>> {
    let rows = all!(
        tx,
        Row,
        "SELECT id, name, open, allow_guests, edit_history, retention_days, default_channel_id, emoji_version, created_at,
                NULL AS role
         FROM workspaces
         WHERE CASE WHEN $1 THEN allow_guests ELSE open END ORDER BY id",
        guest
    )?;
    Ok(rows.into_iter().map(Workspace::from).collect())
}

/// How many workspaces a user owns.
///
/// # Errors
/// When the database fails.
pub async fn owned_by(tx: &mut Tx, user: UserId) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM workspace_members WHERE user_id = $1 AND role = 'owner'",
        user.get()
    )?;
    Ok(row.map_or(0, |r| r.0))
}

/// Whether the workspace has an owner other than `user`. On PostgreSQL the owners' rows stay locked
/// until the end of the transaction, so that two owners cannot both go at once.
///
/// # Errors
/// When the database fails.
pub async fn has_other_owner(tx: &mut Tx, id: WorkspaceId, user: UserId) -> Result<bool> {
    if let Tx::Postgres(_) = tx {
        execute!(
            tx,
            "SELECT 1 FROM workspace_members WHERE workspace_id = $1 AND role = 'owner' FOR UPDATE",
            id.get()
        )?;
    }
    let row = optional!(
        tx,
        (i64,),
        "SELECT user_id FROM workspace_members WHERE workspace_id = $1 AND role = 'owner' AND user_id <> $2 LIMIT 1",
        id.get(),
        user.get()
    )?;
    Ok(row.is_some())
}

/// Adds someone. False when they were in it.
///
/// # Errors
/// When the database fails.
pub async fn add_member(
    tx: &mut Tx,
    id: WorkspaceId,
    user: UserId,
    role: Role,
    now: Timestamp,
) -> Result<bool> {
    let touched = execute!(
        tx,
        "INSERT INTO workspace_members (workspace_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace_id, user_id) DO NOTHING",
        id.get(),
        user.get(),
        role.as_str(),
        now.millis()
    )?;
    Ok(touched == 1)
}

/// Gives someone another role.
///
/// # Errors
/// When the database fails.
pub async fn set_role(tx: &mut Tx, id: WorkspaceId, user: UserId, role: Role) -> Result<()> {
    execute!(
        tx,
        "UPDATE workspace_members SET role = $1 WHERE workspace_id = $2 AND user_id = $3",
        role.as_str(),
        id.get(),
        user.get()
    )?;
    Ok(())
}

/// Takes someone out.
///
/// # Errors
/// When the database fails.
pub async fn remove_member(tx: &mut Tx, id: WorkspaceId, user: UserId) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM workspace_members WHERE workspace_id = $1 AND user_id = $2",
        id.get(),
        user.get()
    )?;
    Ok(())
}

/// One member.
///
/// # Errors
/// When the database fails.
pub async fn member(tx: &mut Tx, id: WorkspaceId, user: UserId) -> Result<Option<Member>> {
    let row = optional!(
        tx,
        MemberRow,
        "SELECT u.id AS user_id, u.username, u.display_name, u.avatar_url, m.role, m.joined_at
         FROM workspace_members m JOIN users u ON u.id = m.user_id
         WHERE m.workspace_id = $1 AND m.user_id = $2",
        id.get(),
        user.get()
    )?;
    Ok(row.map(Member::from))
}

/// Members by user id, after `after`.
///
/// # Errors
/// When the database fails.
pub async fn members(tx: &mut Tx, id: WorkspaceId, after: i64, limit: u32) -> Result<Vec<Member>> {
    let rows = all!(
        tx,
        MemberRow,
        "SELECT u.id AS user_id, u.username, u.display_name, u.avatar_url, m.role, m.joined_at
         FROM workspace_members m JOIN users u ON u.id = m.user_id
         WHERE m.workspace_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3",
        id.get(),
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(Member::from).collect())
}
