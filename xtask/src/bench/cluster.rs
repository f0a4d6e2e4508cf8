//! Three nodes on one PostgreSQL and one Redis, loaded as one server; one of them is killed.

use std::fs;

use anyhow::{Context, Result};

use super::runs::Bench;
use super::servers;

const NODES: usize = 3;

/// Starts the nodes and loads them.
pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let database = bench.database()?;
    let redis = bench.redis.as_ref().context("there is no Redis")?.url();
    let (mut nodes, mut urls, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for node in 0..NODES {
        let data = bench.folder(&format!("data-{node}"))?;
        let (port, told) = (servers::free_port()?, servers::free_port()?);
        let log = bench.logs.join(format!("cluster-{node}.server.log"));
        let mut command = bench.machine.for_server(&bench.madang);
        command.env("MADANG_CLUSTER_REDIS", &redis).env("MADANG_SHARED_FILES", "on");
        command.env("MADANG_SECRET", "a secret of the nodes that are measured");
        command.env("MADANG_METRICS_LISTEN", format!("127.0.0.1:{told}"));
        let mut running = servers::madang(command, &data, port, Some(&database), &log)?;
        servers::wait(&mut running, port, "/health", &log)?;
        nodes.push((running, data));
        urls.push(format!("http://127.0.0.1:{port}"));
        metrics.push(format!("http://127.0.0.1:{told}"));
    }
    let size = bench.or(
        ["--connections", "15000", "--users", "3000", "--rooms", "50", "--rate", "100", "--seconds", "20"],
        ["--connections", "300", "--users", "60", "--rooms", "10", "--rate", "50", "--seconds", "6"],
    );
    let mut load = bench.machine.for_load(&bench.madang);
    load.args(["load", "cluster", "--drain", "30"]).args(size);
    load.args(["--url", &urls[0], "--nodes", &urls[1..].join(","), "--metrics", &metrics.join(",")]);
    load.args(["--server-pid", &nodes[0].0.id().to_string()]);
    load.args(["--kill", &nodes[NODES - 1].0.id().to_string()]);
    let result = bench.report("cluster", &mut load);
    for (running, data) in nodes {
        drop(running);
        fs::remove_dir_all(&data).ok();
    }
    result
}
