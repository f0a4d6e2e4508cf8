//! `cargo xtask codegen`: the files that are made from the Rust types and committed.
//!
//! How: `madang admin openapi` and `madang admin example-config` print what they know of themselves; the
//! web client's TypeScript types come from the former through `openapi-typescript`.
//!
//! Invariants: everything is generated before anything is written, so a failure leaves the tree as it was;
//! generated files are never edited by hand.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{child, report, test, tools, web};

const OPENAPI: &str = "docs/openapi.json";
const EXAMPLE_CONFIG: &str = "madang.example.toml";
const TYPESCRIPT: &str = "web/src/api/schema.gen.ts";

/// Writes every generated file that is not fresh.
pub fn write() -> Result<bool> {
    report::step("cargo build", test::build_binaries)?;
    let root = tools::root();
    for (path, content) in generate()? {
        if is_fresh(&root.join(path), &content) {
            report::say(&format!("fresh    {path}"));
            continue;
        }
        let file = root.join(path);
        fs::create_dir_all(file.parent().context("a file is in a folder")?)?;
        fs::write(&file, content).with_context(|| format!("could not write {path}"))?;
        report::say(&format!("written  {path}"));
    }
    Ok(true)
}

/// `cargo xtask codegen --check`.
pub fn check_and_say() -> Result<bool> {
    report::step("cargo build", test::build_binaries)?;
    check()?;
    report::say("all generated files are fresh");
    Ok(true)
}

/// An error that lists the stale files; `test::build_binaries` must have run.
pub fn check() -> Result<()> {
    let root = tools::root();
    let stale: Vec<_> = generate()?
        .into_iter()
        .filter(|(path, new)| !is_fresh(&root.join(path), new))
        .map(|(p, _)| p)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    bail!("stale: {}. Run `cargo xtask codegen` and commit the result", stale.join(", "));
}

fn is_fresh(file: &Path, content: &[u8]) -> bool {
    fs::read(file).is_ok_and(|old| old == content)
}

/// Each generated file's path from the root and its content.
fn generate() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let program = test::binary()?;
    let admin = |what: &str| child::output(Command::new(&program).args(["admin", what]));
    let openapi = admin("openapi")?;
    let example_config = admin("example-config")?;

    let folder = tools::target_dir()?.join("codegen");
    fs::create_dir_all(&folder)?;
    let (input, output) = (folder.join("openapi.json"), folder.join("schema.gen.ts"));
    fs::write(&input, &openapi)?;
    web::install()?;
    let mut npx = Command::new("npx");
    npx.args(["--no-install", "openapi-typescript"]).arg(&input).arg("-o").arg(&output);
    child::output(npx.current_dir(web::folder()))?;
    let typescript = fs::read(&output).context("openapi-typescript wrote nothing")?;

    Ok(vec![(OPENAPI, openapi), (EXAMPLE_CONFIG, example_config), (TYPESCRIPT, typescript)])
}
