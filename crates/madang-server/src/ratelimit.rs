//! How often is too often: token buckets (the generic cell rate algorithm) by address, name or user.
//!
//! Every limit has its row in [`Limit`]; `docs/protocol.md` lists them. Frames of a connection are counted by the
//! connection itself (`gateway/pace.rs`).
//!
//! With several nodes each counts for itself, and tells the others once a second what it counted.
//!
//! Invariants:
//! - What is kept of those who try is bounded ([`Tries`]), however many they are and whatever they call themselves.

use std::{
    cell::Cell,
    collections::HashMap,
    future::Future,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    Quota, RateLimiter,
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use madang_proto::UserId;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    config::Switch,
    error::{Error, Result},
};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Limit {
    /// Logins from an address.
    LoginByAddress,
    /// Logins to a name.
    LoginByName,
    /// Registrations and guests from an address.
    NewAccountByAddress,
    /// Refreshes from an address.
    RefreshByAddress,
    /// Connections to the gateway from an address.
    ConnectByAddress,
    /// Requests to the API from an address without a token, or with one that does not hold.
    AnonymousByAddress,
    /// Messages of a user.
    SendByUser,
    /// Reads of a user: every `GET` and `HEAD` of REST.
    ReadByUser,
    /// Other changes of a user: channels, members, edits, read marks, typing.
    ChangeByUser,
    /// Searches of a user.
    SearchByUser,
    /// Direct messages and groups that a user makes.
    DirectByUser,
    /// Files that a user uploads.
    UploadByUser,
    /// Changes of a user's profile, each told to all who share a workspace with them.
    ProfileByUser,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::LoginByAddress,
        Self::LoginByName,
        Self::NewAccountByAddress,
        Self::RefreshByAddress,
        Self::ConnectByAddress,
        Self::AnonymousByAddress,
        Self::SendByUser,
        Self::ReadByUser,
        Self::ChangeByUser,
        Self::SearchByUser,
        Self::DirectByUser,
        Self::UploadByUser,
        Self::ProfileByUser,
    ];

    /// How many a minute in the long run, and how many at once.
    #[must_use]
    pub const fn numbers(self) -> (u32, u32) {
        match self {
            Self::LoginByAddress => (30, 30),
            Self::LoginByName => (10, 10),
            Self::NewAccountByAddress => (30, 60),
            Self::RefreshByAddress => (300, 300),
            Self::ConnectByAddress => (300, 300),
            Self::AnonymousByAddress => (1200, 600),
            Self::SendByUser => (300, 60),
            Self::ReadByUser => (6000, 1000),
            Self::ChangeByUser => (600, 200),
            Self::SearchByUser => (120, 30),
            Self::DirectByUser => (30, 30),
            Self::UploadByUser => (60, 60),
            Self::ProfileByUser => (10, 10),
        }
    }
}

/// Whose tries are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    /// An address; IPv6 by its network of 64 bits, which one household or machine has to itself.
    Address(IpAddr),
    /// A name as it is compared.
    Name(String),
    /// A user.
    User(UserId),
}

impl From<IpAddr> for Key {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
            v4 => v4,
        })
    }
}

impl From<UserId> for Key {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

/// Shares of [`Tries`], so that those who try at the same time seldom wait for each other.
const SHARES: usize = 16;
/// Who is counted in one share, each for themself. Past it, newcomers share this many places.
const EACH: usize = 16_384;
const SHARED: u64 = 64;
/// Who is told to the other nodes at a time, at most.
const TOLD: usize = 16_384;

/// When each of those who tried may do all again that is allowed at once: by a hash of who they are, whose seed nobody
/// knows, so that a name takes no more room than an address. When there are more than fit, the newcomers among them
/// count together with some others; nobody is let through uncounted.
struct Tries {
    seed: RandomState,
    shares: [Mutex<HashMap<u64, Nanos>>; SHARES],
}

impl Tries {
    fn new() -> Self {
        Self { seed: RandomState::new(), shares: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl StateStore for Tries {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        let hash = self.seed.hash_one(key);
        let share = &self.shares[usize::try_from(hash >> 32).unwrap_or_default() % SHARES];
        let tries = &mut *share.lock();
        let place = if tries.len() < EACH || tries.contains_key(&hash) { hash } else { hash % SHARED };
        let (outcome, until) = measure(tries.get(&place).copied())?;
        tries.insert(place, until);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<Key> for Tries {
    fn retain_recent(&self, drop_below: Nanos) {
        for share in &self.shares {
            let tries = &mut *share.lock();
            tries.retain(|_, until| *until > drop_below);
            if tries.capacity() > 4 * tries.len() {
                tries.shrink_to_fit();
            }
        }
    }

    fn len(&self) -> usize {
        self.shares.iter().map(|share| share.lock().len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

type Buckets = RateLimiter<Key, Tries, Clock, StateInformationMiddleware>;

impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let ms = u64::try_from(Self::now(self).millis()).unwrap_or_default();
        Nanos::from(std::time::Duration::from_millis(ms))
    }
}

/// How someone stands to a limit after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: Limit,
    /// How many tries are left at once.
    pub left: u32,
    /// Seconds after which there is at least one more; 0 when there are as many as there can be.
    pub reset: u32,
}

tokio::task_local! {
    static CLOSEST: Cell<Option<Standing>>;
}

/// Does something and gives how it stood to the limit that it came closest to, where there is one.
pub async fn watched<T>(work: impl Future<Output = T>) -> (T, Option<Standing>) {
    CLOSEST.scope(Cell::new(None), async { (work.await, CLOSEST.with(Cell::get)) }).await
}

fn note(standing: Standing) {
    // Nobody asks on the gateway: there is no one there.
    let _ = CLOSEST.try_with(|closest| {
        if closest.get().is_none_or(|known| standing.left <= known.left) {
            closest.set(Some(standing));
        }
    });
}

/// How often someone tried what is limited on one node, lately.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spent {
    /// What.
    pub limit: Limit,
    /// Who.
    pub key: Key,
    /// How often.
    pub tries: u32,
}

/// All limits of this node.
pub struct Limits {
    buckets: Option<Vec<Buckets>>,
    /// How often who tried what since the other nodes were told; nothing where there are none.
    spent: Option<Mutex<HashMap<(Limit, Key), u32>>>,
}

impl Limits {
    /// The limits, or none of them.
    #[must_use]
    pub fn new(switch: Switch, clock: &Clock, shared: bool) -> Self {
        let bucket = |limit: Limit| -> Buckets {
            let (a_minute, at_once) = limit.numbers();
            let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(number(a_minute)).allow_burst(number(at_once));
            Buckets::new(quota, Tries::new(), clock.clone())
        };
        let on = switch == Switch::On;
        Self {
            buckets: on.then(|| Limit::ALL.into_iter().map(bucket).collect()),
            spent: (on && shared).then(Mutex::default),
        }
    }

    /// Whether anything is limited.
    #[must_use]
    pub const fn are_on(&self) -> bool {
        self.buckets.is_some()
    }

    /// Counts one try.
    ///
    /// # Errors
    /// `RateLimited` when it is one too many.
    pub fn check(&self, limit: Limit, key: impl Into<Key>) -> Result<()> {
        let Some(buckets) = self.buckets(limit) else { return Ok(()) };
        let (a_minute, at_once) = limit.numbers();
        let key = key.into();
        match buckets.check_key(&key) {
            Ok(state) => {
                self.spend(limit, key);
                let left = state.remaining_burst_capacity();
                let reset = if left < at_once { 60_u32.div_ceil(a_minute) } else { 0 };
                note(Standing { limit, left, reset });
                Ok(())
            }
            Err(until) => {
                let wait = until.wait_time_from(governor::clock::Clock::now(buckets.clock())).as_secs() + 1;
                let retry_after = u32::try_from(wait).unwrap_or(u32::MAX);
                note(Standing { limit, left: 0, reset: retry_after });
                Err(Error::RateLimited { retry_after })
            }
        }
    }

    fn buckets(&self, limit: Limit) -> Option<&Buckets> {
        let index = Limit::ALL.iter().position(|l| *l == limit)?;
        self.buckets.as_ref()?.get(index)
    }

    fn spend(&self, limit: Limit, key: Key) {
        if let Some(spent) = &self.spent {
            let spent = &mut *spent.lock();
            if spent.len() < TOLD || spent.contains_key(&(limit, key.clone())) {
                *spent.entry((limit, key)).or_default() += 1;
            }
        }
    }

    /// How often who tried what since this was asked last, to be told to the other nodes.
    pub fn spent(&self) -> Vec<Spent> {
        let spent = self.spent.as_ref().map(|spent| std::mem::take(&mut *spent.lock())).unwrap_or_default();
        spent.into_iter().map(|((limit, key), tries)| Spent { limit, key, tries }).collect()
    }

    /// Counts what was tried on another node.
    pub fn count(&self, Spent { limit, key, tries }: &Spent) {
        if let Some(buckets) = self.buckets(*limit) {
            let (_, at_once) = limit.numbers();
            // More than can be left changes nothing.
            for _ in 0..(*tries).min(at_once) {
                if buckets.check_key(key).is_err() {
                    break;
                }
            }
        }
    }

    /// Forgets those who have not tried for long.
    pub fn sweep(&self) {
        for buckets in self.buckets.iter().flatten() {
            buckets.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_nobody_is_uncounted() {
        let clock = Clock::manual(1_795_163_400_000.into());
        let limits = Limits::new(Switch::On, &clock, false);
        let name = |n: usize| Key::Name(format!("{n}{}", "long".repeat(100)));
        let most = SHARES * (EACH + usize::try_from(SHARED).unwrap());
        for n in 0..most + 50_000 {
            drop(limits.check(Limit::LoginByName, name(n)));
        }
        let buckets = &limits.buckets.as_ref().unwrap()[1];
        assert!(buckets.len() <= most && buckets.len() >= SHARES * EACH, "{}", buckets.len());
        let refused = (0..11).filter(|_| limits.check(Limit::LoginByName, name(0)).is_err()).count();
        assert_eq!(refused, 2, "who was there first counts alone");
        let newcomers = (0..2_000).map(|n| limits.check(Limit::LoginByName, name(10_000_000 + n)));
        assert!(newcomers.filter(Result::is_err).count() > 500, "newcomers count together");
        limits.sweep();
        assert!(buckets.len() >= SHARES * EACH, "not before their time");
        clock.advance(600_000);
        limits.sweep();
        assert!(buckets.is_empty());
        assert!(limits.check(Limit::LoginByName, name(1)).is_ok());
    }

    #[tokio::test]
    async fn who_watches_hears_of_the_limit_that_is_closest() {
        let clock = Clock::manual(1_795_163_400_000.into());
        let limits = Limits::new(Switch::On, &clock, false);
        let try_both = || {
            limits
                .check(Limit::ChangeByUser, UserId::from(1))
                .and(limits.check(Limit::SendByUser, UserId::from(1)))
        };
        let (_, standing) = watched(async { try_both() }).await;
        assert_eq!(standing, Some(Standing { limit: Limit::SendByUser, left: 59, reset: 1 }));
        for _ in 0..59 {
            try_both().unwrap();
        }
        let (refused, standing) = watched(async { try_both() }).await;
        assert!(matches!(refused, Err(Error::RateLimited { retry_after: 1 })));
        assert_eq!(standing, Some(Standing { limit: Limit::SendByUser, left: 0, reset: 1 }));
        assert_eq!(watched(async {}).await.1, None, "nothing was tried");
        let off = Limits::new(Switch::Off, &clock, false);
        assert_eq!(watched(async { off.check(Limit::SendByUser, UserId::from(1)) }).await.1, None);
    }
}
