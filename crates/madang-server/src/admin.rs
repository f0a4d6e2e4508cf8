//! What `madang admin` asks of a server, and does to a database beside it, or without one.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use madang_proto::{ChannelId, Timestamp, ids};
use madang_store::{Db, Error, jobs, message_archive, nodes, retention, search};
pub use madang_store::{
    message_archive::{Month, Moved},
    nodes::Node,
};
use serde_json::Value;

use crate::{Config, clock::Clock, jobs::Job, nodes::ADMIN};

/// Channels that are told of at most.
const CHANNELS: u32 = 1_000;
/// How long a server may take to say how it is.
const HEALTH_WITHIN: Duration = Duration::from_secs(5);

async fn database(config: &Config) -> Result<Db, Error> {
    let db = Db::connect(&config.store()).await?;
    db.migrate().await?;
    Ok(db)
}

/// Which migrations the database of these settings has.
///
/// # Errors
/// When it is away, or newer than this binary.
pub async fn migration_status(config: &Config) -> Result<Vec<madang_store::MigrationStatus>, Error> {
    Db::connect(&config.store()).await?.migration_status().await
}

/// The nodes of the database of these settings, those that crashed within a day among them; none on SQLite.
///
/// # Errors
/// When it is away, or newer than this binary.
pub async fn nodes(config: &Config) -> Result<Vec<Node>, Error> {
    nodes::list(&Db::connect(&config.store()).await?).await
}

/// What the server of these settings, on this machine, says in `/health`.
///
/// # Errors
/// When it does not answer.
pub async fn health(config: &Config) -> Result<Value, reqwest::Error> {
    let mut at = config.listen;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let scheme = if config.tls_certificate.is_some() { "https" } else { "http" };
    let client = reqwest::Client::builder().no_proxy().timeout(HEALTH_WITHIN);
    // The certificate is for the name that others know.
    let client = client.tls_danger_accept_invalid_certs(true).build()?;
    client.get(format!("{scheme}://{at}/health")).send().await?.json().await
}

/// Empties the index of search, which the server then fills anew.
///
/// # Errors
/// When the database is away, or newer than this binary.
pub async fn reindex(config: &Config) -> Result<(), Error> {
    search::clear(&database(config).await?).await
}

/// The months of messages; due is what is older than so many whole months.
///
/// # Errors
/// When the database is away, or newer than this binary.
pub async fn archive_status(config: &Config, months: u32) -> Result<Vec<Month>, Error> {
    message_archive::status(&database(config).await?, Clock::System.now(), months).await
}

/// Archives what is older than so many whole months. A server may run meanwhile.
///
/// # Errors
/// When the database is away, or newer than this binary. What was archived until then is.
pub async fn archive(config: &Config, months: u32) -> Result<Moved, Error> {
    message_archive::run(&database(config).await?, Clock::System.now(), months, &|| ()).await
}

/// A channel with messages that are too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOld {
    /// Which.
    pub channel: ChannelId,
    /// After how many days its messages go.
    pub days: i64,
    /// How many messages that is.
    pub messages: i64,
}

/// The channels with messages that are too old, and whether some wait to be deleted from others.
///
/// # Errors
/// When the database is away, or newer than this binary.
pub async fn retention_status(config: &Config) -> Result<(Vec<TooOld>, bool), Error> {
    let (db, now) = (database(config).await?, Clock::System.now());
    let mut channels = Vec::new();
    for due in retention::due(&db, now, None, CHANNELS).await? {
        let messages = retention::first_to_stay(&db, &due, now).await? - due.first_seq();
        channels.push(TooOld { channel: due.channel(), days: due.days(), messages });
    }
    Ok((channels, !retention::leftovers(&db, 1).await?.is_empty()))
}

/// Has the server remove what is too old, within a minute or when it starts: those who are connected hear of it from
/// the server.
///
/// # Errors
/// When the database is away, or newer than this binary.
pub async fn request_retention(config: &Config) -> Result<(), Error> {
    let (db, now) = (database(config).await?, Clock::System.now());
    let job = serde_json::to_string(&Job::Retention).unwrap_or_default();
    let new =
        jobs::NewJob { id: ids::compose(now.millis(), ADMIN, 0), key: None, job, due_at: Timestamp::from(0) };
    let mut tx = db.begin().await?;
    jobs::insert(&mut tx, [&new]).await?;
    tx.commit().await
}
