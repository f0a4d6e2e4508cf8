//! In the second half of the run some read slowly or not at all: the others must not notice, and the
//! server's memory must not grow.

use clap::value_parser;

use super::{CONNECTIONS, SENDERS, WINDOW, members, seats};
use crate::{
    options::Common,
    plan::{Plan, Send, Turn},
    setup::Room,
    socket::Pace,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Connections [default: 2000, 300 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Guests whose devices the connections are [default: 1000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub users: Option<u32>,

    /// Messages a second [default: 100, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: Option<u32>,

    /// Of a hundred connections, how many read nothing.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(0..=50))]
    pub never: u32,

    /// Of a hundred connections, how many read a kilobyte a second.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(0..=50))]
    pub slow: u32,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let connections = common.or(flags.connections, 2_000, 300) as usize;
    let users = (common.or(flags.users, 1_000, 50) as usize).min(connections);
    let seconds = common.or(common.seconds, 40, 8).max(2);
    let threads = usize::from(common.threads);
    let mut connections = seats(connections, users, threads);
    let (never, slow) = (flags.never as usize, flags.slow as usize);
    for (n, seat) in connections.iter_mut().enumerate().skip(SENDERS) {
        seat.pace = match n % 100 {
            place if place < never => Pace::Never,
            place if place < never + slow => Pace::Slow,
            _ => Pace::Full,
        };
    }
    // Who sends reads too: their acknowledgements are counted.
    connections.iter_mut().filter(|seat| seat.thread == 0).for_each(|seat| seat.pace = Pace::Full);
    Plan {
        scenario: "slow-readers",
        users,
        rooms: vec![Room { members: members(0..users), beside: false }],
        connections,
        streams: vec![Send {
            rooms: 0..1,
            rate: common.or(flags.rate, 100, 50).into(),
            from: 0,
            to: seconds,
            thread: 0,
        }],
        threads: threads + 1,
        stormy: Vec::new(),
        window: WINDOW,
        seconds,
        turns: vec![(seconds / 2, Turn::Slow)],
        phases: vec![("all read", 0, seconds / 2), ("some do not", seconds / 2, seconds)],
    }
}
