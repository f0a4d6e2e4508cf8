//! `cargo xtask run`: from a fresh clone to a server in the browser.
//!
//! How: the web client first, since the server embeds it; then the server with the profile `fast` (optimised,
//! quick to rebuild); then xtask becomes the server, so that signals reach it directly.
//!
//! Invariants: when nothing changed, neither npm nor rustc runs.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{child, report, tools, web};

/// Returns only when something failed.
pub fn run(arguments: &[String]) -> Result<bool> {
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    tools::require_c_compiler()?;
    web::build()?;
    report::step("cargo build (the server; from nothing this takes some minutes)", || {
        child::run(tools::cargo().args(["build", "--profile", "fast", "-p", "madang"]))
    })?;
    let server = tools::target_dir()?.join("fast/madang");
    let failure = Command::new(&server).arg("serve").args(arguments).exec();
    Err(failure).with_context(|| format!("could not start {}", server.display()))
}
