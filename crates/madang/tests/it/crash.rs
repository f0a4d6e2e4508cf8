//! `kill -9` while many send: what was acknowledged is there once, in order, for everyone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use madang_client::{
    Client,
    proto::{direct::OpenDirect, messages::Message, notifications::NotificationQuery},
};
use tokio::task::JoinSet;

use crate::process::{Backend, Process};

const CLIENTS: usize = 20;
const EACH: usize = 100;

/// Twenty send two thousand messages with retries; the server is killed twice meanwhile.
async fn nothing_acknowledged_is_lost(backend: Backend) {
    let mut server = Process::start(backend).await;
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(server.user(&format!("client{n}")).await);
    }
    let general = clients[0].state().channel_named("general").unwrap().id();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut sending = JoinSet::new();
    for (n, client) in clients.iter().cloned().enumerate() {
        let counter = Arc::clone(&acknowledged);
        sending.spawn(async move {
            let mut mine = Vec::with_capacity(EACH);
            for m in 0..EACH {
                // Answers only when it is stored, over as many connections as it takes.
                mine.push(client.send(general, &format!("{n}/{m}")).await.unwrap());
                counter.fetch_add(1, Ordering::Relaxed);
            }
            mine
        });
    }
    for at in [CLIENTS * EACH / 4, CLIENTS * EACH / 2] {
        while acknowledged.load(Ordering::Relaxed) < at {
            tokio::task::yield_now().await;
        }
        server.kill();
        assert!(acknowledged.load(Ordering::Relaxed) < CLIENTS * EACH, "killed in the middle");
        server.again().await;
    }
    let mut answers: Vec<Message> = sending.join_all().await.concat();
    answers.sort_by_key(|m| m.seq);

    let stored = all_messages(&clients[0]).await;
    assert_eq!(stored.len(), CLIENTS * EACH, "each once");
    assert!(stored.iter().zip(1..).all(|(m, seq)| m.seq == seq), "no hole, no double in seq");
    assert_eq!(stored, answers, "what was acknowledged is what is there");
    for n in 0..CLIENTS {
        let prefix = format!("{n}/");
        let own = stored.iter().filter_map(|m| m.content.strip_prefix(&prefix));
        assert!(own.zip(0..).all(|(m, wanted)| m == wanted.to_string()), "in the order of sending");
    }
    for client in &clients {
        let view = client.wait_for("everything", |state| {
            let view: Vec<_> = state.channel(general)?.messages().map(|m| m.as_ref().clone()).collect();
            (view.last()?.seq == stored.last()?.seq).then_some(view)
        });
        let view = view.await.unwrap();
        assert!(stored.ends_with(&view), "each client's view is the truth");
        client.load_all_messages(general).await.unwrap();
        let state = client.state();
        let view: Vec<_> = state.channel(general).unwrap().messages().map(|m| m.as_ref().clone()).collect();
        assert_eq!(view, stored);
    }
}

/// All messages of the first channel.
pub async fn all_messages(client: &Client) -> Vec<Message> {
    let general = client.state().channel_named("general").unwrap().id();
    let mut all: Vec<Message> = Vec::new();
    let mut query = madang_client::proto::page::MessagePageQuery { limit: Some(100), ..Default::default() };
    loop {
        let page = client.http().messages(general, query).await.unwrap();
        all.splice(0..0, page.items);
        let Some(cursor) = page.next_cursor else { return all };
        query.before = Some(cursor.parse().unwrap());
    }
}

/// A message is acknowledged, and the server is killed before anyone was told of it; again and again.
async fn everyone_is_told_once(backend: Backend) {
    const TIMES: usize = 4;
    let mut server = Process::start(backend).await;
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let body = OpenDirect { user_ids: vec![bob.state().my_id().unwrap()], workspace_id: None };
    let direct = alice.http().open_direct(&body).await.unwrap().id;
    for n in 0..TIMES {
        alice.send(direct, &n.to_string()).await.unwrap();
        server.kill();
        server.again().await;
    }
    // Where it was killed while telling, that is done again after two minutes.
    let told = bob.wait_for_within(Duration::from_secs(180), "all to be told", |state| {
        (usize::try_from(state.unread_notifications().unread) == Ok(TIMES)).then_some(())
    });
    told.await.unwrap();
    let listed = bob.http().notifications(NotificationQuery::default()).await.unwrap().items;
    let mut excerpts: Vec<String> = listed.into_iter().map(|one| one.excerpt).collect();
    excerpts.sort();
    assert_eq!(excerpts, (0..TIMES).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_takes_no_notification_away_on_sqlite() {
    everyone_is_told_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_takes_no_notification_away_on_postgres() {
    if let Some(backend) = Backend::postgres().await {
        everyone_is_told_once(backend).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_on_sqlite() {
    nothing_acknowledged_is_lost(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_on_postgres() {
    if let Some(backend) = Backend::postgres().await {
        nothing_acknowledged_is_lost(backend).await;
    }
}
