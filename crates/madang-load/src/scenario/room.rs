//! One channel of a usual size with quick talk in it; if wanted, a giant one beside it in the second half.

use clap::value_parser;

use super::{CONNECTIONS, Crowd, Talk, members};
use crate::{
    options::Common,
    plan::{Phase, Plan, Seat, Send},
    setup::Room,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    pub crowd: Crowd,
    #[command(flatten)]
    pub talk: Talk,

    /// Connections in a room beside it, which talks in the second half of the run; 10000 is a good number.
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u32).range(0..=CONNECTIONS))]
    pub beside: u32,

    /// Messages a second in the room beside.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=10_000))]
    pub beside_rate: u32,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let (inside, users_inside) = flags.crowd.sizes(common, 1_000, 200);
    let outside = flags.beside as usize;
    let users_outside = users_inside.min(outside);
    let seconds = common.or(common.seconds, 30, 6).max(2);
    let (streams, phases) = flags.talk.over(common.or(None, 100, 50), seconds, &(0..1), &(0..1));
    let mut plan = Plan {
        users: users_inside + users_outside,
        rooms: vec![Room { members: members(0..users_inside), beside: false }],
        connections: flags.crowd.seats(inside, users_inside, common.threads),
        streams,
        phases,
        ..Plan::new("room", seconds, common.threads)
    };
    if outside > 0 {
        plan.rooms.push(Room { members: members(users_inside..users_inside + users_outside), beside: true });
        let more = flags.crowd.seats(outside, users_outside, common.threads).into_iter();
        plan.connections.extend(more.map(|seat| Seat { user: users_inside + seat.user, ..seat }));
        let half = seconds / 2;
        let rate = flags.beside_rate.into();
        plan.streams.push(Send { rooms: 1..2, rate, from: half, to: seconds, thread: 0 });
        plan.phases = vec![Phase::new("alone", 0, half), Phase::new("with the room beside", half, seconds)];
    }
    plan
}
