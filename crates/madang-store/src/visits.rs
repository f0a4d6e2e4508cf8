//! Visits: who is in a channel by which guest link, for as long as its access lasts.
//!
//! Invariants:
//! - A row for each person and link: whoever came by several is in the channel until the last of them is over.
//! - Whoever is a visitor in a workspace has one there; of who stays for good there is none.

use madang_proto::{ChannelId, InviteId, Timestamp, UserId, WorkspaceId};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

/// Someone in a channel by a guest link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// The link.
    pub invite: InviteId,
    /// Who.
    pub user: UserId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The channel.
    pub channel: ChannelId,
}

/// Notes a visit. False when it was there.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &Visit, until: Timestamp) -> Result<bool> {
    let touched = execute!(
        tx,
        "INSERT INTO visits (invite_id, user_id, workspace_id, channel_id, access_until) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (invite_id, user_id) DO NOTHING",
        new.invite.get(),
        new.user.get(),
        new.workspace.get(),
        new.channel.get(),
        until.millis()
    )?;
    Ok(touched == 1)
}

/// Some of those by a link.
///
/// # Errors
/// When the database fails.
pub async fn of_invite(tx: &mut Tx, invite: InviteId, limit: u32) -> Result<Vec<Visit>> {
    let rows = all!(
        tx,
        (i64, i64, i64),
        "SELECT user_id, workspace_id, channel_id FROM visits WHERE invite_id = $1 ORDER BY user_id LIMIT $2",
        invite.get(),
        i64::from(limit)
    )?;
    let visit = |(user, workspace, channel): (i64, i64, i64)| Visit {
        invite,
        user: user.into(),
        workspace: workspace.into(),
        channel: channel.into(),
    };
    Ok(rows.into_iter().map(visit).collect())
}

/// Whether someone is in a channel for a time.
///
/// # Errors
/// When the database fails.
pub async fn any_in_channel(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<bool> {
    let sql = "SELECT invite_id FROM visits WHERE user_id = $1 AND channel_id = $2 LIMIT 1";
    Ok(optional!(tx, (i64,), sql, user.get(), channel.get())?.is_some())
}

/// Whether someone is in some channel of a workspace for a time.
///
/// # Errors
/// When the database fails.
pub async fn any_in_workspace(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    let sql = "SELECT invite_id FROM visits WHERE user_id = $1 AND workspace_id = $2 LIMIT 1";
    Ok(optional!(tx, (i64,), sql, user.get(), workspace.get())?.is_some())
}

/// Takes a visit away. False when it was not there.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, visit: &Visit) -> Result<bool> {
    let sql = "DELETE FROM visits WHERE invite_id = $1 AND user_id = $2";
    Ok(execute!(tx, sql, visit.invite.get(), visit.user.get())? == 1)
}

/// Takes those of someone in a channel away. False when there are none.
///
/// # Errors
/// When the database fails.
pub async fn leave_channel(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<bool> {
    let sql = "DELETE FROM visits WHERE user_id = $1 AND channel_id = $2";
    Ok(execute!(tx, sql, user.get(), channel.get())? > 0)
}

/// Takes those of someone in a workspace away.
///
/// # Errors
/// When the database fails.
pub async fn leave_workspace(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let sql = "DELETE FROM visits WHERE user_id = $1 AND workspace_id = $2";
    execute!(tx, sql, user.get(), workspace.get()).map(drop)
}

/// Whether two people are in a channel of a workspace together, other than a direct message or group.
///
/// # Errors
/// When the database fails.
pub async fn share_channel(tx: &mut Tx, workspace: WorkspaceId, a: UserId, b: UserId) -> Result<bool> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT c.id FROM channel_members x
         JOIN channels c ON c.id = x.channel_id AND c.kind IN ('public', 'private') AND c.deleted_at IS NULL
         JOIN channel_members y ON y.channel_id = c.id AND y.user_id = $3 AND y.left_at IS NULL
         WHERE c.workspace_id = $1 AND x.user_id = $2 AND x.left_at IS NULL LIMIT 1",
        workspace.get(),
        a.get(),
        b.get()
    )?;
    Ok(row.is_some())
}
