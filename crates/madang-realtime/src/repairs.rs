//! What is read from the log of a topic comes beside what was told, and may be the same: it is passed on once.
//!
//! Invariants:
//! - Pure, and small: no more than [`KEPT`] of each kind are remembered, and nothing of a topic that was never repaired
//!   nor had a gap.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::Envelope;

/// How many versions and envelopes of a topic are remembered.
const KEPT: usize = 64;

#[derive(Default)]
pub(crate) struct Repairs(Option<Box<Kept>>);

#[derive(Default)]
struct Kept {
    /// Versions that were given up, and may still be read from the log.
    skipped: VecDeque<i64>,
    /// What was read from the log, and may still be told.
    read: VecDeque<Arc<Envelope>>,
}

impl Repairs {
    /// These versions are given up.
    pub(crate) fn skip(&mut self, versions: Range<i64>) {
        if versions.is_empty() {
            return;
        }
        let most = i64::try_from(KEPT).unwrap_or(i64::MAX);
        let newest = versions.start.max(versions.end.saturating_sub(most))..versions.end;
        let skipped = &mut self.0.get_or_insert_default().skipped;
        skipped.extend(newest);
        skipped.drain(..skipped.len().saturating_sub(KEPT));
    }

    /// Whether this version was given up; then it is not any more.
    pub(crate) fn take_skipped(&mut self, version: i64) -> bool {
        let Some(kept) = &mut self.0 else { return false };
        let place = kept.skipped.iter().position(|skipped| *skipped == version);
        place.is_some_and(|place| kept.skipped.remove(place).is_some())
    }

    /// This was read from the log and is passed on.
    pub(crate) fn read(&mut self, envelope: Arc<Envelope>) {
        let read = &mut self.0.get_or_insert_default().read;
        read.push_back(envelope);
        read.drain(..read.len().saturating_sub(KEPT));
    }

    /// Whether what is told was read from the log and passed on before.
    pub(crate) fn repeats(&self, told: &Envelope) -> bool {
        let read = self.0.iter().flat_map(|kept| &kept.read);
        let mut same_version = read.filter(|read| read.version() == told.version());
        same_version.any(|read| read.portable() == told.portable())
    }
}
