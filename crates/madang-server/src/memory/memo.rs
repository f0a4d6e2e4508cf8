//! A memo: values read from the database, kept until they change.
//!
//! A reader takes a [`Mark`] before it asks the database and gives it back with the value; if anything
//! was forgotten meanwhile that the value may have been read too early for, the value is not kept.
//!
//! Invariants:
//! - After [`Memo::forget`] nothing that was read before is given out again.
//! - No more than [`Memo::new`]'s `most` values are kept, about: what has no room takes another's place.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::Arc,
};

use parking_lot::Mutex;

/// Locks, so that those who look for different things do not wait for each other.
const SLOTS: usize = 256;

pub struct Memo<K, V> {
    slots: Vec<Mutex<Slot<K, V>>>,
    hasher: RandomState,
    most: usize,
}

struct Slot<K, V> {
    kept: HashMap<K, Arc<V>>,
    changes: u64,
}

/// When the database was asked.
pub struct Mark(Vec<u64>);

impl<K: Hash + Eq + Copy, V> Memo<K, V> {
    /// A memo of about `most` values.
    pub fn new(most: usize) -> Self {
        let slot = || Mutex::new(Slot { kept: HashMap::new(), changes: 0 });
        Self {
            slots: std::iter::repeat_with(slot).take(SLOTS).collect(),
            hasher: RandomState::new(),
            most: most.div_ceil(SLOTS),
        }
    }

    fn index(&self, key: K) -> usize {
        usize::try_from(self.hasher.hash_one(key)).unwrap_or_default() % SLOTS
    }

    fn slot(&self, key: K) -> &Mutex<Slot<K, V>> {
        &self.slots[self.index(key)]
    }

    /// The value, if it is kept.
    pub fn get(&self, key: K) -> Option<Arc<V>> {
        self.slot(key).lock().kept.get(&key).cloned()
    }

    /// To be taken before the database is asked.
    pub fn mark(&self) -> Mark {
        Mark(self.slots.iter().map(|slot| slot.lock().changes).collect())
    }

    /// Keeps what was read after the mark, unless something changed since. What is kept already is as
    /// new or newer, and stays.
    pub fn keep(&self, key: K, value: Arc<V>, mark: &Mark) {
        let index = self.index(key);
        let slot = &mut *self.slots[index].lock();
        if mark.0.get(index) != Some(&slot.changes) || slot.kept.contains_key(&key) {
            return;
        }
        if slot.kept.len() >= self.most
            && let Some(other) = slot.kept.keys().next().copied()
        {
            slot.kept.remove(&other);
        }
        slot.kept.insert(key, value);
    }

    /// The value changed.
    pub fn forget(&self, key: K) {
        self.change(key, |_| false);
    }

    /// The value changed: `keep_up` brings a kept one up to date, or says that it cannot.
    pub fn change(&self, key: K, keep_up: impl FnOnce(&V) -> bool) {
        let slot = &mut *self.slot(key).lock();
        if !slot.kept.get(&key).is_some_and(|value| keep_up(value)) {
            slot.kept.remove(&key);
            slot.changes += 1;
        }
    }

    /// Any of the values may have changed: `keep_up` brings each up to date, or says that it cannot. What is being
    /// read meanwhile is not kept.
    pub fn change_all(&self, keep_up: impl Fn(&V) -> bool) {
        for slot in &self.slots {
            let slot = &mut *slot.lock();
            slot.kept.retain(|_, value| keep_up(value));
            slot.changes += 1;
        }
    }

    /// Forgets a value of which `keep` says no. Whoever reads it now may still keep what they read.
    pub fn sweep_one(&self, key: K, keep: impl FnOnce(&V) -> bool) {
        let slot = &mut *self.slot(key).lock();
        if slot.kept.get(&key).is_some_and(|value| !keep(value)) {
            slot.kept.remove(&key);
        }
    }

    /// Forgets those of which `keep` says no.
    pub fn sweep(&self, mut keep: impl FnMut(&V) -> bool) {
        for slot in &self.slots {
            let slot = &mut *slot.lock();
            slot.kept.retain(|_, value| keep(value));
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.slots.iter().map(|slot| slot.lock().kept.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let memo = Memo::new(1_000);
        let early = memo.mark();
        memo.keep(7, Arc::new("old"), &early);
        assert_eq!(memo.get(7).as_deref(), Some(&"old"));
        memo.forget(7);
        memo.keep(7, Arc::new("old"), &early);
        assert_eq!(memo.get(7), None);
        let mark = memo.mark();
        memo.keep(7, Arc::new("new"), &mark);
        memo.keep(7, Arc::new("read by another at the same time, and maybe older"), &mark);
        memo.change(7, |_| true);
        assert_eq!(memo.get(7).as_deref(), Some(&"new"), "it was brought up to date");
        memo.change(7, |_| false);
        assert_eq!(memo.get(7), None);
        let early = memo.mark();
        memo.keep(8, Arc::new("kept"), &early);
        memo.change_all(|value| *value == "kept");
        memo.keep(7, Arc::new("old"), &early);
        assert_eq!((memo.get(7), memo.get(8).as_deref()), (None, Some(&"kept")));
    }

    #[test]
    fn who_finds_nothing_or_something_old_does_not_undo_what_others_read() {
        let memo = Memo::new(1_000);
        let mark = memo.mark();
        memo.sweep_one(7, |_| false);
        memo.keep(7, Arc::new("old"), &mark);
        memo.sweep_one(7, |_| true);
        assert_eq!(memo.get(7).as_deref(), Some(&"old"));
        memo.sweep_one(7, |_| false);
        memo.keep(7, Arc::new("new"), &mark);
        assert_eq!(memo.get(7).as_deref(), Some(&"new"));
    }

    #[test]
    fn it_stays_small() {
        let memo = Memo::new(SLOTS);
        for key in 0..3_000 {
            memo.keep(key, Arc::new(key), &memo.mark());
        }
        assert!(memo.len() <= SLOTS);
        memo.sweep(|_| false);
        assert_eq!(memo.len(), 0);
    }
}
