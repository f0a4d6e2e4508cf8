//! Servers to be measured: Madang with fresh data, and the chat servers of other makes in `bench/peers`.
//!
//! Invariants:
//! - A server has a port, and data, of its own, and leaves neither behind.
//! - What is installed for the peers is installed into a temporary folder.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::machine::Machine;
use crate::child::{self, Running};
use crate::postgres::{self, Postgres};
use crate::{report, tools};

/// How long a server may take to answer.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A server that answers. Dropping it ends it.
pub struct Server {
    pub url: String,
    pub running: Running,
}

/// Which database Madang gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A port that nobody has now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Madang on this folder of data. `log` gets what it says.
pub fn madang(
    mut command: Command,
    data: &Path,
    port: u16,
    database: Option<&str>,
    log: &Path,
) -> Result<Running> {
    command.args(["serve", "--rate-limits", "off", "--listen", &format!("127.0.0.1:{port}")]);
    command.arg("--data").arg(data).env_remove("MADANG_DATABASE_URL").current_dir(data);
    command.stdout(Stdio::null()).stderr(File::options().create(true).append(true).open(log)?);
    if let Some(url) = database {
        command.env("MADANG_DATABASE_URL", url);
    }
    Running::start(&mut command, None)
}

/// Waits until the port answers `path` with 200.
pub fn wait(running: &mut Running, port: u16, path: &str, log: &Path) -> Result<()> {
    wait_until(running, log, || answers(port, path))
}

/// Waits until somebody listens at the port.
pub fn wait_for_port(running: &mut Running, port: u16, log: &Path) -> Result<()> {
    wait_until(running, log, || TcpStream::connect(("127.0.0.1", port)).is_ok())
}

fn wait_until(running: &mut Running, log: &Path, is_there: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_there() {
        if running.ended()?.is_some() || begun.elapsed() > START_LIMIT {
            bail!("the server did not start:\n{}", fs::read_to_string(log).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer == "HTTP/1.1 200")
}

/// Files of a certificate for `localhost` that nobody issued but itself.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    /// Made by OpenSSL's program, valid for two days.
    pub fn make(folder: &Path) -> Result<Self> {
        let openssl =
            tools::on_path(&["openssl"]).context("TLS is measured with a certificate by openssl")?;
        let files = Self { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
        let wanted = folder.join("certificate.conf");
        fs::write(
            &wanted,
            "[req]\ndistinguished_name = name\nx509_extensions = more\nprompt = no\n[name]\nCN = localhost\n\
             [more]\nsubjectAltName = DNS:localhost\nbasicConstraints = critical,CA:FALSE\n",
        )?;
        let mut command = Command::new(openssl);
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(["-days", "2", "-config"]).arg(&wanted);
        command.arg("-keyout").arg(&files.key).arg("-out").arg(&files.certificate);
        child::output(&mut command)?;
        Ok(files)
    }
}

/// The peers, installed once for all runs. Dropping it removes them.
pub struct Peers {
    folder: PathBuf,
    /// Does nothing, and has the folder removed when we end, whichever way.
    _keeper: Running,
}

impl Peers {
    pub fn install() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("madang-bench-peers-{}", std::process::id()));
        let from = tools::root().join("bench/peers");
        fs::create_dir_all(&folder)?;
        let keeper = Running::start(Command::new("sleep").arg("86400"), Some(&folder))?;
        let peers = Self { folder, _keeper: keeper };
        for entry in fs::read_dir(&from).with_context(|| format!("no folder {}", from.display()))? {
            let entry = entry?;
            fs::copy(entry.path(), peers.folder.join(entry.file_name()))?;
        }
        report::step("npm ci (the peers, in a temporary folder)", || {
            child::run(
                Command::new("npm")
                    .args(["ci", "--no-audit", "--no-fund", "--silent"])
                    .current_dir(&peers.folder),
            )
        })?;
        Ok(peers)
    }

    /// A peer that answers.
    pub fn start(&self, machine: &Machine, file: &str, log: &Path) -> Result<Server> {
        let port = free_port()?;
        let mut command = machine.for_server("node");
        command.arg(self.folder.join(file)).arg(port.to_string());
        command.stdout(Stdio::null()).stderr(File::options().create(true).append(true).open(log)?);
        let mut running = Running::start(&mut command, None)?;
        wait(&mut running, port, "/", log)?;
        Ok(Server { url: format!("http://127.0.0.1:{port}"), running })
    }

    /// The version of an installed package.
    pub fn version(&self, package: &str) -> Option<String> {
        let text =
            fs::read_to_string(self.folder.join("node_modules").join(package).join("package.json")).ok()?;
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(value["version"].as_str()?.to_owned())
    }
}

/// A fresh database in the server of this run.
pub fn create_database(postgres: &Postgres, name: &str) -> Result<String> {
    let program = postgres::programs().context("PostgreSQL is not installed")?.join("createdb");
    child::output(Command::new(program).args(["--maintenance-db", postgres.url(), name]))?;
    let (server, _) = postgres.url().rsplit_once('/').context("a URL without a database")?;
    Ok(format!("{server}/{name}"))
}
