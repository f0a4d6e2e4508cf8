//! What users have chosen for themselves.

use madang_proto::{UserId, settings::Settings};

use crate::{
    Result, Tx,
    db::{execute, optional},
};

/// The settings of a user.
///
/// # Errors
/// When the database fails.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Settings> {
    let row = optional!(tx, (bool,), "SELECT share_read_marks FROM users WHERE id = $1", user.get())?;
    Ok(row.map_or_else(Settings::default, |(share_read_marks,)| Settings { share_read_marks }))
}

/// Stores them.
///
/// # Errors
/// When the database fails.
pub async fn update(tx: &mut Tx, user: UserId, settings: Settings) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET share_read_marks = $1 WHERE id = $2",
        settings.share_read_marks,
        user.get()
    )?;
    Ok(())
}
