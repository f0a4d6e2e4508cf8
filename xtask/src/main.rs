//! `cargo xtask`: everything a contributor does with this repository, in one program.
//!
//! How: the first argument picks a function in the module of the same name. The commands only start other
//! programs (cargo, npm, PostgreSQL) and report what came out; `tidy` alone does its own work.
//!
//! Invariants:
//! - Depends on nothing but `anyhow` and `serde_json`, so that the first command on a fresh machine starts within seconds.
//! - No program started here outlives it (`child.rs`), whichever way it ends.
//! - A part that could not run is never reported as passed (`report.rs`).

mod alerts;
mod bench;
mod chaos;
mod child;
mod ci;
mod codegen;
mod count;
mod marked;
mod openapi;
mod postgres;
mod redis;
mod report;
mod run;
mod s3;
mod sizing;
mod test;
mod tidy;
mod tools;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Usage: cargo xtask <command>

  run [-- <arguments of madang serve>]
                      build the web client and the server, then start it
  test [--only <part>] [<filter>]
                      run every test; parts: rust, openapi, web, browser, alerts; a filter is a piece of a test's name
  ci                  every check, then every test; what has to pass before a change is merged
  codegen [--check]   write what is generated from the Rust types, or say what is stale
  bench [--quick] [--only T1,T4] [--rounds 3] [--release] [--clean-build]
                      measure the targets of docs/benchmarks.md and write them there
  chaos [--minutes 10] [--seed <number>]
                      break nodes, Redis and the database at random while people send, and look at what is there
  openapi             try the OpenAPI document against the server with schemathesis, some minutes
  sizing              write how many machines so many people need into docs/operations.md
  tidy                check the laws of the repository (CONTRIBUTING.md lists them)
";

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    match command(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs one command. `Ok(false)`: it ran, has said what is wrong, and must not exit with success.
fn command(arguments: &[String]) -> Result<bool> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("which command?\n\n{HELP}");
    };
    match (name.as_str(), rest) {
        ("help" | "--help" | "-h", _) => {
            report::say(HELP.trim_end());
            Ok(true)
        }
        ("run", rest) => run::run(rest),
        ("test", rest) => test::run(&test::Selection::parse(rest)?),
        ("ci", []) => ci::run(),
        ("codegen", []) => codegen::write(),
        ("codegen", [flag]) if flag == "--check" => codegen::check_and_say(),
        ("bench", rest) => bench::run(&bench::Options::parse(rest)?),
        ("chaos", rest) => chaos::run(&chaos::Options::parse(rest)?),
        ("openapi", []) => openapi::run(),
        ("sizing", []) => sizing::write(),
        ("tidy", []) => tidy::check_and_say(),
        (name, rest) => bail!("unknown command: {name} {}\n\n{HELP}", rest.join(" ")),
    }
}
