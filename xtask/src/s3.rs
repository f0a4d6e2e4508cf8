//! The program that the tests of files take for a bucket: `s3s-fs`, built once into the target folder. The tests
//! start and stop it themselves.

use std::path::PathBuf;

use anyhow::Result;

use crate::{child, report, tools};

/// The newest that our compiler builds.
const VERSION: &str = "0.14.1";

/// The program, built when it is not there.
pub fn program() -> Result<PathBuf> {
    let folder = tools::target_dir()?.join(format!("tools/s3s-fs-{VERSION}"));
    let program = folder.join("bin/s3s-fs");
    if !tools::is_program(&program) {
        report::step("cargo install s3s-fs (once, some minutes)", || {
            let install = ["install", "--locked", "--features", "binary", "--root"];
            child::run(tools::cargo().args(install).arg(&folder).arg(format!("s3s-fs@{VERSION}")))
        })?;
    }
    Ok(program)
}

/// The command for a person.
pub fn help() -> String {
    format!("cargo install --locked --features binary --root target/tools/s3s-fs-{VERSION} s3s-fs@{VERSION}")
}
