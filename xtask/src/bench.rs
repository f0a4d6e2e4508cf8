//! `cargo xtask bench`: the numbers that Madang wants to reach, measured on this machine against what the
//! machine and other chat servers do in the same run, and written to `docs/benchmarks.md`.
//!
//! How: `suite` is the list of measurements. They run one after the other, the whole list once a round, so that
//! a machine that changes its pace does so for everyone; each starts its server with fresh data on cores of its
//! own (`machine`, `servers`) and has `madang load` write a report as JSON (`runs`). `targets` reads those
//! reports, takes medians over the rounds and holds them against the limits; `document` writes the table.
//!
//! Invariants:
//! - Every figure in the table comes from a report of this run; the reports stay below `target/bench`.
//! - A measurement that failed is named in the table, and the others go on.
//! - Everything started here ends with us, and every run within its time.

mod cluster;
mod document;
mod machine;
mod process;
mod runs;
pub mod servers;
mod suite;
mod targets;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::report::{say, step};
use crate::{child, tools, web};
use machine::Machine;
use runs::Bench;

/// Rounds of what is measured several times.
const ROUNDS: usize = 3;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Small sizes, to see whether everything runs; nothing is written.
    pub quick: bool,
    /// Only these targets; all when empty.
    pub only: Vec<String>,
    pub rounds: Option<usize>,
    /// The binary as it is released, which takes longer to build.
    pub release: bool,
    /// Measure a build from nothing too.
    pub clean_build: bool,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--release" => options.release = true,
                "--clean-build" => options.clean_build = true,
                "--rounds" => {
                    let rounds = arguments.next().and_then(|n| n.parse().ok());
                    let rounds = rounds.filter(|n| (1..=9).contains(n));
                    options.rounds = Some(rounds.context("--rounds takes a number from 1 to 9")?);
                }
                "--only" => {
                    let list = arguments.next().context("--only takes targets, such as T1,T4")?;
                    options.only = list.split(',').map(str::to_uppercase).collect();
                    if let Some(unknown) = options.only.iter().find(|t| !suite::TARGETS.contains(&t.as_str()))
                    {
                        bail!("unknown target {unknown}; there are {}", suite::TARGETS.join(", "));
                    }
                }
                other => bail!(
                    "unknown argument {other}: cargo xtask bench [--quick] [--only T1,T4] [--rounds 3] \
                     [--release] [--clean-build]"
                ),
            }
        }
        Ok(options)
    }

    /// Whether something that these targets need is to be measured.
    fn wants(&self, targets: &[&str]) -> bool {
        self.only.is_empty() || targets.iter().any(|t| self.only.iter().any(|only| only == t))
    }

    fn profile(&self) -> &'static str {
        if self.release { "release" } else { "fast" }
    }
}

/// Measures, shows the table, and writes the document when everything was measured in full.
pub fn run(options: &Options) -> Result<bool> {
    tools::require_c_compiler()?;
    build(options)?;
    let begun = Instant::now();
    let mut bench = Bench::prepare(options, Machine::look())?;
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { ROUNDS });
    for round in 1..=rounds {
        for measurement in suite::all().iter().filter(|m| options.wants(m.targets)) {
            if round == 1 || measurement.several {
                bench.measure(measurement, round, rounds);
            }
        }
    }
    if options.clean_build {
        bench.measure(&suite::CLEAN_BUILD, 1, 1);
    }
    let fine = bench.failures.is_empty();
    bench.failures.extend(targets::busy_loads(&bench.found));
    let rows = targets::rows(&bench.found, options.quick);
    let section = document::section(&bench, options, &rows, begun.elapsed())?;
    say(&section);
    if options.quick || !options.only.is_empty() {
        say("docs/benchmarks.md is as it was: only a full run is written there.");
    } else {
        document::write(&section)?;
    }
    Ok(fine)
}

fn build(options: &Options) -> Result<()> {
    if options.quick {
        web::ensure_dist_folder()?;
    } else {
        web::build()?;
    }
    step("cargo build (the server)", || {
        child::run(tools::cargo().args(["build", "--profile", options.profile(), "-p", "madang"]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Options> {
        Options::parse(&arguments.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options() {
        assert_eq!(parse("").unwrap(), Options::default());
        let some = parse("--quick --only t1,T4 --rounds 2").unwrap();
        assert_eq!((some.quick, some.rounds, some.profile()), (true, Some(2), "fast"));
        assert!(some.wants(&["T4", "T9"]) && !some.wants(&["T9"]));
        assert!(parse("").unwrap().wants(&["T9"]));
        for wrong in ["--only", "--only T77", "--rounds 0", "--rounds", "--slow"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
