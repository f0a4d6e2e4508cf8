//! What the machine itself can do, measured on the spot, so that the server's figures can be held against
//! something: writes to very many sockets ([`sockets`]), commits, inserts and pages (`disk`).

mod disk;
pub mod sockets;

use std::{path::PathBuf, time::Duration};

use clap::value_parser;
use serde::Serialize;

use crate::{Error, measure::Latency, progress::Progress, report::align};

/// A part of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Writes to sockets.
    Sockets,
    /// Commits, inserts and pages.
    Disk,
}

/// What it takes.
#[derive(Debug, clap::Args)]
pub struct Flags {
    /// Measure this part only.
    #[arg(long, value_enum)]
    pub only: Option<Part>,

    /// Sockets that are written to [default: 15000, 500 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=60_000))]
    pub connections: Option<u32>,

    /// Messages joined in one write; each number is measured.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32", value_parser = value_parser!(u32).range(1..=1_000))]
    pub joined: Vec<u32>,

    /// Bytes of a message on the wire: what a load test shows as bytes per delivery.
    #[arg(long, default_value_t = 590, value_parser = value_parser!(u32).range(1..=65_536))]
    pub frame_bytes: u32,

    /// Rows of one commit; each number is measured.
    #[arg(long, value_delimiter = ',', default_value = "1,64,512", value_parser = value_parser!(u32).range(1..=5_000))]
    pub rows: Vec<u32>,

    /// Bytes of a row's content.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u16).range(1..=4096))]
    pub size: u16,

    /// Seconds for each measurement [default: 5, 1 with --quick].
    #[arg(long, value_parser = value_parser!(u64).range(1..=60))]
    pub seconds: Option<u64>,

    /// Folder on the disk that is measured; the server's data folder is on the right one.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub folder: PathBuf,

    /// A PostgreSQL database to measure too; a table is made in it and removed.
    #[arg(long, value_name = "URL", hide_env_values = true, env = "MADANG_FLOOR_DATABASE_URL")]
    pub database_url: Option<String>,

    /// Smaller defaults.
    #[arg(long)]
    pub quick: bool,

    /// Write the figures as JSON to this file; `-` is the standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Writes of so many messages at a time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Writes {
    pub joined: u32,
    pub deliveries_per_second: f64,
    /// CPU of the thread that writes, kernel included.
    pub cpu_us_per_delivery: f64,
}

/// Commits of so many rows.
#[derive(Debug, Clone, Serialize)]
pub struct Inserts {
    pub database: &'static str,
    pub rows: u32,
    pub rows_per_second: f64,
    pub commit: Latency,
}

/// Pages of 50 rows.
#[derive(Debug, Clone, Serialize)]
pub struct Pages {
    pub database: &'static str,
    pub of_rows: i64,
    pub pages_per_second: f64,
}

/// All that was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    pub connections: usize,
    pub frame_bytes: u32,
    pub writes: Vec<Writes>,
    /// One small write and `fdatasync`.
    pub sync: Option<Latency>,
    pub syncs_per_second: Option<f64>,
    pub inserts: Vec<Inserts>,
    pub pages: Vec<Pages>,
}

/// Measures everything.
///
/// # Errors
/// When the system or a database refuses.
pub async fn run(flags: &Flags) -> Result<Found, Error> {
    let progress = Progress::default();
    let connections = flags.connections.unwrap_or(if flags.quick { 500 } else { 15_000 }) as usize;
    let each = Duration::from_secs(flags.seconds.unwrap_or(if flags.quick { 1 } else { 5 }));
    let wanted = |part| flags.only.is_none_or(|only| only == part);
    let blocking = |e: tokio::task::JoinError| Error::Protocol(e.to_string());
    let mut found = Found { connections, frame_bytes: flags.frame_bytes, ..Found::default() };
    if wanted(Part::Sockets) {
        let writing =
            sockets::Writing { connections, frame: flags.frame_bytes, joined: flags.joined.clone(), each };
        progress.line(|| format!("{connections} sockets"));
        found.writes =
            tokio::task::spawn_blocking(move || sockets::write(&writing)).await.map_err(blocking)??;
    }
    if !wanted(Part::Disk) {
        progress.clear();
        return Ok(found);
    }
    let folder = flags.folder.clone();
    let (sync, syncs_per_second) =
        tokio::task::spawn_blocking(move || disk::sync(&folder, each)).await.map_err(blocking)??;
    (found.sync, found.syncs_per_second) = (Some(sync), Some(syncs_per_second));
    disk::sqlite(flags, each, &mut found).await?;
    if let Some(url) = &flags.database_url {
        disk::database(url, flags, each, &mut found).await?;
    }
    progress.clear();
    Ok(found)
}

impl Found {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let show = |l: &Latency| format!("{:.1} / {:.1} / {:.1} ms", l.p50_ms, l.p99_ms, l.max_ms);
        let mut rows =
            vec![("sockets".to_owned(), format!("{}, messages of {} B", self.connections, self.frame_bytes))];
        rows.extend(self.writes.iter().map(|w| {
            let name = format!("{} messages a write", w.joined);
            (
                name,
                format!(
                    "{:.2} µs CPU a delivery, {:.0} deliveries/s",
                    w.cpu_us_per_delivery, w.deliveries_per_second
                ),
            )
        }));
        rows.extend(self.sync.as_ref().map(|sync| {
            let a_second = self.syncs_per_second.unwrap_or_default();
            ("fdatasync p50 / p99 / max".to_owned(), format!("{}, {a_second:.0}/s", show(sync)))
        }));
        rows.extend(self.inserts.iter().map(|i| {
            let name = format!("{}, {} rows a commit", i.database, i.rows);
            (name, format!("{:.0} rows/s, commit {}", i.rows_per_second, show(&i.commit)))
        }));
        rows.extend(self.pages.iter().map(|p| {
            (
                format!("{}, pages of 50", p.database),
                format!("{:.0}/s, among {} rows", p.pages_per_second, p.of_rows),
            )
        }));
        align("floor", &rows)
    }
}
