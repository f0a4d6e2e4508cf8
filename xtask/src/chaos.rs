//! `cargo xtask chaos`: the chaos test of `crates/madang/tests/chaos` again and again, each time with another seed.
//!
//! How: each round is a run of the test with everything fresh, so that its seed alone has it again.
//!
//! Invariants: the first round that fails is the last.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child;
use crate::postgres::Postgres;
use crate::report::{say, step};
use crate::tools::{self, Need};
use crate::web;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    minutes: u64,
    /// Of the first round; the next ones count on.
    seed: Option<u64>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self { minutes: 10, seed: None };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let number = arguments.next().and_then(|number| number.parse().ok());
            match argument.as_str() {
                "--minutes" => {
                    let minutes = number.filter(|minutes| (1..=1_440).contains(minutes));
                    options.minutes = minutes.context("--minutes takes a number from 1 to 1440")?;
                }
                "--seed" => options.seed = Some(number.context("--seed takes a number")?),
                other => {
                    bail!("unknown argument {other}: cargo xtask chaos [--minutes 10] [--seed <number>]")
                }
            }
        }
        Ok(options)
    }
}

/// Runs rounds until the time is over. Whether all passed.
pub fn run(options: &Options) -> Result<bool> {
    if let Some(missing) = tools::provide(&[Need::Postgres, Need::Redis, Need::HaProxy]).first() {
        bail!("{} {}; {}", missing.need.name(), missing.why, missing.help);
    }
    web::ensure_dist_folder()?;
    step("cargo build (the test)", || child::run(test().arg("--no-run")))?;
    let postgres = Postgres::start()?;
    let first = options.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let begun = Instant::now();
    for round in 0.. {
        if begun.elapsed() >= Duration::from_secs(options.minutes * 60) {
            break;
        }
        let seed = first.wrapping_add(round);
        let mut test = test();
        test.args(["whatever_breaks", "--", "--nocapture"]).env("MADANG_CHAOS_SEED", seed.to_string());
        test.env("MADANG_TEST_POSTGRES_URL", postgres.url());
        if child::run(&mut test).is_err() {
            say(&format!("to have it again: cargo xtask chaos --minutes 1 --seed {seed}"));
            return Ok(false);
        }
    }
    Ok(true)
}

fn test() -> Command {
    let mut cargo = tools::cargo();
    cargo.args(["test", "--quiet", "-p", "madang", "--all-features", "--test", "chaos"]);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let parse =
            |text: &str| Options::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).ok();
        assert_eq!(parse(""), Some(Options { minutes: 10, seed: None }));
        assert_eq!(parse("--minutes 3 --seed 7"), Some(Options { minutes: 3, seed: Some(7) }));
        for wrong in ["--minutes", "--minutes 0", "--seed x", "--fast 1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
