//! Users.

use madang_proto::{
    Timestamp, UserId,
    accounts::{User, UserSummary},
};

use crate::{
    Result, Tx,
    db::{execute, optional},
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
struct Row {
    #[sqlx(try_from = "i64")]
    id: UserId,
    username: String,
    display_name: String,
    email: Option<String>,
    avatar_url: Option<String>,
    #[sqlx(try_from = "i64")]
    created_at: Timestamp,
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
            created_at: r.created_at,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, username, display_name, email, avatar_url, created_at FROM users ", $rest)
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

/// Whether two users share a workspace.
///
/// # Errors
/// When the database fails.
pub async fn share_workspace(tx: &mut Tx, a: UserId, b: UserId) -> Result<bool> {
    let row = optional!(
        tx,
        (i64,),
        "SELECT a.workspace_id FROM workspace_members a
         JOIN workspace_members b ON b.workspace_id = a.workspace_id
         WHERE a.user_id = $1 AND b.user_id = $2 LIMIT 1",
        a.get(),
        b.get()
    )?;
    Ok(row.is_some())
}
