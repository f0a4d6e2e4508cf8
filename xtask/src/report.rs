//! What the person at the terminal reads: a line when a part begins, one when it ends, a table at the end.
//!
//! Invariants:
//! - A skipped part is named after the table with the reason and the command that would help; where
//!   `CI=true` it counts as a failure.
//! - The closing line stands alone: `N passed, N failed`.
//! - A part that failed adds at least one to the failed, even when its program counted none.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::count::Counts;
use crate::tools;

/// One line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "this is how xtask speaks")]
pub fn say(line: &str) {
    println!("{line}");
}

/// The error and its causes.
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Says what begins, does it, says how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("==> {name}"));
    let start = Instant::now();
    let result = work();
    let end = if result.is_ok() { "done" } else { "FAILED" };
    say(&format!("    {name}: {end} in {}", seconds(start.elapsed())));
    result
}

/// How a part ended.
enum Outcome {
    Passed,
    Failed(String),
    Skipped { why: String, help: String },
}

struct Part {
    name: String,
    outcome: Outcome,
    counts: Counts,
    time: Duration,
}

/// The parts so far.
pub struct Report {
    parts: Vec<Part>,
    start: Instant,
    skips_fail: bool,
}

impl Report {
    /// An empty report; whether skips are failures is asked of the environment (`CI`).
    pub fn new() -> Self {
        Self { parts: Vec::new(), start: Instant::now(), skips_fail: tools::in_ci() }
    }

    /// Does one part and keeps how it went; the parts after it go on in any case. Says whether it passed.
    pub fn part(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.counted(name, || work().map(|()| (true, Counts::default())))
    }

    /// Like `part` for a program that counts its tests: whether it succeeded, and what it counted.
    pub fn counted(&mut self, name: &str, work: impl FnOnce() -> Result<(bool, Counts)>) -> bool {
        say(&format!("\n==> {name}"));
        let start = Instant::now();
        let (outcome, counts) = match work() {
            Ok((true, counts)) if counts.failed == 0 => (Outcome::Passed, counts),
            Ok((_, counts)) => (Outcome::Failed("see its output above".to_owned()), counts),
            Err(failure) => {
                error(&failure);
                (Outcome::Failed(format!("{failure:#}")), Counts::default())
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        self.parts.push(Part { name: name.to_owned(), outcome, counts, time: start.elapsed() });
        passed
    }

    /// Records that a part did not run, and which command would let it.
    pub fn skip(&mut self, name: &str, why: &str, help: &str) {
        let outcome = Outcome::Skipped { why: why.to_owned(), help: help.to_owned() };
        self.parts.push(Part {
            name: name.to_owned(),
            outcome,
            counts: Counts::default(),
            time: Duration::ZERO,
        });
    }

    /// How many tests the parts have counted so far.
    pub fn tests(&self) -> usize {
        self.parts.iter().map(|p| p.counts.passed + p.counts.failed).sum()
    }

    /// Prints the table and the closing line. Whether everything that had to pass did.
    pub fn finish(self) -> bool {
        say(&self.table());
        self.total().failed == 0
    }

    /// Tests where a part counted them, else parts.
    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for part in &self.parts {
            total.passed += part.counts.passed;
            total.failed += part.counts.failed;
            match part.outcome {
                Outcome::Passed if part.counts.passed == 0 => total.passed += 1,
                Outcome::Failed(_) if part.counts.failed == 0 => total.failed += 1,
                Outcome::Skipped { .. } if self.skips_fail => total.failed += 1,
                _ => {}
            }
        }
        total
    }

    fn table(&self) -> String {
        let width = self.parts.iter().map(|p| p.name.chars().count()).max().unwrap_or(0);
        let mut text = String::from("\n");
        for part in &self.parts {
            let (word, mark) = match &part.outcome {
                Outcome::Passed => ("passed", ' '),
                Outcome::Failed(_) => ("FAILED", '!'),
                Outcome::Skipped { .. } => ("SKIPPED", '!'),
            };
            let counts = match part.counts {
                Counts { passed: 0, failed: 0 } => String::new(),
                Counts { passed, failed: 0 } => format!("{passed} tests"),
                Counts { passed, failed } => format!("{failed} of {} tests failed", passed + failed),
            };
            let time = seconds(part.time);
            let line = format!("{mark} {:width$}  {word:7}  {time:>8}  {counts}", part.name);
            writeln!(text, "{}", line.trim_end()).ok();
        }
        writeln!(text, "  {:width$}  {:7}  {:>8}", "all", "", seconds(self.start.elapsed())).ok();
        for part in &self.parts {
            match &part.outcome {
                Outcome::Passed => {}
                Outcome::Failed(why) => {
                    writeln!(text, "\n!!! FAILED: {}: {why}", part.name).ok();
                }
                Outcome::Skipped { why, help } => {
                    let verdict = if self.skips_fail { ", a failure under CI=true" } else { "" };
                    writeln!(text, "\n!!! SKIPPED{verdict}: {}: {why}. To run it: {help}", part.name).ok();
                }
            }
        }
        let Counts { passed, failed } = self.total();
        write!(text, "\n{passed} passed, {failed} failed").ok();
        text
    }
}

fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} m {:02} s", tenths / 600, tenths % 600 / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(skips_fail: bool) -> Report {
        Report { parts: Vec::new(), start: Instant::now(), skips_fail }
    }

    #[test]
    fn the_closing_line_counts_tests_and_stands_alone() {
        let mut r = report(false);
        assert!(r.part("format", || Ok(())));
        assert!(r.counted("rust", || Ok((true, Counts { passed: 40, failed: 0 }))));
        assert!(!r.counted("web", || Ok((false, Counts { passed: 5, failed: 2 }))));
        assert!(!r.part("lint", || anyhow::bail!("two spaces")));
        let table = r.table();
        assert_eq!(table.lines().last(), Some("46 passed, 3 failed"));
        assert!(
            table.contains("2 of 7 tests failed") && table.contains("FAILED: lint: two spaces"),
            "{table}"
        );
        assert!(!r.finish());
    }

    #[test]
    fn a_program_that_fails_without_counting_is_a_failure() {
        let mut r = report(false);
        assert!(!r.counted("rust", || Ok((false, Counts { passed: 3, failed: 0 }))));
        assert_eq!(r.total(), Counts { passed: 3, failed: 1 });
    }

    #[test]
    fn a_skip_is_loud_and_fails_only_in_ci() {
        for (in_ci, failed) in [(false, 0), (true, 1)] {
            let mut r = report(in_ci);
            r.skip("browser", "no Chromium", "apt-get install chromium");
            assert_eq!(r.total(), Counts { passed: 0, failed });
            let table = r.table();
            assert!(table.contains("SKIPPED") && table.contains("apt-get install chromium"), "{table}");
            assert_eq!(r.finish(), !in_ci);
        }
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(1_260)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(127)), "2 m 07 s");
    }
}
