//! What runs: three nodes on one PostgreSQL and one Redis, each behind ways of its own to both, and HAProxy before them.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use madang_client::Http;
use madang_realtime::redis_server::RedisServer;
use tokio::{
    task::block_in_place,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    plan::{Broken, Fault, From, NODES, What},
    process::{Backend, Process, free_port},
    proxy::Proxy,
};

/// What HAProxy does, as it is shipped.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/haproxy/haproxy.cfg");
/// How long HAProxy may take to see the nodes.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// Lines of each log that are shown after a failure.
const SHOWN: usize = 40;

/// All of it. Dropping it ends it.
pub struct World {
    /// Where clients connect.
    pub url: String,
    haproxy: Child,
    nodes: Vec<Node>,
    redis: RedisServer,
    /// The server of the database, and its name there.
    server: String,
    database: String,
}

struct Node {
    process: Process,
    redis: Proxy,
    postgres: Proxy,
}

impl World {
    /// Starts it, where all of it is installed.
    pub async fn start() -> Option<Self> {
        let Some(Backend::Postgres(url)) = Backend::postgres().await else { return None };
        let redis = match RedisServer::start() {
            Err(error) if error.kind() == ErrorKind::NotFound => return missing("redis-server"),
            started => started.unwrap(),
        };
        let (server, database) = url.rsplit_once('/').unwrap();
        let (before, address) = server.rsplit_once(['@', '/']).unwrap();
        let postgres: SocketAddr = address.parse().unwrap();
        let before = &server[..=before.len()];
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            let way = Proxy::to(postgres).await;
            let to_redis = Proxy::to(redis.address().parse().unwrap()).await;
            let backend = Backend::Postgres(format!("{before}{}/{database}", way.address));
            let settings = [
                ("MADANG_CLUSTER_REDIS", &*format!("redis://{}", to_redis.address)),
                ("MADANG_SECRET", "what the three of them know, and nobody else"),
                ("MADANG_SHARED_FILES", "on"),
                ("MADANG_TRUSTED_PROXIES", "127.0.0.0/8"),
            ];
            let process = Process::start_with(backend, &settings).await;
            nodes.push(Node { process, redis: to_redis, postgres: way });
        }
        let address = format!("127.0.0.1:{}", free_port());
        let Some(haproxy) = haproxy(&address, &nodes) else { return missing("haproxy") };
        let name = database.split('?').next().unwrap_or_default();
        let (server, database) = (format!("{server}/postgres"), name.to_owned());
        let url = format!("http://{address}");
        let http = Http::new(&url).unwrap();
        let ready = async { while !matches!(http.health().await, Ok((200, _))) {} };
        timeout(STARTS_WITHIN, ready).await.expect("HAProxy sees no node");
        Some(Self { url, haproxy, nodes, redis, server, database })
    }

    /// Lets the faults happen, each in its time after `begun`.
    pub async fn suffer(&mut self, faults: &[Fault], begun: Instant) {
        let begins = faults.iter().map(|fault| (fault.at, true, fault.what));
        let ends = faults.iter().map(|fault| (fault.ends(), false, fault.what));
        let mut turns: Vec<(Duration, bool, What)> = begins.chain(ends).collect();
        turns.sort_by_key(|(at, begins, _)| (*at, *begins));
        for (at, begins, what) in turns {
            sleep_until(begun + at).await;
            self.turn(what, begins).await;
        }
    }

    async fn turn(&mut self, what: What, begins: bool) {
        match what {
            What::Killed(node) if begins => self.nodes[node].process.kill(),
            What::Killed(node) => self.nodes[node].process.begin_again(),
            What::CutOff(node, from, how) => self.nodes[node].cut_off(from, begins.then_some(how)),
            What::RedisAway if begins => block_in_place(|| self.redis.kill()),
            What::RedisAway => block_in_place(|| self.redis.start_again()).unwrap(),
            What::PostgresAway => {
                madang_store::testing::cut(&self.server, &self.database, begins).await.unwrap();
            }
        }
    }

    /// The nodes that ended by themselves.
    pub fn ended(&mut self) -> Vec<usize> {
        (0..NODES).filter(|node| self.nodes[*node].process.has_ended()).collect()
    }

    /// The ends of the nodes' logs.
    pub fn logs(&self) -> String {
        let end = |(number, node): (usize, &Node)| {
            let log = node.process.read_log();
            let lines: Vec<&str> = log.lines().collect();
            format!("node {number}:\n{}\n", lines[lines.len().saturating_sub(SHOWN)..].join("\n"))
        };
        self.nodes.iter().enumerate().map(end).collect()
    }
}

impl Node {
    fn cut_off(&self, from: From, how: Option<Broken>) {
        if from != From::Postgres {
            self.redis.set(how);
        }
        if from != From::Redis {
            self.postgres.set(how);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.haproxy.kill().unwrap();
        self.haproxy.wait().unwrap();
    }
}

/// HAProxy at an address, before the nodes.
fn haproxy(address: &str, nodes: &[Node]) -> Option<Child> {
    let start = |program: &str| {
        let mut haproxy = Command::new(program);
        haproxy.args(["-db", "-f", CONFIGURATION]).stdout(Stdio::null()).stderr(Stdio::null());
        haproxy.env("MADANG_BIND", address);
        for (n, node) in (1..).zip(nodes) {
            haproxy.env(format!("MADANG_NODE_{n}"), node.process.url.trim_start_matches("http://"));
        }
        match haproxy.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            started => Some(started.unwrap()),
        }
    };
    // Debian keeps it away from the PATH of people.
    ["haproxy", "/usr/sbin/haproxy"].into_iter().find_map(start)
}

fn missing(program: &str) -> Option<World> {
    eprintln!("SKIPPED: there is no {program}; `cargo xtask test` installs it or says how");
    None
}
