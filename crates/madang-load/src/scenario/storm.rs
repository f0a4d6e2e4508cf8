//! All listeners are dropped at once, come back at once and resume, while others go on talking: what they
//! missed must reach them, once and in order.

use clap::value_parser;

use super::{CONNECTIONS, Crowd, members};
use crate::{
    options::Common,
    plan::{Plan, Send, Turn},
    setup::Room,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub crowd: Crowd,

    /// Channels that each connection hears and resumes.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=100))]
    pub rooms: u32,

    /// Messages a second, over all channels.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(0..=10_000))]
    pub rate: u32,

    /// How often all are dropped.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(1..=20))]
    pub storms: u64,

    /// Most connections that are being opened at one time, in each thread.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub window: u32,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let (connections, users) = flags.crowd.sizes(common, 15_000, 500);
    let seconds = common.or(common.seconds, 20, 6);
    let rooms = flags.rooms as usize;
    let room = |_| Room { members: members(0..users), beside: false };
    Plan {
        users,
        rooms: (0..rooms).map(room).collect(),
        connections: flags.crowd.seats(connections, users, common.threads),
        streams: vec![Send { rooms: 0..rooms, rate: flags.rate.into(), from: 0, to: seconds, thread: 0 }],
        stormy: (1..=usize::from(common.threads)).collect(),
        window: flags.window as usize,
        turns: (1..=flags.storms).map(|n| (seconds * n / (flags.storms + 2), Turn::Storm)).collect(),
        ..Plan::new("storm", seconds, common.threads)
    }
}
