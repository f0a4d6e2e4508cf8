//! Tests of the targets, on reports that are made up.

use serde_json::json;

use super::*;

fn row<'a>(rows: &'a [Row], words: &str) -> &'a Row {
    rows.iter().find(|r| r.target.contains(words)).unwrap_or_else(|| panic!("no row with {words}"))
}

#[test]
fn without_reports_every_row_says_that_it_was_not_measured() {
    let rows = rows(&Found::new(), false);
    assert!(
        rows.len() > 15 && rows.iter().all(|r| r.verdict == "not measured" && r.measured == "–"),
        "{rows:?}"
    );
}

#[test]
fn ratios_are_taken_within_a_round_and_medians_over_rounds() {
    let room = |us: f64| json!({"server_cpu_us_per_delivery": us, "deliveries_per_second": 1_000_000.0 * us});
    let floor = |us: f64| json!({"writes": [{"joined": 8, "cpu_us_per_delivery": us}]});
    let found = Found::from([
        ("giant-room".to_owned(), vec![room(1.0), room(4.0), room(2.0)]),
        ("floor-sockets".to_owned(), vec![floor(1.0), floor(1.0), floor(1.0)]),
    ]);
    let rows = rows(&found, false);
    let ratio = row(&rows, "bare writes");
    assert_eq!((ratio.measured.as_str(), ratio.verdict.as_str()), ("2 ×", "missed: 1.54 × the limit"));
    assert_eq!(row(&rows, "95 M").verdict, "met", "120 M a minute");
    let quick = super::rows(&found, true);
    assert_eq!(row(&quick, "95 M").verdict, "quick: says nothing");
    assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

#[test]
fn the_busiest_part_and_the_last_rate_that_was_kept() {
    let part = |rate: u32, p99: f64| json!({"deliveries_per_second": rate, "kept_per_second": rate, "ack": {"p99_ms": p99, "count": rate}});
    let report =
        json!({"parts": [part(2_500, 20.0), part(5_000, 30.0), part(7_000, 2_000.0), part(6_000, 9.0)]});
    assert_eq!(number(busiest(&report).unwrap(), "/deliveries_per_second"), Some(7_000.0));
    assert_eq!(number(kept(&report).unwrap(), "/kept_per_second"), Some(5_000.0));
    assert!(kept(&json!({"parts": [part(1, 5_000.0)]})).is_none() && busiest(&json!({})).is_none());

    let disk = json!({"sync": {"p50_ms": 4.0}, "inserts": [
        {"database": "sqlite", "rows": 512, "rows_per_second": 40_000.0},
        {"database": "postgres", "rows": 512, "rows_per_second": 90_000.0}]});
    let found =
        Found::from([("small-rooms-sqlite".to_owned(), vec![report]), ("floor-disk".to_owned(), vec![disk])]);
    let rows = rows(&found, false);
    let rate = row(&rows, "small rooms on SQLite");
    assert_eq!(
        (rate.measured.as_str(), rate.against.as_str()),
        ("5000/s", "raw inserts of 512 rows: 40.0 k/s")
    );
    let latency = row(&rows, "at that rate on SQLite");
    assert_eq!(latency.verdict, "missed: 1.36 × the limit", "30 ms, and 22 are the limit");
}

#[test]
fn what_has_no_target_has_no_verdict() {
    let part = |us: f64, rate: u32| json!({"server_cpu_us_per_delivery": us, "deliveries_per_second": rate});
    let report = json!({"bytes_per_delivery": 107.4, "parts": [part(0.9, 200_000), part(0.3, 3_100_000)]});
    let found = Found::from([("wire-json-joined".to_owned(), vec![report])]);
    let rows = rows(&found, false);
    let joined = row(&rows, "saturated: json, joined");
    assert_eq!((joined.measured.as_str(), joined.verdict.as_str()), ("0.30 µs", "to be known"));
    assert_eq!(joined.against, "0.90 µs at 200.0 k/s; 107 bytes a delivery; at most 3.1 M/s");
    assert_eq!(row(&rows, "over TLS").verdict, "not measured");
}

#[test]
fn a_fault_is_never_met() {
    let faults = json!({"faults": {"lost": 1, "doubled": 0, "disordered": 0, "unstored": 0}});
    let found = Found::from([("giant-room".to_owned(), vec![faults])]);
    assert_eq!(row(&rows(&found, false), "nothing lost").verdict, "missed");
}
