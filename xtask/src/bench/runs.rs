//! One measurement after the other: a server, a load, a report as JSON.
//!
//! Invariants:
//! - A run ends within its time, whatever hangs.
//! - A report is kept, also of a run that found something wrong.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Options;
use super::machine::Machine;
use super::servers::{self, Certificate, Database, Peers, Server};
use super::suite::Measurement;
use crate::child::Running;
use crate::postgres::{self, Postgres};
use crate::redis::Redis;
use crate::report::say;
use crate::tools;

/// Longest run of the load generator: to store a million messages alone takes more than two minutes.
const AT_MOST: Duration = Duration::from_secs(420);

/// Reports by the name of the measurement, one for each round.
pub type Found = BTreeMap<String, Vec<Value>>;

/// Everything that measurements need, and what they found.
pub struct Bench<'a> {
    pub options: &'a Options,
    pub machine: Machine,
    pub madang: PathBuf,
    /// Where reports and logs go.
    pub logs: PathBuf,
    pub found: Found,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
    pub peers: Option<Peers>,
    pub postgres: Option<Postgres>,
    pub redis: Option<Redis>,
    round: usize,
}

impl<'a> Bench<'a> {
    pub fn prepare(options: &'a Options, machine: Machine) -> Result<Self> {
        let target = tools::target_dir()?;
        let logs = target.join("bench").join(if options.quick { "quick" } else { "full" });
        fs::remove_dir_all(&logs).ok();
        fs::create_dir_all(&logs)?;
        let mut bench = Self {
            options,
            machine,
            madang: target.join(options.profile()).join("madang"),
            logs,
            found: Found::new(),
            failures: Vec::new(),
            peers: None,
            postgres: None,
            redis: None,
            round: 1,
        };
        if options.wants(&["T2", "T4"]) {
            let peers = Peers::install();
            bench.peers = bench.or_failure("the peers", peers);
        }
        if options.wants(&["T8"]) {
            bench.redis = bench.or_failure("Redis", Redis::start());
        }
        if options.wants(&["T3", "T8"]) {
            let found = postgres::programs().context("PostgreSQL is not installed");
            let postgres = found.and_then(|_| Postgres::start());
            bench.postgres = bench.or_failure("PostgreSQL", postgres);
        }
        Ok(bench)
    }

    fn or_failure<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.failures.push(format!("{what}: {error:#}"))).ok()
    }

    /// Does one measurement; what goes wrong is noted.
    pub fn measure(&mut self, measurement: &Measurement, round: usize, rounds: usize) {
        self.round = round;
        let begun = Instant::now();
        let result = (measurement.work)(self);
        let seconds = begun.elapsed().as_secs();
        let name = measurement.name;
        match result {
            Ok(()) => say(&format!("    {name}, round {round} of {rounds}: {seconds} s")),
            Err(error) => {
                say(&format!("    {name}, round {round} of {rounds}: FAILED after {seconds} s: {error:#}"));
                self.failures.push(format!("{name}, round {round}: {error:#}"));
            }
        }
    }

    /// The full figure, or the small one of a quick run.
    pub fn or<T>(&self, full: T, quick: T) -> T {
        if self.options.quick { quick } else { full }
    }

    /// A fresh folder on the disk of the repository.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.logs.join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The last report of a measurement.
    pub fn last(&self, name: &str) -> Option<&Value> {
        self.found.get(name)?.last()
    }

    /// Keeps a report.
    pub fn keep(&mut self, name: &str, report: Value) {
        self.found.entry(name.to_owned()).or_default().push(report);
    }

    /// A fresh database in PostgreSQL.
    pub fn database(&self) -> Result<String> {
        let postgres = self.postgres.as_ref().context("there is no PostgreSQL")?;
        servers::create_database(postgres, &format!("bench_{}_{}", self.round, self.found.len()))
    }

    /// `madang load …` against Madang with fresh data.
    pub fn at_madang(&mut self, name: &str, database: Database, load: &[&str]) -> Result<()> {
        let data = self.folder("data")?;
        let url = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(self.database()?),
        };
        let (port, log) = (servers::free_port()?, self.logs.join(format!("{name}.server.log")));
        let command = self.machine.for_server(&self.madang);
        let mut running = servers::madang(command, &data, port, url.as_deref(), &log)?;
        servers::wait(&mut running, port, "/health", &log)?;
        let server = Server { url: format!("http://127.0.0.1:{port}"), running };
        let result = self.load(name, &server, load, None);
        drop(server);
        fs::remove_dir_all(&data).ok();
        result
    }

    /// `madang load …` over TLS against Madang with fresh data.
    pub fn at_madang_by_tls(&mut self, name: &str, load: &[&str]) -> Result<()> {
        let data = self.folder("data")?;
        let certificate = Certificate::make(&data)?;
        let (port, log) = (servers::free_port()?, self.logs.join(format!("{name}.server.log")));
        let mut command = self.machine.for_server(&self.madang);
        command.env("MADANG_TLS_CERTIFICATE", &certificate.certificate);
        command.env("MADANG_TLS_KEY", &certificate.key);
        let mut running = servers::madang(command, &data, port, None, &log)?;
        servers::wait_for_port(&mut running, port, &log)?;
        let server = Server { url: format!("https://localhost:{port}"), running };
        let result = self.load(name, &server, load, Some(&certificate));
        drop(server);
        fs::remove_dir_all(&data).ok();
        result
    }

    /// `madang load peer …` against a peer.
    pub fn at_peer(&mut self, name: &str, kind: &str, load: &[&str]) -> Result<()> {
        let peers = self.peers.as_ref().context("there are no peers")?;
        let file = if kind == "ws" { "ws.mjs" } else { "socketio.mjs" };
        let server = peers.start(&self.machine, file, &self.logs.join(format!("{name}.server.log")))?;
        self.load(name, &server, &[&["peer", "--kind", kind], load].concat(), None)
    }

    fn load(
        &mut self,
        name: &str,
        server: &Server,
        load: &[&str],
        trusted: Option<&Certificate>,
    ) -> Result<()> {
        let mut command = self.machine.for_load(&self.madang);
        if let Some(Certificate { certificate, .. }) = trusted {
            command.env("SSL_CERT_FILE", certificate);
        }
        command.arg("load").args(load).args(["--url", &server.url]);
        // The process is the one that we started: `taskset` becomes it.
        command.args(["--server-pid", &server.running.id().to_string()]);
        self.report(name, &mut command)
    }

    /// Runs the load generator, and keeps its report.
    pub fn report(&mut self, name: &str, command: &mut Command) -> Result<()> {
        let report = self.logs.join(format!("{name}-{}.json", self.round));
        let log = self.logs.join(format!("{name}-{}.log", self.round));
        // What it says in the end is why it failed, and not where.
        command.arg("--json").arg(&report).env("RUST_BACKTRACE", "0");
        let fine = run_within(command, &log, AT_MOST)?;
        let text = fs::read_to_string(&report).ok();
        let Some(text) = text else {
            bail!("{}", reason(&fs::read_to_string(&log).unwrap_or_default()));
        };
        self.keep(name, serde_json::from_str(&text)?);
        if !fine {
            bail!("{}", reason(&fs::read_to_string(&log)?));
        }
        Ok(())
    }
}

/// Runs a program to its end, or ends it; says whether it succeeded.
fn run_within(command: &mut Command, log: &Path, limit: Duration) -> Result<bool> {
    let out = File::create(log)?;
    command.stdout(out.try_clone()?).stderr(out);
    let mut running = Running::start(command, None)?;
    let begun = Instant::now();
    loop {
        if let Some(status) = running.ended()? {
            return Ok(status.success());
        }
        if begun.elapsed() > limit {
            bail!("not done after {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Why it failed: the error, which may be several lines, or the last thing that was said. What is rewritten in
/// place counts as lines.
fn reason(log: &str) -> String {
    let said = log.split(['\n', '\r']).map(|l| l.trim_start_matches("\x1b[K").trim());
    let said: Vec<&str> = said.filter(|l| !l.is_empty()).collect();
    let error = said.iter().rposition(|l| l.starts_with("Error: "));
    let lines = &said[error.unwrap_or(said.len().saturating_sub(1))..];
    if lines.is_empty() {
        return "it said nothing".to_owned();
    }
    lines.join("; ").trim_start_matches("Error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_ended_and_what_failed_says_why() {
        let log = std::env::temp_dir().join(format!("xtask-bench-{}.log", std::process::id()));
        let shell = |script: &str, limit| {
            run_within(Command::new("sh").args(["-c", script]), &log, Duration::from_millis(limit))
        };
        assert!(shell("sleep 600", 100).unwrap_err().to_string().contains("not done"));
        assert!(!shell("printf 'a\\r\\033[Kb\\n' >&2; exit 3", 60_000).unwrap());
        assert_eq!(reason(&fs::read_to_string(&log).unwrap()), "b");
        let error = "20/20 s\r\x1b[KError: 3 lost\nthe first refusal was {}\n\n";
        assert_eq!(reason(error), "3 lost; the first refusal was {}");
        assert_eq!(reason("\n"), "it said nothing");
        assert!(shell("true", 60_000).unwrap());
        fs::remove_file(&log).unwrap();
    }
}
