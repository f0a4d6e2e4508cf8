//! How often is too often: logins, new accounts, messages; and whose address counts.

use std::net::IpAddr;

use futures_util::future::join_all;
use madang_client::{
    Http,
    proto::{
        accounts::{GuestLogin, Register, Secret},
        close::CloseCode,
        command::Hello,
        error::ErrorCode::RateLimited,
        limits,
        messages::CreateMessage,
    },
};
use madang_server::{Config, config::Switch};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{
    Backend, TestServer, User,
    raw::{Raw, code},
    server::PASSWORD,
};

async fn limited(change: impl FnOnce(&mut Config)) -> TestServer {
    let with = |config: &mut Config| {
        config.rate_limits = Switch::On;
        change(config);
    };
    TestServer::start_with(Backend::Sqlite, with).await.unwrap()
}

/// A login that names where it says it comes from.
async fn login(s: &TestServer, name: &str, forwarded: &str) -> reqwest::Response {
    let body = json!({"username": name, "password": "wrong horse"});
    let request = reqwest::Client::new().post(format!("{}/api/v1/auth/login", s.url)).json(&body);
    let request = if forwarded.is_empty() { request } else { request.header("X-Forwarded-For", forwarded) };
    request.send().await.unwrap()
}

/// What logins, one after the other, are answered.
async fn statuses(s: &TestServer, tries: impl Iterator<Item = (String, String)>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (name, forwarded) in tries {
        statuses.push(login(s, &name, &forwarded).await.status().as_u16());
    }
    statuses
}

async fn alice(s: &TestServer) -> User {
    let new = Register {
        username: "alice".to_owned(),
        password: Secret(PASSWORD.to_owned()),
        display_name: None,
        email: None,
    };
    User::of(s.http(), s.http().register(&new).await.unwrap()).await
}

#[tokio::test]
async fn a_name_is_tried_ten_times_and_says_when_to_come_back() {
    let s = limited(|_| {}).await;
    alice(&s).await;
    let names = ["alice", "ALICE", " alice "];
    let tried = statuses(&s, (0..14).map(|n| (names[n % 3].to_owned(), String::new()))).await;
    assert!(tried[..10].iter().all(|status| *status == 401) && tried[10..].contains(&429), "{tried:?}");
    let refused = login(&s, "alice", "").await;
    let header = |name: &str| refused.headers()[name].to_str().unwrap().parse::<u32>().unwrap();
    let wait = header("retry-after");
    assert!(refused.status() == 429 && (1..=7).contains(&wait), "{wait}");
    assert_eq!(
        (header("ratelimit-limit"), header("ratelimit-remaining"), header("ratelimit-reset")),
        (10, 0, wait)
    );
    let problem: Value = refused.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["retry_after"]), (&json!("rate_limited"), &json!(wait)));
    assert_eq!(
        s.http().login(&s.login("alice")).await.unwrap_err().code(),
        Some(RateLimited),
        "right or wrong"
    );
    assert_eq!(login(&s, "bob", "").await.status(), 401, "another name is free");
}

#[tokio::test]
async fn an_address_tries_thirty_names() {
    let s = limited(|_| {}).await;
    let tried = statuses(&s, (0..40).map(|n| (format!("name{n}"), String::new()))).await;
    assert!(tried[..30].iter().all(|status| *status == 401) && tried[30..].contains(&429), "{tried:?}");
}

#[tokio::test]
async fn what_a_client_says_of_its_address_counts_only_behind_a_trusted_proxy() {
    let trusted = limited(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let open = limited(|_| {}).await;
    let many = || (0..40).map(|n| (format!("name{n}"), format!("198.51.100.{n}")));
    assert!(!statuses(&trusted, many()).await.contains(&429), "40 addresses through the proxy");
    assert!(statuses(&open, many()).await.contains(&429), "one that only claims to be many");
    // What stands before the last address that is not a proxy's, anyone could have written.
    let one = (0..40).map(|n| (format!("other{n}"), format!("203.0.113.{n}, 192.0.2.1, 127.0.0.9")));
    assert!(statuses(&trusted, one).await.contains(&429), "one address behind two proxies");
    assert_eq!(login(&trusted, "one more", "192.0.2.2").await.status(), 401);
}

#[tokio::test]
async fn a_session_shows_the_address_that_counts() {
    let s = limited(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let alice = alice(&s).await;
    let login = reqwest::Client::new()
        .post(format!("{}/api/v1/auth/login", s.url))
        .header("X-Forwarded-For", "2001:db8::7")
        .json(&json!({"username": "alice", "password": PASSWORD}));
    assert_eq!(login.send().await.unwrap().status(), 200);
    let sessions = alice.http.sessions().await.unwrap();
    let addresses: Vec<IpAddr> = sessions.iter().map(|x| x.address.parse().unwrap()).collect();
    assert!(
        addresses.contains(&"2001:db8::7".parse().unwrap())
            && addresses.contains(&"127.0.0.1".parse().unwrap())
    );
}

#[tokio::test]
async fn new_accounts_are_limited_by_address() {
    let s = limited(|_| {}).await;
    let guest = GuestLogin::default();
    let mut let_in = 0;
    let refused = loop {
        match s.http().guest(&guest).await {
            Ok(_) => let_in += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), Some(RateLimited));
    assert!((60..=80).contains(&let_in), "{let_in}");
}

#[tokio::test]
async fn messages_are_limited_by_author_and_the_client_waits() {
    let s = limited(|_| {}).await;
    let alice = alice(&s).await;
    let bob = s.user("bob").await;
    let body = CreateMessage { content: "hi".to_owned(), nonce: None, file_ids: Vec::new() };
    let all = join_all((0..120).map(|_| alice.http.create_message(alice.general(), &body))).await;
    let (sent, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert!(sent.len() >= 60 && !refused.is_empty(), "{} sent", sent.len());
    assert!(
        refused
            .iter()
            .all(|r| r.as_ref().is_err_and(|e| e.code() == Some(RateLimited) && e.retry_after().is_some()))
    );
    bob.http.create_message(bob.general(), &body).await.unwrap();
    let (late, ()) =
        tokio::join!(alice.send(alice.general(), "waits by itself"), async { s.advance(60_000) });
    assert_eq!(late.seq, i64::try_from(sent.len()).unwrap() + 2);
}

fn rates(answer: &HeaderMap) -> Option<(String, [u32; 3])> {
    let text = |name: &str| Some(answer.get(name)?.to_str().unwrap().to_owned());
    let number = |name: &str| text(name).unwrap().parse().unwrap();
    let policy = text("ratelimit-policy")?;
    Some((policy, ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(number)))
}

#[tokio::test]
async fn every_answer_of_what_is_limited_says_how_it_stands() {
    let s = limited(|_| {}).await;
    let alice = alice(&s).await;
    let ask = async |http: &Http, method: Method, path: &str, body: Option<Value>| {
        let answer = http.request(method, path, body.as_ref()).await.unwrap();
        (answer.status, rates(&answer.headers))
    };
    let left = |policy: &str, numbers: [u32; 3]| Some((policy.to_owned(), numbers));
    let messages = format!("/api/v1/channels/{}/messages", alice.general());
    let hi = || Some(json!({"content": "hi"}));
    for n in 1..=3 {
        let sent = ask(&alice.http, Method::POST, &messages, hi()).await;
        assert_eq!(sent, (201, left("300;w=60;burst=60", [60, 60 - n, 1])), "the limit that is closest");
    }
    s.advance(60_000);
    let (status, reading) = ask(&alice.http, Method::GET, "/api/v1/users/me", None).await;
    assert_eq!((status, reading), (200, left("6000;w=60;burst=1000", [1000, 999, 1])));
    let (status, refused) = ask(&alice.http, Method::PUT, "/api/v1/channels/1", Some(json!({}))).await;
    assert_eq!((status, refused), (404, left("600;w=60;burst=200", [200, 199, 1])), "an error too");
    let (status, anonymous) = ask(&s.http(), Method::GET, "/api/v1/users/me", None).await;
    assert_eq!((status, anonymous.unwrap().0.as_str()), (401, "1200;w=60;burst=600"));
    let (status, unlimited) = ask(&s.http(), Method::GET, "/health", None).await;
    assert_eq!((status, unlimited), (200, None));
}

#[tokio::test]
async fn who_reads_without_end_or_tries_tokens_has_to_wait() {
    let s = limited(|_| {}).await;
    let alice = alice(&s).await;
    let refused = async |http: &Http, path: &str, most: usize| {
        for n in 0..=most {
            let answer = http.request(Method::GET, path, None).await.unwrap();
            if answer.status == 429 {
                assert_eq!(answer.json["code"], "rate_limited");
                assert_eq!(answer.headers["content-type"], "application/problem+json");
                let wait: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
                assert_eq!(rates(&answer.headers).unwrap().1[1..], [0, wait]);
                return n;
            }
        }
        panic!("never refused");
    };
    let read = refused(&alice.http, "/api/v1/users/me", 1_100).await;
    assert!((990..=1_001).contains(&read), "{read}");
    let bad = s.http().with_token("not a token");
    let tried = refused(&bad, "/api/v1/users/me", 700).await;
    assert!((580..=601).contains(&tried), "{tried}");
    assert_eq!(refused(&s.http(), "/api/openapi.json", 0).await, 0, "the same address without a token");
    s.advance(60_000);
    let again = alice.http.request(Method::GET, "/api/v1/users/me", None).await.unwrap();
    assert_eq!(again.status, 200, "after a minute");
}

#[tokio::test]
async fn a_page_of_another_origin_may_read_how_it_stands() {
    let s = limited(|config| config.cors_origins = vec!["https://app.example.org".to_owned()]).await;
    let request = reqwest::Client::new().get(format!("{}/api/v1/users/me", s.url));
    let answer = request.header("Origin", "https://app.example.org").send().await.unwrap();
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    for name in
        ["ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"]
    {
        assert!(exposed.contains(name), "{name} in {exposed}");
    }
}

#[tokio::test]
async fn frames_past_the_limit_are_refused_and_a_flood_ends_the_connection() {
    let s = limited(|_| {}).await;
    let alice = alice(&s).await;
    let (mut raw, _) = Raw::with(&alice, Hello::default()).await;
    // HELLO was the first; nonsense counts as sense does.
    for _ in 2..limits::FRAMES_AT_ONCE {
        raw.text(r#"{"type": "NONSENSE", "payload": {}}"#).await;
    }
    assert_eq!(raw.ask(json!({"type": "NONSENSE", "payload": {}})).await, Err(json!("invalid")));
    let ping = json!({"type": "PING", "payload": {}});
    let mut answers = Vec::new();
    // Some more are taken while the time goes by.
    while answers.last() != Some(&Err(json!("rate_limited"))) && answers.len() < 2_000 {
        answers.push(raw.ask(ping.clone()).await);
    }
    assert_eq!(answers.last(), Some(&Err(json!("rate_limited"))), "with its rid, after {}", answers.len());
    for _ in 0..limits::FRAMES_REFUSED + 2_000 {
        raw.text(&ping.to_string()).await;
    }
    assert_eq!(raw.closed().await, code(CloseCode::TooManyFrames));
    let (mut again, _) = Raw::with(&alice, Hello::default()).await;
    assert!(again.ask(ping).await.is_ok(), "another connection counts for itself");
}

#[tokio::test]
async fn without_limits_nothing_is_counted() {
    let s = TestServer::start(Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let answer = alice.http.request(Method::GET, "/api/v1/users/me", None).await.unwrap();
    assert_eq!((answer.status, rates(&answer.headers)), (200, None));
}
