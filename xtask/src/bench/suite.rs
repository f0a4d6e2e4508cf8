//! What is measured, in which order, at which size.
//!
//! Invariants: every figure here is a size or a rate that goes into a load test; limits are in `targets`.

use anyhow::{Context, Result};

use super::process;
use super::runs::Bench;
use super::servers::Database::{Postgres, Sqlite};

/// The names that `--only` takes.
pub const TARGETS: &[&str] = &["T1", "T2", "T3", "T4", "T5", "T6", "T8", "T9", "T10", "WIRE"];

/// One thing to measure.
pub struct Measurement {
    pub name: &'static str,
    /// Which targets need it.
    pub targets: &'static [&'static str],
    /// Whether each round has it, or the first alone.
    pub several: bool,
    pub work: fn(&mut Bench<'_>) -> Result<()>,
}

pub const CLEAN_BUILD: Measurement =
    Measurement { name: "clean-build", targets: &["T10"], several: false, work: clean_build };

/// The list of a round.
pub fn all() -> Vec<Measurement> {
    let measurement = |name, targets, several, work| Measurement { name, targets, several, work };
    vec![
        measurement("floor-disk", &["T3", "T6"][..], true, floor_disk),
        measurement("giant-room", &["T1"], true, giant_room),
        measurement("room", &["T2"], true, room),
        measurement("room-saturated", &["T2"], true, room_saturated),
        measurement("socket-io-saturated", &["T2"], true, |b| peer_saturated(b, "socket-io")),
        measurement("ws-saturated", &["T2"], true, |b| peer_saturated(b, "ws")),
        measurement("small-rooms-sqlite", &["T3"], false, |b| small_rooms(b, "small-rooms-sqlite", true)),
        measurement("small-rooms-postgres", &["T3"], false, |b| {
            small_rooms(b, "small-rooms-postgres", false)
        }),
        measurement("idle", &["T4"], false, idle),
        measurement("socket-io-idle", &["T4"], false, |b| peer_idle(b, "socket-io")),
        measurement("ws-idle", &["T4"], false, |b| peer_idle(b, "ws")),
        measurement("storm", &["T5"], false, storm),
        measurement("history", &["T6"], false, history),
        measurement("cluster", &["T8"], false, super::cluster::measure),
        measurement("slow-readers", &["T9"], true, slow_readers),
        measurement("process", &["T10"], false, process),
        measurement("wire", &["WIRE"], false, wire),
        measurement("wire-idle", &["WIRE"], false, wire_idle),
    ]
}

fn floor_disk(bench: &mut Bench<'_>) -> Result<()> {
    let folder = bench.folder("floor")?;
    let mut command = std::process::Command::new(&bench.madang);
    command.args(["load", "floor", "--only", "disk", "--rows", bench.or("1,64,512", "64,512")]);
    command.args(["--seconds", bench.or("2", "1"), "--folder"]).arg(&folder);
    if let Some(postgres) = &bench.postgres {
        command.env("MADANG_FLOOR_DATABASE_URL", postgres.url());
    }
    bench.report("floor-disk", &mut command)
}

/// The room, and then the floor at the size and joining that the room had.
fn giant_room(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "15000", "--users", "1000", "--rate", "117", "--seconds", "15"],
        ["--connections", "1000", "--users", "50", "--rate", "50", "--seconds", "3"],
    );
    let room = bench.at_madang("giant-room", Sqlite, &[&["giant-room", "--drain", "20"], &size[..]].concat());
    let report = bench.last("giant-room").context("no report of the room")?;
    let figure = |name: &str| report[name].as_f64().unwrap_or_default().round().max(1.0).to_string();
    let (joined, bytes) = (figure("deliveries_per_read"), figure("bytes_per_delivery"));
    // Both of its processes: one writes on a core, the other reads on the other.
    let mut command = std::process::Command::new(&bench.madang);
    command.args(["load", "floor", "--only", "sockets", "--joined", &joined, "--frame-bytes", &bytes]);
    command.args(["--connections", bench.or("15000", "1000"), "--seconds", bench.or("4", "1")]);
    bench.report("floor-sockets", &mut command)?;
    room
}

fn room(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "1000", "--users", "500", "--beside", "10000", "--seconds", "16"],
        ["--connections", "200", "--users", "50", "--beside", "500", "--seconds", "4"],
    );
    let load = [&["room", "--rate", "100", "--beside-rate", "5", "--drain", "20"], &size[..]].concat();
    bench.at_madang("room", Sqlite, &load)
}

fn room_saturated(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "1000", "--users", "200", "--rate", "500,1000,1500,2000", "--seconds", "16"],
        ["--connections", "200", "--users", "50", "--rate", "500,1000", "--seconds", "4"],
    );
    bench.at_madang(
        "room-saturated",
        Sqlite,
        &[&["room", "--senders", "400", "--drain", "20"], &size[..]].concat(),
    )
}

fn peer_saturated(bench: &mut Bench<'_>, kind: &str) -> Result<()> {
    let size = bench.or(
        ["--connections", "1000", "--rate", "50,100,150,200", "--seconds", "16"],
        ["--connections", "200", "--rate", "200,400", "--seconds", "4"],
    );
    bench.at_peer(
        &format!("{kind}-saturated"),
        kind,
        &[&["--senders", "400", "--drain", "20"], &size[..]].concat(),
    )
}

fn small_rooms(bench: &mut Bench<'_>, name: &str, sqlite: bool) -> Result<()> {
    // Past what it takes, the server refuses, which ends a run.
    let rates = if sqlite { "2500,5000,7500,10000" } else { "5000,7500,10000,12500" };
    let size = bench.or(
        ["--rooms", "2000", "--connections", "10000", "--rate", rates, "--seconds", "24"],
        ["--rooms", "50", "--connections", "250", "--rate", "500,1000", "--seconds", "4"],
    );
    let load = [&["small-rooms", "--drain", "20"], &size[..]].concat();
    bench.at_madang(name, if sqlite { Sqlite } else { Postgres }, &load)
}

fn idle(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "15000", "--users", "500", "--seconds", "20"],
        ["--connections", "500", "--users", "50", "--seconds", "3"],
    );
    bench.at_madang("idle", Sqlite, &[&["idle", "--rooms", "5"], &size[..]].concat())
}

fn peer_idle(bench: &mut Bench<'_>, kind: &str) -> Result<()> {
    let size = bench.or(
        ["--connections", "15000", "--rate", "0", "--seconds", "5"],
        ["--connections", "500", "--rate", "0", "--seconds", "2"],
    );
    bench.at_peer(&format!("{kind}-idle"), kind, &size)
}

fn storm(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "15000", "--users", "500", "--seconds", "20"],
        ["--connections", "500", "--users", "50", "--seconds", "6"],
    );
    bench.at_madang("storm", Sqlite, &[&["storm", "--rooms", "5", "--drain", "20"], &size[..]].concat())
}

fn history(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--messages", "1000000", "--fill-rate", "6000", "--seconds", "24"],
        ["--messages", "4000", "--fill-rate", "2000", "--seconds", "3"],
    );
    bench.at_madang("history", Sqlite, &[&["history", "--rate", "0", "--drain", "40"], &size[..]].concat())
}

fn slow_readers(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "2000", "--users", "200", "--rate", "100", "--seconds", "20"],
        ["--connections", "300", "--users", "50", "--rate", "50", "--seconds", "6"],
    );
    let load = [&["slow-readers", "--never", "1", "--slow", "5"], &size[..]].concat();
    bench.at_madang("slow-readers", Sqlite, &load)
}

/// Ways to speak to the gateway: name, and flags of the load test. The last one is over TLS.
pub const WAYS: [(&str, &[&str]); 6] = [
    ("json", &[]),
    ("msgpack", &["--encoding", "msgpack"]),
    ("json-joined", &["--batch"]),
    ("json-compressed-joined", &["--deflate", "--batch"]),
    ("msgpack-compressed-joined", &["--encoding", "msgpack", "--deflate", "--batch"]),
    ("json-tls", &[]),
];

/// The same room in every way: at a rate that it bears, and at one that it does not.
fn wire(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "1000", "--users", "100", "--rate", "200,3000", "--seconds", "10"],
        ["--connections", "200", "--users", "50", "--rate", "100,500", "--seconds", "2"],
    );
    for (way, flags) in WAYS {
        let load = [&["room", "--senders", "400", "--drain", "30"], &size[..], flags].concat();
        let name = format!("wire-{way}");
        match way {
            "json-tls" => bench.at_madang_by_tls(&name, &load)?,
            _ => bench.at_madang(&name, Sqlite, &load)?,
        }
    }
    Ok(())
}

fn wire_idle(bench: &mut Bench<'_>) -> Result<()> {
    let size = bench.or(
        ["--connections", "3000", "--users", "500", "--seconds", "3"],
        ["--connections", "300", "--users", "50", "--seconds", "1"],
    );
    let load = [&["idle", "--rooms", "5"], &size[..]].concat();
    bench.at_madang("wire-idle", Sqlite, &load)?;
    bench.at_madang_by_tls("wire-idle-tls", &load)
}

fn process(bench: &mut Bench<'_>) -> Result<()> {
    let report = process::measure(bench)?;
    bench.keep("process", report);
    Ok(())
}

fn clean_build(bench: &mut Bench<'_>) -> Result<()> {
    let report = process::clean_build(bench)?;
    bench.keep("clean-build", report);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_measurement() {
        for target in TARGETS {
            assert!(all().iter().any(|m| m.targets.contains(target)), "{target}");
        }
        assert!(all().iter().all(|m| m.targets.iter().all(|t| TARGETS.contains(t))));
    }
}
