//! One channel that all connections hear, and steady talk in it.

use clap::value_parser;

use super::{CONNECTIONS, WINDOW, members, seats};
use crate::{
    options::Common,
    plan::{Plan, Send},
    setup::Room,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Connections [default: 15000, 500 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Guests whose devices the connections are [default: 1000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub users: Option<u32>,

    /// Messages a second [default: 117, 20 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: Option<u32>,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let connections = common.or(flags.connections, 15_000, 500) as usize;
    let users = (common.or(flags.users, 1_000, 50) as usize).min(connections);
    let seconds = common.or(common.seconds, 30, 5);
    let threads = usize::from(common.threads);
    Plan {
        scenario: "giant-room",
        users,
        rooms: vec![Room { members: members(0..users), beside: false }],
        connections: seats(connections, users, threads),
        streams: vec![Send {
            rooms: 0..1,
            rate: common.or(flags.rate, 117, 20).into(),
            from: 0,
            to: seconds,
            thread: 0,
        }],
        threads: threads + 1,
        stormy: Vec::new(),
        window: WINDOW,
        seconds,
        turns: Vec::new(),
        phases: Vec::new(),
    }
}
