//! `madang serve`.

use std::{io, path::PathBuf};

use anyhow::{Context, Result, anyhow};
use madang_server::{Config, Server};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use crate::{logging, settings};

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// File of settings; ./madang.toml is read when it is there.
    #[arg(long, env = settings::FILE_VARIABLE, value_name = "PATH")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Config,
}

/// Serves until a signal to stop, and stops in order; a second signal ends it at once.
pub async fn run(serve: Serve) -> Result<()> {
    let config = serve.settings;
    let traces = logging::init(&config)?;
    if let Some(file) = serve.config {
        tracing::info!(file = %file.display(), "settings");
    }
    let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
    let (data, database) = (config.data.display().to_string(), config.database_url.is_some());
    let limit = config.stop_limit();
    let server = Server::start(config).await?;
    let mut signals = Signals::new().context("signals of the system")?;
    let address = server.address();
    tracing::info!(%address, data, database = if database { "as set" } else { "SQLite in the data folder" }, "started");
    println!("Madang is at {scheme}://{}", logging::for_people(address));
    let result = tokio::select! {
        result = server.run() => result,
        () = signals.next() => Ok(()),
    };
    tracing::info!("stopping");
    let stop = async {
        // Where a part failed, nobody can be served until they are elsewhere.
        if result.is_ok() {
            server.drain().await;
        }
        server.stop().await;
    };
    tokio::select! {
        stopped = timeout(limit, stop) => stopped
            .map_err(|_| anyhow!("it did not stop within {} seconds, and was ended", limit.as_secs()))?,
        () = signals.next() => return Err(anyhow!("ended at once, by a second signal")),
    }
    traces.end();
    result.map_err(|e| anyhow!("{e}"))
}

/// The signals to stop: SIGTERM, and SIGINT, which is Ctrl-C.
#[cfg(unix)]
struct Signals([Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        let Self([terminate, interrupt]) = self;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// The signal to stop: Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
