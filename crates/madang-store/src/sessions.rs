//! Sessions: logins on devices, and the hashes of their refresh tokens.

use madang_proto::{SessionId, Timestamp, UserId, accounts::Session};

use crate::{
    Result, Tx,
    db::{all, execute, optional},
};

/// A session to be stored.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The hash of its refresh token.
    pub refresh_hash: String,
    /// What the client called itself.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When its refresh token is no longer accepted.
    pub expires_at: Timestamp,
}

/// What refreshing needs to know of a session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Stored {
    /// Whose.
    #[sqlx(try_from = "i64")]
    pub user_id: UserId,
    /// The hash of the newest refresh token.
    pub refresh_hash: String,
    /// When that token is no longer accepted.
    #[sqlx(try_from = "i64")]
    pub expires_at: Timestamp,
    /// When it was ended, in milliseconds.
    pub ended_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "i64")]
    id: SessionId,
    user_agent: String,
    address: String,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
    #[sqlx(try_from = "i64")]
    last_used_at: Timestamp,
}

/// Stores a session.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &mut Tx, new: &NewSession) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO sessions (id, user_id, refresh_hash, user_agent, address, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        new.id.get(), new.user_id.get(), &new.refresh_hash, &new.user_agent, &new.address,
        new.created_at.millis(), new.expires_at.millis()
    )?;
    Ok(())
}

/// The session with this id.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, id: SessionId) -> Result<Option<Stored>> {
    optional!(
        tx,
        Stored,
        "SELECT user_id, refresh_hash, expires_at, ended_at FROM sessions WHERE id = $1",
        id.get()
    )
}

/// Puts a new refresh token in the place of the one with `old_hash`. False when another request was
/// first.
///
/// # Errors
/// When the database fails.
pub async fn rotate(
    tx: &mut Tx,
    id: SessionId,
    old_hash: &str,
    new_hash: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE sessions SET refresh_hash = $1, last_used_at = $2, expires_at = $3
         WHERE id = $4 AND refresh_hash = $5 AND ended_at IS NULL",
        new_hash,
        now.millis(),
        expires_at.millis(),
        id.get(),
        old_hash
    )?;
    Ok(touched == 1)
}

/// Ends a session of a user. False when it was not theirs or had ended.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, user_id: UserId, id: SessionId, now: Timestamp) -> Result<bool> {
    let touched = execute!(
        tx,
        "UPDATE sessions SET ended_at = $1 WHERE id = $2 AND user_id = $3 AND ended_at IS NULL",
        now.millis(),
        id.get(),
        user_id.get()
    )?;
    Ok(touched == 1)
}

/// A user's live sessions, the last used first.
///
/// # Errors
/// When the database fails.
pub async fn live(tx: &mut Tx, user_id: UserId, now: Timestamp) -> Result<Vec<Session>> {
    let rows = all!(
        tx,
        Row,
        "SELECT id, user_agent, address, created_at, last_used_at FROM sessions
         WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY last_used_at DESC, id DESC",
        user_id.get(),
        now.millis()
    )?;
    Ok(rows
        .into_iter()
        .map(|r| Session {
            id: r.id,
            user_agent: r.user_agent,
            address: r.address,
            created_at: r.created_at,
            last_used_at: r.last_used_at,
            current: false,
        })
        .collect())
}

/// Sessions ended since a time: their access tokens may still look valid.
///
/// # Errors
/// When the database fails.
pub async fn ended_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
    let rows = all!(tx, (i64, i64), "SELECT id, ended_at FROM sessions WHERE ended_at > $1", since.millis())?;
    Ok(rows.into_iter().map(|(id, at)| (id.into(), at.into())).collect())
}

/// Forgets sessions that ended or expired before a time.
///
/// # Errors
/// When the database fails.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    execute!(tx, "DELETE FROM sessions WHERE ended_at < $1 OR expires_at < $1", before.millis())
}
