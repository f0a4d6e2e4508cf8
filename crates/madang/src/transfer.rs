//! `madang admin export`, `import` and `set-password`: workspaces out of one installation and into another.

use std::{io::BufRead, path::PathBuf};

use anyhow::Result;
use madang_server::{
    Config,
    clock::Clock,
    transfer::{self, WhatToExport},
};

/// What `export` takes.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The workspace, by its id or name.
    #[arg(long, value_name = "ID|NAME")]
    workspace: String,

    /// File to write, such as workspace.tar.gz.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// Direct messages and groups too.
    #[arg(long)]
    direct: bool,

    /// Without the bytes of files.
    #[arg(long)]
    no_files: bool,

    #[command(flatten)]
    settings: Config,
}

impl Export {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let what = WhatToExport { direct: self.direct, files: !self.no_files };
        let made = transfer::export_workspace(&self.settings, &self.workspace, &self.to, what).await?;
        println!("{} is in {}:", made.workspace, self.to.display());
        for (part, lines) in made.lines {
            println!("{lines:>10}  {part}");
        }
        println!("{:>10}  files", made.files);
        if made.missing > 0 {
            println!("{:>10}  files whose bytes are gone", made.missing);
        }
        Ok(())
    }
}

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// File that `madang admin export` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only say what would come in, and what is wrong.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    settings: Config,
}

impl Import {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let done = transfer::import(&self.settings, &self.file, self.dry_run, Clock::default().now()).await?;
        println!("{} {}:", done.workspace, if self.dry_run { "can come in" } else { "is in" });
        for (part, rows) in done.rows {
            println!("{rows:>10}  {part}");
        }
        println!("{:>10}  files", done.files);
        if done.missing > 0 {
            println!("{:>10}  files without their bytes, which nobody can open", done.missing);
        }
        if done.known > 0 {
            println!("{:>10}  people who are here already, as they are", done.known);
        }
        for (from, to) in done.renamed {
            println!("{from} is called {to} here");
        }
        if !self.dry_run {
            println!(
                "Who is new has no password yet: madang admin set-password NAME. The server fills the index of search."
            );
        }
        Ok(())
    }
}

/// What `set-password` takes.
#[derive(Debug, clap::Args)]
pub struct SetPassword {
    /// Whose.
    #[arg(value_name = "USERNAME")]
    username: String,

    #[command(flatten)]
    settings: Config,
}

impl SetPassword {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let mut password = String::new();
        std::io::stdin().lock().read_line(&mut password)?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        transfer::set_password(&self.settings, &self.username, password.into()).await?;
        println!("{} has another password, and no sessions.", self.username);
        Ok(())
    }
}
