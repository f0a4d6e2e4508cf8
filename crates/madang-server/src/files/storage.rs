//! Where the bytes of files are kept: a folder or a bucket that speaks S3, and beside it a folder on this
//! machine in which what one request brings is gathered ([`pieces`]: what several brought).
//!
//! Names are made of ids only. What fails is one of two things: there is no room, or the storage is away. The
//! latter is a normal state: it shows in `/health`, and [`Storage::probe`] sees when it is over.
//!
//! Invariants:
//! - No file is held in memory: parts of [`PART`] bytes, [`AT_ONCE`] of them for an upload.
//! - What [`Storage::keep`] returned for is kept, also when the machine stops.

mod pieces;

use std::{
    io,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use madang_proto::FileId;
use object_store::{
    ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
    aws::AmazonS3Builder, local::LocalFileSystem, path::Path,
};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncReadExt, sync::Notify};

use super::resumable::Busy;
use crate::{
    config::Config,
    error::{Error, Result},
};

/// Bytes of a part of an upload to the storage; S3 takes at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;
/// Parts of an upload that are on their way at once.
const AT_ONCE: usize = 2;
/// How long a bucket may take to answer, or to send the next bytes.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a request to a bucket is tried again.
const RETRY_WITHIN: Duration = Duration::from_secs(5);

/// What is kept of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Its bytes.
    Whole,
    /// Its thumbnail.
    Thumbnail,
    /// What someone takes away, under the id of the export.
    Export,
    /// What one request brought of an upload that is not whole, from this byte on.
    Coming(i64),
}

/// Where the bytes are.
#[derive(Debug)]
pub struct Storage {
    objects: Arc<dyn ObjectStore>,
    kind: &'static str,
    coming: PathBuf,
    well: AtomicBool,
    /// Says that there are files to be forgotten.
    pub removed: Notify,
    /// Which uploads are being added to.
    pub busy: Busy,
}

/// A part of a file, as it is read.
pub type Bytestream = BoxStream<'static, object_store::Result<Bytes>>;

impl Storage {
    /// The storage that the settings name; its folders are made.
    ///
    /// # Errors
    /// Says which setting is wrong, or which folder cannot be made.
    pub fn from_config(config: &Config) -> std::result::Result<Self, String> {
        let coming = config.data.join("uploads");
        std::fs::create_dir_all(&coming).map_err(|e| format!("{}: {e}", coming.display()))?;
        let (objects, kind): (Arc<dyn ObjectStore>, _) = match &config.s3_bucket {
            Some(bucket) => (Arc::new(bucket_of(config, bucket)?), "s3"),
            None => {
                let folder = folder_of(config);
                std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
                let local = LocalFileSystem::new_with_prefix(&folder);
                let local = local.map_err(|e| format!("{}: {e}", folder.display()))?;
                (Arc::new(local.with_fsync(true).with_automatic_cleanup(true)), "disk")
            }
        };
        Ok(Self {
            objects,
            kind,
            coming,
            well: AtomicBool::new(true),
            removed: Notify::new(),
            busy: Busy::default(),
        })
    }

    /// `disk` or `s3`.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether it answered last.
    pub fn is_well(&self) -> bool {
        self.well.load(Ordering::Relaxed)
    }

    /// Where the bytes of a file are gathered.
    pub fn coming(&self, id: FileId) -> PathBuf {
        self.coming.join(id.to_string())
    }

    /// Where the bytes of a file are gathered from this one on.
    pub fn coming_from(&self, id: FileId, at: i64) -> PathBuf {
        if at == 0 { self.coming(id) } else { self.coming.join(format!("{id}.{at}")) }
    }

    /// Where bytes wait until it is known that they are what was sent.
    pub fn unchecked(&self, id: FileId) -> PathBuf {
        self.coming.join(format!("{id}.unchecked"))
    }

    /// Where a cleaned image or video waits to be kept.
    pub fn cleaned(&self, id: FileId) -> PathBuf {
        self.coming.join(format!("{id}.clean"))
    }

    /// Keeps what a file of this machine says as a piece; gives its size and SHA-256.
    pub async fn keep(&self, id: FileId, piece: Piece, path: &std::path::Path) -> Result<(i64, String)> {
        let mut from = tokio::fs::File::open(path).await.map_err(of_disk)?;
        let mut hash = Sha256::new();
        let mut part = read_part(&mut from).await?;
        let (mut size, place) = (part.len(), path_of(id, piece));
        hash.update(&part);
        if part.len() < PART {
            self.told(self.objects.put(&place, part.into()).await)?;
            return Ok((i64::try_from(size).unwrap_or(i64::MAX), hex(&hash.finalize())));
        }
        let mut upload =
            WriteMultipart::new_with_chunk_size(self.told(self.objects.put_multipart(&place).await)?, PART);
        let passed = async {
            while !part.is_empty() {
                upload.wait_for_capacity(AT_ONCE).await.map_err(|e| self.failed(&e))?;
                upload.put(part);
                part = read_part(&mut from).await?;
                size += part.len();
                hash.update(&part);
            }
            Ok(())
        };
        match passed.await {
            Ok(()) => self.told(upload.finish().await)?,
            Err(error) => {
                drop(upload.abort().await);
                return Err(error);
            }
        };
        Ok((i64::try_from(size).unwrap_or(i64::MAX), hex(&hash.finalize())))
    }

    /// Keeps a thumbnail.
    pub async fn keep_thumbnail(&self, id: FileId, bytes: Vec<u8>) -> Result<()> {
        self.told(self.objects.put(&path_of(id, Piece::Thumbnail), bytes.into()).await).map(drop)
    }

    /// Keeps bytes that are few as a file; gives their size and SHA-256.
    pub async fn keep_small(&self, id: FileId, bytes: Vec<u8>) -> Result<(i64, String)> {
        let (size, hash) = (i64::try_from(bytes.len()).unwrap_or(i64::MAX), hex(&Sha256::digest(&bytes)));
        self.told(self.objects.put(&path_of(id, Piece::Whole), bytes.into()).await)?;
        Ok((size, hash))
    }

    /// Bytes of a file; `range` lies within it.
    pub async fn read(&self, id: FileId, piece: Piece, range: Option<Range<u64>>) -> Result<Bytestream> {
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.told(self.objects.get_opts(&path_of(id, piece), options).await)?;
        Ok(found.into_stream())
    }

    /// All of a piece that has so many bytes; `None` where it is not there, or not of that size.
    pub async fn read_whole(&self, id: FileId, piece: Piece, size: i64) -> Result<Option<Bytestream>> {
        match self.objects.get(&path_of(id, piece)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => {
                let found = self.told(found)?;
                Ok((i64::try_from(found.meta.size) == Ok(size)).then(|| found.into_stream()))
            }
        }
    }

    /// Size and SHA-256 of a piece, read anew; `None` where it is not there.
    pub async fn digest(&self, id: FileId, piece: Piece) -> Result<Option<(i64, String)>> {
        let found = match self.objects.get(&path_of(id, piece)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => self.told(found)?,
        };
        let (mut bytes, mut hash, mut size) = (found.into_stream(), Sha256::new(), 0);
        while let Some(part) = bytes.next().await {
            let part = self.told(part)?;
            hash.update(&part);
            size += part.len();
        }
        Ok(Some((i64::try_from(size).unwrap_or(i64::MAX), hex(&hash.finalize()))))
    }

    /// All bytes of what is small: a thumbnail, an emoji.
    pub async fn read_small(&self, id: FileId, piece: Piece) -> Result<Bytes> {
        let found = self.told(self.objects.get(&path_of(id, piece)).await)?;
        self.told(found.bytes().await)
    }

    /// Forgets all that is kept of a file; fine when nothing is.
    pub async fn forget(&self, id: FileId) -> Result<()> {
        self.drop_coming(id).await?;
        self.forget_coming(id).await?;
        self.forget_pieces(id, &[Piece::Whole, Piece::Thumbnail]).await
    }

    /// Forgets pieces; fine when they are not there.
    pub async fn forget_pieces(&self, id: FileId, pieces: &[Piece]) -> Result<()> {
        for piece in pieces {
            match self.objects.delete(&path_of(id, *piece)).await {
                Err(object_store::Error::NotFound { .. }) => {}
                other => self.told(other)?,
            }
        }
        Ok(())
    }

    /// Forgets what was gathered of a file here.
    pub async fn drop_coming(&self, id: FileId) -> Result<()> {
        for (_, path) in self.all_coming().await?.into_iter().filter(|(of, _)| *of == id) {
            match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_disk(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// What was gathered here, and of which files.
    pub async fn all_coming(&self) -> Result<Vec<(FileId, PathBuf)>> {
        let mut folder = tokio::fs::read_dir(&self.coming).await.map_err(of_disk)?;
        let mut found = Vec::new();
        while let Some(entry) = folder.next_entry().await.map_err(of_disk)? {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.split('.').next()?.parse().ok());
            found.extend(id.map(|id| (id, entry.path())));
        }
        Ok(found)
    }

    /// Asks the storage for a sign of life: whether it keeps something.
    pub async fn probe(&self) {
        let probe = Path::from("probe");
        let lives = self.objects.put(&probe, Bytes::new().into()).await.is_ok();
        if lives && self.objects.delete(&probe).await.is_ok() && !self.well.swap(true, Ordering::Relaxed) {
            tracing::info!(kind = self.kind, "the storage of files is back");
        }
    }

    /// Notes how it went.
    fn told<T>(&self, result: object_store::Result<T>) -> Result<T> {
        if result.is_ok() {
            self.well.store(true, Ordering::Relaxed);
        }
        result.map_err(|error| self.failed(&error))
    }

    /// What a failure of the storage means.
    fn failed(&self, error: &object_store::Error) -> Error {
        let (mut text, mut cause) = (error.to_string(), std::error::Error::source(error));
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some_and(is_full) {
                return Error::StorageFull(NO_ROOM);
            }
            text = format!("{text}: {error}");
            cause = error.source();
        }
        if self.well.swap(false, Ordering::Relaxed) {
            tracing::warn!(kind = self.kind, error = text, "the storage of files is away");
        }
        Error::FilesAway(format!("storage of files: {text}"))
    }
}

const NO_ROOM: &str = "the server has no room for files";

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::StorageFull | K::QuotaExceeded | K::FileTooLarge)
}

/// What a failure of the folder in which files are gathered means.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err takes")]
pub fn of_disk(error: io::Error) -> Error {
    if is_full(&error) {
        Error::StorageFull(NO_ROOM)
    } else {
        Error::FilesAway(format!("folder of uploads: {error}"))
    }
}

fn bucket_of(config: &Config, bucket: &str) -> std::result::Result<object_store::aws::AmazonS3, String> {
    let options = ClientOptions::new()
        .with_connect_timeout(RETRY_WITHIN)
        // The whole of a large file may take long; that nothing comes may not.
        .with_timeout_disabled()
        .with_read_timeout(PATIENCE);
    let retry = RetryConfig { max_retries: 2, retry_timeout: RETRY_WITHIN, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.s3_region)
        .with_retry(retry)
        .with_client_options(options);
    if let Some(endpoint) = &config.s3_endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    let (Some(key), Some(secret)) = (&config.s3_key, &config.s3_secret) else {
        return Err("s3_bucket needs s3_key and s3_secret".to_owned());
    };
    builder.with_access_key_id(key).with_secret_access_key(&secret.0).build().map_err(|e| format!("s3: {e}"))
}

/// Where a piece is, where files are kept in the data folder.
pub fn on_disk(config: &Config, id: FileId, piece: Piece) -> PathBuf {
    folder_of(config).join(path_of(id, piece).as_ref())
}

fn folder_of(config: &Config) -> PathBuf {
    config.data.join("files")
}

/// The name of a piece: in one of 256 folders, by the time of its id.
fn path_of(id: FileId, piece: Piece) -> Path {
    let folder = (id.get() >> 22) & 0xff;
    let ending = match piece {
        Piece::Coming(at) => return pieces::path_of(id, at),
        Piece::Whole => "",
        Piece::Thumbnail => ".thumbnail",
        Piece::Export => ".export",
    };
    Path::from(format!("{folder:02x}/{id}{ending}"))
}

async fn read_part(from: &mut tokio::fs::File) -> Result<Bytes> {
    let mut part = Vec::new();
    let most = u64::try_from(PART).unwrap_or(u64::MAX);
    from.take(most).read_to_end(&mut part).await.map_err(of_disk)?;
    Ok(part.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
