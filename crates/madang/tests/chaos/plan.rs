//! Which faults come when: nothing but a function of the seed, so that a run can be had again.
//!
//! Invariants:
//! - What is hit is whole again before it is hit anew; different things may be broken at the same time.
//! - All faults are over when the time is.

use std::{fmt, time::Duration};

/// How many nodes there are.
pub const NODES: usize = 3;
/// Nothing happens before.
const CALM_MS: u64 = 2_000;
/// How long until the next fault begins.
const PAUSE_MS: (u64, u64) = (500, 3_000);
/// How long a fault lasts.
const LASTS_MS: (u64, u64) = (300, 6_000);

/// Numbers that follow from a seed (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one, from `from` to `to`, inclusive.
    pub fn between(&mut self, (from, to): (u64, u64)) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        from + (z ^ (z >> 31)) % (to - from + 1)
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.between((0, all.len() as u64 - 1))).unwrap()]
    }
}

/// How a way between two is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Connections end, and no new one comes about.
    Refused,
    /// Nothing arrives, and goes on afterwards where it stood.
    Hung,
    /// Nothing arrives, and nothing ever will over the connections of now.
    Silent,
}

/// What a node is cut off from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Redis,
    Postgres,
    Both,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `kill -9`, and the start afterwards.
    Killed(usize),
    /// A node is cut off.
    CutOff(usize, From, Broken),
    /// Redis is killed, and started afterwards.
    RedisAway,
    /// PostgreSQL ends all connections and takes none for a while.
    PostgresAway,
}

/// Something that happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub at: Duration,
    pub lasts: Duration,
    pub what: What,
}

impl Fault {
    pub fn ends(&self) -> Duration {
        self.at + self.lasts
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, ends) = (self.at.as_secs_f64(), self.ends().as_secs_f64());
        write!(f, "{at:6.2} to {ends:6.2} s  {:?}", self.what)
    }
}

/// The faults of a run, as they begin.
pub fn faults(seed: u64, length: Duration) -> Vec<Fault> {
    let (mut numbers, length) = (Numbers(seed), u64::try_from(length.as_millis()).unwrap());
    let (mut all, mut at) = (Vec::new(), CALM_MS);
    // Until when each node, Redis and PostgreSQL are broken.
    let mut until = [0; NODES + 2];
    while at + LASTS_MS.0 < length {
        let lasts = numbers.between(LASTS_MS).min(length - at);
        let node = numbers.pick(&[0, 1, 2]);
        let from = numbers.pick(&[From::Redis, From::Postgres, From::Both]);
        let broken = numbers.pick(&[Broken::Refused, Broken::Hung, Broken::Silent]);
        let (hit, what) = match numbers.between((0, 9)) {
            0..3 => (node, What::Killed(node)),
            3..7 => (node, What::CutOff(node, from, broken)),
            7..9 => (NODES, What::RedisAway),
            _ => (NODES + 1, What::PostgresAway),
        };
        if until[hit] <= at {
            until[hit] = at + lasts;
            let [at, lasts] = [at, lasts].map(Duration::from_millis);
            all.push(Fault { at, lasts, what });
        }
        at += numbers.between(PAUSE_MS);
    }
    all
}

#[test]
fn a_plan_follows_from_its_seed_and_hits_everything() {
    let minute = Duration::from_secs(60);
    assert_eq!(faults(7, minute), faults(7, minute));
    assert_ne!(faults(7, minute), faults(8, minute));
    let all: Vec<Fault> = (0..50).flat_map(|seed| faults(seed, minute)).collect();
    assert!(all.len() > 50 * 15 && all.iter().all(|fault| fault.ends() <= minute), "{}", all.len());
    let happens = |wanted: &dyn Fn(What) -> bool| all.iter().any(|fault| wanted(fault.what));
    for node in 0..NODES {
        assert!(happens(&|what| what == What::Killed(node)));
        for from in [From::Redis, From::Postgres, From::Both] {
            for broken in [Broken::Refused, Broken::Hung, Broken::Silent] {
                assert!(happens(&|what| what == What::CutOff(node, from, broken)));
            }
        }
    }
    assert!(happens(&|what| what == What::RedisAway) && happens(&|what| what == What::PostgresAway));
}
