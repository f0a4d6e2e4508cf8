//! `cargo xtask test`: every test there is, with the servers and programs that they need.
//!
//! How: the parts run one after the other and each reports for itself (`report.rs`), so that one failure does
//! not hide the next. PostgreSQL, Redis, Chromium, tmux, ffmpeg, HAProxy and nginx are looked for, installed where that is allowed, and
//! named as skipped otherwise. Tests learn of them from the environment: `MADANG_TEST_POSTGRES_URL`,
//! `MADANG_TEST_S3` (the program), `CHROMIUM`, `MADANG_BIN`.
//!
//! Invariants: the browser tests run the binary made from the same sources as the Rust tests, with the same
//! features, so that nothing is compiled twice.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::alerts;
use crate::child;
use crate::count::Counts;
use crate::openapi;
use crate::postgres::Postgres;
use crate::report::{Report, say};
use crate::s3;
use crate::tools::{self, Need};
use crate::web;

/// Which tests to run: by default all.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    only: Option<Part>,
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Rust,
    OpenApi,
    Web,
    Browser,
    Alerts,
}

impl Selection {
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let mut selection = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    selection.only = Some(match arguments.next().map(String::as_str) {
                        Some("rust") => Part::Rust,
                        Some("openapi") => Part::OpenApi,
                        Some("web") => Part::Web,
                        Some("browser") => Part::Browser,
                        Some("alerts") => Part::Alerts,
                        _ => bail!("--only takes one of: rust, openapi, web, browser, alerts"),
                    });
                }
                filter if selection.filter.is_none() && !filter.starts_with('-') => {
                    selection.filter = Some(filter.to_owned());
                }
                other => bail!("unknown argument {other}: cargo xtask test [--only <part>] [<filter>]"),
            }
        }
        Ok(selection)
    }

    fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// Runs the selected tests and prints the table. Whether all passed.
pub fn run(selection: &Selection) -> Result<bool> {
    let mut report = Report::new();
    parts(&mut report, selection);
    if let Some(filter) = &selection.filter
        && report.tests() == 0
    {
        report.part("filter", || bail!("no test that ran has {filter} in its name"));
    }
    Ok(report.finish())
}

/// The tests as parts of `report`.
pub fn parts(report: &mut Report, selection: &Selection) {
    let (rust, browser) = (selection.has(Part::Rust), selection.has(Part::Browser));
    let openapi = selection.has(Part::OpenApi) && selection.filter.is_none();
    if selection.has(Part::Alerts) && selection.filter.is_none() {
        alerts::part(report);
    }
    if selection.only == Some(Part::Alerts) {
        return;
    }
    report.part("web build", web::build);
    if openapi && !(rust || browser) && report.part("rust build", build_binaries) {
        openapi::part(report);
    }
    if rust || browser {
        let surroundings = Surroundings::prepare(report, rust, browser);
        let built = report.part("rust build", build_binaries);
        if openapi && built {
            openapi::part(report);
        }
        if rust {
            report.counted("rust tests", || {
                let mut cargo = tools::cargo();
                cargo.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
                cargo.args(&selection.filter);
                run_counting(surroundings.tell(&mut cargo))
            });
        }
        if browser && let Some(chromium) = &surroundings.chromium {
            report.counted("browser tests", || {
                let mut npm = web_tests("e2e", selection);
                npm.env("CHROMIUM", chromium).env("MADANG_BIN", binary()?);
                run_counting(surroundings.tell(&mut npm))
            });
        }
    }
    if selection.has(Part::Web) {
        report.counted("web tests", || run_counting(&mut web_tests("test", selection)));
    }
}

/// Compiles every binary the way the tests compile it, `madang` among them.
pub fn build_binaries() -> Result<()> {
    tools::require_c_compiler()?;
    web::ensure_dist_folder()?;
    let arguments = ["build", "--workspace", "--exclude", "xtask", "--all-features", "--bins"];
    child::run(tools::cargo().args(arguments))
}

/// The `madang` that `build_binaries` made.
pub fn binary() -> Result<PathBuf> {
    Ok(tools::target_dir()?.join("debug/madang"))
}

/// What tests need besides the code. Dropping it stops the servers.
struct Surroundings {
    postgres: Option<Postgres>,
    s3: Option<PathBuf>,
    chromium: Option<PathBuf>,
}

impl Surroundings {
    /// Finds, installs and starts; what cannot be had is reported as skipped.
    fn prepare(report: &mut Report, rust: bool, browser: bool) -> Self {
        let mut needs = vec![Need::Postgres];
        if rust {
            needs.extend([Need::Redis, Need::Tmux, Need::Ffmpeg, Need::HaProxy, Need::Nginx]);
        }
        if browser {
            needs.extend([Need::Chromium, Need::KoreanFont]);
        }
        let missing = tools::provide(&needs);
        for item in &missing {
            let part = match item.need {
                Need::Postgres => "tests on PostgreSQL",
                Need::Redis => "the bus over Redis",
                Need::Tmux => "terminal client in tmux",
                Need::Ffmpeg => "videos",
                Need::Chromium => "browser tests",
                Need::KoreanFont => "Korean text in screenshots",
                Need::Python => "openapi",
                Need::Promtool => "alerts",
                Need::HaProxy => "chaos, nodes behind HAProxy",
                Need::Nginx => "nodes behind nginx",
            };
            report.skip(part, &format!("{} {}", item.need.name(), item.why), &item.help);
        }
        let mut postgres = None;
        if !missing.iter().any(|m| m.need == Need::Postgres) {
            report.part("start PostgreSQL", || {
                let server = Postgres::start()?;
                say(&format!("    {}", server.url()));
                postgres = Some(server);
                Ok(())
            });
        }
        let s3 = if rust { Some(s3::program()) } else { None };
        let s3 = s3.and_then(|program| {
            program.map_err(|error| report.skip("files in S3", &format!("{error:#}"), &s3::help())).ok()
        });
        Self { postgres, s3, chromium: if browser { tools::chromium() } else { None } }
    }

    fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let postgres = self.postgres.as_ref().map(|server| ("MADANG_TEST_POSTGRES_URL", server.url().into()));
        let s3 = self.s3.as_ref().map(|program| ("MADANG_TEST_S3", program.clone().into_os_string()));
        command.envs(postgres.into_iter().chain(s3))
    }
}

/// `npm run <script>`, which is Vitest, with its word for the filter.
fn web_tests(script: &str, selection: &Selection) -> Command {
    let mut npm = web::npm(&["run", script]);
    if let Some(filter) = &selection.filter {
        npm.args(["--", "--testNamePattern", filter]);
    }
    npm
}

/// Shows what a test runner prints while counting its tests.
fn run_counting(command: &mut Command) -> Result<(bool, Counts)> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    let mut counts = Counts::default();
    let good = child::run_by_line(command, |line| {
        say(line);
        counts.read(line);
    })?;
    Ok((good, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Selection> {
        let arguments: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        Selection::parse(&arguments)
    }

    #[test]
    fn selections() {
        let all = parse("").unwrap();
        assert!(
            all.has(Part::Rust) && all.has(Part::OpenApi) && all.has(Part::Web) && all.has(Part::Browser)
        );
        let web = parse("--only web composer").unwrap();
        assert!(web.has(Part::Web) && !web.has(Part::Rust) && !web.has(Part::Browser));
        assert_eq!(web.filter.as_deref(), Some("composer"));
        let alerts = parse("--only alerts").unwrap();
        assert!(alerts.has(Part::Alerts) && !alerts.has(Part::Rust));
        for wrong in ["--only", "--only all", "one two", "--fast"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
