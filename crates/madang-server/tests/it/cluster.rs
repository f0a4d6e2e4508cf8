//! Several nodes as one: what happens at one is known at the others, also when what is between them is away.

use madang_client::{
    ConnectionStatus,
    proto::{
        channels::ChannelKind,
        error::ErrorCode,
        page::MessagePageQuery,
        presence::{ChosenStatus, Status, UserStatus},
        profiles::UpdateUser,
    },
};
use madang_server::{Config, config::Switch};

use crate::support::{
    PATIENCE, User, all_converge,
    nodes::{Cluster, fitting},
    server::TestServer,
    settled,
    wire::{Offer, Wire},
};

/// Waits until what someone knows is as wanted.
async fn knows(user: &User, what: &str, wanted: impl Fn(&madang_client::State) -> bool + Send + Sync) {
    let known = user.client.wait_for("what another node told", |state| wanted(state).then_some(()));
    assert!(known.await.is_ok(), "{} does not know {what}", user.name);
}

async fn sees(user: &User, of: &User, status: Status) {
    knows(user, &format!("{} as {status:?}", of.name), |state| state.status_of(of.id) == status).await;
}

/// Tries something until it succeeds.
async fn at_last<T>(work: impl AsyncFn() -> Result<T, ()>) -> T {
    let tried = async {
        loop {
            if let Ok(done) = work().await {
                return done;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.unwrap()
}

/// Lets time pass until someone is shown as offline.
async fn goes_offline(cluster: &Cluster, node: &TestServer, to: &User, who: &User) {
    at_last(async || {
        cluster.passes(100);
        node.connections_now().await;
        (to.client.state().status_of(who.id) == Status::Offline).then_some(()).ok_or(())
    })
    .await;
}

async fn bus(node: &TestServer, up: bool) {
    node.health_until(|health| health["bus"]["up"] == up && health["bus"]["kind"] == "redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_at_another_node_hears_and_knows_the_same() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((_a, alice), (_b, mut bob)) = cluster.pair().await;
    let general = alice.general();
    let first = alice.send(general, "안녕하세요").await;
    assert_eq!(bob.next_message().await.content, "안녕하세요");
    all_converge(&[&alice, &bob], async {
        let answer = bob.send(general, "반갑습니다 @alice").await;
        let first = alice.http.update_message(first.id, "안녕, 다들").await.unwrap();
        bob.http.react(first.id, "👋").await.unwrap();
        alice.http.pin(answer.id).await.unwrap();
        let secret = alice.channel("비밀", ChannelKind::Private).await;
        alice.http.add_channel_member(secret.id, bob.id).await.unwrap();
        knows(&bob, "the new channel", |state| state.channel(secret.id).is_some()).await;
        bob.send(secret.id, "in here").await;
        bob.http.delete_message(answer.id).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_and_who_is_meant_is_the_same_at_every_node() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((a, alice), (_b, bob)) = cluster.pair().await;
    let general = alice.general();
    settled(&bob).await;
    alice.send(general, "@bob, are you there?").await;
    settled(&bob).await;
    assert_eq!(bob.client.state().channel(general).unwrap().mentioned(), 1);
    a.again_as("bob").await.send(general, "as if").await;
    settled(&bob).await;
    assert_eq!(bob.client.state().channel(general).unwrap().unread(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_that_ends_at_one_node_ends_at_all() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((a, alice), (b, bob)) = cluster.pair().await;
    let secret = alice.channel("secret", ChannelKind::Private).await.id;
    alice.http.add_channel_member(secret, bob.id).await.unwrap();
    knows(&bob, "the channel", |state| state.channel(secret).is_some()).await;
    bob.send(secret, "let me stay").await;
    alice.http.remove_channel_member(secret, bob.id).await.unwrap();
    knows(&bob, "that it is gone", |state| state.channel(secret).is_none()).await;
    let refused = bob.http.messages(secret, MessagePageQuery::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::NotFound));
    settled(&bob).await;
    let session = bob.http.sessions().await.unwrap().into_iter().find(|s| s.current).unwrap().id;
    let elsewhere = User::of(a.http(), a.http().login(&a.login("bob")).await.unwrap()).await;
    elsewhere.http.end_session(session).await.unwrap();
    b.connections(0).await;
    let refused = bob.http.me().await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Unauthenticated));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_everywhere_who_is_there_and_how_they_show() {
    let Some(cluster) = Cluster::new().await else { return };
    let ((a, alice), (b, bob)) = cluster.pair().await;
    sees(&alice, &bob, Status::Online).await;
    sees(&bob, &alice, Status::Online).await;
    let away = UserStatus { status: ChosenStatus::Away, ..UserStatus::default() };
    bob.http.set_status(bob.id, &away).await.unwrap();
    sees(&alice, &bob, Status::Away).await;
    alice.send(alice.general(), "who am I?").await;
    let renamed = UpdateUser { display_name: Some("앨리스".to_owned()), ..UpdateUser::default() };
    alice.http.update_user(alice.id, &renamed).await.unwrap();
    for user in [&alice, &bob] {
        settled(user).await;
        let page = user.http.messages(user.general(), MessagePageQuery::default()).await.unwrap();
        assert_eq!(page.items.last().unwrap().author.display_name, "앨리스");
    }
    bob.client.disconnect().await.unwrap();
    b.connections(0).await;
    goes_offline(&cluster, &a, &alice, &bob).await;
    bob.client.reconnect().await.unwrap();
    sees(&alice, &bob, Status::Away).await;
    drop(b.kill());
    goes_offline(&cluster, &a, &alice, &bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_node_goes_on_and_the_log_brings_the_rest() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let ((a, alice), (b, mut bob)) = cluster.pair().await;
    let carol = a.again_as("carol").await;
    let general = alice.general();
    cluster.redis.kill();
    for node in [&a, &b] {
        bus(node, false).await;
    }
    alice.send(general, "is anyone there?").await;
    knows(&carol, "what is said at her node", |state| {
        state.channel(general).unwrap().messages().any(|m| m.content == "is anyone there?")
    })
    .await;
    assert_eq!(bob.next_message().await.content, "is anyone there?", "from the log");
    let missed = alice.channel("while redis was away", ChannelKind::Public).await.id;
    alice.http.add_channel_member(missed, bob.id).await.unwrap();
    cluster.redis.start_again().unwrap();
    for node in [&a, &b] {
        bus(node, true).await;
    }
    knows(&bob, "the channel that he missed", |state| state.channel(missed).is_some()).await;
    alice.send(missed, "there you are").await;
    for user in [&alice, &bob, &carol] {
        settled(user).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_the_database_leaves_new_connections_to_others_and_keeps_its_own() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, alice) = cluster.pair().await.0;
    let answer = async || Wire::open(&a.url, Offer::default()).await.answer;
    cluster.nodes.without_database(true).await;
    a.health_until(|health| health["ready"] == false).await;
    let refused = answer().await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"), "{refused}");
    assert!(matches!(alice.client.connection_status(), ConnectionStatus::Online));
    cluster.nodes.without_database(false).await;
    a.health_until(|health| health["ready"] == true).await;
    assert!(answer().await.starts_with("HTTP/1.1 101"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_at_one_node_counts_at_the_others() {
    let Some(cluster) = Cluster::new().await else { return };
    let limited = |config: &mut Config| config.rate_limits = Switch::On;
    let (a, b) = (cluster.start_with(limited).await.unwrap(), cluster.start_with(limited).await.unwrap());
    for node in [&a, &b] {
        bus(node, true).await;
    }
    let alice = a.user("alice").await;
    let elsewhere = b.again_as("alice").await;
    // So often may someone change how they show, and no more: nobody moves the clock.
    let at_once = 10;
    let try_once = async |user: &User| {
        let name = UpdateUser { display_name: Some("앨리스".to_owned()), ..UpdateUser::default() };
        user.http.update_user(user.id, &name).await
    };
    for _ in 0..at_once {
        try_once(&alice).await.unwrap();
    }
    // What a node tells once a second has the tries behind who is there.
    let carol = a.user("carol").await;
    sees(&elsewhere, &carol, Status::Online).await;
    let mut tries = 1;
    while try_once(&elsewhere).await.is_ok() {
        tries += 1;
        assert!(tries <= at_once, "her tries at the other node do not count");
    }
    let refused = try_once(&elsewhere).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::RateLimited));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_secret_is_refused() {
    let Some(cluster) = Cluster::new().await else { return };
    let _a = cluster.start().await;
    let other = cluster.start_with(|config| {
        fitting(config);
        config.secret =
            Some(madang_client::proto::accounts::Secret("another secret, of as many letters".into()));
    });
    assert!(other.await.err().unwrap().to_string().contains("secret"));
}
