//! The pulse of the database, asked for again and again: `/health` and whoever wants to begin something know at once that it
//! is away, and a load balancer sends nobody to a node that lost it.
//!
//! Invariants:
//! - It is asked for as long as anything may be written.

use std::time::Duration;

use madang_realtime::BoxError;
use tokio::time::sleep;

use crate::{
    app::App,
    error::{Error, Result},
};

/// How long until it is asked for again; sooner where there was none.
const EVERY: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_millis(250);

/// The child `pulse`: asks for it.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> std::result::Result<(), BoxError> {
    if app.db.sqlite_path().is_some() {
        app.unused.wait().await;
        return Ok(());
    }
    loop {
        let pause = if app.db.is_there() { EVERY } else { SOON };
        tokio::select! {
            () = sleep(pause) => {}
            () = app.unused.wait() => return Ok(()),
        }
        app.faults.point("pulse");
        match (app.db.is_there(), app.db.beat().await) {
            (true, false) => tracing::warn!("the database does not answer"),
            (false, true) => tracing::info!("the database answers again"),
            (true, true) | (false, false) => {}
        }
    }
}

/// Refuses a connection that another node may begin, where this one lost the database.
///
/// # Errors
/// `Unavailable`, then.
pub fn refuse(app: &App) -> Result<()> {
    if app.relay.is_some() && !app.db.is_there() {
        return Err(Error::Unavailable("this node does not reach the database".to_owned()));
    }
    Ok(())
}
