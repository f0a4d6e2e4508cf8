//! The bytes of files, from the data folder into a bucket: each piece is read back from there and compared before it
//! counts as moved.
//!
//! Invariants:
//! - What is there already, with the same SHA-256, is not sent again.
//! - A piece that is damaged here is named, and is not in the bucket.

use futures_util::{StreamExt, stream};
use madang_proto::FileId;
use madang_store::moving::Kept;

use crate::{
    Config,
    error::{Error, Result},
    files::{Piece, Storage, of_disk, on_disk},
};

/// Files that are on their way at once.
const AT_ONCE: usize = 4;
/// Files after which it is told how far it is.
const TOLD: u64 = 1_000;

/// The files of an installation, and what became of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Carried {
    /// How many there are.
    pub files: u64,
    /// Their bytes, without thumbnails.
    pub bytes: i64,
    /// Pieces that were sent: files and thumbnails.
    pub sent: u64,
    /// Pieces that were there already.
    pub there: u64,
    /// Those that are damaged in the data folder.
    pub damaged: Vec<String>,
}

impl Carried {
    /// None of them sent.
    pub(super) fn of(kept: &[Kept]) -> Self {
        let bytes = kept.iter().map(|file| file.size).sum();
        Self { files: kept.len() as u64, bytes, ..Self::default() }
    }
}

/// What became of a piece.
enum Became {
    Sent,
    There,
    Damaged(&'static str),
}

/// Carries them.
pub(super) struct Carrier {
    config: Config,
    from: Storage,
    to: Storage,
}

impl Carrier {
    pub(super) fn to_bucket(config: &Config, bucket: String) -> std::result::Result<Self, String> {
        let there = Config { s3_bucket: Some(bucket), ..config.clone() };
        let (from, to) = (Storage::from_config(config)?, Storage::from_config(&there)?);
        Ok(Self { config: config.clone(), from, to })
    }

    /// Asks the bucket for something that is not there.
    pub(super) async fn reach(&self) -> Result<()> {
        self.to.digest(FileId::from(1), Piece::Whole).await.map(drop)
    }

    pub(super) async fn carry(&self, kept: &[Kept], tell: &(dyn Fn(&str, i64) + Sync)) -> Result<Carried> {
        let mut carried = Carried::of(kept);
        let pieces = kept
            .iter()
            .flat_map(|file| pieces_of(file).into_iter().map(move |(piece, known)| (file, piece, known)));
        let mut all = stream::iter(pieces)
            .map(async |(file, piece, known)| (file, self.carry_one(file.id, piece, known).await))
            .buffer_unordered(AT_ONCE);
        while let Some((file, became)) = all.next().await {
            match became? {
                Became::Sent => carried.sent += 1,
                Became::There => carried.there += 1,
                Became::Damaged(how) => {
                    carried.damaged.push(format!("file {} ({}) {how}", file.id, file.name));
                }
            }
            let done = carried.sent + carried.there;
            if done.is_multiple_of(TOLD) {
                tell("bytes of files", i64::try_from(done).unwrap_or(i64::MAX));
            }
        }
        carried.damaged.sort();
        Ok(carried)
    }

    /// Sends a piece, of which size and SHA-256 may be known, and looks whether it arrived.
    async fn carry_one(&self, id: FileId, piece: Piece, known: Option<(i64, String)>) -> Result<Became> {
        let wanted = match known {
            Some(known) => known,
            None => match self.from.digest(id, piece).await? {
                Some(found) => found,
                None => return Ok(Became::Damaged("is missing")),
            },
        };
        if self.to.digest(id, piece).await?.as_ref() == Some(&wanted) {
            return Ok(Became::There);
        }
        let path = on_disk(&self.config, id, piece);
        if !tokio::fs::try_exists(&path).await.map_err(of_disk)? {
            return Ok(Became::Damaged("is missing"));
        }
        if self.to.keep(id, piece, &path).await? != wanted {
            self.to.forget_pieces(id, &[piece]).await?;
            return Ok(Became::Damaged("has other bytes than were uploaded"));
        }
        match self.to.digest(id, piece).await? {
            Some(arrived) if arrived == wanted => Ok(Became::Sent),
            _ => Err(Error::Unavailable(format!(
                "the bucket gives other bytes of file {id} than it was given"
            ))),
        }
    }
}

/// The pieces of a file, and what is known of each.
fn pieces_of(file: &Kept) -> Vec<(Piece, Option<(i64, String)>)> {
    let known = file.sha256.clone().map(|sha256| (file.size, sha256));
    match file.state.as_str() {
        "export" => vec![(Piece::Export, known)],
        // A small square is all that there is of it.
        "avatar" => vec![(Piece::Thumbnail, None)],
        _ if file.thumbnail => vec![(Piece::Whole, known), (Piece::Thumbnail, None)],
        _ => vec![(Piece::Whole, known)],
    }
}
