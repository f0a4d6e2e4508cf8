//! Stopping without being missed: a node that drains says so, begins nothing that lasts, and its people go on at another.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use madang_client::{
    Http, RawSocket,
    proto::{accounts::Secret, close::CloseCode, error::ErrorCode::Unavailable, messages::CreateMessage},
};
use madang_server::config::Switch;
use reqwest::{Body, header};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot::{self, error::RecvError},
};

use crate::support::{
    PATIENCE, TestServer, User,
    door::Door,
    nodes::Cluster,
    on_both,
    raw::{Raw, code},
    settled,
    site::{Answer, Site},
};

const MESSAGE: &str = r#"{"content": "the last words"}"#;
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let reached = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_node_says_so_begins_nothing_that_lasts_and_serves_the_rest() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((a, alice), (b, mut bob)) = cluster.pair().await;
    let mut raw = Raw::of(&alice).await;
    a.drain().await;
    assert_eq!(raw.closed().await, code(CloseCode::Restarting));
    let (status, health) = a.http().health().await.unwrap();
    assert_eq!(
        (status, &health["status"], &health["ready"], &health["live"]),
        (503, &json!("draining"), &json!(false), &json!(true))
    );
    let answer = reqwest::get(format!("{}/health", a.url)).await.unwrap();
    assert_eq!(answer.headers()[header::CONNECTION], "close");
    let Secret(token) = alice.http.current_token().unwrap();
    let socket = RawSocket::connect(&a.url, Some(&token)).await.err().unwrap();
    let upload = alice.http.upload("a.txt", "not here").await.unwrap_err();
    for refused in [socket, upload] {
        let told = (refused.code(), refused.retry_after());
        assert_eq!(told, (Some(Unavailable), Some(Duration::from_secs(1))));
    }
    let body = CreateMessage { content: "still here".to_owned(), nonce: None, file_ids: Vec::new() };
    alice.http.create_message(alice.general(), &body).await.unwrap();
    assert_eq!(bob.next_message().await.content, "still here");
    assert_eq!(b.http().health().await.unwrap().0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_at_a_node_that_leaves_goes_on_at_another_and_nothing_is_lost() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((mut a, _alice), (b, mut bob)) = cluster.pair().await;
    let door = Door::to(&a).await;
    let carol =
        User::of(Http::new(&door.url).unwrap(), a.http().login(&a.login("carol")).await.unwrap()).await;
    let (general, left) = (carol.general(), Cell::new(false));
    let sending = async {
        let mut sent = 0;
        while !left.get() {
            carol.send(general, &sent.to_string()).await;
            sent += 1;
        }
        carol.send(general, "all").await;
        sent
    };
    let leaving = async {
        door.leads_to(&b);
        a.drain().await;
        a.stop().await;
        left.set(true);
    };
    let (sent, ()) = tokio::join!(sending, leaving);
    for number in 0..sent {
        assert_eq!(bob.next_message().await.content, number.to_string());
    }
    assert_eq!(bob.next_message().await.content, "all");
    for user in [&carol, &bob] {
        settled(user).await;
    }
}

on_both! {
    async fn requests_that_run_when_the_server_stops_are_answered(s: TestServer) {
        let mut s = s;
        let alice = s.user("alice").await;
        let address = s.url.trim_start_matches("http://").to_owned();
        let (rest, comes) = oneshot::channel();
        let halves = stream::iter(["one half, "]).map(Ok::<_, RecvError>).chain(stream::once(comes));
        let gathered = s.config.data.join("uploads");
        let (Secret(token), general) = (alice.http.current_token().unwrap(), alice.general());
        let head = format!(
            "POST /api/v1/channels/{general}/messages HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            MESSAGE.len()
        );
        let meanwhile = async {
            until(async || std::fs::read_dir(&gathered).is_ok_and(|mut all| all.next().is_some())).await;
            let mut message = TcpStream::connect(&address).await.unwrap();
            message.write_all(head.as_bytes()).await.unwrap();
            // It asks for the body, so it is at it.
            message.read_exact(&mut [0; CONTINUE.len()]).await.unwrap();
            let refused = until(async || TcpStream::connect(&address).await.is_err());
            let answers = async {
                refused.await;
                rest.send("and the other").unwrap();
                message.write_all(MESSAGE.as_bytes()).await.unwrap();
                let mut answer = String::new();
                message.read_to_string(&mut answer).await.unwrap();
                answer
            };
            tokio::join!(s.stop(), answers).1
        };
        let (uploaded, sent) = tokio::join!(alice.http.upload("a.txt", Body::wrap_stream(halves)), meanwhile);
        assert_eq!(uploaded.unwrap().size, 23);
        assert!(sent.starts_with("HTTP/1.1 201") && sent.contains("the last words"), "{sent}");
    }

    async fn a_job_for_which_a_stop_has_no_time_is_done_after_the_next_start(s: TestServer) {
        let asked = AtomicBool::new(false);
        let site = Site::with(move |_| match asked.swap(true, Ordering::Relaxed) {
            false => Answer::Silence,
            true => Answer::page("<title>Late</title>"),
        });
        let site = site.await;
        let mut s = s.restarted_with(|config| {
            config.link_previews = Switch::On;
            config.link_preview_networks = vec!["127.0.0.1/32".parse().unwrap()];
            config.link_preview_ports = vec![site.address.port()];
            config.shutdown_seconds = 1;
        }).await;
        let alice = s.user("alice").await;
        let id = alice.send(alice.general(), &site.url("/")).await.id;
        until(async || !site.asked().is_empty()).await;
        s.restart().await;
        let title = |state: &madang_client::State| {
            let channel = state.channel_named("general")?;
            Some(channel.messages().find(|m| m.id == id)?.previews.first()?.title.clone())
        };
        assert_eq!(alice.client.wait_for("the preview", title).await.unwrap(), "Late");
    }
}
