//! Tokens of an outside issuer: by shared secret, by a file of keys, by keys at an address.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use madang_client::{
    Error,
    proto::{
        accounts::User,
        close::CloseCode,
        error::ErrorCode::{Unauthenticated, Unavailable},
        permissions::Role,
    },
};
use madang_server::Config;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use crate::support::{
    Backend, TestServer, on_both,
    raw::{Raw, code},
};

const ISSUER: &str = "https://login.example.org";
const SECRET: &str = "a shared secret of more than 32 bytes";

/// A key pair of Ed25519 (RFC 8410) from its seed.
fn pair(seed: u8) -> EncodingKey {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

/// The document with the public halves of these key pairs.
fn jwks(seeds: &[u8]) -> String {
    let key = |seed: &u8| {
        let mut key = Jwk::from_encoding_key(&pair(*seed), Algorithm::EdDSA).unwrap();
        key.common.key_id = Some(format!("key {seed}"));
        key
    };
    serde_json::to_string(&JwkSet { keys: seeds.iter().map(key).collect() }).unwrap()
}

/// What the issuer says of Jimin at the time of the tests, with changes.
fn claims(s: &TestServer, change: &Value) -> Value {
    let now = s.clock.now().millis() / 1000;
    let mut claims = json!({
        "iss": ISSUER, "sub": "u-1", "aud": "madang", "exp": now + 600,
        "preferred_username": "지민", "name": "김지민", "email": "jimin@example.org",
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn shared(claims: &Value) -> String {
    sign(Algorithm::HS256, None, &EncodingKey::from_secret(SECRET.as_bytes()), claims)
}

fn public(seed: u8, claims: &Value) -> String {
    sign(Algorithm::EdDSA, Some(format!("key {seed}")), &pair(seed), claims)
}

fn sign(algorithm: Algorithm, kid: Option<String>, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header { kid, ..Header::new(algorithm) }, claims, key).unwrap()
}

fn with_secret(config: &mut Config) {
    config.issuer = Some(ISSUER.to_owned());
    config.issuer_secret = Some(SECRET.to_owned());
    config.issuer_audience = Some("madang".to_owned());
}

fn with_keys(config: &mut Config, place: String) {
    config.issuer = Some(ISSUER.to_owned());
    config.issuer_jwks = Some(place);
}

async fn who(s: &TestServer, token: &str) -> Result<User, Error> {
    s.http().with_token(token).me().await
}

/// An issuer's own server: answers every request with a document, and counts.
struct Place {
    url: String,
    document: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Place {
    async fn with(document: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (document, asked) = (Arc::new(Mutex::new(document)), Arc::new(AtomicUsize::new(0)));
        let (text, count, mut task) = (Arc::clone(&document), Arc::clone(&asked), JoinSet::new());
        task.spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                drop(socket.read(&mut [0; 4096]).await);
                count.fetch_add(1, Ordering::SeqCst);
                let body = text.lock().clone();
                let (status, length) = (if body.is_empty() { "500 Oops" } else { "200 OK" }, body.len());
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                drop(socket.write_all(answer.as_bytes()).await);
            }
        });
        Self { url, document, asked, _task: task }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

on_both! {
    async fn someone_from_outside_is_made_once_and_is_the_same_from_then_on(s: TestServer) {
        let s = s.restarted_with(with_secret).await;
        let jimin = who(&s, &shared(&claims(&s, &json!({})))).await.unwrap();
        assert_eq!((jimin.summary.username.as_str(), jimin.summary.display_name.as_str()), ("지민", "김지민"));
        assert_eq!((jimin.email.as_deref(), jimin.guest), (Some("jimin@example.org"), false));
        s.advance(1_000);
        let renamed = claims(&s, &json!({"preferred_username": "other", "name": "Other"}));
        assert_eq!(who(&s, &shared(&renamed)).await.unwrap(), jimin, "known by the issuer's name for them");
        let http = s.http().with_token(shared(&claims(&s, &json!({}))));
        assert_eq!(http.workspaces().await.unwrap()[0].role, Some(Role::Owner), "the first on this server");
        let bob = s.user("bob").await;
        assert_eq!(bob.http.user(jimin.summary.id).await.unwrap().summary, jimin.summary);
    }

    async fn at_once_they_are_made_once(s: TestServer) {
        let s = s.restarted_with(with_secret).await;
        let token = shared(&claims(&s, &json!({})));
        let all = futures_util::future::join_all((0..8).map(|_| who(&s, &token))).await;
        let ids: std::collections::BTreeSet<_> = all.into_iter().map(|user| user.unwrap().summary.id).collect();
        assert_eq!(ids.len(), 1);
    }

    async fn a_name_that_is_taken_or_no_name_is_replaced(s: TestServer) {
        let s = s.restarted_with(with_secret).await;
        let alice = s.user("alice").await;
        for (sub, name) in [("u-2", json!("Alice")), ("u-3", json!("guest_7")), ("u-4", json!("a b")), ("u-5", Value::Null)] {
            let token = shared(&claims(&s, &json!({"sub": sub, "preferred_username": name})));
            let user = who(&s, &token).await.unwrap();
            assert!(user.summary.username.starts_with("user-"), "{}", user.summary.username);
            assert_eq!(user.summary.display_name, "김지민");
            assert_ne!(user.summary.id, alice.id);
        }
    }

    async fn what_the_issuer_did_not_say_is_not_believed(s: TestServer) {
        let s = s.restarted_with(with_secret).await;
        let now = s.clock.now().millis() / 1000;
        let secret = EncodingKey::from_secret(SECRET.as_bytes());
        let good = claims(&s, &json!({}));
        let none = format!("eyJhbGciOiJub25lIn0.{}.", shared(&good).split('.').nth(1).unwrap());
        let wrong = [
            shared(&claims(&s, &json!({"exp": now}))),
            shared(&claims(&s, &json!({"exp": null}))),
            shared(&claims(&s, &json!({"nbf": now + 3_600}))),
            shared(&claims(&s, &json!({"iss": "https://evil.example.org"}))),
            shared(&claims(&s, &json!({"aud": "another"}))),
            shared(&claims(&s, &json!({"aud": null}))),
            shared(&claims(&s, &json!({"sub": ""}))),
            shared(&claims(&s, &json!({"sub": "x".repeat(256)}))),
            sign(Algorithm::HS256, None, &EncodingKey::from_secret(b"another secret of more than 32 bytes"), &good),
            public(1, &good),
            none,
        ];
        for token in &wrong {
            let error = who(&s, token).await.unwrap_err();
            assert_eq!(error.code(), Some(Unauthenticated), "{token}");
        }
        let mut raw = Raw::open(&s.url, Some(&wrong[0])).await;
        raw.text(r#"{"type":"HELLO"}"#).await;
        assert_eq!(raw.closed().await, code(CloseCode::Unauthenticated));
        let (alice, _bob) = s.users().await;
        let members = alice.http.all_workspace_members(alice.workspace()).await.unwrap();
        assert_eq!(members.len(), 2, "none of them made anyone");
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            assert!(who(&s, &sign(algorithm, None, &secret, &good)).await.is_ok(), "{algorithm:?}");
        }
    }

    async fn they_talk_like_everyone_and_ours_sign_in_as_before(s: TestServer) {
        let s = s.restarted_with(with_secret).await;
        let alice = s.user("alice").await;
        let http = s.http().with_token(shared(&claims(&s, &json!({}))));
        let jimin = madang_client::Client::connect(http.clone(), madang_client::Options::default()).await.unwrap();
        jimin.send(alice.general(), "안녕").await.unwrap();
        let heard = |state: &madang_client::State| (state.channel_named("general")?.facts().last_seq == 1).then_some(());
        alice.client.wait_for("the message", heard).await.unwrap();
        assert!(s.http().login(&s.login("alice")).await.is_ok());
        assert_eq!(http.sessions().await.unwrap(), [], "no session of ours");
        assert_eq!(s.http().login(&s.login("지민")).await.unwrap_err().code(), Some(Unauthenticated), "nor a password");
    }
}

#[tokio::test]
async fn keys_in_a_file_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys.json");
    std::fs::write(&place, jwks(&[1, 2])).unwrap();
    let with = |config: &mut Config| with_keys(config, place.to_str().unwrap().to_owned());
    let s = TestServer::start_with(Backend::Sqlite, with).await.unwrap();
    let good = claims(&s, &json!({}));
    let first = who(&s, &public(1, &good)).await.unwrap();
    assert_eq!(who(&s, &public(2, &good)).await.unwrap(), first, "either key is the issuer's");
    for bad in [
        public(3, &good),
        sign(Algorithm::EdDSA, Some("key 1".to_owned()), &pair(2), &good),
        shared(&good),
        // The public key passed off as a secret.
        sign(
            Algorithm::HS256,
            Some("key 1".to_owned()),
            &EncodingKey::from_secret(jwks(&[1]).as_bytes()),
            &good,
        ),
    ] {
        assert_eq!(who(&s, &bad).await.unwrap_err().code(), Some(Unauthenticated));
    }
}

#[tokio::test]
async fn keys_at_an_address_are_kept_a_while_and_read_again_for_a_new_one() {
    let place = Place::with(jwks(&[1])).await;
    let with = |config: &mut Config| with_keys(config, place.url.clone());
    let s = TestServer::start_with(Backend::Sqlite, with).await.unwrap();
    let fresh = |s: &TestServer, seed| public(seed, &claims(s, &json!({})));
    for _ in 0..3 {
        who(&s, &fresh(&s, 1)).await.unwrap();
    }
    assert_eq!(place.asked(), 1, "kept");
    *place.document.lock() = jwks(&[2]);
    assert_eq!(
        who(&s, &fresh(&s, 2)).await.unwrap_err().code(),
        Some(Unauthenticated),
        "not asked again so soon"
    );
    s.advance(30_000);
    who(&s, &fresh(&s, 2)).await.unwrap();
    assert_eq!((place.asked(), who(&s, &fresh(&s, 1)).await.is_err()), (2, true), "the old key is gone");
    *place.document.lock() = String::new();
    s.advance(600_000);
    who(&s, &fresh(&s, 2)).await.unwrap();
    assert_eq!(place.asked(), 3, "while the place is away the kept ones serve");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_said_to_be_away_and_hinder_nobody_else() {
    let place = Place::with(String::new()).await;
    let with = |config: &mut Config| with_keys(config, place.url.clone());
    let s = TestServer::start_with(Backend::Sqlite, with).await.unwrap();
    let token = public(1, &claims(&s, &json!({})));
    assert_eq!(who(&s, &token).await.unwrap_err().code(), Some(Unavailable));
    s.user("alice").await;
    *place.document.lock() = jwks(&[1]);
    s.advance(30_000);
    who(&s, &token).await.unwrap();
}

#[tokio::test]
async fn without_an_issuer_in_the_settings_nobody_comes_from_outside() {
    let s = TestServer::start(Backend::Sqlite).await;
    assert_eq!(who(&s, &shared(&claims(&s, &json!({})))).await.unwrap_err().code(), Some(Unauthenticated));
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_told() {
    let told = async |change: &dyn Fn(&mut Config), word: &str| {
        let error = TestServer::start_with(Backend::Sqlite, change).await.err().unwrap().to_string();
        assert!(error.contains(word), "{error}");
    };
    told(&|c| c.issuer = Some(ISSUER.to_owned()), "--issuer-secret or --issuer-jwks").await;
    told(&|c| c.issuer_secret = Some(SECRET.to_owned()), "--issuer").await;
    told(
        &|c| {
            with_secret(c);
            c.issuer_jwks = Some("keys.json".to_owned());
        },
        "either",
    )
    .await;
    told(
        &|c| {
            with_secret(c);
            c.issuer_secret = Some("short".to_owned());
        },
        "32 bytes",
    )
    .await;
}
