//! The web client: installing its packages and building it, each only when its input changed.
//!
//! How: a stamp in `web/node_modules` holds a hash of the input of the last run. The build's stamp also holds
//! when the result was written, so that a build by hand, or a result that was removed, is noticed.
//!
//! Invariants: nothing but npm writes `web/dist`; hashes are over contents, so that switching branches there
//! and back builds nothing.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{child, report, tools};

/// The oldest Node that the web client's tools run on: major and minor version.
const NODE: (u32, u32) = (20, 19);

pub fn folder() -> PathBuf {
    tools::root().join("web")
}

/// The server embeds this folder and does not compile without it; checks that need no client make it empty.
pub fn ensure_dist_folder() -> Result<()> {
    let dist = folder().join("dist");
    fs::create_dir_all(&dist).with_context(|| format!("could not make {}", dist.display()))
}

/// `npm …` in the web folder.
pub fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder());
    command
}

/// Installs the packages of `package-lock.json` unless that was done before.
pub fn install() -> Result<()> {
    let web = folder();
    let input = hash(&web, &[web.join("package.json"), web.join("package-lock.json")])?;
    let stamp = web.join("node_modules/.madang-install");
    if fs::read_to_string(&stamp).is_ok_and(|s| s == input) {
        return Ok(());
    }
    require_node()?;
    report::step("npm ci (packages of the web client)", || {
        child::run(&mut npm(&["ci", "--no-audit", "--no-fund"]))
    })?;
    fs::write(&stamp, input).with_context(|| format!("could not write {}", stamp.display()))
}

/// Installs and builds the web client unless `web/dist` is what the sources give.
pub fn build() -> Result<()> {
    install()?;
    let web = folder();
    let mut sources = Vec::new();
    list(&web, &mut sources)?;
    sources.sort();
    let input = hash(&web, &sources)?;
    let stamp = web.join("node_modules/.madang-build");
    if let Some(state) = built(&web, &input)
        && fs::read_to_string(&stamp).is_ok_and(|s| s == state)
    {
        return Ok(());
    }
    report::step("npm run build (the web client)", || child::run(&mut npm(&["run", "build"])))?;
    let state = built(&web, &input).context("`npm run build` left no web/dist/index.html")?;
    fs::write(&stamp, state).with_context(|| format!("could not write {}", stamp.display()))
}

/// What the build's stamp says when `input` gave the present `web/dist`; nothing without a build.
fn built(web: &Path, input: &str) -> Option<String> {
    let written = fs::metadata(web.join("dist/index.html")).ok()?.modified().ok()?;
    let age = written.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{input} {}", age.as_nanos()))
}

/// All files below `folder` that the build can read: not its results, packages, tests in the browser.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !matches!(&*name, "node_modules" | "dist" | "e2e" | "test-results" | "coverage") {
                list(&entry.path(), files)?;
            }
        } else if !name.contains(".test.") && !name.ends_with(".log") {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// A hash over the names (from `base`) and contents of `files`.
fn hash(base: &Path, files: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        let name = file.strip_prefix(base).unwrap_or(file).as_os_str().as_encoded_bytes();
        for bytes in [name, &content] {
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn require_node() -> Result<()> {
    let (major, minor) = NODE;
    let help =
        format!("install Node.js {major}.{minor} or newer with npm, see https://nodejs.org/en/download");
    let version = child::output(Command::new("node").arg("--version")).with_context(|| help.clone())?;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|n| n.parse::<u32>().ok());
    if numbers.next().zip(numbers.next()).is_none_or(|found| found < NODE) {
        bail!("Node.js {version} is too old: {help}");
    }
    if tools::on_path(&["npm"]).is_none() {
        bail!("npm is missing: {help}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_sees_names_and_contents() {
        let base = std::env::temp_dir().join(format!("xtask-web-{}", std::process::id()));
        fs::create_dir_all(base.join("node_modules")).unwrap();
        let state = |name: &str, content: &str| {
            fs::write(base.join(name), content).unwrap();
            let mut files = Vec::new();
            list(&base, &mut files).unwrap();
            files.sort();
            let hash = hash(&base, &files).unwrap();
            fs::remove_file(base.join(name)).unwrap();
            hash
        };
        let first = state("a.ts", "one");
        assert_eq!(first, state("a.ts", "one"));
        assert_ne!(first, state("a.ts", "two"));
        assert_ne!(first, state("b.ts", "one"));
        assert_eq!(state("node_modules/x.js", "one"), state("a.test.ts", "two"), "not input of the build");
        fs::remove_dir_all(&base).unwrap();
    }
}
