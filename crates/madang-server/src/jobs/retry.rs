//! How often a job is tried, and how long it waits in between.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Attempts after which a job is dead: with the pauses below, after three to five hours.
pub const ATTEMPTS: i64 = 16;
/// The longest pause after the first attempt, in milliseconds; it doubles with each one.
const FIRST: i64 = 2_000;
/// The longest pause of all.
const LONGEST: i64 = 60 * 60 * 1_000;

/// Milliseconds to wait after so many attempts: between half and all of what doubles, by the job, so that those
/// that failed together do not come back together.
pub fn pause(id: i64, attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0);
    let full = FIRST.saturating_mul(2_i64.saturating_pow(doublings)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (id, attempts).hash(&mut hasher);
    full / 2 + i64::try_from(hasher.finish() % full.unsigned_abs().div_ceil(2)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_are_spread_and_end_at_an_hour() {
        for (attempts, full) in
            [(1, 2_000), (2, 4_000), (3, 8_000), (12, LONGEST), (16, LONGEST), (9_999, LONGEST)]
        {
            let pauses: std::collections::BTreeSet<_> = (0..100).map(|id| pause(id, attempts)).collect();
            assert!(pauses.iter().all(|pause| (full / 2..=full).contains(pause)), "{attempts}: {pauses:?}");
            assert!(pauses.len() > 80, "{attempts}: spread");
        }
        let all: i64 = (1..ATTEMPTS).map(|attempts| pause(7, attempts)).sum();
        assert!((2 * LONGEST..=6 * LONGEST).contains(&all), "{all}");
    }
}
