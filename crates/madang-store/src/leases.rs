//! Leases: work that one node does at a time. Who claims one has it for a while, and again as long as they claim it anew;
//! whoever crashed has it until it ends. SQLite has one node, which has all of them.
//!
//! Invariants:
//! - No two have a lease at the same time, by the database's clock.

use std::time::Duration;

use crate::{
    Db, Result,
    kept::ask,
    nodes::{millis, now},
};

/// Claims a lease for so long from now, also when one has it. False while another has it.
///
/// # Errors
/// When the database fails.
pub async fn claim(db: &Db, name: &str, node: i64, lease: Duration) -> Result<bool> {
    let Db::Postgres { kept, .. } = db else { return Ok(true) };
    let claim = concat!(
        "INSERT INTO leases (name, node, ends_at) VALUES ($1, $2, ",
        now!(),
        " + $3) ON CONFLICT (name) DO UPDATE SET node = excluded.node, ends_at = excluded.ends_at
         WHERE leases.node = excluded.node OR leases.ends_at < ",
        now!()
    );
    let claimed = ask!(kept, c => sqlx::query(claim).bind(name).bind(node).bind(millis(lease)).execute(c))?;
    Ok(claimed.rows_affected() == 1)
}

/// Gives a lease back.
///
/// # Errors
/// When the database fails; then it ends by itself.
pub async fn release(db: &Db, name: &str, node: i64) -> Result<()> {
    let Db::Postgres { kept, .. } = db else { return Ok(()) };
    let release = "DELETE FROM leases WHERE name = $1 AND node = $2";
    ask!(kept, c => sqlx::query(release).bind(name).bind(node).execute(c))?;
    Ok(())
}
