//! Connections that do nothing: what being there costs.

use clap::value_parser;

use super::{CONNECTIONS, WINDOW, members, seats};
use crate::{options::Common, plan::Plan, setup::Room};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Connections [default: 15000, 500 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Guests whose devices the connections are [default: 1000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub users: Option<u32>,

    /// Channels that each connection hears.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(0..=100))]
    pub rooms: u32,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let connections = common.or(flags.connections, 15_000, 500) as usize;
    let users = (common.or(flags.users, 1_000, 50) as usize).min(connections);
    let seconds = common.or(common.seconds, 60, 5);
    let threads = usize::from(common.threads);
    let room = |_| Room { members: members(0..users), beside: false };
    Plan {
        scenario: "idle",
        users,
        rooms: (0..flags.rooms).map(room).collect(),
        connections: seats(connections, users, threads),
        streams: Vec::new(),
        threads: threads + 1,
        stormy: Vec::new(),
        window: WINDOW,
        seconds,
        turns: Vec::new(),
        phases: Vec::new(),
    }
}
