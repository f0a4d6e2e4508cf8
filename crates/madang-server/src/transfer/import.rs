//! A transfer is taken in, by who runs the server, while it is stopped: read twice, first only to look, then in one
//! transaction. So it comes in wholly or not at all; an import that was killed is begun again.
//!
//! Who is here already, by id and time of their beginning, stays as they are; others come without a password. Names that
//! are taken get a number.
//!
//! Invariants:
//! - Nothing is written before all was read and fits.
//! - No id that is taken here is written over: neither a row nor the bytes of a file.
//! - As many statements for a batch of rows as for one.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use madang_proto::{FileId, Timestamp, ids, input, limits};
use madang_store::{
    Db, Tx, nodes,
    transfer::{self, Row, SHARED, Table},
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    AVATAR, Manifest, TransferError, number, put,
    read::{self, Item, Outcome, Taken},
    text,
};
use crate::{
    Config,
    clock::Ids,
    files::{Ffmpeg, Piece, Storage, avatars},
    server, visits,
};

/// What the reader hands on before it waits.
const QUEUE: usize = 2;
/// Numbers that a taken name is tried with.
const TRIED: usize = 100;

/// What came in, or would have.
#[derive(Debug, Default)]
pub struct Imported {
    /// The workspace's name.
    pub workspace: String,
    /// Rows of each part.
    pub rows: Vec<(&'static str, u64)>,
    /// Files whose bytes are in the transfer.
    pub files: u64,
    /// Files whose bytes are not.
    pub missing: u64,
    /// People who are here already.
    pub known: u64,
    /// People who are called otherwise here: from, to.
    pub renamed: Vec<(String, String)>,
}

/// What was found when the transfer was looked at.
#[derive(Default)]
struct Found {
    report: Imported,
    rows: BTreeMap<&'static str, u64>,
    known: HashSet<i64>,
    names: HashMap<i64, String>,
    /// Names that someone in the transfer has here.
    given: HashSet<String>,
    /// Whose bytes came, and whether with a thumbnail beside them.
    bytes: HashMap<i64, bool>,
    /// The addresses of pictures of people, with their files.
    avatars: HashMap<String, i64>,
    /// Files of which nothing is kept: pictures of those who stay as they are.
    left: HashSet<i64>,
    problems: Vec<String>,
}

/// Takes a transfer in, or only says what would come of it.
///
/// # Errors
/// All that is wrong with it, by line.
pub async fn import(
    config: &Config,
    path: &Path,
    dry_run: bool,
    now: Timestamp,
) -> Result<Imported, TransferError> {
    server::create_private(&config.data)?;
    let _lock = server::lock(&config.data).map_err(TransferError::new)?;
    let db = Db::connect(&config.store()).await?;
    let migrations = db.migration_status().await?;
    let older = migrations.iter().any(|m| m.applied) && migrations.iter().any(|m| !m.applied);
    if dry_run && older {
        return Err(TransferError::new("the database is older than this Madang: start the server once"));
    }
    db.migrate().await?;
    if let Some(node) = nodes::list(&db).await?.iter().find(|node| node.is_alive()) {
        let at = &node.address;
        return Err(TransferError::new(format!("a server is alive on this database, {at}: stop it first")));
    }
    let storage = Storage::from_config(config).map_err(TransferError::new)?;
    let folder = tempfile::Builder::new().prefix("import").tempdir_in(&config.data)?;
    let ffmpeg = Ffmpeg::from_config(config).map_err(TransferError::new)?.map(Arc::new);
    let taken = Taken { bytes: config.file_bytes(), types: config.file_types.clone(), ffmpeg };
    let pass = Pass { taken, path, folder: folder.path().to_owned(), now };
    let result = pass.both(&db, &storage, dry_run).await;
    db.close().await;
    result
}

struct Pass<'a> {
    taken: Taken,
    path: &'a Path,
    folder: PathBuf,
    now: Timestamp,
}

impl Pass<'_> {
    /// The reader on its thread, and what it hands on.
    fn begin(&self) -> (tokio::task::JoinHandle<Outcome>, mpsc::Receiver<Item>) {
        let (give, take) = mpsc::channel(QUEUE);
        let (path, folder, now) = (self.path.to_owned(), self.folder.clone(), self.now);
        let taken = self.taken.clone();
        let work =
            move || read::read(&path, &folder, &taken, now, &mut |item| give.blocking_send(item).is_ok());
        (tokio::task::spawn_blocking(work), take)
    }

    async fn both(&self, db: &Db, storage: &Storage, dry_run: bool) -> Result<Imported, TransferError> {
        let (mut found, outcome) = self.look(db).await?;
        let mut problems = outcome.problems;
        problems.append(&mut found.problems);
        if !problems.is_empty() {
            return Err(TransferError(problems));
        }
        let Some(manifest) = outcome.manifest else { return Err(TransferError::new("no manifest")) };
        let files = found.rows.get("files").copied().unwrap_or_default();
        let rows = SHARED.iter().filter_map(|table| Some((table.name, *found.rows.get(table.name)?)));
        found.report.rows = rows.collect();
        found.report.files = found.bytes.len() as u64;
        found.report.missing = files.saturating_sub(found.report.files + found.left.len() as u64);
        found.report.known = found.known.len() as u64;
        if dry_run {
            return Ok(found.report);
        }
        if let Some((oldest, newest)) = outcome.messages {
            let at = |id| Timestamp::from(ids::made_at(id));
            transfer::prepare(db, at(oldest), at(newest)).await?;
        }
        let mut kept = Vec::new();
        match self.store(db, storage, &found, &manifest, &mut kept).await {
            Ok(()) => Ok(found.report),
            Err(error) => {
                for id in kept {
                    drop(storage.forget(id).await);
                }
                Err(error)
            }
        }
    }

    /// Reads all and says what does not fit, here or there.
    async fn look(&self, db: &Db) -> Result<(Found, Outcome), TransferError> {
        let mut found = Found::default();
        let (reader, mut items) = self.begin();
        let mut tx = db.read().await?;
        while let Some(item) = items.recv().await {
            match item {
                Item::Rows(table, rows) => {
                    *found.rows.entry(table.name).or_default() += rows.len() as u64;
                    found.meet(&mut tx, table, &rows).await?;
                }
                Item::Bytes { id, path, whole, thumbnail } => {
                    if !found.left.contains(&id) {
                        found.bytes.insert(id, whole && thumbnail.is_some());
                    }
                    tokio::fs::remove_file(path).await?;
                }
            }
        }
        Ok((found, reader.await.map_err(TransferError::new)?))
    }

    /// Reads all once more, and stores it.
    async fn store(
        &self,
        db: &Db,
        storage: &Storage,
        found: &Found,
        manifest: &Manifest,
        kept: &mut Vec<FileId>,
    ) -> Result<(), TransferError> {
        let (reader, mut items) = self.begin();
        let ids = Ids::new(crate::nodes::ADMIN, db.newest_id().await?, db.fence());
        let mut ends = BTreeSet::new();
        let mut tx = transfer::begin(db).await?;
        while let Some(item) = items.recv().await {
            match item {
                Item::Rows(table, rows) => {
                    let lines = (rows.first().map_or(0, |row| row.0), rows.last().map_or(0, |row| row.0));
                    let rows: Vec<Row> =
                        rows.into_iter().filter_map(|(_, row)| found.kept(table, row)).collect();
                    if rows.is_empty() {
                        continue;
                    }
                    let ids: Vec<i64> = rows.iter().filter_map(|row| number(table, row, "id")).collect();
                    ends.extend(rows.iter().filter_map(|row| visits::end_of(table, row)));
                    transfer::insert(&mut tx, table, rows).await.map_err(|error| {
                        let (name, (from, to)) = (table.name, lines);
                        TransferError::new(format!("{name}.jsonl lines {from} to {to}: {error}"))
                    })?;
                    if table.name == "users" {
                        transfer::introduce(&mut tx, &ids).await?;
                    }
                }
                Item::Bytes { id, path, whole, thumbnail } => {
                    if found.left.contains(&id) {
                        tokio::fs::remove_file(path).await?;
                        continue;
                    }
                    let id = FileId::from(id);
                    kept.push(id);
                    if whole {
                        storage.keep(id, Piece::Whole, &path).await?;
                    }
                    if let Some(thumbnail) = thumbnail {
                        storage.keep_thumbnail(id, thumbnail).await?;
                    }
                    tokio::fs::remove_file(path).await?;
                }
            }
        }
        let outcome = reader.await.map_err(TransferError::new)?;
        if !outcome.problems.is_empty() || outcome.manifest.as_ref() != Some(manifest) {
            return Err(TransferError::new("the transfer changed while it was read; import it again"));
        }
        visits::end_all(&mut tx, &ids, self.now, ends).await.map_err(TransferError::new)?;
        tx.commit().await?;
        Ok(())
    }
}

impl Found {
    fn problem(&mut self, table: &Table, line: u64, what: impl std::fmt::Display) {
        self.problems.push(format!("{}.jsonl line {line}: {what}", table.name));
    }

    /// Holds rows against what is here.
    async fn meet(
        &mut self,
        tx: &mut Tx,
        table: &'static Table,
        rows: &[(u64, Row)],
    ) -> Result<(), TransferError> {
        if table.name == "workspaces" {
            let name = rows.first().and_then(|(_, row)| text(table, row, "name"));
            self.report.workspace = name.unwrap_or_default().to_owned();
        }
        if !table.has_ids() {
            return Ok(());
        }
        if table.name == "files" {
            self.meet_avatars(table, rows);
        }
        let ids = rows.iter().filter_map(|(_, row)| number(table, row, "id"));
        let ids: Vec<i64> = ids.filter(|id| !self.left.contains(id)).collect();
        if table.name == "users" {
            return self.meet_people(tx, table, rows, &ids).await;
        }
        let taken = transfer::taken(tx, table, &ids).await?;
        for (line, row) in rows {
            let Some(id) = number(table, row, "id").filter(|id| taken.contains(id)) else { continue };
            let what = match table.name {
                "workspaces" => {
                    "the workspace is here already; import it into another installation".to_owned()
                }
                _ => format!("id: {id} is taken here"),
            };
            self.problem(table, *line, what);
        }
        Ok(())
    }

    /// Notes the pictures of people; the pictures of those who are here already stay out.
    fn meet_avatars(&mut self, table: &'static Table, rows: &[(u64, Row)]) {
        for (_, row) in rows.iter().filter(|(_, row)| text(table, row, "state") == Some(AVATAR)) {
            let owner = number(table, row, "uploader_id");
            let (Some(id), Some(secret)) = (number(table, row, "id"), text(table, row, "name")) else {
                continue;
            };
            if owner.is_some_and(|owner| self.known.contains(&owner)) {
                self.left.insert(id);
            } else {
                self.avatars.insert(avatars::address(id.into(), secret), id);
            }
        }
    }

    /// Whether a picture of a user leads nowhere here: to this server, but to no avatar that came.
    fn is_lost(&self, picture: &str) -> bool {
        let file = self.avatars.get(picture);
        picture.starts_with('/') && !file.is_some_and(|file| self.bytes.contains_key(file))
    }

    /// Who of these people is here, and what the others are to be called.
    async fn meet_people(
        &mut self,
        tx: &mut Tx,
        table: &'static Table,
        rows: &[(u64, Row)],
        ids: &[i64],
    ) -> Result<(), TransferError> {
        let here = transfer::people(tx, ids).await?;
        let mut new = Vec::new();
        for (line, row) in rows {
            let Some(id) = number(table, row, "id") else { continue };
            let name = text(table, row, "username").unwrap_or_default();
            match here.get(&id) {
                Some(person) if number(table, row, "created_at") == Some(person.created_at.millis()) => {
                    self.known.insert(id);
                    if person.username != name {
                        self.report.renamed.push((name.to_owned(), person.username.clone()));
                    }
                }
                Some(person) => {
                    let what = format!("id: {id} is {:?} here, who came at another time", person.username);
                    self.problem(table, *line, what);
                }
                None => new.push((*line, id, name, text(table, row, "external_id"))),
            }
        }
        let keys: Vec<String> = new.iter().map(|(_, _, name, _)| input::name_key(name)).collect();
        let mut taken = transfer::taken_names(tx, "username_key", &keys).await?;
        taken.extend(self.given.iter().cloned());
        let numbered = new.iter().map(|(_, _, name, _)| *name);
        let numbered = numbered.filter(|name| taken.contains(&input::name_key(name))).flat_map(candidates);
        let numbered: Vec<String> = numbered.map(|name| input::name_key(&name)).collect();
        taken.extend(transfer::taken_names(tx, "username_key", &numbered).await?);
        let outside: Vec<String> =
            new.iter().filter_map(|(.., outside)| outside.map(str::to_owned)).collect();
        let outside_taken = transfer::taken_names(tx, "external_id", &outside).await?;
        for (line, id, name, outside) in new {
            let mut names = std::iter::once(name.to_owned()).chain(candidates(name));
            let Some(free) = names.find(|name| !taken.contains(&input::name_key(name))) else {
                self.problem(table, line, format!("username: {name:?} is taken, and with each number too"));
                continue;
            };
            // Two of the transfer cannot have one name either.
            taken.insert(input::name_key(&free));
            self.given.insert(input::name_key(&free));
            if free != name {
                self.report.renamed.push((name.to_owned(), free.clone()));
                self.names.insert(id, free);
            }
            if outside.is_some_and(|outside| outside_taken.contains(outside)) {
                let what = "external_id: someone else signs in with it here";
                self.problem(table, line, what);
            }
        }
        Ok(())
    }

    /// The row as it is stored; `None` where it is not.
    fn kept(&self, table: &'static Table, mut row: Row) -> Option<Row> {
        let Some(id) = number(table, &row, "id") else { return Some(row) };
        match table.name {
            "users" if self.known.contains(&id) => return None,
            "users" => {
                if let Some(name) = self.names.get(&id) {
                    put(table, &mut row, "username", name.as_str().into());
                }
                if text(table, &row, "avatar_url").is_some_and(|picture| self.is_lost(picture)) {
                    put(table, &mut row, "avatar_url", Value::Null);
                }
            }
            "files" => put(table, &mut row, "thumbnail", (*self.bytes.get(&id)?).into()),
            _ => {}
        }
        Some(row)
    }
}

/// A name with numbers.
fn candidates(name: &str) -> impl Iterator<Item = String> {
    (2..=TRIED).map(move |number| {
        let ending = format!("-{number}");
        let room = limits::USERNAME_CHARS.1 - ending.len();
        name.chars().take(room).collect::<String>() + &ending
    })
}
