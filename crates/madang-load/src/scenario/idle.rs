//! Connections that do nothing: what being there costs.

use clap::value_parser;

use super::{Crowd, members};
use crate::{options::Common, plan::Plan, setup::Room};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub crowd: Crowd,

    /// Channels that each connection hears.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(0..=100))]
    pub rooms: u32,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let (connections, users) = flags.crowd.sizes(common, 15_000, 500);
    let seconds = common.or(common.seconds, 60, 5);
    let room = |_| Room { members: members(0..users), beside: false };
    Plan {
        users,
        rooms: (0..flags.rooms).map(room).collect(),
        connections: flags.crowd.seats(connections, users, common.threads),
        ..Plan::new("idle", seconds, common.threads)
    }
}
