//! `madang admin`: what operators and builds ask for.

use anyhow::{Context, Result};
use clap::{CommandFactory, Subcommand};
use madang_server::Config;

use crate::settings;

/// What `admin` can do.
#[derive(Subcommand)]
pub enum Admin {
    /// Show which migrations the database has.
    MigrateStatus(Box<Config>),
    /// Index all messages for search anew; a running server begins with it within a minute.
    Reindex(Box<Config>),
    /// Print the OpenAPI document of the REST API.
    Openapi,
    /// Print an example of the settings file.
    ExampleConfig,
}

/// Does it.
pub async fn run(admin: Admin) -> Result<()> {
    match admin {
        Admin::MigrateStatus(config) => {
            let status = madang_server::migration_status(&config).await.context("database")?;
            for migration in status {
                let state = if migration.applied { "applied" } else { "pending" };
                println!("{:04}  {state:8}  {}", migration.version, migration.description);
            }
        }
        Admin::Reindex(config) => {
            madang_server::reindex(&config).await.context("database")?;
            println!("The index is empty; the server fills it.");
        }
        Admin::Openapi => println!("{}", madang_server::openapi::document().to_pretty_json()?),
        Admin::ExampleConfig => print!("{}", settings::example(&super::Cli::command())),
    }
    Ok(())
}
