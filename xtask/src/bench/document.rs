//! `docs/benchmarks.md`: the part between two marks is ours, the rest belongs to who writes there by hand.
//!
//! Invariants: what stands outside the marks is kept to the byte.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Options;
use super::machine::said;
use super::runs::Bench;
use super::targets::Row;
use crate::postgres;
use crate::tools;

const BEGIN: &str = "<!-- cargo xtask bench: begin -->";
const END: &str = "<!-- cargo xtask bench: end -->";

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
    let path = tools::root().join("docs/benchmarks.md");
    let old = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let new = replaced(&old, section)?;
    fs::write(&path, new).with_context(|| format!("could not write {}", path.display()))
}

fn replaced(old: &str, section: &str) -> Result<String> {
    let begin =
        old.find(BEGIN).with_context(|| format!("docs/benchmarks.md has no line {BEGIN}"))? + BEGIN.len();
    let end =
        old[begin..].find(END).with_context(|| format!("docs/benchmarks.md has no line {END}"))? + begin;
    Ok(format!("{}\n{}\n{}", &old[..begin], section.trim_end(), &old[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_by_hand_stays() {
        let old = format!("# Title\n\n{BEGIN}\nold\n{END}\n\nBelow.\n");
        let new = replaced(&old, "\nnew\n").unwrap();
        assert_eq!(new, format!("# Title\n\n{BEGIN}\n\nnew\n{END}\n\nBelow.\n"));
        assert_eq!(replaced(&new, "\nnew\n").unwrap(), new);
        assert!(replaced("# Title", "new").is_err());
        assert!(replaced(&format!("{END}{BEGIN}"), "new").is_err());
    }

    #[test]
    fn the_document_has_a_place_for_it() {
        let document = fs::read_to_string(tools::root().join("docs/benchmarks.md")).unwrap();
        assert!(replaced(&document, "new").unwrap().contains("\nnew\n"));
    }
}
