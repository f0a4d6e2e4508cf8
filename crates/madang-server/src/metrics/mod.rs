//! What the server counts, and how it is now, for Prometheus: every metric by name, type and meaning.
//!
//! What happens is counted where it happens, by an atomic addition ([`Metrics`]); how things are is asked when
//! someone looks, of the same sources as `/health`. [`registry`] names all of it, `GET /metrics` is answered on an
//! address of its own ([`http`]). docs/operations.md has the table, which a test compares with a real answer.
//!
//! Invariants:
//! - Labels are bounded: no user, channel, address or path of a request is ever one.
//! - Nothing on the way of a message looks anything up or waits for whoever looks.

pub mod http;
mod process;
mod registry;
mod requests;

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::Duration,
};

use madang_proto::{Timestamp, close::CloseCode, error::ErrorCode};
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use self::requests::Requests;
pub use self::requests::measure;

/// Bounds of times of work, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Bounds of numbers of messages.
const MESSAGES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// A label, whose values are known.
type Label = (&'static str, &'static str);

/// What happened until now.
pub struct Metrics {
    started_at: Timestamp,
    messages: Counter,
    batch_messages: Histogram,
    batch_seconds: Histogram,
    connects: Family<[Label; 1], Counter>,
    disconnects: Family<[Label; 1], Counter>,
    requests: Requests,
    jobs: Family<[Label; 2], Counter>,
    /// Bytes of all files as they were counted last; below 0 while they were not.
    file_bytes: AtomicI64,
}

impl Metrics {
    /// Of a server that starts at this time.
    #[must_use]
    pub fn new(started_at: Timestamp) -> Self {
        let metrics = Self {
            started_at,
            messages: Counter::default(),
            batch_messages: Histogram::new(MESSAGES),
            batch_seconds: Histogram::new(SECONDS),
            connects: Family::default(),
            disconnects: Family::default(),
            requests: Requests::default(),
            jobs: Family::default(),
            file_bytes: AtomicI64::new(-1),
        };
        // What never happened shows as 0, so that the first time shows as a rise.
        let codes = CloseCode::ALL.map(close_code);
        for outcome in
            [OPENED, GONE, "rate_limited", "upgrade_required", "unavailable"].into_iter().chain(codes)
        {
            drop(metrics.connects.get_or_create(&[("outcome", outcome)]));
        }
        for reason in codes.into_iter().chain([GONE]) {
            drop(metrics.disconnects.get_or_create(&[("reason", reason)]));
        }
        metrics
    }

    /// The database answered a batch of messages.
    pub fn batch(&self, messages: usize, took: Duration) {
        self.batch_messages.observe(messages as f64);
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// So many messages were stored.
    pub fn stored(&self, messages: usize) {
        self.messages.inc_by(messages as u64);
    }

    /// Someone connected to the gateway and heard `READY`.
    pub fn opened(&self) {
        self.connects.get_or_create(&[("outcome", OPENED)]).inc();
    }

    /// A handshake was refused.
    pub fn refused(&self, code: ErrorCode) {
        self.connects.get_or_create(&[("outcome", refusal(code))]).inc();
    }

    /// A connection ended before it began; without a code by the client.
    pub fn not_opened(&self, code: Option<CloseCode>) {
        self.connects.get_or_create(&[("outcome", code.map_or(GONE, close_code))]).inc();
    }

    /// A connection that had begun ended; without a code by the client.
    pub fn closed(&self, code: Option<CloseCode>) {
        self.disconnects.get_or_create(&[("reason", code.map_or(GONE, close_code))]).inc();
    }

    /// An attempt of a job of this kind ended.
    pub fn job(&self, kind: &'static str, result: &'static str) {
        self.jobs.get_or_create(&[("kind", kind), ("result", result)]).inc();
    }

    /// All files have so many bytes.
    pub fn files(&self, bytes: i64) {
        self.file_bytes.store(bytes, Relaxed);
    }
}

const OPENED: &str = "opened";
/// The client said goodbye, or is gone.
const GONE: &str = "gone";

/// A reason for a handshake to be refused; one that is not among them is a fault.
const fn refusal(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::RateLimited => "rate_limited",
        ErrorCode::UpgradeRequired => "upgrade_required",
        ErrorCode::Unauthenticated => "unauthenticated",
        ErrorCode::Unavailable => "unavailable",
        _ => "fault",
    }
}

const fn close_code(code: CloseCode) -> &'static str {
    match code {
        CloseCode::Restarting => "restarting",
        CloseCode::Silent => "silent",
        CloseCode::TooSlow => "too_slow",
        CloseCode::Fault => "fault",
        CloseCode::TooManyFrames => "too_many_frames",
        CloseCode::Unauthenticated => "unauthenticated",
        CloseCode::SessionEnded => "session_ended",
        CloseCode::Protocol => "protocol",
        CloseCode::TooLarge => "too_large",
        CloseCode::NoHello => "no_hello",
        CloseCode::AccessEnded => "access_ended",
    }
}
