//! What a run over several nodes found beside what every run does.

use serde::Serialize;

use super::show;
use crate::measure::Latency;

/// Several nodes, held against one.
#[derive(Debug, Clone, Serialize)]
pub struct Cluster {
    pub nodes: u32,
    /// Deliveries of the same load on one node.
    pub alone: Latency,
    /// By how much the p99 of deliveries is later over all of them.
    pub added_p99_ms: f64,
    /// Messages that a node gets from others, for each message of the run.
    pub bus_per_event_and_node: Option<f64>,
    /// From the end of a killed node to being live at another, without a gap.
    pub back: Option<Latency>,
}

impl Cluster {
    /// For the table.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let row = |name: &str, value: String| (name.to_owned(), value);
        let mut rows = vec![
            row("delivery with all on one node", show(&self.alone)),
            row(&format!("p99 that {} nodes add", self.nodes), format!("{:.1} ms", self.added_p99_ms)),
        ];
        if let Some(each) = self.bus_per_event_and_node {
            rows.push(row("bus messages an event and node", format!("{each:.2}")));
        }
        if let Some(back) = &self.back {
            rows.push(row("back after a node was killed", show(back)));
        }
        rows
    }
}
