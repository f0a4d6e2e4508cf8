//! Structured logs: text in a terminal, JSON otherwise; to standard error.

use std::{
    io::IsTerminal,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result};
use madang_server::{Config, config::LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging as the settings say.
pub fn init(config: &Config) -> Result<()> {
    let filter = EnvFilter::builder().parse(&config.log).with_context(|| {
        format!("--log {:?}: expected a level such as info, or info,madang_server=debug", config.log)
    })?;
    let json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        builder.json().flatten_event(true).init();
    } else {
        builder.with_target(false).init();
    }
    Ok(())
}

/// An address as one types it: a server that listens everywhere is also at localhost.
pub fn for_people(address: SocketAddr) -> String {
    let local = address.ip().is_loopback() || address.ip().is_unspecified();
    match address.ip() {
        IpAddr::V4(ip) if ip == Ipv4Addr::LOCALHOST || local => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}
