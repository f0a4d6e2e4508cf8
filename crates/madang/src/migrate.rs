//! `madang admin migrate`: an installation from SQLite to PostgreSQL, and its files into a bucket.

use std::time::Instant;

use anyhow::Result;
use madang_server::{
    Config,
    moving::{self, Destination, Moved, Secret},
};

/// What `migrate` takes.
#[derive(Debug, clap::Args)]
pub struct Migrate {
    /// Database to move to, which has nothing yet: postgres://user:password@host/database. A password is better in the
    /// variable than on the command line, which others on this machine see.
    #[arg(long, env = "MADANG_MIGRATE_TO", hide_env_values = true, value_name = "URL")]
    to: Secret,

    /// Bucket to move the files to, in the storage of the settings for S3; they stay where they are when not set.
    #[arg(long, value_name = "s3://BUCKET")]
    files: Option<String>,

    /// Only say what would move, and whether it could.
    #[arg(long)]
    dry_run: bool,

    /// Leave files out that are damaged in the data folder.
    #[arg(long)]
    without_damaged: bool,

    #[command(flatten)]
    settings: Config,
}

impl Migrate {
    /// Does it.
    pub async fn run(self) -> Result<()> {
        let Self { to, files, dry_run, without_damaged, settings } = self;
        let to = Destination { database: to, files, without_damaged };
        if dry_run {
            let moved = moving::survey(&settings, &to).await?;
            println!("Would move:");
            show(&moved);
            println!("The target is reached and can take it. Nothing was changed.");
            return Ok(());
        }
        let begun = Instant::now();
        let moved = moving::run(&settings, &to, &|what, done| println!("{done:>10}  {what} …")).await?;
        println!("All is there, and was compared:");
        show(&moved);
        let Moved { files, bucket, .. } = moved;
        if bucket.is_some() {
            println!("{:>10}  files and thumbnails sent", files.sent);
            println!("{:>10}  were there already", files.there);
        }
        for damaged in files.damaged {
            println!("left out: {damaged}");
        }
        println!("It took {} s.", begun.elapsed().as_secs());
        println!("\nNow set, and start the server:");
        println!("  MADANG_DATABASE_URL  to the URL of --to");
        let data = settings.data.display();
        let of_files = match (bucket, settings.s3_bucket) {
            (Some(bucket), _) => {
                format!("MADANG_S3_BUCKET     to {bucket}; the other settings for S3 as now")
            }
            (None, Some(_)) => "The files stay in their bucket: keep the settings for S3.".to_owned(),
            (None, None) => format!("The files stay in {data}/files: keep that folder."),
        };
        println!("  {of_files}");
        println!("  MADANG_DATA          stays {data}: token.key and uploads are used from there.");
        println!("The SQLite database there is as it was, and is not used any more.");
        Ok(())
    }
}

fn show(moved: &Moved) {
    for (table, rows) in &moved.rows {
        println!("{rows:>10}  {table}");
    }
    println!("{:>10}  files, {} bytes", moved.files.files, moved.files.bytes);
}
