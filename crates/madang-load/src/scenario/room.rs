//! One channel of a usual size with quick talk in it; if wanted, a giant one beside it in the second half.

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
    /// Connections in the room [default: 1000, 200 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Guests whose devices the connections are: one each, as far as this goes [default: 1000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub users: Option<u32>,

    /// Messages a second in the room [default: 100, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: Option<u32>,

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
    let inside = common.or(flags.connections, 1_000, 200) as usize;
    let users = common.or(flags.users, 1_000, 50) as usize;
    let (users_inside, outside) = (users.min(inside), flags.beside as usize);
    let users_outside = users.min(outside);
    let seconds = common.or(common.seconds, 30, 6).max(2);
    let threads = usize::from(common.threads);

    let mut plan = Plan {
        scenario: "room",
        users: users_inside + users_outside,
        rooms: vec![Room { members: members(0..users_inside), beside: false }],
        connections: seats(inside, users_inside, threads),
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
        turns: Vec::new(),
        phases: Vec::new(),
    };
    if outside > 0 {
        plan.rooms.push(Room { members: members(users_inside..users_inside + users_outside), beside: true });
        let more = seats(outside, users_outside, threads).into_iter();
        plan.connections
            .extend(more.map(|seat| crate::plan::Seat { user: users_inside + seat.user, ..seat }));
        plan.streams.push(Send {
            rooms: 1..2,
            rate: flags.beside_rate.into(),
            from: seconds / 2,
            to: seconds,
            thread: 0,
        });
        plan.phases = vec![("alone", 0, seconds / 2), ("with the room beside", seconds / 2, seconds)];
    }
    plan
}
