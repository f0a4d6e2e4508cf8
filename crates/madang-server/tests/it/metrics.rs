//! Metrics: what is told is what the table says, counts what happens, and names nobody.

use std::{collections::BTreeMap, fs, path::PathBuf};

use madang_client::{Incoming, RawSocket, proto::messages::CreateMessage};
use serde_json::Value;

use crate::support::{Backend, PATIENCE, TestServer};

/// A metric: its type, its labels and what it means.
type Told = (String, String, String);

fn file(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The table of docs/operations.md, by name.
fn table() -> BTreeMap<String, Told> {
    let row = |line: &str| {
        let cells: Vec<_> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let [name, kind, labels, meaning] = cells.try_into().ok()?;
        let told = ["counter", "gauge", "histogram"].contains(&kind.as_str());
        told.then_some((name, (kind, labels, meaning)))
    };
    file("docs/operations.md").lines().filter_map(row).collect()
}

/// What an answer tells, by name: histograms under the name of all of their series.
fn told(answer: &str) -> BTreeMap<String, Told> {
    let mut all = BTreeMap::<String, Told>::new();
    for line in answer.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", name, meaning] => {
                all.entry(name.to_owned()).or_default().2 = meaning.trim_end_matches('.').to_owned();
            }
            ["#", "TYPE", name, kind] => all.entry(name.to_owned()).or_default().0 = kind.to_owned(),
            _ => {
                let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap(), ""));
                let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                let name = whole.filter(|name| all.contains_key(*name)).unwrap_or(name);
                let labels: Vec<_> = labels
                    .split("\",")
                    .filter_map(|label| Some(label.split_once('=')?.0))
                    .filter(|label| *label != "le")
                    .collect();
                all.get_mut(name).unwrap_or_else(|| panic!("{name} has no type")).1 = labels.join(", ");
            }
        }
    }
    all
}

/// The value of a series, as it is written.
fn value<'a>(answer: &'a str, series: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

async fn watched(backend: Backend) -> TestServer {
    let watched = |config: &mut madang_server::Config| config.metrics_listen = "127.0.0.1:0".parse().ok();
    TestServer::start_with(backend, watched).await.unwrap()
}

async fn scrape(s: &TestServer) -> String {
    let answer = reqwest::get(format!("{}/metrics", s.metrics_url())).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// Asks until an answer is as wanted.
async fn until(s: &TestServer, what: &str, wanted: impl Fn(&str) -> bool) -> String {
    let asking = async {
        loop {
            let answer = scrape(s).await;
            if wanted(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{what} never came"))
}

async fn everything_is_in_the_table_and_nothing_else(backend: Backend) {
    let s = watched(backend).await;
    let (alice, bob) = s.users().await;
    alice.send(alice.general(), &format!("@{} hello", bob.name)).await;
    s.advance(1_000);
    let table = table();
    let names = |all: &BTreeMap<String, Told>| all.keys().cloned().collect::<Vec<_>>();
    let missing = |answer: &str| names(&table).into_iter().find(|name| !answer.contains(name.as_str()));
    let jobs = "chat_jobs_attempts_total{kind=\"notify\",result=\"done\"}";
    let answer =
        until(&s, jobs, |answer| value(answer, jobs) == Some("1") && missing(answer).is_none()).await;
    let told = told(&answer);
    assert_eq!(names(&told), names(&table));
    for (name, row) in &table {
        assert_eq!(&told[name], row, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_in_the_table_and_nothing_else_on_sqlite() {
    everything_is_in_the_table_and_nothing_else(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_in_the_table_and_nothing_else_on_postgres() {
    if let Some(backend) = Backend::postgres().await {
        everything_is_in_the_table_and_nothing_else(backend).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_deliveries_are_counted_once() {
    let s = watched(Backend::Sqlite).await;
    let (alice, mut bob) = s.users().await;
    let before = scrape(&s).await;
    assert_eq!(value(&before, "chat_messages_total"), Some("0"));
    assert_eq!(value(&before, "chat_connections_active"), Some("2"));
    let new =
        CreateMessage { content: "hi".to_owned(), nonce: Some("once".to_owned()), file_ids: Vec::new() };
    let channel = alice.general();
    for _ in 0..2 {
        alice.http.create_message(channel, &new).await.unwrap();
    }
    bob.next_message().await;
    let wanted = |answer: &str| {
        let number = |series| value(answer, series).unwrap().parse::<u64>().unwrap();
        // Both hear it, by one shard or by two.
        number("chat_deliveries_total") >= 2 && number("chat_broadcast_latency_count") >= 1
    };
    let answer = until(&s, "the delivery", wanted).await;
    assert_eq!(value(&answer, "chat_messages_total"), Some("1"));
    assert_eq!(value(&answer, "chat_writer_batch_messages_count"), Some("2"));
    assert_eq!(value(&answer, "chat_writer_batch_messages_sum"), Some("2.0"));
    let route = "route=\"/api/v1/channels/{id}/messages\",method=\"POST\"";
    let requests = format!("chat_http_requests_total{{{route},status=\"2xx\"}}");
    assert_eq!(value(&answer, &requests), Some("2"), "{answer}");
    for secret in [channel.to_string(), alice.id.to_string(), alice.name.clone(), "127.0.0.1".to_owned()] {
        assert!(!answer.contains(&secret), "{secret} is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted_by_what_becomes_of_them() {
    let s = watched(Backend::Sqlite).await;
    let (alice, _bob) = s.users().await;
    let refused = reqwest::get(format!("{}/api/v1/ws", s.url)).await.unwrap();
    assert_eq!(refused.status(), 426);
    let mut stranger = RawSocket::connect(&s.url, Some("not a token")).await.unwrap();
    stranger.hello(Default::default()).await.unwrap_err();
    let mut silent = RawSocket::connect(&s.url, None).await.unwrap();
    silent.send_text("{}").await.unwrap();
    while let Incoming::Frame(_) = silent.next_frame().await {}
    alice.http.logout().await.unwrap();
    let counted = [
        ("chat_connects_total{outcome=\"opened\"}", "2"),
        ("chat_connects_total{outcome=\"upgrade_required\"}", "1"),
        ("chat_connects_total{outcome=\"unauthenticated\"}", "1"),
        ("chat_connects_total{outcome=\"protocol\"}", "1"),
        ("chat_connects_total{outcome=\"fault\"}", "0"),
        ("chat_disconnects_total{reason=\"session_ended\"}", "1"),
        ("chat_connections_active", "1"),
    ];
    let missing =
        |answer: &str| counted.into_iter().find(|(name, number)| value(answer, name) != Some(number));
    until(&s, "what became of connections", |answer| missing(answer).is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_told_at_their_own_address_only() {
    let s = watched(Backend::Sqlite).await;
    let public = reqwest::get(format!("{}/metrics", s.url)).await.unwrap().text().await.unwrap();
    assert!(!public.contains("chat_messages_total"), "{public}");
    for path in ["/", "/health", "/api/v1/users/me"] {
        let answer = reqwest::get(format!("{}{path}", s.metrics_url())).await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

/// What looks like one of our metrics.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("chat_") || word.starts_with("process_"))
}

#[test]
fn rules_and_dashboard_name_metrics_that_there_are() {
    let table = table();
    for path in
        ["deploy/prometheus/alerts.yml", "deploy/prometheus/alerts.test.yml", "deploy/grafana/madang.json"]
    {
        let text = file(path);
        let mut found = 0;
        for name in named(&text) {
            let whole = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let histogram = whole.and_then(|whole| table.get(whole)).is_some_and(|row| row.0 == "histogram");
            assert!(histogram || table.get(name).is_some_and(|row| row.0 != "histogram"), "{path}: {name}");
            found += 1;
        }
        assert!(found > 20, "{path}");
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/madang.json")).unwrap();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36 && dashboard["id"].is_null());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert!(
        variables
            .iter()
            .any(|v| v["name"] == "datasource" && v["type"] == "datasource" && v["query"] == "prometheus")
    );
    let mut ids = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        ids.push(panel["id"].as_u64().unwrap());
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24 && place("h") > 0, "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{}", panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(targets.iter().all(|target| target["expr"].as_str().unwrap().contains("$instance")));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each panel has an id of its own");
}
