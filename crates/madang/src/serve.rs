//! `madang serve`.

use std::path::PathBuf;

use anyhow::Result;
use madang_server::{Config, Server};

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

/// Serves until a signal to stop.
pub async fn run(serve: Serve) -> Result<()> {
    let config = serve.settings;
    let traces = logging::init(&config)?;
    if let Some(file) = serve.config {
        tracing::info!(file = %file.display(), "settings");
    }
    let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
    let (data, database) = (config.data.display().to_string(), config.database_url.is_some());
    let server = Server::start(config).await?;
    let address = server.address();
    tracing::info!(%address, data, database = if database { "as set" } else { "SQLite in the data folder" }, "started");
    println!("Madang is at {scheme}://{}", logging::for_people(address));
    let result = tokio::select! {
        result = server.run() => result,
        () = signal() => Ok(()),
    };
    tracing::info!("stopping");
    server.stop().await;
    traces.end();
    result.map_err(|e| anyhow::anyhow!("{e}"))
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
