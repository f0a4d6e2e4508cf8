//! The child `archive`: brings old months of messages into the archive, once a day.

use madang_proto::Timestamp;
use madang_realtime::BoxError;
use madang_store::message_archive as store;

use crate::{app::App, error, nodes::leases, upkeep::Done};

/// Runs until the server stops.
///
/// # Errors
/// None: it is what a supervised child gives.
pub async fn run(app: App) -> Result<(), BoxError> {
    while let Some(now) = app.archive.time(&app).await {
        app.faults.point("archive");
        let result = tokio::select! {
            result = leases::alone(&app, "archive", archive(&app, now)) => result,
            () = app.shutdown.wait() => break,
        };
        app.archive.note(now, "archiving old messages", result);
    }
    Ok(())
}

async fn archive(app: &App, now: Timestamp) -> error::Result<Done> {
    let months = app.config.archive_months;
    if months == 0 {
        return Ok(Done::All);
    }
    let midway = || app.faults.point("archive-midway");
    let store::Moved { months, messages, more } = store::run(&app.db, now, months, &midway).await?;
    if months + messages > 0 {
        tracing::info!(months, messages, "archived");
    }
    Ok(if more { Done::Some } else { Done::All })
}
