//! Members of channels. Who left keeps a row, so that the change has a place in the versions.

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    workspaces::{Member, MemberAction, MemberChange},
};

use crate::{
    Error, Result, Tx,
    db::{all, execute, optional},
    workspaces::MemberRow,
};

#[derive(sqlx::FromRow)]
struct ChangeRow {
    #[sqlx(flatten)]
    member: MemberRow,
    #[sqlx(try_from = "i64")]
    workspace_id: WorkspaceId,
    #[sqlx(try_from = "i64")]
    channel_id: ChannelId,
    left_at: Option<i64>,
    version: i64,
}

impl From<ChangeRow> for MemberChange {
    fn from(r: ChangeRow) -> Self {
        Self {
            action: if r.left_at.is_some() { MemberAction::Left } else { MemberAction::Joined },
            workspace_id: r.workspace_id,
            channel_id: Some(r.channel_id),
            member: r.member.into(),
            version: Some(r.version),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT u.id AS user_id, u.username, u.display_name, u.avatar_url,
                    COALESCE(w.role, 'guest') AS role, m.joined_at, c.workspace_id, m.channel_id, m.left_at, m.version
             FROM channel_members m
             JOIN users u ON u.id = m.user_id
             JOIN channels c ON c.id = m.channel_id
             LEFT JOIN workspace_members w ON w.workspace_id = c.workspace_id AND w.user_id = m.user_id
             WHERE m.channel_id = $1 AND ", $rest
        )
    };
}

async fn touch(tx: &mut Tx, channel: ChannelId, by: i64) -> Result<(i64, i64)> {
    let row = optional!(
        tx,
        (i64, i64),
        "UPDATE channels SET version = version + 1, member_count = member_count + $1
         WHERE id = $2 AND deleted_at IS NULL RETURNING version, last_seq",
        by,
        channel.get()
    )?;
    row.ok_or(Error::NotFound)
}

async fn change(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<MemberChange> {
    let row = optional!(tx, ChangeRow, select!("m.user_id = $2"), channel.get(), user.get())?;
    row.map(MemberChange::from).ok_or(Error::NotFound)
}

/// Adds someone who is not in the channel (the channel is locked). What was written before counts as
/// read.
///
/// # Errors
/// `NotFound` when the channel is gone.
pub async fn add(tx: &mut Tx, channel: ChannelId, user: UserId, now: Timestamp) -> Result<MemberChange> {
    let (version, last_seq) = touch(tx, channel, 1).await?;
    execute!(
        tx,
        "INSERT INTO channel_members (channel_id, user_id, joined_at, last_read_seq, version)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (channel_id, user_id) DO UPDATE
         SET left_at = NULL, joined_at = excluded.joined_at, last_read_seq = excluded.last_read_seq,
             version = excluded.version",
        channel.get(),
        user.get(),
        now.millis(),
        last_seq,
        version
    )?;
    change(tx, channel, user).await
}

/// Takes someone out who is in the channel (the channel is locked).
///
/// # Errors
/// `NotFound` when the channel is gone.
pub async fn remove(tx: &mut Tx, channel: ChannelId, user: UserId, now: Timestamp) -> Result<MemberChange> {
    let (version, _) = touch(tx, channel, -1).await?;
    execute!(
        tx,
        "UPDATE channel_members SET left_at = $1, version = $2 WHERE channel_id = $3 AND user_id = $4",
        now.millis(),
        version,
        channel.get(),
        user.get()
    )?;
    change(tx, channel, user).await
}

/// Gives the row of someone who is in the channel a new version, because what it shows of them changed
/// (the channel is locked).
///
/// # Errors
/// `NotFound` when the channel is gone.
pub async fn renew(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<MemberChange> {
    let (version, _) = touch(tx, channel, 0).await?;
    execute!(
        tx,
        "UPDATE channel_members SET version = $1 WHERE channel_id = $2 AND user_id = $3",
        version,
        channel.get(),
        user.get()
    )?;
    Ok(MemberChange { action: MemberAction::Updated, ..change(tx, channel, user).await? })
}

/// Whether someone is in a channel.
///
/// # Errors
/// When the database fails.
pub async fn is_member(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<bool> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT user_id FROM channel_members WHERE channel_id = $1 AND user_id = $2 AND left_at IS NULL",
        channel.get(),
        user.get()
    )?;
    Ok(row.is_some())
}

/// Members by user id, after `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx, channel: ChannelId, after: i64, limit: u32) -> Result<Vec<Member>> {
    let rows = all!(
        tx,
        ChangeRow,
        select!("m.left_at IS NULL AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"),
        channel.get(),
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|r| r.member.into()).collect())
}

/// Those whose newest change is later than `version`, by version.
///
/// # Errors
/// When the database fails.
pub async fn changed_since(
    tx: &mut Tx,
    channel: ChannelId,
    version: i64,
    limit: u32,
) -> Result<Vec<MemberChange>> {
    let rows = all!(
        tx,
        ChangeRow,
        select!("m.version > $2 ORDER BY m.version LIMIT $3"),
        channel.get(),
        version,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(MemberChange::from).collect())
}

/// How many channels someone is in; or how many direct messages and groups.
///
/// # Errors
/// When the database fails.
pub async fn count_of_user(tx: &mut Tx, user: UserId, direct: bool) -> Result<i64> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT COUNT(*) FROM channel_members m JOIN channels c ON c.id = m.channel_id
         WHERE m.user_id = $1 AND m.left_at IS NULL
           AND CASE WHEN $2 THEN c.kind IN ('dm', 'group') ELSE c.kind IN ('public', 'private') END",
        user.get(),
        direct
    )?;
    Ok(row.map_or(0, |r| r.0))
}
