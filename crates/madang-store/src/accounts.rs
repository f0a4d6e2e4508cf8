//! Users.

use madang_proto::{
    Timestamp, UserId,
    accounts::{User, UserSummary},
    presence::UserStatus,
};

use crate::{
    Result, Tx,
    db::{execute, optional},
    profiles::StatusRow,
};

/// A user to be stored.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The whole user.
    pub user: User,
    /// The username as it is compared.
    pub username_key: String,
    /// The hash of the password, for those who have one.
    pub password_hash: Option<String>,
    /// The name an outside issuer knows them by.
    pub external_id: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    #[sqlx(try_from = "i64")]
    id: UserId,
    username: String,
    display_name: String,
    email: Option<String>,
    avatar_url: Option<String>,
    about: Option<String>,
    time_zone: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct WithStatus {
    #[sqlx(flatten)]
    user: Row,
    #[sqlx(flatten)]
    status: StatusRow,
}

impl From<Row> for User {
    fn from(r: Row) -> Self {
        Self {
            summary: UserSummary {
                id: r.id,
                username: r.username,
                display_name: r.display_name,
                avatar_url: r.avatar_url,
            },
            guest: r.id.is_guest(),
            email: r.email,
            about: r.about,
            time_zone: r.time_zone,
            created_at: r.created_at,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, username, display_name, email, avatar_url, about, time_zone, created_at FROM users ",
            $rest
        )
    };
}

/// Stores a user.
///
/// # Errors
/// `Conflict` when the name is taken.
pub async fn insert(tx: &mut Tx, new: &NewUser) -> Result<()> {
    let s = &new.user.summary;
    execute!(
        tx,
        "INSERT INTO users (id, username, username_key, display_name, email, avatar_url, password_hash, external_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        s.id.get(), &s.username, &new.username_key, &s.display_name, new.user.email.as_deref(),
        s.avatar_url.as_deref(), new.password_hash.as_deref(), new.external_id.as_deref(),
        new.user.created_at.millis()
    )?;
    Ok(())
}

/// The user with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    Ok(optional!(tx, Row, select!("WHERE id = $1"), id.get())?.map(User::from))
}

/// The same, with what they say of themself, of which some may be over.
///
/// # Errors
/// When the database fails.
pub async fn with_status(tx: &mut Tx, id: UserId) -> Result<Option<(User, UserStatus)>> {
    let sql = "SELECT id, username, display_name, email, avatar_url, about, time_zone, created_at,
                      status, dnd_until, custom_status, emoji, expires_at
               FROM users WHERE id = $1";
    let row = optional!(tx, WithStatus, sql, id.get())?;
    Ok(row.map(|row| (row.user.into(), row.status.into())))
}

/// The user with this name.
///
/// # Errors
/// When the database fails.
pub async fn by_username_key(tx: &mut Tx, key: &str) -> Result<Option<User>> {
    Ok(optional!(tx, Row, select!("WHERE username_key = $1"), key)?.map(User::from))
}

/// The user whom an outside issuer knows by this name.
///
/// # Errors
/// When the database fails.
pub async fn by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<User>> {
    Ok(optional!(tx, Row, select!("WHERE external_id = $1"), external_id)?.map(User::from))
}

/// The hash of a user's password, if they have one.
///
/// # Errors
/// When the database fails.
pub async fn password_hash(tx: &mut Tx, id: UserId) -> Result<Option<String>> {
    let row = optional!(tx, (Option<String>,), "SELECT password_hash FROM users WHERE id = $1", id.get())?;
    Ok(row.and_then(|r| r.0))
}

/// Gives a user another password, and ends all of their sessions.
///
/// # Errors
/// When the database fails.
pub async fn set_password_hash(tx: &mut Tx, id: UserId, hash: &str, now: Timestamp) -> Result<()> {
    execute!(&mut *tx, "UPDATE users SET password_hash = $1 WHERE id = $2", hash, id.get())?;
    execute!(
        tx,
        "UPDATE sessions SET ended_at = $1 WHERE user_id = $2 AND ended_at IS NULL",
        now.millis(),
        id.get()
    )?;
    Ok(())
}
