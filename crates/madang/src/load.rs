//! `madang load`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use madang_load::{Command, Scenario, floor};
use serde::Serialize;

/// Does what was asked.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Scenario(scenario) => load(scenario).await,
        Command::Floor(flags) => {
            let found = floor::run(&flags).await?;
            show(&found, &found.table(), flags.json.as_deref())
        }
        Command::Drain(drain) => Ok(floor::sockets::drain(&drain)?),
    }
}

/// Runs a load test, shows what it found, and fails when a delivery was not as it must be.
async fn load(scenario: Scenario) -> Result<()> {
    let report = scenario.run().await?;
    let common = scenario.common();
    show(&report, &report.table(), common.json.as_deref())?;
    if let Some(path) = &common.plot {
        std::fs::write(path, report.plot()).with_context(|| format!("writing {}", path.display()))?;
    }
    if !report.ok {
        bail!("{}", report.complaints().join("\n"));
    }
    Ok(())
}

/// The table for people; the JSON where it was wanted.
fn show(found: &impl Serialize, table: &str, json: Option<&Path>) -> Result<()> {
    let Some(path) = json else {
        print!("{table}");
        return Ok(());
    };
    let text = serde_json::to_string_pretty(found)?;
    if path == Path::new("-") {
        println!("{text}");
        eprint!("{table}");
        return Ok(());
    }
    print!("{table}");
    std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
}
