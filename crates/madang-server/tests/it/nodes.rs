//! Several nodes on one database: who may be one, and which number its ids carry.

use std::time::{Duration, Instant};

use madang_client::{
    Http,
    proto::{channels::UpdateChannel, error::ErrorCode, event::Event, ids, messages::CreateMessage},
};
use madang_server::{Hands, admin, config::Switch};
use madang_store::{Db, Options, leases, testing};

use crate::support::{
    PATIENCE, User,
    nodes::{Nodes, unheard},
    raw::Raw,
    server::TestServer,
};

/// The number of the node that made an id.
fn number(id: i64) -> i64 {
    (id >> ids::SEQUENCE_BITS) & ((1 << ids::NODE_BITS) - 1)
}

async fn sent_by(user: &User) -> i64 {
    number(user.send(user.general(), "안녕").await.id.get())
}

/// Tries to send until it is stored.
async fn sent_at_last(user: &User) {
    let tried = async {
        loop {
            let body = CreateMessage {
                content: "at last".to_owned(),
                nonce: Some("once".to_owned()),
                file_ids: Vec::new(),
            };
            match user.http.create_message(user.general(), &body).await {
                Ok(_) => return,
                Err(error) => assert_eq!(error.code(), Some(ErrorCode::Unavailable), "{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.unwrap();
}

async fn numbers(node: &TestServer) -> Vec<(i64, bool)> {
    let all = admin::nodes(&node.config).await.unwrap();
    all.iter().map(|node| (node.number, node.is_alive())).collect()
}

/// A node that is heard several times a second.
fn quick() -> Hands {
    Hands { lease: Some(Duration::from_secs(3)), ..unheard() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_has_a_number_which_it_gives_back() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((mut a, alice), (b, bob)) = nodes.pair().await;
    assert_eq!((sent_by(&alice).await, sent_by(&bob).await), (0, 1));
    assert_eq!(numbers(&b).await, [(0, true), (1, true)]);
    a.stop().await;
    assert_eq!(numbers(&b).await, [(1, true)]);
    let (_c, again) = nodes.looking("alice").await;
    assert_eq!(sent_by(&again).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_starts_at_once_make_one_workspace() {
    let Some(nodes) = Nodes::new().await else { return };
    let (a, b) = tokio::join!(nodes.start(), nodes.start());
    let (alice, bob) = (a.user("alice").await, b.user("bob").await);
    assert_eq!(alice.workspace(), bob.workspace());
    assert_eq!(alice.client.state().workspaces().count(), 1);
    assert_eq!(numbers(&a).await, [(0, true), (1, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_starts_again_at_once_and_nobody_else_has_its_number_meanwhile() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((a, _alice), (b, bob)) = nodes.pair().await;
    let (config, _folder) = a.kill();
    let (c, again) = nodes.looking("alice").await;
    assert_eq!((sent_by(&again).await, sent_by(&bob).await), (2, 1));
    assert_eq!(numbers(&b).await, [(0, true), (1, true), (2, true)]);
    testing::end_node(&nodes.url, 0).await.unwrap();
    let (_d, other) = nodes.looking("bob").await;
    assert_eq!(sent_by(&other).await, 3, "the number of one that crashed rests");
    let back = TestServer::node_again(config, &nodes.clock, unheard()).await.unwrap();
    assert_eq!(numbers(&b).await.len(), 4, "its row of before is gone");
    drop((c, back));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_alone_that_was_killed_starts_again_at_once() {
    let Some(nodes) = Nodes::new().await else { return };
    let s = TestServer::node(&nodes.url, &nodes.clock, Hands::default(), |_| {}).await.unwrap();
    let alice = s.user("alice").await;
    assert_eq!(sent_by(&alice).await, 0);
    let (config, _folder) = s.kill();
    let begun = Instant::now();
    let s = TestServer::node_again(config, &nodes.clock, Hands::default()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "it waits for nobody: it is the same folder");
    assert_eq!(sent_by(&s.again_as("alice").await).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_fit_says_what_to_do() {
    let Some(nodes) = Nodes::new().await else { return };
    let a = nodes.start_with(quick(), |_| {}).await.unwrap();
    let refused = async |hands: Hands, change: fn(&mut madang_server::Config), word: &str| {
        let why = nodes.start_with(hands, change).await.err().unwrap().to_string();
        let address = a.url.trim_start_matches("http://");
        assert!(why.contains(word) && why.contains(address), "{word} is not in {why}");
        assert!(!why.contains("correct horse"), "no secret is told: {why}");
    };
    refused(Hands::default(), |_| {}, "MADANG_CLUSTER_REDIS").await;
    refused(
        unheard(),
        |c| c.secret = Some("another secret that is long enough".to_owned().into()),
        "secret_file",
    )
    .await;
    refused(unheard(), |c| c.secret = None, "secret_file").await;
    refused(unheard(), |c| c.shared_files = Switch::Off, "S3 bucket").await;
    assert_eq!(numbers(&a).await, [(0, true)]);
    testing::forget_newest_migration(&nodes.url).await.unwrap();
    refused(unheard(), |_| {}, "--force").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_older_than_the_database_is_refused() {
    let Some(nodes) = Nodes::new().await else { return };
    let _a = nodes.start_with(quick(), |_| {}).await.unwrap();
    testing::add_migration_of_the_future(&nodes.url).await.unwrap();
    let why = nodes.start_with(unheard(), |_| {}).await.err().unwrap().to_string();
    assert!(why.contains("9999") && why.contains("newer"), "{why}");
}

#[tokio::test]
async fn a_secret_that_is_short_or_missing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = crate::support::server::config(folder.path());
    config.secret = Some("short".to_owned().into());
    let refused = async |config| madang_server::Server::start(config).await.err().unwrap().to_string();
    assert!(refused(config.clone()).await.contains("32"));
    (config.secret, config.secret_file) = (None, Some(folder.path().join("nowhere")));
    assert!(refused(config.clone()).await.contains("nowhere"));
    std::fs::write(folder.path().join("nowhere"), format!("{}\n", "마당".repeat(16))).unwrap();
    madang_server::Server::start(config).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_node_is_good_at_the_other() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((_a, alice), (b, _bob)) = nodes.pair().await;
    let token = alice.http.current_token().unwrap().0;
    let there = reqwest::Client::new().get(format!("{}/api/v1/users/me", b.url)).bearer_auth(token);
    assert_eq!(there.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_number_was_taken_goes_on_with_another() {
    let Some(nodes) = Nodes::new().await else { return };
    let a = nodes.start_with(quick(), |_| {}).await.unwrap();
    let alice = a.user("alice").await;
    assert_eq!(sent_by(&alice).await, 0);
    testing::take_number_over(&nodes.url, 0).await.unwrap();
    let changed = async { while sent_by(&alice).await != 1 {} };
    tokio::time::timeout(PATIENCE, changed).await.unwrap();
    assert_eq!(numbers(&a).await, [(0, true), (1, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_was_away_for_longer_than_its_number_is_held_writes_again() {
    let Some(nodes) = Nodes::new().await else { return };
    let a = nodes.start_with(quick(), |c| c.database_patience = 1).await.unwrap();
    let alice = a.user("alice").await;
    assert_eq!(sent_by(&alice).await, 0);
    nodes.without_database(true).await;
    a.health_until(|health| health["ready"] == false).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        assert!(!a.http().health().await.unwrap().1["ready"].as_bool().unwrap());
    }
    nodes.without_database(false).await;
    // That one may carry nobody's number, if it was made while the node held none and stored when it did again.
    sent_at_last(&alice).await;
    assert_eq!(sent_by(&alice).await, 0, "nobody took it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_is_at_is_done_when_its_lease_is_over() {
    let Some(nodes) = Nodes::new().await else { return };
    let s = nodes.start().await;
    s.kept_up().await;
    let db = Db::connect(&Options::new(&nodes.url)).await.unwrap();
    assert!(leases::claim(&db, "retention", 1, Duration::from_secs(600)).await.unwrap());
    s.days_later(2, "archive").await;
    let done = async || s.http().health().await.unwrap().1["retention"]["done_at"].clone();
    assert_ne!(done().await, s.clock.now().to_string(), "another node is at it");
    testing::end_node(&nodes.url, 511).await.unwrap();
    let done_at_last = async {
        let before = done().await;
        while done().await == before {
            s.advance(61_000);
        }
    };
    tokio::time::timeout(PATIENCE, done_at_last).await.unwrap();
    assert!(leases::claim(&db, "retention", 1, Duration::from_secs(1)).await.unwrap(), "it was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_to_wait_in_slow_mode_waits_at_every_node() {
    let Some(nodes) = Nodes::new().await else { return };
    let a = nodes.start().await;
    let (alice, here) = a.users().await;
    let slow = UpdateChannel { slow_mode: Some(60), ..UpdateChannel::default() };
    alice.http.update_channel(alice.general(), &slow).await.unwrap();
    let b = nodes.start().await;
    let there = b.again_as("bob").await;
    let write = async |user: &User| {
        let body = CreateMessage { content: "hi".to_owned(), nonce: None, file_ids: Vec::new() };
        user.http
            .create_message(user.general(), &body)
            .await
            .map(drop)
            .map_err(|error| error.retry_after().unwrap())
    };
    write(&here).await.unwrap();
    nodes.clock.advance(20_000);
    assert_eq!(write(&there).await, Err(Duration::from_secs(40)));
    nodes.clock.advance(40_000);
    write(&there).await.unwrap();
    assert_eq!(write(&here).await, Err(Duration::from_secs(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_at_one_node_is_over_at_the_others() {
    let Some(nodes) = Nodes::new().await else { return };
    let a = nodes.start_with(quick(), |_| {}).await.unwrap();
    let alice = a.user("alice").await;
    let b = nodes.start_with(quick(), |_| {}).await.unwrap();
    let there = Http::new(&b.url).unwrap().with_token(alice.http.current_token().unwrap().0);
    there.me().await.unwrap();
    alice.http.logout().await.unwrap();
    let over = async { while there.me().await.is_ok() {} };
    tokio::time::timeout(PATIENCE, over).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_stored_and_never_told_is_heard_with_the_next_change() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((_a, alice), (_b, bob)) = nodes.pair().await;
    let general = alice.general();
    let mut hears = Raw::of(&alice).await;
    alice.send(general, "안녕하세요").await;
    bob.send(general, "stored, and told nobody").await;
    alice.send(general, "is anyone there?").await;
    let mut pushed = Vec::new();
    while pushed.len() < 3 {
        if let Event::Message(message) = hears.next().await.unwrap().event {
            pushed.push((message.version, message.content));
        }
    }
    pushed.sort_unstable();
    let pushed: Vec<&str> = pushed.iter().map(|(_, content)| content.as_str()).collect();
    assert_eq!(pushed, ["안녕하세요", "stored, and told nobody", "is anyone there?"]);
    let again = hears.heard().await.into_iter().filter(|frame| matches!(frame.event, Event::Message(_)));
    assert_eq!(again.count(), 0, "what was told is not told once more with it");
}
