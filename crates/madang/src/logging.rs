//! Structured logs: text in a terminal, JSON otherwise; to standard error.

use std::{
    io::IsTerminal,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result};
use madang_server::{Config, SPANS, config::LogFormat};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::traces::Traces;

/// Starts logging, and traces where they are asked for, as the settings say.
pub fn init(config: &Config) -> Result<Traces> {
    let filter = EnvFilter::builder().parse(&config.log).with_context(|| {
        format!("--log {:?}: expected a level such as info, or info,madang_server=debug", config.log)
    })?;
    let json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let traces = Traces::to(config.otlp_endpoint.as_deref())?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines =
        if json { lines.json().flatten_event(true).boxed() } else { lines.with_target(false).boxed() };
    // The log is as it would be without traces: spans are on their way there only.
    let spans = filter_fn(|metadata| metadata.target() != SPANS);
    tracing_subscriber::registry().with(lines.with_filter(filter.and(spans))).with(traces.layer()).init();
    Ok(traces)
}

/// An address as one types it: a server that listens everywhere is also at localhost.
pub fn for_people(address: SocketAddr) -> String {
    let local = address.ip().is_loopback() || address.ip().is_unspecified();
    match address.ip() {
        IpAddr::V4(ip) if ip == Ipv4Addr::LOCALHOST || local => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
