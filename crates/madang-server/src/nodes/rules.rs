//! Who may be a node beside which others, and what a node says of itself for that. Pure.

use std::net::SocketAddr;

use madang_proto::{Timestamp, accounts::Secret};
use madang_realtime::bus::RedisServers;
use madang_store::nodes::{Node, Said};

use crate::config::{Config, Switch};

/// Files in the data folder, which others do not have.
const DISK: &str = "disk";
/// A way to others that ends in this process.
const LOCAL: &str = "local";

/// Checks the settings of a cluster. What is wrong with an address is said without it: it may have a password in it.
pub fn check(config: &Config) -> Result<(), String> {
    if let Some(Secret(redis)) = &config.cluster_redis {
        RedisServers::parse(redis).map_err(|e| format!("cluster_redis: {e}"))?;
        let postgres = ["postgres://", "postgresql://"];
        if !postgres.iter().any(|scheme| config.database().starts_with(scheme)) {
            return Err("cluster_redis: several nodes need PostgreSQL; set database_url too".to_owned());
        }
    }
    match &config.cluster_address {
        // It is shown in lists and logs.
        Some(name) if !(1..=100).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_graphic()) => {
            Err("cluster_address: expected 1 to 100 characters of ASCII, without spaces".to_owned())
        }
        _ => Ok(()),
    }
}

/// What this node says of itself, with an id of its own.
pub fn about(
    config: &Config,
    listen: SocketAddr,
    place: String,
    schema: i64,
    secret: String,
    now: Timestamp,
) -> Said {
    let files = match (&config.s3_bucket, config.shared_files) {
        (Some(_), _) => "s3",
        (None, Switch::On) => "shared",
        (None, Switch::Off) => DISK,
    };
    Said {
        id: i64::from_le_bytes(crate::auth::random()),
        place,
        address: config.cluster_address.clone().unwrap_or_else(|| listen.to_string()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema,
        secret,
        bus: if config.cluster_redis.is_some() { "redis" } else { LOCAL }.to_owned(),
        files: files.to_owned(),
        started_at: now,
    }
}

/// Whether what it says ends in its process.
pub fn is_local(said: &Said) -> bool {
    said.bus == LOCAL
}

fn shown(node: &Node) -> String {
    format!("{} (Madang {}, started {})", node.address, node.version, node.started_at)
}

/// All that speaks against a node beside these, and which of them.
pub fn refuse(me: &Said, unheard: bool, others: &[Node]) -> Option<(String, Vec<Node>)> {
    let against = |other: &Node| {
        let mut all = Vec::new();
        if !unheard && (me.bus == LOCAL || other.bus == LOCAL) {
            all.push("several nodes hear each other through one Redis: set cluster.redis (MADANG_CLUSTER_REDIS) on both");
        }
        if me.secret != other.secret {
            all.push("it has another secret: give both the same secret_file (MADANG_SECRET_FILE)");
        }
        if me.files != other.files {
            all.push("it keeps its files elsewhere: set the same S3 bucket, or shared_files, on both");
        } else if me.files == DISK {
            all.push(
                "each would keep files that the other does not have: set an S3 bucket, or shared_files \
                 (MADANG_SHARED_FILES) where files/ in their data folders is the same folder",
            );
        }
        all
    };
    let other = others.iter().find(|other| !against(other).is_empty())?;
    let by = others.iter().filter(|other| !against(other).is_empty()).cloned().collect();
    let why =
        format!("another node is alive on this database, {}: {}", shown(other), against(other).join("; "));
    Some((why, by))
}

/// What to do where nodes work with the schema as it is.
pub fn older(others: &[Node]) -> String {
    let all = others.iter().map(shown).collect::<Vec<_>>().join(", ");
    format!(
        "the database has to be brought up to date for this version, and other nodes work with it as it is: {all}. \
         Stop them first; or start this one with --force, where the changelog says that the versions may run beside \
         each other"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bus: &str, secret: &str, files: &str) -> Said {
        let [bus, secret, files] = [bus, secret, files].map(str::to_owned);
        let [place, address, version] = ["here", "10.0.0.1:80", "1.0.0"].map(str::to_owned);
        Said { id: 1, place, address, version, schema: 1, secret, bus, files, started_at: 0.into() }
    }

    fn node(of: Said) -> Node {
        let Said { place, address, version, schema, secret, bus, files, started_at, .. } = of;
        let (number, id, ends_at, left, ahead) = (0, 2, 0, 0, 0);
        Node {
            number,
            id,
            place,
            address,
            version,
            schema,
            secret,
            bus,
            files,
            started_at,
            ends_at,
            left,
            ahead,
        }
    }

    #[test]
    fn a_node_is_refused_beside_one_that_it_does_not_fit() {
        let redis = |secret, files| said("redis", secret, files);
        for (me, other, word) in [
            (redis("a", "s3"), redis("a", "s3"), ""),
            (redis("a", "shared"), redis("a", "shared"), ""),
            (redis("a", "s3"), said("local", "a", "s3"), "cluster.redis"),
            (said("local", "a", "s3"), redis("a", "s3"), "cluster.redis"),
            (redis("a", "s3"), redis("b", "s3"), "secret_file"),
            (redis("a", "disk"), redis("a", "disk"), "shared_files"),
            (redis("a", "shared"), redis("a", "s3"), "S3 bucket"),
        ] {
            let why = refuse(&me, false, &[node(other)]).map(|(why, _)| why).unwrap_or_default();
            assert!(why.contains(word) && why.is_empty() == word.is_empty(), "{word}: {why}");
            assert!(word.is_empty() || why.contains("10.0.0.1:80"));
        }
        assert_eq!(refuse(&said("local", "a", "disk"), false, &[]), None, "alone, all is well");
    }
}
