//! The binary: arguments in, the right crate called. No work of its own.
#![expect(clippy::print_stdout, reason = "a command-line program talks to its terminal")]

mod admin;
mod chat;
mod load;
mod logging;
mod migrate;
mod serve;
mod settings;
mod traces;
mod transfer;

use clap::{FromArgMatches, Parser, Subcommand};

/// Madang: a self-hosted real-time chat server with its web client and terminal client.
#[derive(Parser)]
#[command(name = "madang", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve(Box<serve::Serve>),
    /// Chat from the terminal.
    Chat(chat::Chat),
    /// Load a server on this machine, and check every delivery.
    #[command(subcommand)]
    Load(Box<madang_load::Command>),
    /// Look after an installation.
    #[command(subcommand)]
    Admin(Box<admin::Admin>),
}

fn main() -> anyhow::Result<()> {
    let matches = settings::with_file(<Cli as clap::CommandFactory>::command())?.get_matches();
    let cli = Cli::from_arg_matches(&matches).map_err(|e| e.exit())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match cli.command {
        Command::Serve(serve) => {
            let served = runtime.block_on(serve::run(*serve));
            // What still runs has had its time.
            runtime.shutdown_background();
            served
        }
        Command::Chat(chat) => runtime.block_on(chat::run(chat)),
        Command::Load(load) => runtime.block_on(load::run(*load)),
        Command::Admin(admin) => runtime.block_on(admin::run(*admin)),
    }
}
