//! In the second half of the run some read slowly or not at all: the others must not notice, and the
//! server's memory must not grow.

use clap::value_parser;

use super::{Crowd, Talk, members};
use crate::{
    options::Common,
    plan::{Phase, Plan, Turn},
    setup::Room,
    socket::Pace,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub crowd: Crowd,
    #[command(flatten)]
    pub talk: Talk,

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
    let (connections, users) = flags.crowd.sizes(common, 2_000, 300);
    let seconds = common.or(common.seconds, 40, 8).max(2);
    let (half, mut connections) = (seconds / 2, flags.crowd.seats(connections, users, common.threads));
    let (never, slow) = (flags.never as usize, flags.slow as usize);
    for (n, seat) in connections.iter_mut().enumerate().skip(flags.crowd.senders as usize) {
        seat.pace = match n % 100 {
            place if place < never => Pace::Never,
            place if place < never + slow => Pace::Slow,
            _ => Pace::Full,
        };
    }
    // Who sends reads too: their acknowledgements are counted.
    connections.iter_mut().filter(|seat| seat.thread == 0).for_each(|seat| seat.pace = Pace::Full);
    let (streams, _) = flags.talk.over(common.or(None, 100, 50), seconds, &(0..1), &(0..1));
    Plan {
        users,
        rooms: vec![Room { members: members(0..users), beside: false }],
        connections,
        streams,
        turns: vec![(half, Turn::Slow)],
        phases: vec![Phase::new("all read", 0, half), Phase::new("some do not", half, seconds)],
        ..Plan::new("slow-readers", seconds, common.threads)
    }
}
