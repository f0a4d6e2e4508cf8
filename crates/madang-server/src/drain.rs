//! Draining: how a node leaves others, so that whoever is connected goes on there and notices little.
//!
//! From its beginning `/health` is not ready, and what would last is not begun ([`refuse`]): its client goes elsewhere. After the
//! lead, in which load balancers look at `/health`, those who are connected are asked to come back, over some
//! seconds. All else is served meanwhile, and stops after it ([`Server::stop`](crate::Server::stop)). A server that is
//! alone has nobody to hand over to, and waits for nothing.
//!
//! Invariants:
//! - Draining breaks off no request, and takes no longer than the lead and [`COME_BACK_WITHIN`].

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use madang_store::nodes as store;
use tokio::time::{sleep, timeout};

use crate::{
    app::App,
    cluster::{self, COME_BACK_WITHIN},
    config::Config,
    error::{Error, Result},
};

/// How long the database may take to say who else there is; then there may be others.
const OTHERS_WITHIN: Duration = Duration::from_secs(1);
/// What a stop keeps of [`Config::shutdown_seconds`], to store and tell what is left and to give back what was not done.
const LAST: Duration = Duration::from_secs(1);
/// How long it may take, after all requests ended, to give the node's number back and to close the database.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

impl Config {
    /// How long draining and stopping may take in all; what waits for the process to end has to wait longer.
    #[must_use]
    pub const fn stop_limit(&self) -> Duration {
        let waits = OTHERS_WITHIN.as_secs() + COME_BACK_WITHIN.as_secs() + CLOSE_WITHIN.as_secs();
        Duration::from_secs(self.drain_seconds + self.shutdown_seconds + waits)
    }
}

/// Has whoever is connected go to other nodes, where there are any; returns when all were asked.
pub async fn drain(app: &App) {
    app.draining.signal();
    if has_others(app).await {
        tracing::info!(
            seconds = app.config.drain_seconds,
            "draining: clients are asked to go to other nodes"
        );
        sleep(Duration::from_secs(app.config.drain_seconds)).await;
        cluster::come_back(app).await;
    }
}

async fn has_others(app: &App) -> bool {
    if app.node.is_alone() {
        return false;
    }
    match timeout(OTHERS_WITHIN, store::list(&app.db)).await {
        Ok(Ok(all)) => all.iter().any(|node| node.is_alive() && node.id != app.node.id()),
        Ok(Err(_)) | Err(_) => true,
    }
}

/// Waits until the server stops and has no more time for requests and jobs.
pub async fn out_of_time(app: &App) {
    app.shutdown.wait().await;
    sleep(Duration::from_secs(app.config.shutdown_seconds).saturating_sub(LAST)).await;
}

/// Refuses what would last, where the server is about to leave.
///
/// # Errors
/// `Unavailable`, then.
pub fn refuse(app: &App) -> Result<()> {
    if app.draining.is_shutting_down() {
        return Err(Error::Unavailable("this server is about to stop".to_owned()));
    }
    Ok(())
}

/// The layer of all routes: nothing more is asked over a connection over which a server answered that is about to stop,
/// lest it is asked in the moment in which that is closed.
pub async fn say_last(State(app): State<App>, mut response: Response) -> Response {
    if app.draining.is_shutting_down() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The layer of routes whose bodies are streams: refuses those that bring one.
pub async fn refuse_uploads(State(app): State<App>, request: Request, next: Next) -> Response {
    match refuse(&app) {
        Err(error) if !request.method().is_safe() => error.into_response(),
        _ => next.run(request).await,
    }
}
