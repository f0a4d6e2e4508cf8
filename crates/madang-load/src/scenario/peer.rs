//! A chat server of another make with one room, to compare with: the same talk, the same checks, the same
//! figures as in `room`. The servers are in `bench/peers`.

use clap::ValueEnum;

use super::{Talk, members, seats};
use crate::{dialect::Dialect, options::Common, plan::Plan, setup::Room};

/// What the peer is built on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Make {
    /// Socket.IO 4.
    SocketIo,
    /// The package `ws`.
    Ws,
}

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// What the server is built on.
    #[arg(long, value_enum)]
    pub kind: Make,

    /// Connections [default: 1000, 200 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=super::CONNECTIONS))]
    pub connections: Option<u32>,

    /// Connections that send.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub senders: u32,

    #[command(flatten)]
    pub talk: Talk,
}

/// The run.
#[must_use]
pub fn plan(flags: &Flags, common: &Common) -> Plan {
    let connections = common.or(flags.connections, 1_000, 200) as usize;
    let seconds = common.or(common.seconds, 30, 5);
    let (streams, phases) = flags.talk.over(common.or(None, 100, 50), seconds, &(0..1), &(0..1));
    let (scenario, dialect) = match flags.kind {
        Make::SocketIo => ("peer-socket-io", Dialect::SocketIo),
        Make::Ws => ("peer-ws", Dialect::default()),
    };
    Plan {
        peer: Some(dialect),
        users: connections,
        rooms: vec![Room { members: members(0..connections), beside: false }],
        connections: seats(connections, connections, common.threads, flags.senders as usize),
        streams,
        phases,
        ..Plan::new(scenario, seconds, common.threads)
    }
}
