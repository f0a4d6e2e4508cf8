//! Spans: what a trace shows of the server's work. They are made only where someone collects them (`madang/traces.rs`)
//! and are no part of the log.
//!
//! Invariants:
//! - Attributes are the same closed sets as the labels of metrics: no content, no token, no id, no path of a request.

use tracing::{Span, field::Empty, trace_span};

use madang_proto::Command;

/// A request over HTTP, by the template of its route.
pub fn request(method: &str, route: &str) -> Span {
    trace_span!(
        target: madang_store::SPANS,
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty
    )
}

/// The request of this span was answered.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
}

/// A command of the gateway.
pub fn command(command: &Command) -> Span {
    trace_span!(target: madang_store::SPANS, "command", otel.name = command.kind(), otel.kind = "server")
}

/// An attempt of a job.
pub fn job(kind: &'static str) -> Span {
    trace_span!(target: madang_store::SPANS, "job", otel.name = format_args!("job {kind}"))
}
