//! Transfers: what is stored of a user or of a workspace as one file, and such a file read again.
//!
//! A transfer is a tar in gzip: `manifest.json`, then the parts (rows of tables as lines of JSON), then the bytes of
//! files. `docs/export-format.md` is the contract, `madang_store::transfer` says what is in the parts. `write`
//! makes one beside a running server; `import` takes one into an installation whose server is stopped.
//!
//! Invariants:
//! - A transfer is one snapshot of the database.
//! - Neither side holds a part or a file in memory.
//! - What comes from a transfer is believed as little as what comes from the network.

mod check;
mod import;
mod operator;
mod read;
mod seen;
mod write;

pub use import::{Imported, import};
pub use operator::{Exported, TransferError, WhatToExport, export_workspace, set_password};
pub use write::{Contents, write};

use serde::{Deserialize, Serialize};

use madang_proto::Timestamp;
use madang_store::transfer::{Row, Table};
use serde_json::Value;

/// The format that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// What the manifest is called.
const MANIFEST: &str = "manifest.json";
/// The folder of the bytes of files.
const FILES: &str = "files/";

/// The state of a file that is the picture of its user: it has a small one only.
const AVATAR: &str = "avatar";
/// The state of a file that is an emoji.
const EMOJI: &str = "emoji";

/// What a transfer is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// A user's own data; it is not imported.
    User,
    /// A workspace.
    Workspace,
}

/// A part, and how to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is called.
    pub name: String,
    /// Its lines.
    pub lines: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// What a transfer says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format.
    pub format: u32,
    /// What it is of.
    pub kind: TransferKind,
    /// The user or workspace.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether direct messages and groups are in it.
    pub direct: bool,
    /// Whether the bytes of files are in it.
    pub files: bool,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(table: &Table, row: &Row, column: &str) -> Option<i64> {
    table.place(column).and_then(|at| row.get(at)?.as_i64())
}

fn text<'a>(table: &Table, row: &'a Row, column: &str) -> Option<&'a str> {
    table.place(column).and_then(|at| row.get(at)?.as_str())
}

fn put(table: &Table, row: &mut Row, column: &str, value: Value) {
    if let Some(place) = table.place(column).and_then(|at| row.get_mut(at)) {
        *place = value;
    }
}
