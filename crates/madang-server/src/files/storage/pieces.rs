//! What has come of uploads that are not whole yet, in the storage: any node that has it goes on with them.
//!
//! A piece is what one request brought. It is called by where in its file it begins, and goes on from there; where two
//! requests brought the same place, the later one stands, and what does not go on from the one before is passed over.
//!
//! Invariants:
//! - Where an upload stands is where its pieces end, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use madang_proto::FileId;
use object_store::path::Path;

use super::{Piece, Storage};
use crate::error::Result;

/// The folder of all pieces.
const COMING: &str = "coming";

/// Where a piece is.
pub fn path_of(id: FileId, at: i64) -> Path {
    Path::from(format!("{COMING}/{id}/{at}"))
}

fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Storage {
    /// The pieces of an upload, each from where the one before ends: where it begins, and its bytes.
    pub async fn pieces(&self, id: FileId) -> Result<Vec<(i64, i64)>> {
        let all: BTreeMap<i64, i64> = self.listed(id).await?.into_iter().collect();
        let (mut pieces, mut end) = (Vec::new(), 0);
        while let Some(bytes) = all.get(&end).filter(|bytes| **bytes > 0) {
            pieces.push((end, *bytes));
            end += bytes;
        }
        Ok(pieces)
    }

    /// Forgets what has come of an upload; fine when nothing has.
    pub async fn forget_coming(&self, id: FileId) -> Result<()> {
        let all: Vec<Piece> = self.listed(id).await?.into_iter().map(|(at, _)| Piece::Coming(at)).collect();
        self.forget_pieces(id, &all).await
    }

    /// The uploads that have pieces.
    pub async fn all_with_pieces(&self) -> Result<BTreeSet<FileId>> {
        let all: Vec<_> = self.told(self.objects.list(Some(&Path::from(COMING))).try_collect().await)?;
        let id = |path: &Path| path.parts().nth(1)?.as_ref().parse::<FileId>().ok();
        Ok(all.iter().filter_map(|piece| id(&piece.location)).collect())
    }

    async fn listed(&self, id: FileId) -> Result<Vec<(i64, i64)>> {
        let folder = Path::from(format!("{COMING}/{id}"));
        let all: Vec<_> = self.told(self.objects.list(Some(&folder)).try_collect().await)?;
        let at = |path: &Path| path.filename()?.parse::<i64>().ok();
        Ok(all.iter().filter_map(|piece| Some((at(&piece.location)?, size(piece.size)))).collect())
    }
}
