//! What who runs the server does with transfers, from the command line: a workspace goes out while the server runs.
//! Also the password of someone who has none, as those who were imported.

use std::path::Path;

use madang_proto::{Timestamp, WorkspaceId, accounts::Secret, input};
use madang_store::{
    Db, accounts,
    transfer::{self, Scope},
};

use super::{Contents, write};
use crate::{Config, auth::Passwords, clock::Clock, files::Storage};

/// Why a transfer was not made or not taken in; each line is for people.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct TransferError(pub Vec<String>);

impl TransferError {
    pub(super) fn new(what: impl std::fmt::Display) -> Self {
        Self(vec![what.to_string()])
    }
}

impl From<madang_store::Error> for TransferError {
    fn from(error: madang_store::Error) -> Self {
        Self::new(format!("database: {error}"))
    }
}

impl From<crate::Error> for TransferError {
    fn from(error: crate::Error) -> Self {
        Self::new(error.reason())
    }
}

impl From<std::io::Error> for TransferError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

/// What is to go out.
#[derive(Debug, Clone, Copy)]
pub struct WhatToExport {
    /// Direct messages and groups too.
    pub direct: bool,
    /// The bytes of files too.
    pub files: bool,
}

/// What went out.
#[derive(Debug)]
pub struct Exported {
    /// The workspace's name.
    pub workspace: String,
    /// Lines of each part.
    pub lines: Vec<(String, u64)>,
    /// How many files are in it.
    pub files: u64,
    /// How many files were not there any more.
    pub missing: u64,
}

/// Makes a transfer of a workspace at `to`, beside a running server.
///
/// # Errors
/// Says which workspaces there are, or what is away or in the way.
pub async fn export_workspace(
    config: &Config,
    called: &str,
    to: &Path,
    what: WhatToExport,
) -> Result<Exported, TransferError> {
    let db = Db::connect(&config.store()).await?;
    if db.migration_status().await?.iter().any(|migration| !migration.applied) {
        return Err(TransferError::new(
            "the database is of an older Madang: start the server once, which brings it up to date",
        ));
    }
    let found = transfer::workspaces_called(&mut db.read().await?, called).await?;
    let (id, workspace) = match found.as_slice() {
        [(id, name)] => (WorkspaceId::from(*id), name.clone()),
        [] => return Err(TransferError::new(format!("there is no workspace {called:?}"))),
        many => {
            let ids: Vec<String> = many.iter().map(|(id, _)| id.to_string()).collect();
            return Err(TransferError::new(format!("{called:?} are several, say which: {}", ids.join(", "))));
        }
    };
    let storage =
        if what.files { Some(Storage::from_config(config).map_err(TransferError::new)?) } else { None };
    let near = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".madang-export").tempdir_in(near)?;
    let made = folder.path().join("transfer");
    let scope = Scope::Workspace { id, direct: what.direct };
    let contents = write(&db, storage.as_ref(), scope, folder.path(), &made, Clock::default().now()).await?;
    std::fs::rename(&made, to)?;
    db.close().await;
    let Contents { manifest, files, missing } = contents;
    let lines = manifest.parts.into_iter().map(|part| (part.name, part.lines)).collect();
    Ok(Exported { workspace, lines, files, missing })
}

/// Gives someone another password and ends their sessions; a running server knows it at once, but for access tokens
/// that were given before, which end by themselves.
///
/// # Errors
/// Says that there is nobody of this name, or what is wrong with the password.
pub async fn set_password(config: &Config, username: &str, password: Secret) -> Result<(), TransferError> {
    let password =
        input::password(&password.0).map_err(|why| TransferError::new(format!("password: {why}")))?;
    let db = Db::connect(&config.store()).await?;
    db.migrate().await?;
    let hash = Passwords::new(None).hash(password).await?;
    let mut tx = db.begin().await?;
    let found = accounts::by_username_key(&mut tx, &input::name_key(username)).await?;
    let user = found.ok_or_else(|| TransferError::new(format!("there is no user {username:?}")))?;
    if user.guest {
        return Err(TransferError::new(format!("{username:?} is a guest, who has no password")));
    }
    let now: Timestamp = Clock::default().now();
    accounts::set_password_hash(&mut tx, user.summary.id, &hash, now).await?;
    tx.commit().await?;
    db.close().await;
    Ok(())
}
