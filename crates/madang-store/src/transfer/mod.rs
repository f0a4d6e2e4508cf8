//! What leaves an installation and comes into one: rows of tables as lines of JSON, the same from both databases.
//!
//! [`SHARED`] and [`OWN`] say of each table what of it goes out, whose, and what a line may say when it comes back. A
//! table that is in neither nor in [`LEFT_OUT`], and a column that its table does not name, fail a test. `lines` reads,
//! `load` stores.
//!
//! Invariants:
//! - No hash of a password, no token and no code is in a line.
//! - The parts are in an order in which what a line refers to came before, but where the reader has to wait for it.
//! - What goes out of one database and into another goes out of that one as the same bytes.

mod checks;
mod columns;
mod lines;
mod load;
mod own;
mod tables;
#[cfg(test)]
mod tests;

pub use columns::{Column, Kind, Refers, Table};
pub use lines::{Lines, Scope, lines};
pub use load::{Person, Row, begin, insert, introduce, people, prepare, taken, taken_names};
pub use own::OWN;
pub use tables::{LEFT_OUT, SHARED};

use crate::{Result, Tx, db::all};

/// All that goes out, in the order of a transfer.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    SHARED.iter().chain(OWN)
}

/// The workspaces with this id or name.
///
/// # Errors
/// When the database fails.
pub async fn workspaces_called(tx: &mut Tx, called: &str) -> Result<Vec<(i64, String)>> {
    let id = called.parse().unwrap_or(0_i64);
    all!(
        tx,
        (i64, String),
        "SELECT id, name FROM workspaces WHERE id = $1 OR name = $2 ORDER BY id",
        id,
        called
    )
}
