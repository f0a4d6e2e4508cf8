//! Latency in slices of time, so that a report can tell phases apart and a plot can show a stall.
//!
//! A sample belongs to the slice in which the message was *due*.

use hdrhistogram::Histogram;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Deliveries in the channels of the first group.
    Delivery,
    /// Deliveries in the channels of the second group: the room beside.
    Beside,
    /// Acknowledgements.
    Ack,
    /// How late the load generator itself sent.
    Lag,
    /// Deliveries of the first group, from the acknowledgement on.
    Beyond,
}

/// How many kinds there are.
const KINDS: usize = 5;
/// Most slices; a longer run has longer ones.
const SLICES: u64 = 240;
/// Nothing is slower, in microseconds.
const SLOWEST: u64 = 600_000_000;

type Samples = Histogram<u32>;

/// An empty histogram of two significant digits.
#[must_use]
pub fn samples() -> Samples {
    // Bounds and precision are constants that the library accepts.
    Histogram::new_with_bounds(1, SLOWEST, 2).unwrap_or_else(|_| unreachable!("constant bounds"))
}

/// Samples by slice and kind.
#[derive(Debug, Clone)]
pub struct Measure {
    slice: u64,
    /// The slice of the last sample: which one, and when it begins. Most are followed by one in the same.
    last: (usize, u64),
    slices: Vec<[Option<Box<Samples>>; KINDS]>,
}

/// The usual figures of a histogram, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Latency {
    pub count: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl From<&Samples> for Latency {
    fn from(samples: &Samples) -> Self {
        let ms = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1e3;
        Self {
            count: samples.len(),
            p50_ms: ms(samples.value_at_quantile(0.5)),
            p99_ms: ms(samples.value_at_quantile(0.99)),
            max_ms: if samples.is_empty() { 0.0 } else { ms(samples.max()) },
        }
    }
}

impl Measure {
    /// For a run of so many microseconds.
    #[must_use]
    pub fn new(length: u64) -> Self {
        Self { slice: (length / SLICES).max(1_000_000), last: (0, 0), slices: Vec::new() }
    }

    /// Microseconds of a slice.
    #[must_use]
    pub const fn slice(&self) -> u64 {
        self.slice
    }

    /// Adds a sample: due at a moment after the start, done so much later.
    #[inline]
    pub fn add(&mut self, kind: Kind, due: u64, latency: u64) {
        if due.wrapping_sub(self.last.1) >= self.slice {
            let at = (due / self.slice).min(SLICES);
            self.last = (usize::try_from(at).unwrap_or_default(), at * self.slice);
        }
        let at = self.last.0;
        if self.slices.len() <= at {
            self.slices.resize_with(at + 1, Default::default);
        }
        let samples = self.slices[at][kind as usize].get_or_insert_with(|| Box::new(samples()));
        samples.saturating_record(latency.max(1));
    }

    /// Takes in the samples of another thread.
    pub fn merge(&mut self, other: &Self) {
        if self.slices.len() < other.slices.len() {
            self.slices.resize_with(other.slices.len(), Default::default);
        }
        for (mine, theirs) in self.slices.iter_mut().zip(&other.slices) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                if let Some(theirs) = theirs {
                    // Both have the same bounds.
                    let _ = mine.get_or_insert_with(|| Box::new(samples())).add(&**theirs);
                }
            }
        }
    }

    /// All samples of a kind that were due between two moments after the start.
    #[must_use]
    pub fn between(&self, kind: Kind, from: u64, to: u64) -> Samples {
        let mut sum = samples();
        for (start, slice) in self.by_time(kind) {
            if (from..to).contains(&start) {
                let _ = sum.add(slice);
            }
        }
        sum
    }

    /// All samples of a kind.
    #[must_use]
    pub fn all(&self, kind: Kind) -> Samples {
        self.between(kind, 0, u64::MAX)
    }

    /// The slices that have samples of a kind, by their beginning.
    pub fn by_time(&self, kind: Kind) -> impl Iterator<Item = (u64, &Samples)> {
        (0..)
            .zip(&self.slices)
            .filter_map(move |(n, slice)| Some((n * self.slice, &**slice[kind as usize].as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_kept_by_the_moment_they_were_due_and_merged() {
        let (mut one, mut two) = (Measure::new(10_000_000), Measure::new(10_000_000));
        one.add(Kind::Delivery, 500_000, 1_000);
        two.add(Kind::Delivery, 1_500_000, 3_000);
        two.add(Kind::Ack, 1_500_000, 9_000);
        two.add(Kind::Delivery, u64::MAX, u64::MAX);
        one.merge(&two);
        assert_eq!(one.all(Kind::Delivery).len(), 3);
        let early = Latency::from(&one.between(Kind::Delivery, 0, 1_000_000));
        assert_eq!((early.count, early.p50_ms.round()), (1, 1.0));
        assert_eq!(
            one.by_time(Kind::Delivery).map(|(at, _)| at / 1_000_000).collect::<Vec<_>>(),
            [0, 1, 240]
        );
        assert_eq!(Latency::from(&one.all(Kind::Beside)), Latency::default());
    }
}
