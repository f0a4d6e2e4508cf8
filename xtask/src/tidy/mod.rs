//! `cargo xtask tidy`: the laws of this repository that a program can judge.
//!
//! How: the tree is read once (what git tracks, and what it would track); each rule is a pure function from
//! the tree to violations, in a file of its own, with its tests beside it.
//!
//! Invariants:
//! - A violation names path, line and what to do about it.
//! - The laws hold for the sources of the rules too; what they look for is written so that it does not find
//!   itself.

mod docs;
mod edges;
mod markers;
mod migrations;
mod shape;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{child, report, tools};

/// Every file's path from the root, with `/`, and its text; for files that are not text, nothing.
type Tree = BTreeMap<String, String>;

/// One place that breaks a law. Lines count from 1.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl Violation {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// `cargo xtask tidy`.
pub fn check_and_say() -> Result<bool> {
    check()?;
    report::say("the tree is tidy");
    Ok(true)
}

/// An error that lists every violation in the working tree.
pub fn check() -> Result<()> {
    let violations = violations(&read(&tools::root())?);
    if violations.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = violations.iter().map(|v| format!("\n  {v}")).collect();
    bail!("{} places break the laws of the repository:{}", lines.len(), lines.concat());
}

fn violations(tree: &Tree) -> Vec<Violation> {
    let rules = [shape::check, edges::check, migrations::check, docs::check, markers::check];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

fn read(root: &Path) -> Result<Tree> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = child::output(Command::new("git").args(arguments).current_dir(root))
        .context("tidy looks at what git tracks, so it needs a clone and git")?;
    let mut tree = Tree::new();
    for name in names.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let name = String::from_utf8_lossy(name).into_owned();
        // A file that was removed but not yet committed so is not in the tree any more.
        if let Ok(bytes) = std::fs::read(root.join(&name)) {
            tree.insert(name, String::from_utf8(bytes).unwrap_or_default());
        }
    }
    Ok(tree)
}

/// Written by a program: judged where it is generated, not here.
fn is_generated(path: &str) -> bool {
    path.contains(".gen.") || path == "docs/openapi.json" || path.ends_with("package-lock.json")
}

fn is_test(path: &str) -> bool {
    let in_folder = |folder: &str| path.split('/').rev().skip(1).any(|part| part == folder);
    let named = |mark: &str| path.ends_with(&format!("{mark}.ts")) || path.ends_with(&format!("{mark}.tsx"));
    in_folder("tests") || in_folder("e2e") || named(".test") || named(".spec")
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of these files.
    pub fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    /// `path:line` of each violation.
    pub fn places(violations: &[Violation]) -> Vec<String> {
        violations.iter().map(|v| format!("{}:{}", v.path, v.line)).collect()
    }

    #[test]
    fn the_tree_is_tidy() {
        if let Err(error) = check() {
            panic!("{error:#}");
        }
    }

    #[test]
    fn the_tree_is_read() {
        let tree = read(&tools::root()).unwrap();
        assert!(tree["xtask/src/tidy/mod.rs"].starts_with("//!"));
        assert!(tree.keys().all(|p| !p.starts_with("target/") && !p.contains("node_modules/")));
    }

    #[test]
    fn what_is_a_test() {
        for path in
            ["crates/a/tests/it/main.rs", "web/e2e/chat.ts", "web/src/a.test.tsx", "web/src/a.spec.ts"]
        {
            assert!(is_test(path), "{path}");
        }
        for path in ["crates/a/src/tests.rs", "web/src/e2e.ts", "web/src/latest.ts"] {
            assert!(!is_test(path), "{path}");
        }
    }
}
