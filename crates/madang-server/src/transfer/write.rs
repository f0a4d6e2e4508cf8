//! A transfer is made: first all parts, from one snapshot of the database, into a folder; then the transfer from them and
//! from the bytes of files, with no transaction open.
//!
//! Invariants:
//! - The transaction lasts as long as the parts take, not as long as the files do.
//! - A file that went meanwhile is left out and counted; nothing else is.

use std::path::Path;

use async_compression::tokio::write::GzipEncoder;
use futures_util::StreamExt;
use madang_proto::{FileId, Timestamp};
use madang_store::{
    Db,
    transfer::{Scope, Table, lines, tables},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt, BufWriter},
};

use super::{AVATAR, FILES, FORMAT, MANIFEST, Manifest, Part, TransferKind, hex};
use crate::{
    error::{Error, Result},
    files::{Piece, Storage, of_disk},
};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;
/// What entries of a tar are rounded up to.
const BLOCK: u64 = 512;

type Target = GzipEncoder<BufWriter<File>>;

/// What is in a transfer that was made.
#[derive(Debug)]
pub struct Contents {
    /// What it says of itself.
    pub manifest: Manifest,
    /// How many files are in it.
    pub files: u64,
    /// How many files were not there any more.
    pub missing: u64,
}

/// A file whose bytes are to come along.
#[derive(Deserialize)]
struct Carried {
    id: FileId,
    size: i64,
    state: String,
}

/// Makes a transfer at `to`. `folder` is empty, and is left with what is of no use any more.
pub async fn write(
    db: &Db,
    storage: Option<&Storage>,
    scope: Scope,
    folder: &Path,
    to: &Path,
    now: Timestamp,
) -> Result<Contents> {
    let mut carried = Vec::new();
    let mut parts = Vec::new();
    let mut tx = db.read().await?.unhurried();
    for table in tables() {
        let Some(mut rows) = lines(&mut tx, table, scope) else { continue };
        let mut part = Spool::create(folder, table).await?;
        while let Some(line) = rows.next().await {
            let line = line?;
            if storage.is_some() && table.name == "files" {
                carried.push(serde_json::from_slice::<Carried>(&line).map_err(Error::internal)?);
            }
            part.add(&line).await?;
        }
        parts.push(part.done().await?);
    }
    drop(tx);
    let (kind, id, direct) = match scope {
        Scope::User(user) => (TransferKind::User, user.to_string(), true),
        Scope::Workspace { id, direct } => (TransferKind::Workspace, id.to_string(), direct),
        Scope::Owner { workspace, .. } => (TransferKind::Workspace, workspace.to_string(), false),
    };
    let manifest =
        Manifest { format: FORMAT, kind, id, made_at: now, direct, files: storage.is_some(), parts };
    let mut contents = Contents { manifest, files: 0, missing: 0 };
    let target = File::create(to).await.map_err(of_disk)?;
    let mut target = GzipEncoder::new(BufWriter::with_capacity(BUFFER, target));
    let text = serde_json::to_vec_pretty(&contents.manifest).map_err(Error::internal)?;
    entry(&mut target, MANIFEST, length(text.len()), now).await?;
    target.write_all(&text).await.map_err(of_disk)?;
    pad(&mut target, length(text.len())).await?;
    for part in &contents.manifest.parts {
        let mut from = File::open(folder.join(&part.name)).await.map_err(of_disk)?;
        entry(&mut target, &part.name, part.bytes, now).await?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = from.read(&mut buffer).await.map_err(of_disk)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            target.write_all(read).await.map_err(of_disk)?;
        }
        pad(&mut target, part.bytes).await?;
    }
    if let Some(storage) = storage {
        for file in carried {
            let copied = copy(storage, &mut target, &file, now).await?;
            contents.files += u64::from(copied);
            contents.missing += u64::from(!copied);
        }
    }
    // Two empty blocks say that the transfer is whole.
    target.write_all(&[0; 1024]).await.map_err(of_disk)?;
    target.shutdown().await.map_err(of_disk)?;
    target.into_inner().into_inner().sync_all().await.map_err(of_disk)?;
    Ok(contents)
}

/// Copies the bytes of a file. False when they are not there any more.
async fn copy(storage: &Storage, target: &mut Target, file: &Carried, now: Timestamp) -> Result<bool> {
    let piece = if file.state == AVATAR { Piece::Thumbnail } else { Piece::Whole };
    let Some(mut bytes) = storage.read_whole(file.id, piece, file.size).await? else { return Ok(false) };
    let size = u64::try_from(file.size).unwrap_or_default();
    entry(target, &format!("{FILES}{}", file.id), size, now).await?;
    let mut left = size;
    while let Some(piece) = bytes.next().await {
        let piece = piece.map_err(|e| Error::FilesAway(format!("storage of files: {e}")))?;
        left = left.checked_sub(length(piece.len())).ok_or_else(|| changed(file.id))?;
        target.write_all(&piece).await.map_err(of_disk)?;
    }
    if left > 0 {
        return Err(changed(file.id));
    }
    pad(target, size).await?;
    Ok(true)
}

fn changed(id: FileId) -> Error {
    Error::FilesAway(format!("storage of files: file {id} came in another length than it has"))
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Begins an entry.
async fn entry(target: &mut Target, name: &str, size: u64, now: Timestamp) -> Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).map_err(Error::internal)?;
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(now.millis() / 1_000).unwrap_or_default());
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    target.write_all(header.as_bytes()).await.map_err(of_disk)
}

/// Ends an entry.
async fn pad(target: &mut Target, size: u64) -> Result<()> {
    let rest = usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or_default();
    target.write_all(&vec![0; rest]).await.map_err(of_disk)
}

/// A part that is being written.
struct Spool {
    target: BufWriter<File>,
    hash: Sha256,
    part: Part,
}

impl Spool {
    async fn create(folder: &Path, table: &Table) -> Result<Self> {
        let name = format!("{}.jsonl", table.name);
        let target = File::create(folder.join(&name)).await.map_err(of_disk)?;
        let part = Part { name, lines: 0, bytes: 0, sha256: String::new() };
        Ok(Self { target: BufWriter::with_capacity(BUFFER, target), hash: Sha256::new(), part })
    }

    async fn add(&mut self, line: &[u8]) -> Result<()> {
        self.hash.update(line);
        self.part.lines += 1;
        self.part.bytes += length(line.len());
        self.target.write_all(line).await.map_err(of_disk)
    }

    async fn done(mut self) -> Result<Part> {
        self.target.flush().await.map_err(of_disk)?;
        Ok(Part { sha256: hex(&self.hash.finalize()), ..self.part })
    }
}
