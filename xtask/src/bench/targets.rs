//! The targets: which figure of which report, held against what, and whether it is good enough.
//!
//! How: a figure is the median over the rounds. A ratio is taken within each round and then its median, since
//! only what ran next to each other compares.
//!
//! Invariants: a figure that is missing makes a row that says so, never a row less.

mod cluster;
mod wire;

use serde_json::Value;

use super::runs::Found;

/// Share of a core from which on the load generator may be what limits a run.
const BUSY: f64 = 0.9;

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub id: &'static str,
    pub target: String,
    pub measured: String,
    pub against: String,
    pub verdict: String,
}

/// A limit, on one side.
#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    /// What becomes of a figure.
    fn verdict(self, figure: Option<f64>) -> String {
        let Some(figure) = figure else { return "not measured".to_owned() };
        let (met, limit) = match self {
            Self::AtLeast(limit) => (figure >= limit, limit),
            Self::AtMost(limit) => (figure <= limit, limit),
        };
        if met {
            return "met".to_owned();
        }
        if limit == 0.0 {
            return "missed".to_owned();
        }
        format!("missed: {} × the limit", short(figure / limit))
    }
}

/// Three digits that matter.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1e6 => format!("{:.1} M", figure / 1e6),
        size if size >= 1e4 => format!("{:.1} k", figure / 1e3),
        size if size >= 100.0 || figure.fract() == 0.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    if figures.len() % 2 == 1 { Some(upper) } else { Some((figures[middle - 1] + upper) / 2.0) }
}

fn number(value: &Value, path: &str) -> Option<f64> {
    value.pointer(path)?.as_f64()
}

/// Reports, and how figures are taken from them.
struct Reports<'a>(&'a Found);

impl Reports<'_> {
    fn of(&self, name: &str) -> &[Value] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The median of what `figure` finds in each round's report.
    fn median(&self, name: &str, figure: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
        median(self.of(name).iter().filter_map(figure).collect())
    }

    fn at(&self, name: &str, path: &str) -> Option<f64> {
        self.median(name, |report| number(report, path))
    }

    /// The median of what `figure` makes of two reports of the same round.
    fn both(&self, one: &str, other: &str, figure: impl Fn(&Value, &Value) -> Option<f64>) -> Option<f64> {
        median(self.of(one).iter().zip(self.of(other)).filter_map(|(a, b)| figure(a, b)).collect())
    }
}

/// The part of a run in which most was delivered.
fn busiest(report: &Value) -> Option<&Value> {
    let deliveries = |part: &&Value| number(part, "/deliveries_per_second").unwrap_or_default();
    report["parts"].as_array()?.iter().max_by(|a, b| deliveries(a).total_cmp(&deliveries(b)))
}

/// The last part in which acknowledgements did not fall behind: their p99 stayed below a second.
fn kept(report: &Value) -> Option<&Value> {
    let keeps = |part: &&Value| {
        let p99 = number(part, "/ack/p99_ms").unwrap_or(f64::INFINITY);
        number(part, "/ack/count").unwrap_or_default() > 0.0 && p99 < 1_000.0
    };
    report["parts"].as_array()?.iter().take_while(keeps).last()
}

/// All rows. In a quick run the sizes are not those of the targets, and the verdict says so.
pub fn rows(found: &Found, quick: bool) -> Vec<Row> {
    let reports = Reports(found);
    let mut table = Table { rows: Vec::new(), quick };
    giant_room(&reports, &mut table);
    room(&reports, &mut table);
    small_rooms(&reports, &mut table, "SQLite", "sqlite");
    small_rooms(&reports, &mut table, "PostgreSQL", "postgres");
    crowds(&reports, &mut table);
    history(&reports, &mut table);
    cluster::rows(&reports, &mut table);
    slow_readers(&reports, &mut table);
    process(&reports, &mut table);
    wire::rows(&reports, &mut table);
    table.rows
}

/// Runs in which the load generator itself had hardly any time left, so that they measure it too.
pub fn busy_loads(found: &Found) -> Vec<String> {
    let share = |name: &str| Reports(found).at(name, "/generator_cpu_share");
    let busy = found.keys().filter_map(|name| Some((name, share(name).filter(|s| *s > BUSY)?)));
    busy.map(|(name, share)| format!("{name}: the load took {:.0} % of a core", share * 100.0)).collect()
}

struct Table {
    rows: Vec<Row>,
    quick: bool,
}

impl Table {
    fn add(
        &mut self,
        id: &'static str,
        target: impl Into<String>,
        figure: Option<f64>,
        unit: &str,
        against: impl Into<String>,
        limit: Limit,
    ) {
        let verdict = limit.verdict(figure);
        let verdict = if self.quick && figure.is_some() { "quick: says nothing".to_owned() } else { verdict };
        let measured = figure.map_or_else(|| "–".to_owned(), |f| format!("{}{unit}", short(f)));
        self.rows.push(Row { id, target: target.into(), measured, against: against.into(), verdict });
    }
}

/// A figure in the column of what is compared with.
fn shown(figure: Option<f64>, unit: &str) -> String {
    figure.map_or_else(|| "not measured".to_owned(), |f| format!("{}{unit}", short(f)))
}

fn giant_room(reports: &Reports<'_>, table: &mut Table) {
    use Limit::{AtLeast, AtMost};
    let name = "giant-room";
    let a_minute = reports.at(name, "/deliveries_per_second").map(|f| f * 60.0);
    let (connections, wanted) = (reports.at(name, "/connections"), reports.at(name, "/expected_deliveries"));
    let against =
        format!("{} connections, {} deliveries expected", shown(connections, ""), shown(wanted, ""));
    table.add("T1", "giant room: ≥ 95 M deliveries a minute", a_minute, "/min", against, AtLeast(95e6));
    let faults = reports.median(name, |r| {
        ["lost", "doubled", "disordered", "unstored"]
            .iter()
            .map(|f| number(&r["faults"], &format!("/{f}")))
            .sum()
    });
    table.add(
        "T1",
        "nothing lost, doubled, out of order",
        faults,
        "",
        "every delivery is checked",
        AtMost(0.0),
    );
    let cpu = "/server_cpu_us_per_delivery";
    let floor = "/writes/0/cpu_us_per_delivery";
    let ratio =
        reports.both(name, "floor-sockets", |room, bare| Some(number(room, cpu)? / number(bare, floor)?));
    let against = format!(
        "{} a delivery; bare writes {} with {} joined",
        shown(reports.at(name, cpu), " µs"),
        shown(reports.at("floor-sockets", floor), " µs"),
        shown(reports.at("floor-sockets", "/writes/0/joined"), ""),
    );
    table.add("T1", "server CPU a delivery ≤ 1.3 × bare writes", ratio, " ×", against, AtMost(1.3));
}

fn room(reports: &Reports<'_>, table: &mut Table) {
    use Limit::{AtLeast, AtMost};
    let alone = reports.at("room", "/parts/0/beyond/p99_ms");
    let against = format!(
        "from the schedule {}, acknowledgement p50 {}",
        shown(reports.at("room", "/parts/0/delivery/p99_ms"), " ms"),
        shown(reports.at("room", "/parts/0/ack/p50_ms"), " ms"),
    );
    table.add(
        "T2",
        "room of 1,000 at 100/s: p99 < 10 ms beyond the commit",
        alone,
        " ms",
        against,
        AtMost(10.0),
    );
    let more = reports.median("room", |r| {
        Some(number(r, "/parts/1/beyond/p99_ms")? - number(r, "/parts/0/beyond/p99_ms")?)
    });
    table.add(
        "T2",
        "≤ 5 ms more beside a room of 10,000 at 5/s",
        more,
        " ms",
        "the same run without it",
        AtMost(5.0),
    );
    for (peer, name) in [("Socket.IO", "socket-io-saturated"), ("ws", "ws-saturated")] {
        let ours = "room-saturated";
        let (cpu, rate) = ("/server_cpu_us_per_delivery", "/deliveries_per_second");
        let at = |name: &str, path: &str| reports.median(name, |r| number(busiest(r)?, path));
        let times = |over: bool, path: &str| {
            reports.both(ours, name, |a, b| {
                let (a, b) = (number(busiest(a)?, path)?, number(busiest(b)?, path)?);
                Some(if over { a / b } else { b / a })
            })
        };
        let against =
            |path, unit| format!("{} against {}", shown(at(ours, path), unit), shown(at(name, path), unit));
        let target = format!("{peer} at saturation: ≥ 5 × less CPU a delivery");
        table.add("T2", target, times(false, cpu), " ×", against(cpu, " µs"), AtLeast(5.0));
        let target = format!("{peer} at saturation: ≥ 5 × more deliveries");
        table.add("T2", target, times(true, rate), " ×", against(rate, "/s"), AtLeast(5.0));
    }
}

fn small_rooms(reports: &Reports<'_>, table: &mut Table, database: &str, floor: &str) {
    use Limit::{AtLeast, AtMost};
    let name = &format!("small-rooms-{floor}");
    let at_kept = |path: &str| reports.median(name, |r| number(kept(r)?, path));
    let raw = reports.median("floor-disk", |r| {
        let inserts = r["inserts"].as_array()?.iter();
        let ours = inserts.filter(|i| i["database"] == floor && i["rows"] == 512);
        ours.filter_map(|i| number(i, "/rows_per_second")).next_back()
    });
    let target = format!("small rooms on {database}: ≥ 20,000 acknowledged a second");
    let against = format!("raw inserts of 512 rows: {}", shown(raw, "/s"));
    table.add("T3", target, at_kept("/kept_per_second"), "/s", against, AtLeast(20e3));
    let sync = reports.at("floor-disk", "/sync/p50_ms");
    let limit = sync.map(|sync| 3.0 * sync + 10.0);
    let against = format!(
        "limit {}, one fdatasync {}, p50 {}",
        shown(limit, " ms"),
        shown(sync, " ms"),
        shown(at_kept("/ack/p50_ms"), " ms")
    );
    let p99 = at_kept("/ack/p99_ms").filter(|_| limit.is_some());
    let target = format!("at that rate on {database}: acknowledged p99 ≤ 3 fdatasyncs + 10 ms");
    table.add("T3", target, p99, " ms", against, AtMost(limit.unwrap_or_default()));
}

fn crowds(reports: &Reports<'_>, table: &mut Table) {
    use Limit::AtMost;
    let bytes = "/server_bytes_per_connection";
    let kb = |name: &str| reports.at(name, bytes).map(|b| b / 1024.0);
    let against =
        format!("ws {}, Socket.IO {}", shown(kb("ws-idle"), " KB"), shown(kb("socket-io-idle"), " KB"));
    table.add("T4", "idle: ≤ 4 KB a connection in 5 channels", kb("idle"), " KB", against, AtMost(4.0));
    let share = reports.median("idle", |r| {
        Some(number(r, "/server_cpu_share")? * 100.0 * 10_000.0 / number(r, "/connections")?)
    });
    table.add("T4", "idle: ≤ 1 % of a core for 10,000 connections", share, " %", "", AtMost(1.0));

    let returns = reports.at("storm", "/returns/p99_ms").map(|ms| ms / 1e3);
    let against = format!(
        "{} came back, {} channels were fetched anew",
        shown(reports.at("storm", "/returns/count"), ""),
        shown(reports.at("storm", "/resyncs"), "")
    );
    table.add(
        "T5",
        "all dropped at once: 99 % live and resumed in ≤ 5 s",
        returns,
        " s",
        against,
        AtMost(5.0),
    );
}

fn history(reports: &Reports<'_>, table: &mut Table) {
    use Limit::{AtLeast, AtMost};
    let a_core = reports.at("history", "/reading/pages_per_second_per_core");
    let raw = reports.at("floor-disk", "/pages/0/pages_per_second");
    let against =
        format!("{} messages; raw SQL {}", shown(reports.at("history", "/stored"), ""), shown(raw, "/s"));
    table.add("T6", "history: ≥ 8,000 pages a second with a core", a_core, "/s", against, AtLeast(8e3));
    let (newer, older) = ("/reading/newer/p50_ms", "/reading/older/p50_ms");
    let ratio = reports.median("history", |r| {
        // A walk that did not come to the older half says nothing.
        Some(number(r, older).filter(|p50| *p50 > 0.0)? / number(r, newer)?)
    });
    let against = format!(
        "older half {}, newer half {}",
        shown(reports.at("history", older), " ms"),
        shown(reports.at("history", newer), " ms")
    );
    table.add("T6", "history: as quick at depth, within 10 %", ratio, " ×", against, AtMost(1.1));
}

fn slow_readers(reports: &Reports<'_>, table: &mut Table) {
    use Limit::AtMost;
    let ratio = |path: &str| {
        reports.median("slow-readers", |r| {
            Some(number(r, &format!("/parts/1{path}"))? / number(r, &format!("/parts/0{path}"))?)
        })
    };
    let mb = |part: &str| {
        shown(
            reports.at("slow-readers", &format!("/parts/{part}/server_memory_most")).map(|b| b / 1e6),
            " MB",
        )
    };
    let against = format!("{} after {}", mb("1"), mb("0"));
    table.add(
        "T9",
        "slow readers: memory within 10 %",
        ratio("/server_memory_most"),
        " ×",
        against,
        AtMost(1.1),
    );
    let ms = |part: &str| shown(reports.at("slow-readers", &format!("/parts/{part}/delivery/p99_ms")), " ms");
    let against = format!("{} after {}", ms("1"), ms("0"));
    table.add(
        "T9",
        "slow readers: the others' p99 within 10 %",
        ratio("/delivery/p99_ms"),
        " ×",
        against,
        AtMost(1.1),
    );
}

fn process(reports: &Reports<'_>, table: &mut Table) {
    use Limit::AtMost;
    let starts = |path: &str| {
        reports.median("process", |r| median(r[path].as_array()?.iter().filter_map(Value::as_f64).collect()))
    };
    for (target, path) in [
        ("cold start ≤ 100 ms, no data yet", "cold_start_empty_ms"),
        ("cold start ≤ 100 ms, with data", "cold_start_existing_ms"),
    ] {
        table.add("T10", target, starts(path), " ms", "start to the first 200 of /health", AtMost(100.0));
    }
    let mb = |path: &str| reports.at("process", path).map(|b| b / 1e6);
    table.add("T10", "idle memory ≤ 15 MB", mb("/idle_bytes"), " MB", "5 s after the start", AtMost(15.0));
    table.add("T10", "one binary ≤ 60 MB", mb("/binary_bytes"), " MB", "web client inside", AtMost(60.0));
    if !reports.of("clean-build").is_empty() {
        let minutes = reports.at("clean-build", "/seconds").map(|s| s / 60.0);
        table.add("T10", "build from nothing ≤ 10 min", minutes, " min", "", AtMost(10.0));
    }
}

#[cfg(test)]
mod tests;
