//! `GET /health`: whether the server lives and can do its work, each part by name.

use axum::{extract::State, http::StatusCode};
use madang_realtime::{
    bus::BusHealth,
    supervise::{ChildState, ChildStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Json;
use crate::app::App;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` when a part is away.
    status: &'static str,
    /// Always true when there is an answer.
    live: bool,
    /// Whether it can take requests; with 503 when not.
    ready: bool,
    /// Version of the server.
    version: &'static str,
    /// `sqlite` or `postgres`.
    database: Part,
    /// The way between nodes.
    bus: Part,
    /// Connections to the gateway.
    connections: usize,
    /// Messages that wait to be stored.
    writer_waiting: usize,
    /// The supervised parts.
    children: Vec<Child>,
}

/// One part.
#[derive(Debug, Serialize, ToSchema)]
struct Part {
    /// What it is.
    kind: &'static str,
    /// Whether it answers.
    up: bool,
}

/// One supervised part.
#[derive(Debug, Serialize, ToSchema)]
struct Child {
    /// Its name; `http`, `connections` and `changes` stand for all tasks of the kind.
    name: String,
    /// `running`, `restarting`, `stopped` or `failed`.
    state: &'static str,
    /// How often it was started again.
    restarts: u64,
    /// How often it panicked or failed.
    faults: u64,
}

impl From<ChildStatus> for Child {
    fn from(child: ChildStatus) -> Self {
        let state = match child.state {
            ChildState::Running => "running",
            ChildState::Restarting => "restarting",
            ChildState::Stopped => "stopped",
            ChildState::Failed => "failed",
        };
        // The error itself may tell inner things; it is in the log.
        Self { name: child.name, state, restarts: child.restarts, faults: child.faults }
    }
}

/// Health of the server.
#[utoipa::path(get, path = "/health", tag = "server",
    responses((status = 200, body = Health, description = "Ready"), (status = 503, body = Health, description = "Not ready")))]
pub async fn show(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let database = app.db.ping().await.is_ok();
    let bus = app.bus.health() == BusHealth::Up;
    let ready = database && !app.shutdown.is_shutting_down();
    let health = Health {
        status: if ready && bus { "ok" } else { "degraded" },
        live: true,
        ready,
        version: env!("CARGO_PKG_VERSION"),
        database: Part { kind: app.db.name(), up: database },
        bus: Part { kind: "local", up: bus },
        connections: app.hub.stats().connections,
        writer_waiting: app.writer.waiting(),
        children: app.supervisor.status().into_iter().map(Child::from).collect(),
    };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}
