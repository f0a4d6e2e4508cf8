//! What a run found: for people a table, for programs JSON.

pub mod cluster;
pub mod reading;

use std::{collections::BTreeMap, fmt::Write as _, sync::atomic::Ordering::Relaxed};

use serde::Serialize;

use crate::{
    check::Faults,
    crew::{Crew, Figures},
    marks,
    measure::{Kind, Latency, Measure, samples},
    plan::Phase,
    plot::{self, Line},
};

/// The server's process over the run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Server {
    pub process: u32,
    pub cpu_seconds: f64,
    /// Resident bytes before the connections, with them, after the run, and the most seen.
    pub memory_before: Option<u64>,
    pub memory_connected: Option<u64>,
    pub memory_after: Option<u64>,
    pub memory_most: Option<u64>,
}

/// A part of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    pub name: String,
    /// Between the moments at which the counters were read.
    pub seconds: f64,
    /// Messages that were due within it, and acknowledged at some time.
    pub delivery: Latency,
    pub beyond: Latency,
    pub ack: Latency,
    /// Of those that were due within it, how many were acknowledged for each second of the plan.
    pub kept_per_second: f64,
    /// Counted when they came, whenever they were due.
    pub acked: u64,
    pub acked_per_second: f64,
    pub deliveries: u64,
    pub deliveries_per_second: f64,
    pub server_cpu_us_per_delivery: Option<f64>,
    pub server_memory_most: Option<u64>,
}

/// Figures of one slice of time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Slice {
    pub at_seconds: f64,
    pub delivery: Latency,
}

/// Everything that a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub scenario: String,
    /// How the server was spoken to.
    pub speech: String,
    /// Whether nothing was lost, doubled, out of order or refused.
    pub ok: bool,
    pub connections: usize,
    pub users: usize,
    pub channels: usize,
    pub seconds: f64,
    pub sent: u64,
    pub acked: u64,
    pub refused: u64,
    /// Messages that the server has.
    pub stored: u64,
    pub expected_deliveries: u64,
    pub deliveries: u64,
    pub deliveries_per_second: f64,
    pub acked_per_second: f64,
    pub faults: Faults,
    pub delivery: Latency,
    /// From the acknowledgement of a message to its deliveries.
    pub beyond: Latency,
    /// Deliveries of the second group of channels.
    pub beside: Option<Latency>,
    pub ack: Latency,
    pub parts: Vec<Part>,
    /// From being dropped to being live again.
    pub returns: Option<Latency>,
    pub resyncs: u64,
    pub closed: BTreeMap<u16, u64>,
    pub bytes_per_delivery: f64,
    /// Stands for messages per write of the server.
    pub deliveries_per_read: f64,
    pub server: Option<Server>,
    pub server_cpu_us_per_delivery: Option<f64>,
    pub server_cpu_share: Option<f64>,
    pub server_bytes_per_connection: Option<f64>,
    /// CPU of the threads of the load generator, in cores.
    pub generator_cpu_share: f64,
    /// How late the load generator itself sent: large means that it, not the server, was the limit.
    pub generator_lag: Latency,
    pub first_refusal: Option<String>,
    pub slices: Vec<Slice>,
    /// Messages that came to the nodes over the bus, for each message of the run; where they tell.
    pub bus_per_message: Option<f64>,
    /// Several nodes, held against one.
    pub cluster: Option<cluster::Cluster>,
    /// Pages of history.
    pub reading: Option<reading::Reading>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn ratio(a: u64, b: f64) -> f64 {
    if b > 0.0 { a as f64 / b } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
const fn float(n: u64) -> f64 {
    n as f64
}

/// Puts the figures together.
#[must_use]
pub fn build(crew: &Crew<'_>, figures: &Figures) -> Report {
    let (plan, shared) = (&crew.plan, &crew.shared);
    let mut measure = Measure::new(crew.ground.length);
    let (mut returns, mut closed, mut resyncs) = (samples(), BTreeMap::new(), 0);
    for outcome in &figures.outcomes {
        measure.merge(&outcome.measure);
        // All have the same bounds.
        let _ = returns.add(&outcome.returns);
        outcome.closed.iter().for_each(|(code, n)| *closed.entry(*code).or_default() += n);
        resyncs += outcome.resyncs;
    }
    let latency =
        |kind, from: u64, to: u64| Latency::from(&measure.between(kind, from * 1_000_000, to * 1_000_000));
    let part = |(phase, seen): (&Phase, &marks::Seen)| {
        let of = |kind| latency(kind, phase.from, phase.to);
        let (begin, end) = (seen.begin.unwrap_or_default(), seen.end.unwrap_or_default());
        let seconds = float(end.at.saturating_sub(begin.at)) / 1e6;
        let (acked, deliveries) = (end.acked - begin.acked, end.heard - begin.heard);
        let cpu = end.cpu.zip(begin.cpu).map(|(end, begin)| end.saturating_sub(begin).as_secs_f64());
        Part {
            name: phase.name.clone(),
            seconds,
            delivery: of(Kind::Delivery),
            beyond: of(Kind::Beyond),
            ack: of(Kind::Ack),
            kept_per_second: ratio(of(Kind::Ack).count, float(phase.to - phase.from)),
            acked,
            acked_per_second: ratio(acked, seconds),
            deliveries,
            deliveries_per_second: ratio(deliveries, seconds),
            server_cpu_us_per_delivery: cpu.filter(|_| deliveries > 0).map(|s| s * 1e6 / float(deliveries)),
            server_memory_most: seen.memory_most,
        }
    };
    let slice =
        |(at, samples): (u64, &_)| Slice { at_seconds: float(at) / 1e6, delivery: Latency::from(samples) };
    let (deliveries, sent) = (shared.heard.load(Relaxed), shared.sent.load(Relaxed));
    let (acked, refused) = (shared.acked.load(Relaxed), shared.refused.load(Relaxed));
    let stored =
        figures.stored.iter().zip(&crew.ground.channels).map(|(s, c)| s.saturating_sub(c.base_seq)).sum();
    let seconds = figures.lasted.as_secs_f64();
    let faults = stored_twice(figures.faults(), stored, sent);
    let beside = Latency::from(&measure.all(Kind::Beside));
    let server = figures.server;
    let grown = server.and_then(|s| Some(s.memory_connected?.saturating_sub(s.memory_before?)));
    let cpu: f64 = figures.outcomes.iter().map(|o| o.cpu.as_secs_f64()).sum();
    Report {
        scenario: plan.scenario.to_owned(),
        speech: crew.common.speech(),
        ok: faults.none() && refused == 0 && acked == sent,
        connections: plan.connections.len(),
        users: plan.users,
        channels: plan.rooms.len(),
        seconds,
        sent,
        acked,
        refused,
        stored,
        expected_deliveries: figures.expected,
        deliveries,
        deliveries_per_second: ratio(deliveries, seconds),
        acked_per_second: ratio(acked, seconds),
        faults,
        delivery: Latency::from(&measure.all(Kind::Delivery)),
        beyond: Latency::from(&measure.all(Kind::Beyond)),
        beside: (beside.count > 0).then_some(beside),
        ack: Latency::from(&measure.all(Kind::Ack)),
        parts: plan.phases.iter().zip(&figures.parts).map(part).collect(),
        returns: (!returns.is_empty()).then(|| Latency::from(&returns)),
        resyncs,
        closed,
        bytes_per_delivery: ratio(shared.bytes.load(Relaxed), float(deliveries)),
        deliveries_per_read: ratio(deliveries, float(shared.reads.load(Relaxed))),
        server,
        server_cpu_us_per_delivery: server
            .filter(|_| deliveries > 0)
            .map(|s| s.cpu_seconds * 1e6 / float(deliveries)),
        server_cpu_share: server.filter(|_| seconds > 0.0).map(|s| s.cpu_seconds / seconds),
        server_bytes_per_connection: grown.map(|grown| ratio(grown, float(plan.connections.len() as u64))),
        generator_cpu_share: cpu / seconds.max(0.001),
        generator_lag: Latency::from(&measure.all(Kind::Lag)),
        first_refusal: figures.outcomes.iter().find_map(|o| o.refusal.clone()),
        slices: measure.by_time(Kind::Delivery).map(slice).collect(),
        bus_per_message: (!plan.metrics.is_empty()).then(|| ratio(figures.bus_received, float(acked))),
        cluster: None,
        reading: None,
    }
}

/// More messages stored than sent: the same one twice, under two places.
fn stored_twice(mut faults: Faults, stored: u64, sent: u64) -> Faults {
    faults.doubled += stored.saturating_sub(sent);
    faults
}

impl Report {
    /// What is wrong, in a sentence for each; nothing when all is well.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let Faults { lost, doubled, disordered, unstored } = self.faults;
        let unanswered = self.sent.saturating_sub(self.acked + self.refused);
        [
            (lost, "lost: stored and not delivered"),
            (doubled, "doubled: delivered or stored more than once"),
            (disordered, "out of order: delivered after a later one"),
            (unstored, "not stored: acknowledged or delivered, and not there"),
            (self.refused, "refused by the server"),
            (unanswered, "without an answer"),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .chain(self.first_refusal.iter().map(|text| self.advice(text)))
        .collect()
    }

    /// Takes in what was wrong in another part of the run.
    pub(crate) fn find_fault_with(&mut self, part: &Self) {
        self.faults += part.faults;
        (self.sent, self.acked) = (self.sent + part.sent, self.acked + part.acked);
        self.refused += part.refused;
        self.ok &= part.ok;
        self.first_refusal = self.first_refusal.take().or_else(|| part.first_refusal.clone());
    }

    fn advice(&self, refusal: &str) -> String {
        let advice = if refusal.contains("rate_limited") {
            "; start the server with MADANG_RATE_LIMITS=off, or lower --rate if that is its queue"
        } else {
            ""
        };
        format!("the first refusal was {refusal}{advice}")
    }

    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row(
            "connections",
            format!(
                "{} of {} users in {} channels, {}",
                self.connections, self.users, self.channels, self.speech
            ),
        );
        row(
            "messages",
            format!("{} sent, {} acknowledged ({:.0}/s)", self.sent, self.acked, self.acked_per_second),
        );
        row(
            "deliveries",
            format!(
                "{} of {} in {:.1} s: {:.0}/s",
                self.deliveries, self.expected_deliveries, self.seconds, self.deliveries_per_second
            ),
        );
        let Faults { lost, doubled, disordered, unstored } = self.faults;
        row(
            "lost / doubled / out of order / not stored",
            format!("{lost} / {doubled} / {disordered} / {unstored}"),
        );
        row("delivery p50 / p99 / max", show(&self.delivery));
        row("  beyond the acknowledgement", show(&self.beyond));
        if let Some(beside) = &self.beside {
            row("delivery in the room beside", show(beside));
        }
        row("acknowledgement p50 / p99 / max", show(&self.ack));
        for part in &self.parts {
            let name = |what: &str| format!("  {}: {what}", part.name);
            row(&name("delivery"), show(&part.delivery));
            row(&name("beyond the acknowledgement"), show(&part.beyond));
            row(&name("acknowledgement"), show(&part.ack));
            let (acked, deliveries) = (part.acked_per_second, part.deliveries_per_second);
            row(&name("a second"), format!("{acked:.0} acknowledged, {deliveries:.0} deliveries"));
        }
        if let Some(returns) = &self.returns {
            row(
                "live again p50 / p99 / max",
                format!(
                    "{} ({} returns, {} channels fetched anew)",
                    show(returns),
                    returns.count,
                    self.resyncs
                ),
            );
        }
        for (code, n) in &self.closed {
            row(&format!("connections ended with {code}"), n.to_string());
        }
        if self.deliveries > 0 {
            row("bytes per delivery", format!("{:.0}", self.bytes_per_delivery));
            row("deliveries per read", format!("{:.1}", self.deliveries_per_read));
        }
        if let Some(server) = &self.server {
            let each = self
                .server_cpu_us_per_delivery
                .map(|us| format!(", {us:.2} µs a delivery"))
                .unwrap_or_default();
            let share = self.server_cpu_share.unwrap_or_default() * 100.0;
            row("server CPU", format!("{:.2} s, {share:.1} % of a core{each}", server.cpu_seconds));
            let memory =
                [server.memory_before, server.memory_connected, server.memory_after, server.memory_most];
            let memory: Vec<_> = memory
                .iter()
                .map(|m| m.map_or("?".to_owned(), |m| format!("{:.1}", float(m) / 1e6)))
                .collect();
            row("server memory before / connected / after / most", format!("{} MB", memory.join(" / ")));
            if let Some(bytes) = self.server_bytes_per_connection {
                row("server memory per connection", format!("{:.1} KB", bytes / 1024.0));
            }
        }
        row(
            "load generator",
            format!(
                "{:.0} % of a core, late by p99 {:.1} ms",
                self.generator_cpu_share * 100.0,
                self.generator_lag.p99_ms
            ),
        );
        if let Some(cluster) = &self.cluster {
            rows.extend(cluster.rows());
        }
        if let Some(reading) = &self.reading {
            rows.extend(reading.rows());
        }
        align(&self.scenario, &rows)
    }

    /// The plot of delivery latency over time.
    #[must_use]
    pub fn plot(&self) -> String {
        let line = |name: &str, colour: &str, of: fn(&Latency) -> f64| Line {
            name: name.to_owned(),
            colour: colour.to_owned(),
            points: self.slices.iter().map(|s| (s.at_seconds, of(&s.delivery))).collect(),
        };
        let lines = [
            line("p50", "#2a7", |l| l.p50_ms),
            line("p99", "#d80", |l| l.p99_ms),
            line("max", "#c33", |l| l.max_ms),
        ];
        plot::svg(&format!("{}: delivery latency", self.scenario), "seconds", "ms", &lines)
    }
}

pub(crate) fn show(latency: &Latency) -> String {
    if latency.count == 0 {
        return "none".to_owned();
    }
    format!("{:.1} / {:.1} / {:.1} ms", latency.p50_ms, latency.p99_ms, latency.max_ms)
}

/// A table of two columns under a title.
#[must_use]
pub fn align(title: &str, rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut text = format!("{title}\n");
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<width$}  {value}");
    }
    text
}
