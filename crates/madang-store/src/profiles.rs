//! Profiles: what people say of themselves, by versions, and their status.
//!
//! Invariants:
//! - Changes of profiles take their versions one after the other: whoever has the next one waits until the one
//!   before is stored or undone.

use madang_proto::{
    Timestamp, UserId,
    accounts::User,
    presence::{ChosenStatus, UserStatus},
};

use crate::{
    Error, Result, Tx, accounts,
    db::{all, execute, optional},
};

/// What is stored of a status.
#[derive(sqlx::FromRow)]
pub(crate) struct StatusRow {
    status: String,
    dnd_until: Option<i64>,
    custom_status: Option<String>,
    emoji: Option<String>,
    expires_at: Option<i64>,
}

impl From<StatusRow> for UserStatus {
    fn from(r: StatusRow) -> Self {
        Self {
            // A word that no version ever wrote says nothing.
            status: ChosenStatus::ALL.into_iter().find(|s| s.as_str() == r.status).unwrap_or_default(),
            dnd_until: r.dnd_until.map(Timestamp::from),
            custom_status: r.custom_status,
            emoji: r.emoji,
            expires_at: r.expires_at.map(Timestamp::from),
        }
    }
}

/// A user and the version of the newest change.
#[derive(sqlx::FromRow)]
struct Versioned {
    #[sqlx(flatten)]
    user: accounts::Row,
    version: i64,
}

/// The version of the next change of a profile; other changes of profiles wait for the end of the transaction.
///
/// # Errors
/// When the database fails.
pub async fn next_version(tx: &mut Tx) -> Result<i64> {
    next_versions(tx, 1).await
}

/// The last of the versions of so many next changes, as [`next_version`].
///
/// # Errors
/// When the database fails.
pub async fn next_versions(tx: &mut Tx, count: i64) -> Result<i64> {
    let sql = "UPDATE profiles SET newest = newest + $1 RETURNING newest";
    optional!(tx, (i64,), sql, count)?.map(|r| r.0).ok_or(Error::NotFound)
}

/// The version of the newest change of a profile.
///
/// # Errors
/// When the database fails.
pub async fn newest_version(tx: &mut Tx) -> Result<i64> {
    Ok(optional!(tx, (i64,), "SELECT newest FROM profiles")?.map_or(0, |r| r.0))
}

/// The version of a user's newest change; 0 where there was none.
///
/// # Errors
/// When the database fails.
pub async fn version_of(tx: &mut Tx, id: UserId) -> Result<i64> {
    let row = optional!(tx, (i64,), "SELECT version FROM users WHERE id = $1", id.get())?;
    Ok(row.map_or(0, |r| r.0))
}

/// Stores how a user shows from a version on: all but the username.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &mut Tx, user: &User, version: i64) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET display_name = $1, about = $2, time_zone = $3, avatar_url = $4, version = $5 WHERE id = $6",
        &user.summary.display_name,
        user.about.as_deref(),
        user.time_zone.as_deref(),
        user.summary.avatar_url.as_deref(),
        version,
        user.summary.id.get()
    )?;
    Ok(())
}

macro_rules! may_see {
    ($a:literal, $b:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM workspace_members a
                      JOIN workspace_members b ON b.workspace_id = a.workspace_id AND b.user_id = ",
            $b,
            " WHERE a.role <> 'visitor' AND a.user_id = ",
            $a,
            ") OR EXISTS (SELECT 1 FROM channel_members p
                          JOIN channels c ON c.id = p.channel_id AND c.kind <> 'thread' AND c.deleted_at IS NULL
                          JOIN channel_members q ON q.channel_id = c.id AND (q.left_at IS NULL OR c.kind = 'dm')
                              AND q.user_id = ",
            $b,
            " WHERE p.user_id = ",
            $a,
            " AND p.left_at IS NULL))"
        )
    };
}

/// Whether one sees another's profile: they share a workspace, of which the first is more than a visitor, or a channel,
/// or the first is in a direct message of theirs.
///
/// # Errors
/// When the database fails.
pub async fn may_see(tx: &mut Tx, who: UserId, whom: UserId) -> Result<bool> {
    let sql = concat!("SELECT CAST(1 AS BIGINT) WHERE ", may_see!("$1", "$2"));
    Ok(optional!(tx, (i64,), sql, who.get(), whom.get())?.is_some())
}

/// The people who see a user's profile and hear of no workspace of theirs: those whose direct message with them was left
/// behind, and visitors of their channels.
///
/// # Errors
/// When the database fails.
pub async fn outside(tx: &mut Tx, user: UserId) -> Result<Vec<UserId>> {
    let rows = all!(
        tx,
        (i64,),
        "SELECT DISTINCT p.user_id FROM channel_members m
         JOIN channels c ON c.id = m.channel_id AND c.kind = 'dm'
         JOIN channel_members p ON p.channel_id = c.id AND p.user_id <> $1 AND p.left_at IS NULL
         WHERE m.user_id = $1 AND NOT EXISTS
               (SELECT 1 FROM workspace_members a JOIN workspace_members b ON b.workspace_id = a.workspace_id
                WHERE a.user_id = $1 AND b.user_id = p.user_id)
         UNION
         SELECT v.user_id FROM workspace_members h
         JOIN workspace_members w ON w.workspace_id = h.workspace_id AND w.role = 'visitor' AND w.user_id <> $1
         JOIN channel_members v ON v.user_id = w.user_id AND v.left_at IS NULL
         JOIN channels c ON c.id = v.channel_id AND c.workspace_id = h.workspace_id AND c.kind <> 'thread'
         JOIN channel_members m ON m.channel_id = c.id AND m.user_id = $1 AND m.left_at IS NULL
         WHERE h.user_id = $1",
        user.get()
    )?;
    Ok(rows.into_iter().map(|r| r.0.into()).collect())
}

/// Those whose profile changed after a version, of those whom `who` sees and themself, by version.
///
/// # Errors
/// When the database fails.
pub async fn changed(tx: &mut Tx, who: UserId, after: i64, limit: u32) -> Result<Vec<(User, i64)>> {
    let rows = all!(
        tx,
        Versioned,
        concat!(
            "SELECT u.id, u.username, u.display_name, u.email, u.avatar_url, u.about, u.time_zone, u.created_at,
                    u.version
             FROM users u WHERE u.version > 0 AND u.version > $2 AND (u.id = $1 OR ",
            may_see!("$1", "u.id"),
            ") ORDER BY u.version LIMIT $3"
        ),
        who.get(),
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| (row.user.into(), row.version)).collect())
}

/// Stores what a user says of themself.
///
/// # Errors
/// When the database fails.
pub async fn put_status(tx: &mut Tx, user: UserId, status: &UserStatus) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET status = $1, dnd_until = $2, custom_status = $3, emoji = $4, expires_at = $5 WHERE id = $6",
        status.status.as_str(),
        status.dnd_until.map(Timestamp::millis),
        status.custom_status.as_deref(),
        status.emoji.as_deref(),
        status.expires_at.map(Timestamp::millis),
        user.get()
    )?;
    Ok(())
}

/// Forgets texts whose time is over; whoever reads one before that sees that it is.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    execute!(
        tx,
        "UPDATE users SET custom_status = NULL, emoji = NULL, expires_at = NULL WHERE expires_at <= $1",
        now.millis()
    )
}
