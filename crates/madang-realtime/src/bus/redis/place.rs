//! Where Redis is: one server, what Sentinels say, or a Cluster.
//!
//! Whatever it is, it becomes a [`Layout`]: the servers that carry channels, and which of them carries which. Topics
//! fall into [`BUCKETS`], each of which is a hash tag, so that one slot of a Cluster has all channels of a bucket. The
//! layout is asked for before connecting and now and then afterwards; when it is another one, the bus connects anew.
//!
//! Invariants: what is shown of a place has no user and no password.

#[cfg(test)]
mod tests;

use std::fmt;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisError, Value, aio::MultiplexedConnection,
};

use super::{BadSettings, channels::BUCKETS, link::ANSWER};

/// Where Redis is, from one line of a configuration.
#[derive(Clone)]
pub struct RedisServers(Place);

#[derive(Clone)]
enum Place {
    Single(ConnectionInfo),
    /// The Sentinels, the name of what they watch, and how to speak to that.
    Sentinel(Vec<ConnectionInfo>, String, ConnectionInfo),
    Cluster(Vec<ConnectionInfo>),
}

/// Which servers carry what.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) servers: Vec<ConnectionInfo>,
    /// Which server carries each bucket; nothing when it is not a Cluster.
    pub(super) buckets: Option<Vec<usize>>,
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        let addresses = |layout: &Self| layout.servers.iter().map(|s| s.addr().clone()).collect::<Vec<_>>();
        self.buckets == other.buckets && addresses(self) == addresses(other)
    }
}

impl RedisServers {
    /// Reads where Redis is. One server: `redis://user:password@host:6379/0`. A Cluster, by some of its servers:
    /// `redis+cluster://user:password@host:6379,other:6379`. Behind Sentinels:
    /// `redis+sentinel://user:password@host:26379,other:26379/name`, where user and password are those of the server
    /// that has the name; `?sentinel=user:password` is for the Sentinels. With `rediss` in front it is TLS.
    ///
    /// # Errors
    /// What is wrong with it, without the text itself.
    pub fn parse(url: &str) -> Result<Self, BadSettings> {
        let (scheme, rest) = url.split_once("://").ok_or(BadSettings::Url)?;
        let (tls, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(tls, "redis" | "rediss") {
            return Err(BadSettings::Url);
        }
        if tls == "rediss" {
            // Whoever has chosen one already keeps it.
            let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let (login, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let server = |login: &str, address: &str| {
            let at = if login.is_empty() { "" } else { "@" };
            info(format!("{tls}://{login}{at}{address}"))
        };
        let place = match kind {
            "" => Place::Single(info(url.to_owned())?),
            "cluster" => {
                let hosts = rest.trim_end_matches('/').split(',');
                Place::Cluster(hosts.map(|host| server(login, host)).collect::<Result<_, _>>()?)
            }
            "sentinel" => {
                let (hosts, rest) = rest.split_once('/').ok_or(BadSettings::NoName)?;
                let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
                let sentinel = query.strip_prefix("sentinel=").unwrap_or_default();
                if name.is_empty() {
                    return Err(BadSettings::NoName);
                }
                let sentinels = hosts.split(',').map(|host| server(sentinel, host));
                let sentinels = sentinels.collect::<Result<Vec<_>, _>>()?;
                let any = server(login, hosts.split(',').next().unwrap_or_default())?;
                Place::Sentinel(sentinels, name.to_owned(), any)
            }
            _ => return Err(BadSettings::Url),
        };
        Ok(Self(place))
    }

    /// Whether the layout is fixed.
    pub(super) const fn is_single(&self) -> bool {
        matches!(self.0, Place::Single(_))
    }

    /// Asks which servers carry what.
    pub(super) async fn layout(&self) -> Result<Layout, RedisError> {
        match &self.0 {
            Place::Single(server) => Ok(Layout { servers: vec![server.clone()], buckets: None }),
            Place::Sentinel(sentinels, name, server) => {
                let mut said = Err(fault("no Sentinel is named"));
                for sentinel in sentinels {
                    said = named(sentinel, name, server).await;
                    if said.is_ok() {
                        break;
                    }
                }
                said
            }
            Place::Cluster(seeds) => {
                let mut said = Err(fault("no server is named"));
                for seed in seeds {
                    said = cluster(seed).await;
                    if said.is_ok() {
                        break;
                    }
                }
                said
            }
        }
    }
}

/// The addresses only.
impl fmt::Display for RedisServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = |servers: &[ConnectionInfo]| {
            servers.iter().map(|server| server.addr().to_string()).collect::<Vec<_>>().join(", ")
        };
        match &self.0 {
            Place::Single(server) => server.addr().fmt(f),
            Place::Sentinel(sentinels, name, _) => write!(f, "{name} of Sentinels {}", addresses(sentinels)),
            Place::Cluster(seeds) => write!(f, "Cluster of {}", addresses(seeds)),
        }
    }
}

impl fmt::Debug for RedisServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisServers({self})")
    }
}

/// A server by its URL, spoken to in RESP3: only there messages come beside answers.
fn info(url: String) -> Result<ConnectionInfo, BadSettings> {
    let info = url.into_connection_info().map_err(|_| BadSettings::Url)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

/// The same server at another address.
fn moved(server: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let addr = match server.addr().clone() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    server.clone().set_addr(addr)
}

fn host(server: &ConnectionInfo) -> String {
    match server.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        other => other.to_string(),
    }
}

/// Where the server with a name is now.
async fn named(sentinel: &ConnectionInfo, name: &str, server: &ConnectionInfo) -> Result<Layout, RedisError> {
    let mut connection = connect(sentinel, AsyncConnectionConfig::new()).await?;
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let address: Option<(String, u16)> = ask.query_async(&mut connection).await?;
    let (host, port) = address.ok_or_else(|| fault("the Sentinels know no server of this name"))?;
    Ok(Layout { servers: vec![moved(server, host, port)], buckets: None })
}

/// Which primary has the slot of each bucket.
async fn cluster(seed: &ConnectionInfo) -> Result<Layout, RedisError> {
    let mut connection = connect(seed, AsyncConnectionConfig::new()).await?;
    let slots: Vec<Vec<Value>> = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await?;
    let mut ranges = Vec::new();
    for range in &slots {
        let [first, last, primary, ..] = range.as_slice() else { return Err(fault("CLUSTER SLOTS is odd")) };
        let (first, last): (u16, u16) =
            (redis::from_redis_value_ref(first)?, redis::from_redis_value_ref(last)?);
        let Value::Array(primary) = primary else { return Err(fault("CLUSTER SLOTS is odd")) };
        let [address, port, ..] = primary.as_slice() else { return Err(fault("CLUSTER SLOTS is odd")) };
        let address: Option<String> = redis::from_redis_value_ref(address)?;
        // A server that does not know its own address is where it was asked.
        let address = address.filter(|address| !address.is_empty()).unwrap_or_else(|| host(seed));
        ranges.push((first..=last, moved(seed, address, redis::from_redis_value_ref(port)?)));
    }
    let mut keys = redis::pipe();
    for bucket in 0..BUCKETS {
        keys.cmd("CLUSTER").arg("KEYSLOT").arg(format!("{{{bucket}}}"));
    }
    let of_buckets: Vec<u16> = keys.query_async(&mut connection).await?;
    let (mut servers, mut buckets) = (Vec::<ConnectionInfo>::new(), Vec::new());
    for slot in of_buckets {
        let (_, primary) = ranges
            .iter()
            .find(|(range, _)| range.contains(&slot))
            .ok_or_else(|| fault("some slots of the Cluster have no server"))?;
        let known = servers.iter().position(|server| server.addr() == primary.addr());
        buckets.push(known.unwrap_or(servers.len()));
        if known.is_none() {
            servers.push(primary.clone());
        }
    }
    Ok(Layout { servers, buckets: Some(buckets) })
}

/// Opens a connection that waits no longer than [`ANSWER`] for anything.
pub(super) async fn connect(
    server: &ConnectionInfo,
    config: AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisError> {
    let config = config.set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
    Client::open(server.clone())?.get_multiplexed_async_connection_with_config(&config).await
}

fn fault(what: &'static str) -> RedisError {
    RedisError::from((redis::ErrorKind::Client, what))
}
