//! What reading history found.

use serde::Serialize;

use super::show;
use crate::{
    check::Faults,
    measure::{Kind, Latency, Measure},
};

/// What the readers bring back.
#[derive(Debug)]
pub struct Found<'a> {
    pub pages: u64,
    /// Seconds.
    pub lasted: f64,
    /// The server's CPU time meanwhile.
    pub cpu: Option<std::time::Duration>,
    pub measure: &'a Measure,
    pub faults: Faults,
}

/// Pages of history.
#[derive(Debug, Clone, Serialize)]
pub struct Reading {
    pub pages: u64,
    pub pages_per_second: f64,
    /// Of the messages in the channel, the newer half, and the older one.
    pub newer: Latency,
    pub older: Latency,
    pub server_cpu_us_per_page: Option<f64>,
    /// With a whole core of the server's CPU time.
    pub pages_per_second_per_core: Option<f64>,
    /// Messages of pages.
    pub faults: Faults,
}

impl Reading {
    /// Puts the figures together.
    #[must_use]
    pub fn new(found: &Found<'_>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "far fewer pages than 2^52")]
        let pages = found.pages as f64;
        let cpu = found.cpu.map(|cpu| cpu.as_secs_f64()).filter(|cpu| *cpu > 0.0 && pages > 0.0);
        Self {
            pages: found.pages,
            pages_per_second: pages / found.lasted.max(0.001),
            newer: Latency::from(&found.measure.all(Kind::Delivery)),
            older: Latency::from(&found.measure.all(Kind::Beside)),
            server_cpu_us_per_page: cpu.map(|cpu| cpu * 1e6 / pages),
            pages_per_second_per_core: cpu.map(|cpu| pages / cpu),
            faults: found.faults,
        }
    }

    /// For the table.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let Faults { lost, doubled, disordered, .. } = self.faults;
        let row = |name: &str, value: String| (name.to_owned(), value);
        let mut rows = vec![
            row("pages", format!("{}, {:.0}/s", self.pages, self.pages_per_second)),
            row("page p50 / p99 / max, newer half", show(&self.newer)),
            row("page p50 / p99 / max, older half", show(&self.older)),
        ];
        if let (Some(us), Some(a_core)) = (self.server_cpu_us_per_page, self.pages_per_second_per_core) {
            rows.push(row("server CPU a page", format!("{us:.0} µs, {a_core:.0} pages/s with a core")));
        }
        rows.push(row("pages: missing / twice / out of order", format!("{lost} / {doubled} / {disordered}")));
        rows
    }
}
