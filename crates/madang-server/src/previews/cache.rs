//! What was found behind links, and that nothing was, for some hours: a link that goes around is looked at once.
//!
//! Invariants:
//! - At most [`ENTRIES`] links, and [`BYTES`] of pictures; past that the oldest go.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use madang_proto::Timestamp;

use super::fetch::Found;

const ENTRIES: usize = 1_000;
const BYTES: usize = 16 * 1024 * 1024;
const HOUR_MS: i64 = 3_600_000;
/// How long what was found is kept, in milliseconds.
const FOUND_MS: i64 = 6 * HOUR_MS;
/// The same of that nothing was: it may have been for a moment only.
const NOTHING_MS: i64 = HOUR_MS / 2;

/// What is known of links.
#[derive(Debug, Default)]
pub struct Cache {
    kept: HashMap<String, Entry>,
    /// In the order in which they came; of a link that came again, only the newest counts.
    order: VecDeque<(String, u64)>,
    bytes: usize,
    came: u64,
}

#[derive(Debug)]
struct Entry {
    found: Option<Arc<Found>>,
    until: Timestamp,
    came: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.found.as_ref().and_then(|found| found.image.as_ref()).map_or(0, |image| image.bytes.len())
    }
}

impl Cache {
    /// What is behind a link, if that is known: `Some(None)` is that nothing is.
    pub fn get(&self, link: &str, now: Timestamp) -> Option<Option<Arc<Found>>> {
        self.kept.get(link).filter(|entry| now < entry.until).map(|entry| entry.found.clone())
    }

    /// Keeps what was found behind a link.
    pub fn put(&mut self, link: &str, found: Option<Arc<Found>>, now: Timestamp) {
        self.came += 1;
        let until = now.plus_millis(if found.is_some() { FOUND_MS } else { NOTHING_MS });
        let entry = Entry { found, until, came: self.came };
        self.bytes += entry.bytes();
        self.order.push_back((link.to_owned(), self.came));
        if let Some(old) = self.kept.insert(link.to_owned(), entry) {
            self.bytes -= old.bytes();
        }
        while self.order.len() > ENTRIES || self.bytes > BYTES {
            let Some((oldest, came)) = self.order.pop_front() else { return };
            if self.kept.get(&oldest).is_some_and(|entry| entry.came == came)
                && let Some(gone) = self.kept.remove(&oldest)
            {
                self.bytes -= gone.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{super::fetch::Picture, *};

    fn found(bytes: usize) -> Option<Arc<Found>> {
        let image =
            Picture { bytes: Bytes::from(vec![0; bytes]), media_type: "image/png", width: 1, height: 1 };
        let title = "a".to_owned();
        Some(Arc::new(Found { title, description: None, site_name: None, image: Some(image) }))
    }

    #[test]
    fn what_was_found_is_kept_for_hours_and_nothing_for_less() {
        let (mut cache, at) = (Cache::default(), Timestamp::from(0));
        cache.put("a", found(1), at);
        cache.put("b", None, at);
        assert_eq!(
            (cache.get("a", at).is_some(), cache.get("b", at), cache.get("c", at)),
            (true, Some(None), None)
        );
        let later = at.plus_millis(HOUR_MS);
        assert!(cache.get("a", later).is_some() && cache.get("b", later).is_none());
        assert!(cache.get("a", at.plus_millis(FOUND_MS)).is_none());
    }

    #[test]
    fn it_stays_bounded_and_the_oldest_go() {
        let (mut cache, at) = (Cache::default(), Timestamp::from(0));
        for n in 0..3 * ENTRIES {
            cache.put(&n.to_string(), None, at);
            cache.put("again", found(1_000), at);
        }
        assert!(cache.kept.len() <= ENTRIES && cache.order.len() <= ENTRIES && cache.bytes == 1_000);
        assert!(cache.get("0", at).is_none() && cache.get("again", at).is_some());
        for n in 0..10 {
            cache.put(&format!("large {n}"), found(BYTES / 4), at);
        }
        assert!(cache.bytes <= BYTES && cache.get("large 9", at).is_some());
        cache.put("giant", found(BYTES + 1), at);
        assert_eq!((cache.bytes, cache.kept.len()), (0, 0));
    }
}
