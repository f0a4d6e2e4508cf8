//! `madang admin`: what operators and builds ask for.

use anyhow::{Context, Result};
use clap::{CommandFactory, Subcommand};
use madang_server::{Config, admin};

use crate::{
    migrate::Migrate,
    settings,
    transfer::{Export, Import, SetPassword},
};

/// What `admin` can do.
#[derive(Subcommand)]
pub enum Admin {
    /// Show which migrations the database has.
    MigrateStatus(Box<Config>),
    /// Ask the server of these settings, on this machine, whether it is ready; exit with 1 when not.
    Health(Box<Config>),
    /// List the servers that share the database.
    Nodes(Box<Config>),
    /// Index all messages for search anew; a running server begins with it within a minute.
    Reindex(Box<Config>),
    /// Look after the archive of old messages.
    #[command(subcommand)]
    Archive(Archive),
    /// Look after the removal of messages that are kept long enough.
    #[command(subcommand)]
    Retention(Retention),
    /// Write all of a workspace into a file, while the server runs.
    Export(Box<Export>),
    /// Take a workspace from such a file in, while the server is stopped.
    Import(Box<Import>),
    /// Move all of an installation from SQLite to PostgreSQL, while the server is stopped.
    Migrate(Box<Migrate>),
    /// Give someone a password, which is read from standard input, and end their sessions.
    SetPassword(Box<SetPassword>),
    /// Print the OpenAPI document of the REST API.
    Openapi,
    /// Print an example of the settings file.
    ExampleConfig,
}

/// What `admin archive` can do.
#[derive(Subcommand)]
pub enum Archive {
    /// Show the months of messages, where they are, how large they are and which are due.
    Status(Box<Older>),
    /// Archive now what is old enough; a server may run meanwhile.
    Run {
        #[command(flatten)]
        older: Box<Older>,
        /// Only show what would be archived.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What `admin retention` can do.
#[derive(Subcommand)]
pub enum Retention {
    /// Show the channels with messages that are too old.
    Status(Box<Config>),
    /// Have the server remove them now: within a minute, or when it is started.
    Run(Box<Config>),
}

/// How old.
#[derive(clap::Args)]
pub struct Older {
    /// Whole months, as in 6mo, or years, as in 1y; the setting when missing.
    #[arg(long, value_name = "AGE", value_parser = months)]
    older_than: Option<u32>,
    #[command(flatten)]
    settings: Config,
}

impl Older {
    fn months(&self) -> Result<u32> {
        match self.older_than.unwrap_or(self.settings.archive_months) {
            0 => anyhow::bail!("archiving is off (MADANG_ARCHIVE_MONTHS=0); say how old with --older-than"),
            months => Ok(months),
        }
    }
}

fn months(age: &str) -> Result<u32, String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| (1..=1_200).contains(number));
    let months = age.strip_suffix("mo").and_then(number);
    let years = age.strip_suffix('y').and_then(number).map(|years| years * 12);
    months.or(years).ok_or_else(|| "as in 6mo or 1y".to_owned())
}

async fn archive(archive: Archive) -> Result<()> {
    let (older, run) = match archive {
        Archive::Status(older) => (older, false),
        Archive::Run { older, dry_run } => (older, !dry_run),
    };
    let months = older.months()?;
    if run {
        let moved = admin::archive(&older.settings, months).await.context("database")?;
        println!("Archived: {} months whole, {} messages one by one.", moved.months, moved.messages);
        if moved.more {
            println!("There is more, for which this was not the moment; run it again.");
        }
        return Ok(());
    }
    let all = admin::archive_status(&older.settings, months).await.context("database")?;
    println!("month    where    messages         bytes");
    for month in all {
        let place = if month.archived { "archive" } else { "live" };
        let due = if month.due { "  due" } else { "" };
        println!(
            "{}  {place:7}  {:>8}  {:>12}{due}",
            month.name.replace('_', "-"),
            month.messages,
            month.bytes
        );
    }
    Ok(())
}

async fn retention(retention: Retention) -> Result<()> {
    let (config, run) = match retention {
        Retention::Status(config) => (config, false),
        Retention::Run(config) => (config, true),
    };
    let (channels, left) = admin::retention_status(&config).await.context("database")?;
    for admin::TooOld { channel, days, messages } in &channels {
        println!("channel {channel}: {messages} messages older than {days} days");
    }
    if left {
        println!("Some are hidden already and wait to be deleted.");
    }
    if channels.is_empty() && !left {
        println!("Nothing is too old.");
    } else if run {
        admin::request_retention(&config).await.context("database")?;
        println!("The server removes them within a minute, or when it is started.");
    }
    Ok(())
}

async fn nodes(config: &Config) -> Result<()> {
    let all = admin::nodes(config).await.context("database")?;
    if all.is_empty() {
        println!("No server that shares its database runs, or it is SQLite, which has one.");
        return Ok(());
    }
    println!("number  state  version   schema  clock      started                   address");
    for node in all {
        let state = if node.is_alive() { "alive" } else { "gone" };
        println!(
            "{:>6}  {state:5}  {:8}  {:>6}  {:>+6} ms  {:24}  {}",
            node.number,
            node.version,
            node.schema,
            node.ahead,
            node.started_at.to_string(),
            node.address
        );
    }
    Ok(())
}

/// Does it.
pub async fn run(admin: Admin) -> Result<()> {
    match admin {
        Admin::MigrateStatus(config) => {
            let status = admin::migration_status(&config).await.context("database")?;
            for migration in status {
                let state = if migration.applied { "applied" } else { "pending" };
                println!("{:04}  {state:8}  {}", migration.version, migration.description);
            }
        }
        Admin::Health(config) => {
            let health = admin::health(&config).await.context("the server does not answer")?;
            println!("{}", health["status"].as_str().unwrap_or_default());
            anyhow::ensure!(health["ready"] == true, "not ready");
        }
        Admin::Nodes(config) => nodes(&config).await?,
        Admin::Reindex(config) => {
            admin::reindex(&config).await.context("database")?;
            println!("The index is empty; the server fills it.");
        }
        Admin::Archive(of) => archive(of).await?,
        Admin::Retention(of) => retention(of).await?,
        Admin::Export(export) => export.run().await?,
        Admin::Import(import) => import.run().await?,
        Admin::Migrate(migrate) => migrate.run().await?,
        Admin::SetPassword(set) => set.run().await?,
        Admin::Openapi => println!("{}", madang_server::openapi::document().to_pretty_json()?),
        Admin::ExampleConfig => print!("{}", settings::example(&super::Cli::command())),
    }
    Ok(())
}
