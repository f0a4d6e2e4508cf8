//! One channel that all connections hear, and steady talk in it.

use super::{Crowd, Talk, members};
use crate::{options::Common, plan::Plan, setup::Room};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub crowd: Crowd,
    #[command(flatten)]
    pub talk: Talk,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let (connections, users) = flags.crowd.sizes(common, 15_000, 500);
    let seconds = common.or(common.seconds, 30, 5);
    let (streams, phases) = flags.talk.over(common.or(None, 117, 20), seconds, &(0..1), &(0..1));
    Plan {
        users,
        rooms: vec![Room { members: members(0..users), beside: false }],
        connections: flags.crowd.seats(connections, users, common.threads),
        streams,
        phases,
        ..Plan::new("giant-room", seconds, common.threads)
    }
}
