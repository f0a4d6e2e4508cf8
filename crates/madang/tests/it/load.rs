//! `madang load` against a real server: small, and every delivery is checked.

use std::{
    io::{ErrorKind, Read},
    process::{Command, Stdio},
};

use madang_realtime::redis_server::RedisServer;

use crate::{
    process::{Backend, MADANG, Process, free_port, run},
    secure::Secure,
};

/// Few connections for two seconds.
fn small<'a>(scenario: &'a str, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["load", scenario, "--url", url, "--quick", "--seconds", "2"][..], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_ends_well_and_shows_its_table() {
    let server = Process::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let (json, plot) = (folder.path().join("report.json"), folder.path().join("plot.svg"));
    let files = ["--json", json.to_str().unwrap(), "--plot", plot.to_str().unwrap()];
    let few = ["--connections", "50", "--users", "10"];
    let scenarios = [
        ("giant-room", [&few[..], &files].concat()),
        ("room", [&few[..], &["--beside", "20"]].concat()),
        ("small-rooms", vec!["--connections", "48", "--rooms", "12", "--rate", "50"]),
        ("idle", few.to_vec()),
        ("storm", few.to_vec()),
        ("history", vec!["--messages", "300", "--readers", "2"]),
        ("slow-readers", vec!["--connections", "120", "--users", "10", "--rate", "10", "--never", "5"]),
    ];
    std::thread::scope(|all| {
        let (server, folder) = (&server, folder.path());
        for (scenario, more) in &scenarios {
            all.spawn(move || {
                let (fine, text) = run(&small(scenario, &server.url, more), folder);
                assert!(fine, "{scenario}: {text}\n{}", server.read_log());
                assert!(
                    text.contains("lost / doubled / out of order") && text.contains("0 / 0 / 0 / 0"),
                    "{text}"
                );
            });
        }
    });
    // 20 messages a second for two seconds to 50 connections.
    assert!(std::fs::read_to_string(json).unwrap().contains("\"deliveries\": 2000"));
    assert!(std::fs::read_to_string(plot).unwrap().starts_with("<svg "));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_is_checked_in_every_encoding_packed_and_joined() {
    let server = Process::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let few = ["--connections", "50", "--users", "10"];
    let scenarios = [
        ("giant-room", few.to_vec()),
        ("room", [&few[..], &["--rate", "200", "--senders", "20"]].concat()),
        ("small-rooms", vec!["--connections", "48", "--rooms", "24", "--rate", "200"]),
        ("idle", few.to_vec()),
        ("storm", [&few[..], &["--rate", "100"]].concat()),
        ("slow-readers", vec!["--connections", "120", "--users", "10", "--rate", "10", "--never", "5"]),
    ];
    let manners: [(&str, &[&str]); 4] = [
        ("MessagePack", &["--encoding", "msgpack"]),
        ("JSON, compressed", &["--deflate"]),
        ("JSON, joined", &["--batch"]),
        ("MessagePack, compressed, joined", &["--encoding", "msgpack", "--deflate", "--batch"]),
    ];
    for (name, manner) in manners {
        std::thread::scope(|all| {
            let (server, folder) = (&server, folder.path());
            for (scenario, more) in &scenarios {
                all.spawn(move || {
                    let (fine, text) =
                        run(&small(scenario, &server.url, &[&more[..], manner].concat()), folder);
                    assert!(fine && text.contains(name), "{scenario}, {name}: {text}\n{}", server.read_log());
                    assert!(text.contains("0 / 0 / 0 / 0"), "{scenario}, {name}: {text}");
                });
            }
        });
    }
}

#[test]
fn tls_is_loaded_too_where_the_certificate_is_trusted() {
    let (server, stranger) = (Secure::start(), Secure::start());
    let load = |scenario: &str, trusted: &Secure| {
        let output = Command::new(MADANG)
            .args(small(scenario, &server.url, &["--connections", "50", "--users", "10"]))
            .env("SSL_CERT_FILE", trusted.root())
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    for scenario in ["giant-room", "idle", "storm"] {
        let (fine, text) = load(scenario, &server);
        assert!(fine && text.contains("TLS") && text.contains("0 / 0 / 0 / 0"), "{scenario}: {text}");
    }
    let (fine, text) = load("idle", &stranger);
    assert!(!fine && text.contains("certificate"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_giant_room_that_is_cut_off_by_a_kill_comes_back_and_misses_nothing() {
    killed_in_the_middle("giant-room", &["--connections", "50", "--users", "10", "--rate", "100"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_giant_room_in_messagepack_packed_and_joined_misses_nothing_either() {
    let manner = ["--encoding", "msgpack", "--deflate", "--batch"];
    let size = ["--connections", "50", "--users", "10", "--rate", "100"];
    killed_in_the_middle("giant-room", &[&size[..], &manner].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_rooms_that_are_cut_off_by_a_kill_come_back_and_miss_nothing() {
    killed_in_the_middle("small-rooms", &["--connections", "80", "--rooms", "20", "--rate", "300"]).await;
}

/// `kill -9` while messages flow: every one that was acknowledged is there, none twice, everyone hears all in
/// order. What was under way is sent again with its nonce.
async fn killed_in_the_middle(scenario: &str, more: &[&str]) {
    let mut server = Process::start(Backend::Sqlite).await;
    let mut load = Command::new(MADANG)
        .args(["load", scenario, "--url", &server.url, "--quick", "--seconds", "6"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The progress line tells that messages flow.
    let mut progress = Vec::new();
    while !String::from_utf8_lossy(&progress).contains("acked") {
        let mut some = [0; 1024];
        let n = load.stderr.as_mut().unwrap().read(&mut some).unwrap();
        assert!(n > 0, "{}", String::from_utf8_lossy(&progress));
        progress.extend(&some[..n]);
    }
    server.kill();
    server.again().await;
    let output = tokio::task::spawn_blocking(|| load.wait_with_output().unwrap()).await.unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success() && text.contains("live again"), "{text}");
    assert!(text.contains("0 / 0 / 0 / 0"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_are_loaded_as_one_and_one_of_them_is_killed() {
    let Some(Backend::Postgres(database)) = Backend::postgres().await else { return };
    let redis = match RedisServer::start() {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        started => started.unwrap(),
    };
    let (mut nodes, mut metrics) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let told = format!("127.0.0.1:{}", free_port());
        let settings = [
            ("MADANG_CLUSTER_REDIS", &*redis.url()),
            ("MADANG_SECRET", "what the three of them know, and nobody else"),
            ("MADANG_SHARED_FILES", "on"),
            ("MADANG_METRICS_LISTEN", &told),
        ];
        nodes.push(Process::start_with(Backend::Postgres(database.clone()), &settings).await);
        metrics.push(format!("http://{told}"));
    }
    let (others, metrics) = (format!("{},{}", nodes[1].url, nodes[2].url), metrics.join(","));
    let killed = nodes[2].id().to_string();
    let size = ["--connections", "60", "--users", "12", "--rooms", "6", "--rate", "50", "--seconds", "4"];
    let where_and_what = ["--nodes", &others, "--metrics", &metrics, "--kill", &killed];
    let url = ["load", "cluster", "--quick", "--url", &nodes[0].url];
    let folder = tempfile::tempdir().unwrap();
    let (fine, text) = run(&[&url[..], &size, &where_and_what].concat(), folder.path());
    assert!(fine && text.contains("0 / 0 / 0 / 0"), "{text}\n{}", nodes[0].read_log());
    for row in ["p99 that 3 nodes add", "bus messages an event and node", "back after a node was killed"] {
        assert!(text.contains(row), "{row} is not in {text}");
    }
    assert!(nodes[2].has_ended());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for (scenario, more, why) in [
        ("history", &["--url", "https://localhost:1"][..], "plain HTTP"),
        ("peer", &["--kind", "ws", "--batch"], "Madang's own"),
    ] {
        let (fine, text) = run(&[&["load", scenario][..], more].concat(), folder.path());
        assert!(!fine && text.contains(why), "{text}");
    }
    let (fine, text) = run(&small("giant-room", "http://192.0.2.1:8080", &[]), folder.path());
    assert!(!fine && text.contains("one's own server"), "{text}");
}

#[test]
fn the_floor_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let few = ["load", "floor", "--quick", "--connections", "20", "--joined", "1,8", "--rows", "64"];
    let (fine, text) = run(&few, folder.path());
    assert!(fine, "{text}");
    for words in ["8 messages a write", "fdatasync", "sqlite, 64 rows a commit", "sqlite, pages of 50"] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}
