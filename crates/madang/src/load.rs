//! `madang load`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use madang_load::{Report, Scenario};

/// Runs a load test, shows what it found, and fails when a delivery was not as it must be.
pub async fn run(scenario: Scenario) -> Result<()> {
    let report = scenario.run().await?;
    let common = scenario.common();
    show(&report, common.json.as_deref())?;
    if let Some(path) = &common.plot {
        std::fs::write(path, report.plot()).with_context(|| format!("writing {}", path.display()))?;
    }
    if !report.ok {
        bail!("{}", report.complaints().join("\n"));
    }
    Ok(())
}

/// The table for people; the JSON where it was wanted.
fn show(report: &Report, json: Option<&Path>) -> Result<()> {
    let Some(path) = json else {
        print!("{}", report.table());
        return Ok(());
    };
    let text = serde_json::to_string_pretty(report)?;
    if path == Path::new("-") {
        println!("{text}");
        eprint!("{}", report.table());
        return Ok(());
    }
    print!("{}", report.table());
    std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
}
