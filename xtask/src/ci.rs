//! `cargo xtask ci`: all that has to pass before a change is merged.
//!
//! How: the checks from the quickest to the slowest, then the tests. Each is a part of one report, and each
//! runs whatever came of the others.
//!
//! Invariants: what runs on a server runs here in the same way; `.ci/run` does nothing but call this.

use std::process::Command;

use anyhow::{Result, bail};

use crate::report::{Report, step};
use crate::test::Selection;
use crate::{child, codegen, test, tidy, tools, web};

/// Pinned, so that a new release does not turn an unchanged tree red.
const CARGO_DENY: &str = "0.20.2";

pub fn run() -> Result<bool> {
    let mut report = Report::new();
    report.part("format", || child::run(tools::cargo().args(["fmt", "--all", "--check"])));
    report.part("tidy", tidy::check);
    report.part("web check", || {
        web::install()?;
        child::run(&mut web::npm(&["run", "check"]))
    });
    report.part("clippy", || {
        web::ensure_dist_folder()?;
        let scope = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        child::run(tools::cargo().args(scope))
    });
    report.part("rustdoc", || {
        let scope = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        child::run(tools::cargo().args(scope).env("RUSTDOCFLAGS", "-D warnings"))
    });
    deny(&mut report);
    report.part("codegen is fresh", || {
        test::build_binaries()?;
        codegen::check()
    });
    test::parts(&mut report, &Selection::default());
    Ok(report.finish())
}

/// Licences, bans and sources by `deny.toml`. Advisories are left out: they change without the tree.
fn deny(report: &mut Report) {
    match cargo_deny() {
        Ok(mut deny) => {
            let scope = ["--workspace", "check", "licenses", "bans", "sources"];
            report.part("cargo deny", || child::run(deny.args(scope).current_dir(tools::root())));
        }
        Err(error) => {
            let help = format!("cargo install --locked --root target/tools cargo-deny@{CARGO_DENY}");
            report.skip("cargo deny", &format!("{error:#}"), &help);
        }
    }
}

/// `cargo-deny`, installed below the target folder when it is not there in the right version.
fn cargo_deny() -> Result<Command> {
    let folder = tools::target_dir()?.join("tools");
    let program = folder.join("bin/cargo-deny");
    let expected = format!("cargo-deny {CARGO_DENY}");
    let version = || child::output(Command::new(&program).arg("--version"));
    let is_right = || version().is_ok_and(|v| v.trim_ascii() == expected.as_bytes());
    if !is_right() {
        step("cargo install cargo-deny (once, some minutes)", || {
            let package = format!("cargo-deny@{CARGO_DENY}");
            child::run(tools::cargo().args(["install", "--locked", "--root"]).arg(&folder).arg(package))
        })?;
        if !is_right() {
            bail!("{} is not {expected}", program.display());
        }
    }
    Ok(Command::new(program))
}
