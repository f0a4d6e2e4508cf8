//! Moving an installation from SQLite to PostgreSQL, and its files from the data folder into a bucket, by who runs the
//! server, while it is stopped. `madang_store::moving` moves the rows, `files` the bytes.
//!
//! In this order: rows, files, a comparison of all rows; then the target may be used. Whatever ends before that is begun
//! again by the same command and goes on where it was. The index of search comes last: a server would make it too.
//!
//! Invariants:
//! - The server of the data folder does not run meanwhile, by the lock that it takes too.
//! - The data folder is only read.
//! - No word of what is told has a password in it.

mod files;

pub use madang_proto::accounts::Secret;
use madang_store::{
    Options,
    moving::{Move, Source, Target},
};

pub use self::files::Carried;
use self::files::Carrier;
use crate::{Config, clock::Clock, nodes, server};

/// How the name of a bucket begins.
const BUCKET: &str = "s3://";
/// What is told when the target may be used.
const WHOLE: &str =
    "rows are the same on both sides. The index of search is left, which the server makes if you end this";
/// Connections to the target.
const CONNECTIONS: u32 = 4;

/// Why an installation did not move, in words for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MoveError(String);

impl MoveError {
    fn of(whose: &'static str) -> impl Fn(madang_store::Error) -> Self {
        move |error| {
            let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
            Self(causes.fold(format!("{whose}{error}"), |text, cause| format!("{text}: {cause}")))
        }
    }
}

/// Where it moves.
#[derive(Debug)]
pub struct Destination {
    /// The URL of the database.
    pub database: Secret,
    /// The bucket for the files, as in `s3://bucket`; they stay where they are when missing.
    pub files: Option<String>,
    /// Whether files that are damaged here are left out.
    pub without_damaged: bool,
}

/// What moved, or would.
#[derive(Debug)]
pub struct Moved {
    /// Rows of each table.
    pub rows: Vec<(&'static str, i64)>,
    /// The files.
    pub files: Carried,
    /// The bucket that they are in, where they moved.
    pub bucket: Option<String>,
}

/// What a move takes: the lock, the source and what carries files.
struct Prepared {
    _lock: std::fs::File,
    place: String,
    source: Source,
    target: Target,
    carrier: Option<Carrier>,
    bucket: Option<String>,
}

impl Prepared {
    /// Looks at both sides, changing nothing.
    async fn of(config: &Config, to: &Destination) -> Result<Self, MoveError> {
        let bucket =
            to.files.as_deref().map(|files| bucket_of(config, files)).transpose().map_err(MoveError)?;
        if !config.data.is_dir() {
            let folder = config.data.display();
            return Err(MoveError(format!(
                "there is no data folder {folder}; give the settings of its server"
            )));
        }
        let lock = server::lock(&config.data).map_err(|e| MoveError(e.to_string()))?;
        let place = nodes::place(&lock).map_err(|e| MoveError(format!("data folder: {e}")))?;
        let source = Source::open(&config.store()).await.map_err(MoveError::of(""))?;
        let options = Options { url: to.database.0.clone(), connections: CONNECTIONS, ..config.store() };
        let target = Target::connect(&options).await.map_err(MoveError::of("--to: "))?;
        let carrier = bucket.clone().map(|bucket| Carrier::to_bucket(config, bucket)).transpose();
        let carrier = carrier.map_err(|why| MoveError(format!("--files: {why}")))?;
        if let Some(carrier) = &carrier {
            carrier.reach().await.map_err(|e| MoveError(format!("--files: {}", e.reason())))?;
        }
        Ok(Self { _lock: lock, place, source, target, carrier, bucket })
    }
}

/// The bucket that is named, where the settings do not name one already.
fn bucket_of(config: &Config, files: &str) -> Result<String, String> {
    if config.s3_bucket.is_some() {
        return Err(
            "--files: the settings keep files in a bucket already, where they can stay: leave --files out"
                .to_owned(),
        );
    }
    match files.strip_prefix(BUCKET).map(|name| name.trim_end_matches('/')) {
        Some(name) if !name.is_empty() && !name.contains('/') => Ok(name.to_owned()),
        _ => Err("--files: expected s3://bucket, without a folder in it".to_owned()),
    }
}

/// Says what would move, and whether it could.
///
/// # Errors
/// Says what is in the way.
pub async fn survey(config: &Config, to: &Destination) -> Result<Moved, MoveError> {
    let Prepared { mut source, mut target, place, bucket, .. } = Prepared::of(config, to).await?;
    target.has_begun(&place).await.map_err(MoveError::of("--to: "))?;
    let rows = source.counts().await.map_err(MoveError::of(""))?;
    let files = Carried::of(&source.files().await.map_err(MoveError::of(""))?);
    Ok(Moved { rows, files, bucket })
}

/// Moves it, telling how far it is.
///
/// # Errors
/// Says what is in the way, or went wrong; what is there until then is kept.
pub async fn run(
    config: &Config,
    to: &Destination,
    tell: &(dyn Fn(&str, i64) + Sync),
) -> Result<Moved, MoveError> {
    let clock = Clock::System;
    let Prepared { _lock, place, source, target, carrier, bucket } = Prepared::of(config, to).await?;
    let begun = Move::begin(source, target, &place, clock.now()).await;
    let mut moving = begun.map_err(MoveError::of("--to: "))?;
    moving.copy(tell).await.map_err(MoveError::of("copying: "))?;
    let kept = moving.source().files().await.map_err(MoveError::of(""))?;
    let files = match carrier {
        None => Carried::of(&kept),
        Some(carrier) => {
            carrier.carry(&kept, tell).await.map_err(|e| MoveError(format!("files: {}", e.reason())))?
        }
    };
    if !files.damaged.is_empty() && !to.without_damaged {
        let damaged = files.damaged.join("\n");
        return Err(MoveError(format!(
            "{damaged}\nThese files are damaged in the data folder, all else is there. Put them back from a backup, or \
             leave them out with --without-damaged, and run it again"
        )));
    }
    let rows = moving.compare().await.map_err(MoveError::of("comparing: "))?;
    moving.finish(clock.now()).await.map_err(MoveError::of("--to: "))?;
    tell(WHOLE, rows.iter().map(|(_, rows)| rows).sum());
    moving
        .index(tell)
        .await
        .map_err(MoveError::of("the server fills the index of search, which this did not: "))?;
    moving.close().await.map_err(MoveError::of(""))?;
    Ok(Moved { rows, files, bucket })
}
