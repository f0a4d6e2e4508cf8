//! HTTPS and WSS by the server itself: the same as without, and certificates that come and go.

use std::{fs, io::Write};

use madang_client::proto::close::CloseCode;
use madang_server::clock::Clock;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::support::{
    Backend, PATIENCE, TestServer,
    server::config,
    tls::{Authority, Wss, narrow_tcp, tcp},
};

async fn health(authority: &Authority, s: &TestServer) -> Value {
    authority.http().get(format!("{}/health", s.url)).send().await.unwrap().json().await.unwrap()
}

/// The channel where everyone is.
fn general(ready: &Value) -> String {
    ready["channels"][0]["id"].as_str().unwrap().to_owned()
}

/// A `MESSAGE` of 8,000 characters, each written as an escape: 96,000 bytes of frame.
fn large(channel: &str, nonce: usize) -> String {
    let content = r"\ud83d\ude00".repeat(8_000);
    format!(
        r#"{{"type":"MESSAGE","payload":{{"channel_id":"{channel}","content":"{content}","nonce":"{nonce}"}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_chat_both_ways_with_large_messages() {
    let authority = Authority::new();
    let s = authority.server().await;
    let (alice, bob) = (authority.register(&s, "alice").await, authority.register(&s, "bob").await);
    let (mut alice, mut bob) = (authority.socket(&s, &alice).await, authority.socket(&s, &bob).await);
    let channel = general(&alice.hello(json!({})).await);
    bob.hello(json!({})).await;
    for n in 0..20 {
        alice.text(&large(&channel, n)).await;
        bob.text(
            &json!({"type": "MESSAGE", "payload": {"channel_id": channel, "content": n.to_string()}})
                .to_string(),
        )
        .await;
    }
    for socket in [&mut alice, &mut bob] {
        let mut heard = Vec::new();
        for _ in 0..40 {
            heard.push(socket.next("MESSAGE").await["content"].as_str().unwrap().to_owned());
        }
        let (long, short): (Vec<_>, Vec<_>) = heard.into_iter().partition(|content| content.len() > 2);
        assert!(long.iter().all(|content| *content == "😀".repeat(8_000)));
        assert_eq!((long.len(), short), (20, (0..20).map(|n| n.to_string()).collect()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_little_room_gets_a_ready_of_megabytes_whole() {
    let authority = Authority::new();
    let s = authority.server().await;
    let token = authority.register(&s, "alice").await;
    let mut writer = authority.socket(&s, &token).await;
    let ready = writer.hello(json!({})).await;
    let (channel, version) = (general(&ready), ready["channels"][0]["version"].clone());
    for n in 0..200 {
        writer.text(&large(&channel, n)).await;
        writer.next("MESSAGE").await;
    }
    let narrow = authority.connect_with(narrow_tcp(&s).await, &[&TLS13]).await.unwrap();
    let mut reader = Wss::over(narrow, &token).await;
    reader
        .text(&json!({"type": "HELLO", "payload": {"resume": {"channels": {&channel: version}}}}).to_string())
        .await;
    // While the rest of the READY waits for room, everyone else is served.
    writer.text(r#"{"type": "PING"}"#).await;
    writer.next("PONG").await;
    let changes = reader.next("READY").await["changes"][0]["messages"].as_array().unwrap().len();
    assert_eq!(changes, 200);
    reader.text(r#"{"type": "PING"}"#).await;
    reader.next("PONG").await;
}

#[tokio::test]
async fn a_hello_in_the_same_packet_as_the_handshake_is_heard() {
    let authority = Authority::new();
    let s = authority.server().await;
    let token = authority.register(&s, "alice").await;
    let mut tls = authority.connect(&s).await;
    let request = format!(
        "GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    // Many records at once: all are decrypted while HTTP is still spoken, and the kernel has nothing more.
    let records = tls.get_mut().1;
    records.writer().write_all(request.as_bytes()).unwrap();
    let hello = format!("{:50}", r#"{"type":"HELLO"}"#);
    for byte in [&[0x81, 0x80 | 50, 0, 0, 0, 0], hello.as_bytes()].concat() {
        records.writer().write_all(&[byte]).unwrap();
    }
    tls.flush().await.unwrap();
    let (mut heard, mut part) = (String::new(), [0; 4_096]);
    while !heard.contains("READY") {
        let read = timeout(PATIENCE, tls.read(&mut part)).await.expect("no READY came").unwrap();
        assert!(read > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&part[..read]));
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_http_1_1_is_agreed_on() {
    let authority = Authority::new();
    let s = authority.server().await;
    for version in [&TLS12, &TLS13] {
        let mut tls = authority.connect_with(tcp(&s).await, &[version]).await.unwrap();
        assert_eq!(tls.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        tls.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"tls\":{\"up\":true"), "{answer}");
    }
}

#[tokio::test]
async fn whoever_does_not_speak_tls_is_told_or_let_go_and_holds_up_nobody() {
    let authority = Authority::new();
    let s = authority.server().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(tcp(&s).await);
    }
    let mut plain = tcp(&s).await;
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
    for garbage in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x00", b"SSH-2.0-x\r\n", b"\xff\xff\xff\xff"] {
        let mut peer = tcp(&s).await;
        peer.write_all(garbage).await.unwrap();
        // An alert, a sentence or nothing: and then the end.
        drop(timeout(PATIENCE, peer.read_to_end(&mut Vec::new())).await.expect("the connection was kept"));
    }
    let stranger = Authority::new().connect_with(tcp(&s).await, &[&TLS13]).await;
    assert!(stranger.unwrap_err().to_string().contains("invalid peer certificate"));
    let health = health(&authority, &s).await;
    let http = health["children"].as_array().unwrap().iter().find(|c| c["name"] == "http").unwrap();
    assert_eq!((&health["status"], &http["faults"]), (&json!("ok"), &json!(0)));
    drop(silent);
}

#[tokio::test]
async fn close_codes_and_the_end_of_tls_arrive() {
    let authority = Authority::new();
    let mut s = authority.server().await;
    let token = authority.register(&s, "alice").await;
    let mut stranger = authority.socket(&s, "garbage").await;
    stranger.text(r#"{"type":"HELLO"}"#).await;
    assert_eq!(stranger.closed().await, CloseCode::Unauthenticated.number());
    let mut rude = authority.socket(&s, &token).await;
    rude.hello(json!({})).await;
    rude.text("not a frame").await;
    assert_eq!(rude.closed().await, CloseCode::Protocol.number());
    let mut there = authority.socket(&s, &token).await;
    there.hello(json!({})).await;
    let (code, ()) = tokio::join!(there.closed(), s.stop());
    assert_eq!(code, CloseCode::Restarting.number());
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    let authority = Authority::new();
    let s = authority.server().await;
    let token = authority.register(&s, "alice").await;
    let mut there = authority.socket(&s, &token).await;
    there.hello(json!({})).await;
    let before = authority.shown(&s).await;

    // Renewals write one file after the other: half of one is not served.
    let renewed = authority.issue(2020, 2090);
    fs::write(authority.certificate(), &renewed.0).unwrap();
    s.advance(60_000);
    until(&authority, &s, "degraded").await;
    assert!(authority.shown(&s).await == before);
    assert_eq!(health(&authority, &s).await["tls"]["up"], false);

    fs::write(authority.key(), &renewed.1).unwrap();
    s.advance(60_000);
    until(&authority, &s, "ok").await;
    assert!(authority.shown(&s).await != before);
    assert_eq!(health(&authority, &s).await["tls"]["expires_at"], "2090-01-01T00:00:00.000Z");

    fs::remove_file(authority.certificate()).unwrap();
    s.advance(60_000);
    until(&authority, &s, "degraded").await;
    there.text(r#"{"type": "PING"}"#).await;
    there.next("PONG").await;
}

/// Waits until the server's health has this status.
async fn until(authority: &Authority, s: &TestServer, status: &str) {
    let wait = async { while health(authority, s).await["status"] != status {} };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("the server is not {status}"));
}

#[tokio::test]
async fn a_certificate_that_runs_out_shows_in_health() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let mut config = config(folder.path());
    (config.tls_certificate, config.tls_key) = (Some(authority.certificate()), Some(authority.key()));
    let s = TestServer::again(config, Clock::manual("2098-12-31T23:59:59Z".parse().unwrap())).await.unwrap();
    assert_eq!(health(&authority, &s).await["status"], "ok");
    s.advance(1_000);
    let health = health(&authority, &s).await;
    assert_eq!((&health["status"], &health["tls"]["up"]), (&json!("degraded"), &json!(false)));
}

#[tokio::test]
async fn files_that_cannot_work_are_refused_with_what_to_do() {
    type Files = fn(&Authority);
    type Settings = fn(&mut madang_server::Config);
    let good = |_: &Authority| {};
    let wrong: [(Files, Settings, &str); 10] = [
        (good, |c| c.tls_key = None, "with --tls-certificate set --tls-key"),
        (good, |c| c.tls_certificate = None, "with --tls-key set --tls-certificate"),
        (good, |c| c.tls_key = Some("/nowhere/key.pem".into()), "/nowhere/key.pem cannot be read"),
        (good, |c| c.tls_certificate = c.tls_key.clone(), "holds no certificate in PEM"),
        (good, |c| c.tls_key = c.tls_certificate.clone(), "holds no private key in PEM"),
        (|a| fs::write(a.key(), a.issue(2020, 2099).1).unwrap(), |_| {}, "is not that of the certificate"),
        (|a| a.write(&a.issue(2020, 2021)), |_| {}, "expired at 2021-01-01T00:00:00.000Z; renew it"),
        (|a| a.write(&a.issue(2098, 2099)), |_| {}, "is not valid before 2098-01-01T00:00:00.000Z"),
        (|a| fs::write(a.certificate(), pem("CERTIFICATE")).unwrap(), |_| {}, "damaged"),
        (|a| fs::write(a.key(), pem("PRIVATE KEY")).unwrap(), |_| {}, "of a kind that is not known"),
    ];
    for (files, settings, words) in wrong {
        let authority = Authority::new();
        files(&authority);
        let change = |c: &mut madang_server::Config| {
            (c.tls_certificate, c.tls_key) = (Some(authority.certificate()), Some(authority.key()));
            settings(c);
        };
        let error = TestServer::start_with(Backend::Sqlite, change).await.err().unwrap().to_string();
        assert!(error.contains(words) && !error.contains(SECRET), "{error}");
    }
}

const SECRET: &str = "c2VjcmV0";

/// PEM of the right form around nonsense.
fn pem(label: &str) -> String {
    format!("-----BEGIN {label}-----\n{SECRET}\n-----END {label}-----\n")
}
