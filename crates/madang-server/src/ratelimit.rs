//! How often is too often: token buckets (the generic cell rate algorithm) by address, name or user.
//!
//! Every limit has its row in [`Limit`]; `docs/protocol.md` lists them.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    Quota, RateLimiter, middleware::NoOpMiddleware, nanos::Nanos, state::keyed::DashMapStateStore,
};
use madang_proto::UserId;

use crate::{
    clock::Clock,
    config::Switch,
    error::{Error, Result},
};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Messages of a user.
    SendByUser,
    /// Other changes of a user: channels, members, edits, read marks, typing.
    ChangeByUser,
    /// Searches of a user.
    SearchByUser,
    /// Direct messages and groups that a user makes.
    DirectByUser,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::LoginByAddress,
        Self::LoginByName,
        Self::NewAccountByAddress,
        Self::RefreshByAddress,
        Self::ConnectByAddress,
        Self::SendByUser,
        Self::ChangeByUser,
        Self::SearchByUser,
        Self::DirectByUser,
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
            Self::SendByUser => (300, 60),
            Self::ChangeByUser => (600, 200),
            Self::SearchByUser => (120, 30),
            Self::DirectByUser => (30, 30),
        }
    }
}

/// Whose tries are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

type Buckets = RateLimiter<Key, DashMapStateStore<Key>, Clock, NoOpMiddleware<Nanos>>;

impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let ms = u64::try_from(Self::now(self).millis()).unwrap_or_default();
        Nanos::from(std::time::Duration::from_millis(ms))
    }
}

/// All limits of this node.
pub struct Limits {
    buckets: Option<Vec<Buckets>>,
}

impl Limits {
    /// The limits, or none of them.
    #[must_use]
    pub fn new(switch: Switch, clock: &Clock) -> Self {
        let bucket = |limit: Limit| {
            let (a_minute, at_once) = limit.numbers();
            let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(number(a_minute)).allow_burst(number(at_once));
            RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())
        };
        Self { buckets: (switch == Switch::On).then(|| Limit::ALL.into_iter().map(bucket).collect()) }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// `RateLimited` when it is one too many.
    pub fn check(&self, limit: Limit, key: impl Into<Key>) -> Result<()> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        let index = Limit::ALL.iter().position(|l| *l == limit).unwrap_or_default();
        let buckets = &buckets[index];
        buckets.check_key(&key.into()).map_err(|until| {
            let wait = until.wait_time_from(governor::clock::Clock::now(buckets.clock())).as_secs() + 1;
            Error::RateLimited {
                retry_after: u32::try_from(wait).unwrap_or(u32::MAX),
                limit: limit.numbers().0,
            }
        })
    }

    /// Forgets those who have not tried for long.
    pub fn sweep(&self) {
        for buckets in self.buckets.iter().flatten() {
            buckets.retain_recent();
        }
    }
}
