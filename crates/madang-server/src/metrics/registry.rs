//! The name, type and meaning of every metric, and where its value comes from.
//!
//! A registry is made each time someone looks: what is counted is shared with [`Metrics`](super::Metrics), the rest
//! is asked of its source then.

use std::{fmt::Debug, sync::atomic::Ordering::Relaxed};

use madang_realtime::{
    DELAYS, Delivered,
    bus::BusHealth,
    supervise::{ChildState, ChildStatus},
};
use prometheus_client::{
    encoding::{EncodeCounterValue, EncodeGaugeValue, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        info::Info,
    },
    registry::Registry,
};

use super::process::{Process, disk};
use crate::app::App;

/// Everything as it is now. Whether the database answers was asked before.
pub fn all(app: &App, database_up: bool) -> Registry {
    let mut all = All(Registry::default());
    let build = [("version", env!("CARGO_PKG_VERSION")), ("database", app.db.name())];
    all.0.register("chat_build", "What runs", Info::new(build));
    conversation(&mut all, app);
    database(&mut all, app, database_up);
    work(&mut all, app);
    machine(&mut all, app);
    all.0
}

/// Messages, connections, requests.
fn conversation(all: &mut All, app: &App) {
    let (counted, hub, delivered) = (&app.metrics, app.hub.stats(), app.hub.delivered());
    all.0.register("chat_messages", "Messages that were stored", counted.messages.clone());
    all.gauge("chat_connections_active", "Connections to the gateway", hub.connections);
    all.gauge("chat_channels_active", "Channels that somebody hears", hub.channels);
    all.counter("chat_deliveries", "Events that were given to connections", delivered.frames);
    all.0.register(
        "chat_broadcast_latency",
        "Seconds from the commit of a change until one shard has given it to all of its connections that hear it",
        Delays(delivered),
    );
    let help = "Attempts to connect to the gateway, by what came of it";
    all.0.register("chat_connects", help, counted.connects.clone());
    let help = "Connections to the gateway that ended, by the reason";
    all.0.register("chat_disconnects", help, counted.disconnects.clone());
    all.gauge("chat_hub_queued", "Events that wait for their turn to be given out", hub.queued);
    all.gauge("chat_hub_held", "Events that wait for those before them", hub.held);
    all.flag("chat_bus_up", "Whether the other nodes are reached", app.bus.health() == BusHealth::Up);
    let bus = app.bus.stats();
    all.counter("chat_bus_published", "Messages to other nodes that were sent", bus.published);
    all.counter("chat_bus_received", "Messages of other nodes that came", bus.received);
    all.counter("chat_bus_dropped", "Messages to other nodes that were not sent", bus.dropped);
    let help = "What came over the bus and was not of this cluster, or not to be read";
    all.counter("chat_bus_refused", help, bus.refused + bus.unknown);
    all.counter("chat_bus_reconnects", "How often the bus came up again", bus.reconnects);
    all.gauge("chat_bus_topics", "Topics of which this node hears from others", bus.topics);
    all.gauge("chat_bus_queued_bytes", "Bytes that wait to be sent to other nodes", bus.queued_bytes);
    let requests = &counted.requests;
    all.0.register("chat_http_requests", "Requests that were answered", requests.answered.clone());
    let help = "Seconds from a request to the beginning of its answer";
    all.0.register("chat_http_request_duration_seconds", help, requests.seconds.clone());
}

/// The database, and the writer of messages.
fn database(all: &mut All, app: &App, up: bool) {
    let (counted, begun) = (&app.metrics, app.db.begun());
    all.flag("chat_database_up", "Whether the database answers", up);
    let usage = app.db.usage();
    let pools = |value: fn(&madang_store::Usage) -> usize| {
        usage.iter().map(move |usage| (usage.pool.to_owned(), value(usage) as u64)).collect::<Vec<_>>()
    };
    let help = "Connections to the database that are in use";
    all.gauges("chat_database_connections_in_use", help, "pool", pools(|pool| pool.in_use));
    let help = "Connections to the database that are open and wait";
    all.gauges("chat_database_connections_idle", help, "pool", pools(|pool| pool.idle));
    let help = "Connections to the database that there may be";
    all.gauges("chat_database_connections_max", help, "pool", pools(|pool| pool.most));
    all.counter("chat_database_transactions", "Transactions that began", begun.transactions);
    let help = "Seconds that transactions waited for a connection and to begin";
    all.counter("chat_database_wait_seconds", help, begun.waited.as_secs_f64());
    all.gauge("chat_writer_waiting", "Messages that wait to be stored", app.writer.waiting());
    all.gauge("chat_writer_writing", "Messages that are being stored", app.writer.writing());
    let help = "Messages that were stored by one transaction";
    all.0.register("chat_writer_batch_messages", help, counted.batch_messages.clone());
    let help = "Seconds until a transaction of messages was stored, or failed";
    all.0.register("chat_writer_batch_duration_seconds", help, counted.batch_seconds.clone());
}

/// Children, jobs, search, files.
fn work(all: &mut All, app: &App) {
    let children = app.supervisor.status();
    let each = |value: fn(&ChildStatus) -> u64| {
        children.iter().map(|child| (child.name.clone(), value(child))).collect::<Vec<_>>()
    };
    let help = "Whether a supervised part works";
    all.gauges("chat_child_up", help, "child", each(|child| (child.state == ChildState::Running).into()));
    let help = "How often a supervised part panicked or failed";
    all.counters("chat_child_faults", help, "child", each(|child| child.faults));
    let help = "How often a supervised part was started again";
    all.counters("chat_child_restarts", help, "child", each(|child| child.restarts));
    all.gauge("chat_jobs_running", "Jobs that are being done", app.jobs.running());
    all.gauge("chat_jobs_due", "Jobs that were due at the last look, up to 1,000", app.jobs.due());
    let help = "Seconds by which the job that waits longest is late";
    all.gauge("chat_jobs_late_seconds", help, app.jobs.late(app.now()) as f64 / 1_000.0);
    all.gauge("chat_jobs_dead", "Jobs that failed too often", app.jobs.dead());
    let help = "Attempts of jobs, by kind and by what came of it";
    all.0.register("chat_jobs_attempts", help, app.metrics.jobs.clone());
    if let Some(behind) = app.indexing.behind() {
        all.gauge("chat_search_behind", "Changes that are stored and cannot be found yet", behind);
    }
    all.flag("chat_files_up", "Whether the storage of files answers", app.storage.is_well());
    let bytes = app.metrics.file_bytes.load(Relaxed);
    if bytes >= 0 {
        all.gauge("chat_files_bytes", "Bytes of all files, as counted within the last hour", bytes);
    }
    let kept = app.retention.is_well() && app.archive.is_well();
    all.flag("chat_upkeep_up", "Whether retention and archiving went well the last time", kept);
}

/// The process and its disk.
fn machine(all: &mut All, app: &App) {
    if let Some((free, size)) = disk(&app.config.data) {
        all.gauge("chat_disk_free_bytes", "Bytes that are free on the disk of the data folder", free);
        all.gauge("chat_disk_size_bytes", "Bytes of the disk of the data folder", size);
    }
    let started = app.metrics.started_at.millis() as f64 / 1_000.0;
    all.gauge("process_start_time_seconds", "When the process started, in Unix time", started);
    if let Some(process) = Process::now() {
        let help = "Bytes of memory that the process takes";
        all.gauge("process_resident_memory_bytes", help, process.resident_bytes);
        let help = "Seconds of processors that the process took";
        all.counter("process_cpu_seconds", help, process.cpu_seconds);
        all.gauge("process_open_fds", "Open files, sockets among them", process.open_files);
        all.gauge("process_max_fds", "How many files may be open", process.most_files);
    }
}

/// All of them, as they are put together.
struct All(Registry);

impl All {
    fn gauge<N: EncodeGaugeValue + Debug + Send + Sync + 'static>(
        &mut self,
        name: &str,
        help: &str,
        value: N,
    ) {
        self.0.register(name, help, ConstGauge::new(value));
    }

    fn flag(&mut self, name: &str, help: &str, value: bool) {
        self.gauge(name, help, u32::from(value));
    }

    fn counter<N: EncodeCounterValue + Debug + Send + Sync + 'static>(
        &mut self,
        name: &str,
        help: &str,
        value: N,
    ) {
        self.0.register(name, help, ConstCounter::new(value));
    }

    fn gauges(&mut self, name: &str, help: &str, label: &'static str, values: Vec<(String, u64)>) {
        let family = Family::<[(&str, String); 1], Gauge>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of)]).set(value.cast_signed());
        }
        self.0.register(name, help, family);
    }

    fn counters(&mut self, name: &str, help: &str, label: &'static str, values: Vec<(String, u64)>) {
        let family = Family::<[(&str, String); 1], Counter>::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of)]).inc_by(value);
        }
        self.0.register(name, help, family);
    }
}

/// The delays of deliveries.
#[derive(Debug)]
struct Delays(Delivered);

impl EncodeMetric for Delays {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Delivered { delays, total, .. } = &self.0;
        let bounds = DELAYS.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(delays.iter().copied()).collect();
        encoder.encode_histogram::<NoLabelSet>(total.as_secs_f64(), delays.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
