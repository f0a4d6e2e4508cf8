//! `docs/benchmarks.md`: the part that is written by a run.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::Options;
use super::machine::said;
use super::runs::Bench;
use super::targets::Row;
use crate::marked;
use crate::postgres;

/// Everything that a run has to say.
pub fn section(bench: &Bench<'_>, options: &Options, rows: &[Row], lasted: Duration) -> Result<String> {
    let mut text = String::from("\n| | |\n|---|---|\n");
    for (name, value) in
        bench.machine.facts.iter().map(|(n, v)| (*n, v.clone())).chain(versions(bench, options))
    {
        writeln!(text, "| {name} | {value} |")?;
    }
    writeln!(text, "| Took | {} min |", lasted.as_secs().div_ceil(60))?;
    text += "\n| | Target | Measured | Held against | |\n|---|---|---|---|---|\n";
    for Row { id, target, measured, against, verdict } in rows {
        let wanted = options.only.is_empty() || options.only.iter().any(|only| only == id);
        if wanted {
            writeln!(text, "| {id} | {target} | {measured} | {against} | {verdict} |")?;
        }
    }
    if !bench.failures.is_empty() {
        text += "\nTo be known:\n\n";
        for failure in &bench.failures {
            writeln!(text, "- {}", failure.replace('\n', " "))?;
        }
    }
    Ok(text)
}

/// Madang's revision, and the versions of what it was measured with.
fn versions(bench: &Bench<'_>, options: &Options) -> Vec<(&'static str, String)> {
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]) != "unknown";
    let revision =
        said("git", &["rev-parse", "--short", "HEAD"]) + if changed { ", with changes" } else { "" };
    let mut versions = vec![
        ("Madang", format!("{revision}, profile {}", options.profile())),
        ("Rust", said("rustc", &["--version"])),
        ("Node", said("node", &["--version"])),
    ];
    if let Some(peers) = &bench.peers {
        let of = |package| peers.version(package).unwrap_or_else(|| "unknown".to_owned());
        versions.push(("Socket.IO, ws", format!("{}, {}", of("socket.io"), of("ws"))));
    }
    if let Some(folder) = postgres::programs() {
        versions.push(("PostgreSQL", said(&folder.join("postgres").to_string_lossy(), &["--version"])));
    }
    versions
}

/// Puts the section where it belongs.
pub fn write(section: &str) -> Result<()> {
    marked::write("docs/benchmarks.md", "bench", section)
}
