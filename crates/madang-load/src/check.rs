//! Whether everything arrived: once, all of it, in order.
//!
//! Each connection has an [`Order`] for each channel that it hears. A message that comes too early leaves
//! a hole; one that fills a hole came out of order; one that was there is doubled. What is still a hole at
//! the end is lost, and so is what was stored after the last one heard.

use std::ops::AddAssign;

use serde::Serialize;

/// What went wrong, in deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Stored, and never heard.
    pub lost: u64,
    /// Heard more than once.
    pub doubled: u64,
    /// Heard after a later one.
    pub disordered: u64,
    /// Heard, and not stored.
    pub unstored: u64,
}

impl Faults {
    /// Whether there are none.
    #[must_use]
    pub fn none(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Faults {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.unstored += other.unstored;
    }
}

/// What one connection heard of one channel.
#[derive(Debug, Clone, Default)]
pub struct Order {
    last: u64,
    heard: u64,
    /// Holes below `last`: from, to (exclusive).
    holes: Vec<(u64, u64)>,
    /// What was told on coming back and may come once more as an event: from, to (exclusive).
    overlap: (u64, u64),
    doubled: u32,
    disordered: u32,
}

impl Order {
    /// For one who begins to listen after `last`.
    #[must_use]
    pub const fn after(last: u64) -> Self {
        Self { last, heard: 0, holes: Vec::new(), overlap: (0, 0), doubled: 0, disordered: 0 }
    }

    /// The newest message heard.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// How many different messages were heard.
    #[must_use]
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// A message was heard. True when it is a new one.
    #[inline]
    pub fn hear(&mut self, seq: u64) -> bool {
        if seq == self.last + 1 {
            self.last = seq;
            self.heard += 1;
            return true;
        }
        self.hear_unexpected(seq)
    }

    fn hear_unexpected(&mut self, seq: u64) -> bool {
        if seq > self.last {
            self.holes.push((self.last + 1, seq));
            self.last = seq;
            self.heard += 1;
            return true;
        }
        let Some(at) = self.holes.iter().position(|(from, to)| (*from..*to).contains(&seq)) else {
            // Each once, and in order.
            if (self.overlap.0..self.overlap.1).contains(&seq) {
                self.overlap.0 = seq + 1;
            } else {
                self.doubled += 1;
            }
            return false;
        };
        let (from, to) = self.holes.remove(at);
        self.holes.extend([(from, seq), (seq + 1, to)].into_iter().filter(|(from, to)| from < to));
        self.disordered += 1;
        self.heard += 1;
        true
    }

    /// A snapshot told everything until now. The server subscribes one who comes back before it takes the
    /// snapshot, and what was on its way then may come to the new connection too, known by its number.
    pub const fn caught_up(&mut self) {
        self.overlap = (1, self.last + 1);
    }

    /// The server says that it is too far behind to be told each message: go on after `last`.
    pub fn resynchronise(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// The sum at the end, when the newest message stored is `stored`.
    #[must_use]
    pub fn finish(&self, stored: u64) -> Faults {
        let holes: u64 = self.holes.iter().map(|(from, to)| to - from).sum();
        Faults {
            lost: holes + stored.saturating_sub(self.last),
            doubled: self.doubled.into(),
            disordered: self.disordered.into(),
            unstored: self.last.saturating_sub(stored),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(heard: &[u64], stored: u64) -> [u64; 4] {
        let mut order = Order::after(0);
        heard.iter().for_each(|seq| {
            order.hear(*seq);
        });
        let Faults { lost, doubled, disordered, unstored } = order.finish(stored);
        [lost, doubled, disordered, unstored]
    }

    #[test]
    fn every_fault_is_noticed() {
        for (heard, stored, expected, what) in [
            (&[1, 2, 3][..], 3, [0, 0, 0, 0], "all is well"),
            (&[], 0, [0, 0, 0, 0], "nothing was sent"),
            (&[], 2, [2, 0, 0, 0], "nothing came"),
            (&[2, 3], 3, [1, 0, 0, 0], "the first is lost"),
            (&[1, 3], 3, [1, 0, 0, 0], "one in the middle is lost"),
            (&[1, 2], 3, [1, 0, 0, 0], "the last is lost"),
            (&[1, 5, 9], 9, [6, 0, 0, 0], "many are lost"),
            (&[1, 2, 2, 3], 3, [0, 1, 0, 0], "one is doubled"),
            (&[1, 2, 3, 1, 1], 3, [0, 2, 0, 0], "an old one comes twice more"),
            (&[1, 3, 2], 3, [0, 0, 1, 0], "two are swapped"),
            (&[1, 5, 3, 2, 4], 5, [0, 0, 3, 0], "all holes are filled"),
            (&[1, 5, 3, 3, 2], 5, [1, 1, 2, 0], "everything at once"),
            (&[1, 2, 3], 2, [0, 0, 0, 1], "one was told that is not stored"),
        ] {
            assert_eq!(faults(heard, stored), expected, "{what}: {heard:?} of {stored}");
        }
    }

    #[test]
    fn what_a_snapshot_told_may_come_once_more() {
        let mut order = Order::after(0);
        assert!([1, 2, 3, 4, 5].into_iter().all(|seq| order.hear(seq)));
        order.caught_up();
        assert_eq!([4, 5, 6].map(|seq| order.hear(seq)), [false, false, true]);
        assert_eq!(order.finish(6), Faults::default());
        assert!(![5, 3, 2].into_iter().any(|seq| order.hear(seq)));
        assert_eq!(order.finish(6).doubled, 3, "twice more, and out of order");
    }

    #[test]
    fn one_who_comes_late_or_resynchronises_misses_nothing_before() {
        let mut order = Order::after(10);
        assert!(order.hear(11) && !order.hear(11));
        order.resynchronise(20);
        assert!(order.hear(21));
        assert_eq!(order.finish(21), Faults { doubled: 1, ..Faults::default() });
        assert_eq!((order.heard(), order.last()), (2, 21));
    }
}
