//! `cargo xtask openapi`: the served OpenAPI document against the server, by schemathesis with all of its checks.
//!
//! How: schemathesis comes from PyPI into a folder of its own below the target folder, once. The binary of the tests
//! serves a temporary folder on a free port of the loopback; `xtask/openapi/hooks.py` makes a small world there, and
//! `xtask/openapi/schemathesis.toml` says what is tried and what is left out, with reasons. The seed is fixed.
//!
//! Invariants: the server has no rate limits, or most of what is tried would be refused for that alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Result, bail};

use crate::bench::servers;
use crate::child::Running;
use crate::report::Report;
use crate::tools::{self, Need};
use crate::{child, report, test};

/// Pinned: a newer one may find more, and has to be tried first.
const SCHEMATHESIS: &str = "4.32.5";

/// `cargo xtask openapi`.
pub fn run() -> Result<bool> {
    let mut report = Report::new();
    if report.part("rust build", test::build_binaries) {
        part(&mut report);
    }
    Ok(report.finish())
}

/// The part `openapi` of a report; the binary must have been built.
pub fn part(report: &mut Report) {
    if let Some(missing) = tools::provide(&[Need::Python]).first() {
        report.skip("openapi", &format!("{} {}", missing.need.name(), missing.why), &missing.help);
        return;
    }
    match program() {
        Ok(program) => {
            report.part("openapi", || check(&program));
        }
        Err(error) => report.skip("openapi", &format!("schemathesis: {error:#}"), &help()),
    }
}

fn folder() -> Result<PathBuf> {
    Ok(tools::target_dir()?.join(format!("tools/schemathesis-{SCHEMATHESIS}")))
}

fn help() -> String {
    let folder = format!("target/tools/schemathesis-{SCHEMATHESIS}");
    format!("python3 -m venv {folder} && {folder}/bin/pip install schemathesis=={SCHEMATHESIS}")
}

/// Schemathesis, installed when it is not there.
fn program() -> Result<PathBuf> {
    let folder = folder()?;
    let program = folder.join("bin/schemathesis");
    if !tools::is_program(&program) {
        report::step("pip install schemathesis (once)", || {
            child::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
            let mut pip = Command::new(folder.join("bin/pip"));
            pip.args(["install", "--quiet", "--disable-pip-version-check"]);
            child::run(pip.arg(format!("schemathesis=={SCHEMATHESIS}")))
        })?;
        if !tools::is_program(&program) {
            bail!("{} is not there", program.display());
        }
    }
    Ok(program)
}

fn check(program: &Path) -> Result<()> {
    let data = env::temp_dir().join(format!("madang-openapi-{}", std::process::id()));
    fs::create_dir_all(&data)?;
    let (port, log) = (servers::free_port()?, data.join("server.log"));
    // Does nothing, and has the folder removed when we end, whichever way.
    let _keeper = Running::start(Command::new("sleep").arg("86400"), Some(&data))?;
    let mut server = servers::madang(Command::new(test::binary()?), &data, port, None, &log)?;
    servers::wait(&mut server, port, "/health", &log)?;
    let url = format!("http://127.0.0.1:{port}");
    let mut schemathesis = Command::new(program);
    schemathesis.current_dir(tools::root()).env("MADANG_URL", &url);
    schemathesis.args(["--config-file", "xtask/openapi/schemathesis.toml", "run", "--checks", "all"]);
    child::run(schemathesis.arg(format!("{url}/api/openapi.json")))?;
    if let Some(status) = server.ended()? {
        bail!("the server ended ({status}):\n{}", fs::read_to_string(&log).unwrap_or_default());
    }
    Ok(())
}
