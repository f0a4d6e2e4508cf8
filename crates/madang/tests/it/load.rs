//! `madang load` against a real server: small, and every delivery is checked.

use crate::process::{Backend, Process, run};

/// Few connections for few seconds.
fn small<'a>(scenario: &'a str, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["load", scenario, "--url", url, "--quick", "--seconds", "3"][..], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_ends_well_and_shows_its_table() {
    let server = Process::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let (json, plot) = (folder.path().join("report.json"), folder.path().join("plot.svg"));
    let files = ["--json", json.to_str().unwrap(), "--plot", plot.to_str().unwrap()];
    let few = ["--connections", "50", "--users", "10"];
    for (scenario, more) in [
        ("giant-room", [&few[..], &files].concat()),
        ("room", [&few[..], &["--beside", "20"]].concat()),
        ("small-rooms", vec!["--connections", "48", "--rooms", "12", "--rate", "50"]),
        ("idle", few.to_vec()),
        ("storm", few.to_vec()),
        ("slow-readers", [&few[..], &["--rate", "10"]].concat()),
    ] {
        let (fine, text) = run(&small(scenario, &server.url, &more), folder.path());
        assert!(fine, "{scenario}: {text}\n{}", server.read_log());
        assert!(text.contains("lost / doubled / out of order") && text.contains("0 / 0 / 0 / 0"), "{text}");
    }
    assert!(
        std::fs::read_to_string(json).unwrap().contains("\"deliveries\": 3000"),
        "20 a second for 3 s to 50"
    );
    assert!(std::fs::read_to_string(plot).unwrap().starts_with("<svg "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_this_machine_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, text) = run(&small("giant-room", "http://192.0.2.1:8080", &[]), folder.path());
    assert!(!fine && text.contains("one's own server"), "{text}");
}
