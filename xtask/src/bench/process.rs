//! The process itself: how soon it answers, what it takes when nobody is there, how large it is, how long it
//! takes to build.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::runs::Bench;
use super::servers;
use crate::{child, tools};

/// Starts of each kind.
const STARTS: usize = 10;
/// How long it is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Cold starts on an empty folder and on one with data, memory when idle, size of the binary.
pub fn measure(bench: &Bench<'_>) -> Result<Value> {
    let starts = if bench.options.quick { 3 } else { STARTS };
    let mut empty = Vec::new();
    let folder = bench.folder("data")?;
    for n in 0..starts {
        let data = folder.join(n.to_string());
        fs::create_dir_all(&data)?;
        empty.push(start(bench, &data)?.0);
    }
    let data = folder.join("0");
    let mut existing = Vec::new();
    for _ in 0..starts {
        existing.push(start(bench, &data)?.0);
    }
    let (_, running) = start(bench, &data)?;
    std::thread::sleep(IDLE);
    let idle = resident(running.id()).context("no memory figure of the process")?;
    drop(running);
    fs::remove_dir_all(&folder).ok();
    let binary = fs::metadata(&bench.madang)?.len();
    Ok(json!({
        "cold_start_empty_ms": empty, "cold_start_existing_ms": existing,
        "idle_bytes": idle, "binary_bytes": binary,
    }))
}

/// Milliseconds from starting the process to its first 200, and the process. On all cores, as it would be.
fn start(bench: &Bench<'_>, data: &Path) -> Result<(f64, crate::child::Running)> {
    let (port, log) = (servers::free_port()?, bench.logs.join("process.log"));
    let begun = Instant::now();
    let mut running = servers::madang(Command::new(&bench.madang), data, port, None, &log)?;
    servers::wait(&mut running, port, "/health", &log)?;
    Ok((begun.elapsed().as_secs_f64() * 1e3, running))
}

/// Resident bytes of a process.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

/// A build of the server from nothing, in a folder of its own.
pub fn clean_build(bench: &Bench<'_>) -> Result<Value> {
    let folder = bench.folder("clean-build")?;
    let begun = Instant::now();
    let mut cargo = tools::cargo();
    cargo.args(["build", "--profile", "fast", "-p", "madang", "--target-dir"]).arg(&folder);
    child::run(&mut cargo)?;
    let seconds = begun.elapsed().as_secs_f64();
    fs::remove_dir_all(&folder).ok();
    Ok(json!({ "seconds": seconds }))
}
