//! The load tests: each makes a [`Plan`] of its flags.

pub mod cluster;
mod flags;
pub mod giant_room;
pub mod history;
pub mod idle;
pub mod peer;
pub mod room;
pub mod slow_readers;
pub mod small_rooms;
pub mod storm;

pub use flags::{Crowd, Talk};

use crate::{
    Error, Report, Scenario, crew,
    options::{Common, Run},
    plan::{Plan, Seat},
    socket::Pace,
};

/// Most connections of one run: one process can hardly open more files.
const CONNECTIONS: i64 = 60_000;

impl Scenario {
    /// Runs the load test.
    ///
    /// # Errors
    /// When it could not be run; what it found is in the report.
    pub async fn run(&self) -> Result<Report, Error> {
        match self {
            Self::GiantRoom(run) => play(run, giant_room::plan).await,
            Self::Room(run) => play(run, room::plan).await,
            Self::SmallRooms(run) => play(run, small_rooms::plan).await,
            Self::Idle(run) => play(run, idle::plan).await,
            Self::Storm(run) => play(run, storm::plan).await,
            Self::SlowReaders(run) => play(run, slow_readers::plan).await,
            Self::Cluster(run) => cluster::run(&run.flags, &run.common).await,
            Self::History(run) => history::run(&run.flags, run.common.without_tls()?).await,
            Self::Peer(run) => {
                run.common.plain()?;
                play(run, peer::plan).await
            }
        }
    }

    /// What all scenarios take.
    #[must_use]
    pub const fn common(&self) -> &Common {
        match self {
            Self::GiantRoom(run) => &run.common,
            Self::Room(run) => &run.common,
            Self::SmallRooms(run) => &run.common,
            Self::Idle(run) => &run.common,
            Self::Storm(run) => &run.common,
            Self::SlowReaders(run) => &run.common,
            Self::Cluster(run) => &run.common,
            Self::History(run) => &run.common,
            Self::Peer(run) => &run.common,
        }
    }
}

async fn play<T: clap::Args>(run: &Run<T>, plan: impl FnOnce(&T, &Common) -> Plan) -> Result<Report, Error> {
    crew::run(&run.common, plan(&run.flags, &run.common)).await
}

/// Connections dealt out to users in turn: the first few in the sending thread, the rest in the others.
fn seats(connections: usize, users: usize, threads: u16, senders: usize) -> Vec<Seat> {
    let senders = senders.min(connections.div_ceil(2));
    let threads = usize::from(threads);
    let thread = |n: usize| if n < senders { 0 } else { 1 + n % threads };
    (0..connections).map(|n| Seat { user: n % users, thread: thread(n), pace: Pace::Full }).collect()
}

/// Indices of users as the members of a room.
fn members(users: std::ops::Range<usize>) -> Vec<u32> {
    users.filter_map(|user| u32::try_from(user).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_a_seat_and_senders_have_their_thread() {
        let seats = seats(1_000, 100, 2, 64);
        assert_eq!(seats.iter().filter(|s| s.thread == 0).count(), 64);
        assert!((0..100).all(|user| seats.iter().filter(|s| s.user == user).count() == 10));
        assert!(seats.iter().all(|s| s.thread < 3));
        assert_eq!(super::seats(1, 1, 1, 64).len(), 1);
    }
}
