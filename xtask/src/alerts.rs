//! The rules by which Prometheus warns (`deploy/prometheus`): promtool checks them and tries each with cases.
//!
//! That the metrics exist which they name is a test of the server, `tests/it/metrics.rs`.

use std::process::Command;

use anyhow::Result;

use crate::child;
use crate::report::Report;
use crate::tools::{self, Need};

const FOLDER: &str = "deploy/prometheus";

/// The part `alerts` of a report.
pub fn part(report: &mut Report) {
    if let Some(missing) = tools::provide(&[Need::Promtool]).first() {
        report.skip("alerts", &format!("{} {}", missing.need.name(), missing.why), &missing.help);
        return;
    }
    report.part("alerts", check);
}

fn check() -> Result<()> {
    for (what, file) in [
        ("check config", "prometheus.yml"),
        ("check config", "compose.yml"),
        ("test rules", "alerts.test.yml"),
    ] {
        let mut promtool = Command::new("promtool");
        promtool.args(what.split(' ')).arg(file);
        child::run(promtool.current_dir(tools::root().join(FOLDER)))?;
    }
    Ok(())
}
