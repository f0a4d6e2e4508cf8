//! Several nodes as one server: the same load on one of them, over all of them, and once more with one of them killed in
//! the middle, whose connections come back to the others.

use std::net::SocketAddr;

use clap::value_parser;

use super::{Crowd, members};
use crate::{
    Error, Report, crew,
    options::{Common, local},
    plan::{Plan, Send, Turn},
    report::cluster::Cluster,
    setup::Room,
};

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Addresses of the other nodes, on this machine; `--url` is the first one.
    #[arg(long, value_delimiter = ',', required = true)]
    pub nodes: Vec<String>,

    /// Where the nodes tell their metrics, such as http://127.0.0.1:9464: what they say over the bus is counted there.
    #[arg(long, value_delimiter = ',')]
    pub metrics: Vec<String>,

    /// Process of one of the other nodes, to be killed (`kill -9`) in the middle of the last part.
    #[arg(long, value_name = "PID")]
    pub kill: Option<u32>,

    #[command(flatten)]
    pub crowd: Crowd,

    /// Channels, among which the users are dealt out.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=1_000))]
    pub rooms: u32,

    /// Messages a second, over all channels.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
}

/// The three parts.
///
/// # Errors
/// When it could not be run; what it found is in the report.
pub async fn run(flags: &Flags, common: &Common) -> Result<Report, Error> {
    let address = |url: &String| local(url).map(|(address, _)| address);
    let nodes = flags.nodes.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let metrics = flags.metrics.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    let alone = crew::run(common, plan(flags, common, Vec::new())).await?;
    let mut report = crew::run(common, Plan { metrics, ..plan(flags, common, nodes.clone()) }).await?;
    let killed = match flags.kill {
        Some(process) => {
            let mut plan = plan(flags, common, nodes.clone());
            plan.turns = vec![(plan.seconds / 2, Turn::Kill(process))];
            Some(crew::run(common, plan).await?)
        }
        None => None,
    };
    let count = u32::try_from(nodes.len() + 1).unwrap_or(u32::MAX);
    report.cluster = Some(Cluster {
        nodes: count,
        alone: alone.delivery,
        added_p99_ms: report.delivery.p99_ms - alone.delivery.p99_ms,
        bus_per_event_and_node: report.bus_per_message.map(|each| each / f64::from(count)),
        back: killed.as_ref().and_then(|killed| killed.returns),
    });
    [Some(&alone), killed.as_ref()].into_iter().flatten().for_each(|part| report.find_fault_with(part));
    Ok(report)
}

/// The load, over the first node and these.
fn plan(flags: &Flags, common: &Common, others: Vec<SocketAddr>) -> Plan {
    let (connections, users) = flags.crowd.sizes(common, 15_000, 300);
    let seconds = common.or(common.seconds, 20, 6);
    let rooms = (flags.rooms as usize).min(users);
    let room = |n: usize| {
        let members = members(0..users).into_iter().filter(|user| *user as usize % rooms == n).collect();
        Room { members, beside: false }
    };
    Plan {
        users,
        others,
        rooms: (0..rooms).map(room).collect(),
        connections: flags.crowd.seats(connections, users, common.threads),
        streams: vec![Send { rooms: 0..rooms, rate: flags.rate.into(), from: 0, to: seconds, thread: 0 }],
        ..Plan::new("cluster", seconds, common.threads)
    }
}
