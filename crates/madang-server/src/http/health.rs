//! `GET /health`: whether the server lives and can do its work, each part by name.

use axum::{extract::State, http::StatusCode};
use madang_proto::Timestamp;
use madang_realtime::{
    bus::BusHealth,
    supervise::{ChildState, ChildStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Json;
use crate::{app::App, upkeep::Upkeep};

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `degraded` when a part is away, or `draining` when the server is about to stop.
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
    /// The certificate of HTTPS; not there where that is left to a proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Certificate>,
    /// Connections to the gateway.
    connections: usize,
    /// Messages that wait to be stored.
    writer_waiting: usize,
    /// Messages that are being stored.
    writer_writing: usize,
    /// Where files are kept.
    files: Part,
    /// Search in messages.
    search: Index,
    /// Work that is done later.
    jobs: Work,
    /// Removing messages that are too old, once a day.
    retention: Daily,
    /// Archiving old months, once a day.
    archive: Daily,
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

/// The index of search, which follows what is stored.
#[derive(Debug, Serialize, ToSchema)]
struct Index {
    /// Changes that are stored and not found yet; not there until it has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<i64>,
}

/// Work that is done later.
#[derive(Debug, Serialize, ToSchema)]
struct Work {
    /// Jobs that are being done.
    running: usize,
    /// Seconds by which the job that waits longest is late.
    late_seconds: i64,
    /// Jobs that failed too often and are kept to be looked at.
    dead: i64,
}

/// Work that is done once a day.
#[derive(Debug, Serialize, ToSchema)]
struct Daily {
    /// Whether the last time went well; it is tried again.
    up: bool,
    /// When all was done last; not there until it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
}

impl From<&Upkeep> for Daily {
    fn from(upkeep: &Upkeep) -> Self {
        Self { up: upkeep.is_well(), done_at: upkeep.done_at() }
    }
}

/// The certificate of HTTPS.
#[derive(Debug, Serialize, ToSchema)]
struct Certificate {
    /// Whether the files can be served and the certificate is valid.
    up: bool,
    /// When the certificate in use ends.
    expires_at: Timestamp,
}

/// One supervised part.
#[derive(Debug, Serialize, ToSchema)]
struct Child {
    /// Its name; `http`, `connections`, `changes` and `work` stand for all tasks of the kind.
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
    let database = app.db.is_there();
    let bus = app.bus.health() == BusHealth::Up;
    let tls = app.tls.as_ref().map(|tls| tls.condition(app.now()));
    let kept = app.retention.is_well() && app.archive.is_well();
    let well = bus && kept && app.storage.is_well() && tls.is_none_or(|tls| tls.well);
    let draining = app.draining.is_shutting_down();
    let ready = database && !draining;
    let health = Health {
        status: match (draining, ready && well) {
            (true, _) => "draining",
            (false, true) => "ok",
            (false, false) => "degraded",
        },
        live: true,
        ready,
        version: env!("CARGO_PKG_VERSION"),
        database: Part { kind: app.db.name(), up: database },
        bus: Part { kind: if app.relay.is_some() { "redis" } else { "local" }, up: bus },
        tls: tls.map(|tls| Certificate { up: tls.well, expires_at: tls.expires_at }),
        connections: app.hub.stats().connections,
        writer_waiting: app.writer.waiting(),
        writer_writing: app.writer.writing(),
        files: Part { kind: app.storage.kind(), up: app.storage.is_well() },
        search: Index { behind: app.indexing.behind() },
        jobs: Work {
            running: app.jobs.running(),
            late_seconds: app.jobs.late(app.now()) / 1_000,
            dead: app.jobs.dead(),
        },
        retention: (&app.retention).into(),
        archive: (&app.archive).into(),
        children: app.supervisor.status().into_iter().map(Child::from).collect(),
    };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}
