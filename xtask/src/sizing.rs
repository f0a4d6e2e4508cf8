//! `cargo xtask sizing`: how many machines so many people need, by arithmetic from what was measured; the table of
//! `docs/operations.md`.
//!
//! How: what people do is assumed ([`People`]), what that costs was measured ([`COSTS`]); the rest is multiplication. How
//! many nodes hear an event is the mean number of boxes that are hit by so many balls.
//!
//! Invariants: the figures of [`COSTS`] stand in `docs/benchmarks.md`; a test holds the table against this file.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{marked, report};

const DOCUMENT: &str = "docs/operations.md";
const SIZES: [f64; 4] = [1_000.0, 15_000.0, 100_000.0, 1_000_000.0];

/// What people do in the busiest minute of a day.
struct People {
    /// Connections of one: some have the page and the telephone open.
    connections: f64,
    /// Messages of one in a second.
    messages: f64,
    /// Connections that hear a message, in the mean over messages.
    hearers: f64,
    /// Events for each message, it among them: typing, read marks, reactions.
    events: f64,
}

const PEOPLE: People = People { connections: 1.3, messages: 0.005, hearers: 40.0, events: 3.0 };

/// What was measured of one node.
struct Costs {
    /// Connections of a node at most: more were not tried.
    connections: f64,
    /// Bytes of a connection, with its part of its user.
    memory: f64,
    /// Bytes of a node that had people before.
    base: f64,
    /// Core seconds of a connection in a second, for its heartbeat.
    idle: f64,
    /// Core seconds of a delivery that is alone in its packet, with its part of storing the message.
    delivery: f64,
    /// Messages that a node with one core stored on PostgreSQL in a second.
    stored: f64,
}

const COSTS: Costs = Costs {
    connections: 15_000.0,
    memory: 8.8e3,
    base: 60e6,
    idle: 1.23e-6,
    delivery: 20e-6,
    stored: 7_500.0,
};

/// How much of a core is planned with: the rest is for the return of all after a node died.
const LOAD: f64 = 0.5;

/// What so many people online need.
struct Need {
    connections: f64,
    messages: f64,
    deliveries: f64,
    cores: f64,
    nodes: f64,
    memory: f64,
    bus: f64,
}

/// The mean number of `nodes` on which at least one of `hearers` is.
fn nodes_that_hear(nodes: f64, hearers: f64) -> f64 {
    nodes * (1.0 - (1.0 - 1.0 / nodes).powf(hearers))
}

fn need(people: f64) -> Need {
    let connections = people * PEOPLE.connections;
    let messages = people * PEOPLE.messages;
    let deliveries = messages * PEOPLE.events * PEOPLE.hearers;
    let cores = connections * COSTS.idle + deliveries * COSTS.delivery;
    let by_connections = (connections / COSTS.connections).ceil();
    let enough = by_connections.max((cores / LOAD / 2.0).ceil()).max((messages / COSTS.stored).ceil());
    // One may be missing where there are several.
    let nodes = if enough > 1.0 { enough + 1.0 } else { enough };
    let memory = COSTS.base + COSTS.memory * connections / nodes;
    // Whoever is at the node of the sender hears without the bus.
    let bus = messages * PEOPLE.events * (nodes_that_hear(nodes, PEOPLE.hearers) - 1.0);
    Need { connections, messages, deliveries, cores, nodes, memory, bus }
}

fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k", n / 1e3),
        n if n >= 10.0 || n.fract() == 0.0 => format!("{n:.0}"),
        n if n >= 1.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

fn table() -> Result<String> {
    let mut text = String::from(
        "\n| People online | Connections | Messages a second | Deliveries a second | Cores, all nodes | Nodes of 2 cores | Memory a node | Events over Redis a second |\n|---|---|---|---|---|---|---|---|\n",
    );
    for people in SIZES {
        let need = need(people);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} MB | {} |",
            short(people),
            short(need.connections),
            short(need.messages),
            short(need.deliveries),
            short(need.cores),
            short(need.nodes),
            short(need.memory / 1e6),
            short(need.bus)
        )?;
    }
    Ok(text)
}

/// Writes the table.
pub fn write() -> Result<bool> {
    let table = table()?;
    marked::write(DOCUMENT, "sizing", &table)?;
    report::say(table.trim());
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_one_of_these_figures() {
        let document = std::fs::read_to_string(crate::tools::root().join(DOCUMENT)).unwrap();
        let fresh = marked::replaced(&document, "sizing", &table().unwrap()).unwrap();
        assert_eq!(document, fresh, "run `cargo xtask sizing`");
    }

    /// People are put on nodes at random, and channels have sizes as different as those of teams are.
    #[test]
    fn as_many_nodes_hear_an_event_as_a_simulation_has_or_fewer() {
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for nodes in [3_u64, 10, 88] {
            let (mut hearing, mut alike) = (0_u64, 0_u64);
            let events = 4_000;
            for _ in 0..events {
                // Half have 8 hearers, half 72: 40 in the mean.
                let sizes = [if random(2) == 0 { 8 } else { 72 }, 40];
                for (size, sum) in sizes.into_iter().zip([&mut hearing, &mut alike]) {
                    let mut hit = vec![false; nodes as usize];
                    (0..size).for_each(|_| hit[random(nodes) as usize] = true);
                    *sum += hit.iter().filter(|hit| **hit).count() as u64;
                }
            }
            let counted = nodes_that_hear(nodes as f64, 40.0);
            let mean = |sum: u64| sum as f64 / f64::from(events);
            assert!((mean(alike) - counted).abs() < counted * 0.02, "{nodes}: {} {counted}", mean(alike));
            assert!(mean(hearing) <= counted * 1.02, "{nodes}: {} {counted}", mean(hearing));
        }
    }
}
