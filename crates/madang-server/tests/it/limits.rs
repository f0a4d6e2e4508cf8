//! How often is too often: logins, new accounts, messages; and whose address counts.

use std::net::IpAddr;

use futures_util::future::join_all;
use madang_client::proto::{
    accounts::{GuestLogin, Register, Secret},
    error::ErrorCode::RateLimited,
    messages::CreateMessage,
};
use madang_server::{Config, config::Switch};
use serde_json::{Value, json};

use crate::support::{Backend, TestServer, User, server::PASSWORD};

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
    let body = CreateMessage { content: "hi".to_owned(), nonce: None };
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
