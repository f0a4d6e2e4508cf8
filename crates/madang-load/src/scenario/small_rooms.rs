//! Very many small channels, all of them talking: what durable sending costs.

use clap::value_parser;

use super::{CONNECTIONS, Talk};
use crate::{
    options::Common,
    plan::{Plan, Seat},
    setup::Room,
    socket::Pace,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Channels [default: 2000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=4_000))]
    pub rooms: Option<u32>,

    /// Connections in each channel.
    #[arg(long, default_value_t = 8, value_parser = value_parser!(u32).range(1..=1_000))]
    pub members: u32,

    /// Connections [default: 10000, 250 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Connections of each guest.
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=1_000))]
    pub devices: u32,

    #[command(flatten)]
    pub talk: Talk,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let connections = common.or(flags.connections, 10_000, 250) as usize;
    let rooms = common.or(flags.rooms, 2_000, 50) as usize;
    let users = connections.div_ceil(flags.devices as usize);
    let in_room = (flags.members.div_ceil(flags.devices) as usize).min(users);
    let seconds = common.or(common.seconds, 20, 5);
    let threads = usize::from(common.threads);
    let room = |n: usize| {
        let members =
            (n * in_room..(n + 1) * in_room).filter_map(|m| u32::try_from(m % users).ok()).collect();
        Room { members, beside: false }
    };
    // Everyone sends, so each thread sends its part.
    let rate = common.or(None, 20_000, 200);
    let (streams, phases) = flags.talk.over(rate, seconds, &(0..rooms), &(0..threads));
    // The devices of a user sit side by side, so that every thread has some of each room.
    let seat =
        |n: usize| Seat { user: n % users, thread: (n % users + n / users) % threads, pace: Pace::Full };
    Plan {
        users,
        rooms: (0..rooms).map(room).collect(),
        connections: (0..connections).map(seat).collect(),
        streams,
        threads,
        phases,
        ..Plan::new("small-rooms", seconds, common.threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_has_its_connections() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            run: crate::options::Run<Flags>,
        }
        let cli = <Cli as clap::Parser>::parse_from(["x", "--rooms", "20", "--connections", "100"]);
        let plan = plan(&cli.run.flags, &cli.run.common);
        for room in &plan.rooms {
            let hearers = plan
                .connections
                .iter()
                .filter(|seat| room.members.contains(&u32::try_from(seat.user).unwrap()));
            assert_eq!(hearers.count(), 8);
        }
    }
}
