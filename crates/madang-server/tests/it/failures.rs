//! The outside fails: the database is away, locked, newer or foreign. Clear errors, and all is well
//! again without a restart.

use std::{
    future::{Future, ready},
    pin::{Pin, pin},
    time::Duration,
};

use futures_util::{
    future::{Either, select},
    stream::{FuturesUnordered, StreamExt},
};
use madang_client::{
    outbox::{Pending, Progress},
    proto::{
        Event, Timestamp,
        command::Hello,
        error::ErrorCode,
        messages::{CreateMessage, Message},
    },
};
use madang_store::{Db, NewMessage, Writer, testing, writer::Listener};
use serde_json::json;

use crate::support::{Backend, TestServer, User, on_both, raw::Raw};

fn hello() -> CreateMessage {
    CreateMessage { content: "hi".to_owned(), nonce: Some("once".to_owned()), file_ids: Vec::new() }
}

async fn refused_for_now(user: &User) {
    let refused = user.http.create_message(user.general(), &hello()).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Unavailable), "{refused}");
    assert!(refused.retry_after().is_some());
}

async fn stored_once(user: &User) {
    let message = user.http.create_message(user.general(), &hello()).await.unwrap();
    let page = user.http.messages(user.general(), Default::default()).await.unwrap();
    assert_eq!(page.items, [message]);
}

#[tokio::test]
async fn a_locked_file_is_503_and_reading_goes_on_until_it_is_free_again() {
    let s = TestServer::start_with(Backend::Sqlite, |c| c.database_patience = 1).await.unwrap();
    let alice = s.user("alice").await;
    let lock = testing::Lock::take(&s.config.database()).await.unwrap();
    refused_for_now(&alice).await;
    alice.http.messages(alice.general(), Default::default()).await.unwrap();
    lock.release().await.unwrap();
    stored_once(&alice).await;
}

fn refused_before(pending: &Pending) -> bool {
    matches!(pending.progress, Progress::Waiting { not_before: Some(_) })
}

/// The writer waits for a locked file with one message in its hands, so that one and a queue of others are taken.
#[tokio::test]
async fn more_than_can_wait_is_429_and_all_that_was_taken_is_stored() {
    const QUEUE: usize = 8;
    const SENDS: usize = 60;
    let s = TestServer::start_with_queue(QUEUE).await;
    let (alice, bob) = s.users().await;
    let general = alice.general();
    let lock = testing::Lock::take(&s.config.database()).await.unwrap();
    let bodies: Vec<_> = (0..SENDS)
        .map(|n| CreateMessage { content: n.to_string(), nonce: Some(n.to_string()), file_ids: Vec::new() })
        .collect();
    let mut sends: FuturesUnordered<_> =
        bodies[..1].iter().map(|body| alice.http.create_message(general, body)).collect();
    tokio::select! {
        () = s.health_until(|health| health["writer_writing"] == 1) => {}
        answer = sends.next() => panic!("answered while the file is locked: {answer:?}"),
    }
    sends.extend(bodies[1..].iter().map(|body| alice.http.create_message(general, body)));
    for _ in 1 + QUEUE..SENDS {
        let refused = sends.next().await.unwrap().unwrap_err();
        assert_eq!(refused.code(), Some(ErrorCode::RateLimited), "{refused}");
        assert_eq!(refused.retry_after().unwrap().as_secs(), 1);
    }
    assert_eq!(s.http().health().await.unwrap().1["writer_waiting"], QUEUE);
    let say = json!({"type": "MESSAGE", "payload": {"channel_id": general, "content": "hi", "nonce": "now"}});
    let refused = Raw::of(&bob).await.ask(say).await;
    assert_eq!(refused, Err(json!("rate_limited")), "also on the socket");
    // Bob's outbox is refused as well, and tries again by itself.
    let (of_bob, mut taken) = tokio::join!(bob.client.send(general, "from the outbox"), async {
        bob.client
            .wait_for("a refusal", |state| state.outbox.iter().any(refused_before).then_some(()))
            .await
            .unwrap();
        lock.release().await.unwrap();
        let mut taken = Vec::new();
        while let Some(answer) = sends.next().await {
            taken.extend(answer.ok());
        }
        taken
    });
    assert_eq!(taken.len(), 1 + QUEUE);
    taken.push(of_bob.unwrap());
    taken.sort_unstable_by_key(|m| m.seq);
    let page = alice.http.messages(general, Default::default()).await.unwrap();
    assert_eq!(page.items, taken, "nothing of what was refused, all of what was taken");
}

/// Tells nobody.
struct Silent;

impl Listener for Silent {
    fn before_batch(&self, _: usize) {}
    fn after_batch(&self, _: usize, _: Duration) {}
    fn enqueued(&self, _due: Timestamp) {}
    fn doubtful(&self, _: &[NewMessage]) {}
    fn committed(&self, _: Vec<Message>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }
}

/// As when the database goes away after it stored a message and before it says so.
async fn stored_without_a_word(s: &TestServer, user: &User) -> Message {
    let writer = Writer::new(Db::connect(&s.config.store()).await.unwrap());
    let me = user.http.me().await.unwrap();
    let CreateMessage { content, nonce, .. } = hello();
    let new = NewMessage {
        id: 7.into(),
        channel_id: user.general(),
        author: me.summary.into(),
        content,
        nonce,
        mentions: Vec::new(),
        here: Vec::new(),
        thread: None,
        created_at: s.clock.now(),
        jobs: Vec::new(),
        files: Vec::new(),
    };
    match select(pin!(writer.send(new)), pin!(writer.run(&Silent, std::future::pending()))).await {
        Either::Left((sent, _)) => sent.unwrap().message,
        Either::Right(((), _)) => unreachable!("it runs for ever"),
    }
}

#[tokio::test]
async fn what_was_stored_without_a_word_is_announced_once_the_database_is_back() {
    let s = TestServer::start_with(Backend::Sqlite, |c| c.database_patience = 1).await.unwrap();
    let (alice, bob) = s.users().await;
    alice.send(alice.general(), "before").await;
    let (mut heard, _) = Raw::with(&bob, Hello::default()).await;
    let lock = testing::Lock::take(&s.config.database()).await.unwrap();
    refused_for_now(&alice).await;
    lock.release().await.unwrap();
    let stored = stored_without_a_word(&s, &alice).await;
    assert_eq!(alice.http.create_message(alice.general(), &hello()).await.unwrap(), stored);
    let events: Vec<_> = heard.heard().await.into_iter().map(|frame| frame.event).collect();
    assert_eq!(events, [Event::Message(stored)]);
}

#[tokio::test]
async fn a_lost_database_is_503_until_it_is_back() {
    let Some(Backend::Postgres(url)) = Backend::postgres().await else { return };
    let (server, name) = url.rsplit_once('/').unwrap();
    let name = name.split('?').next().unwrap();
    let server = format!("{server}/postgres");
    let s =
        TestServer::start_with(Backend::Postgres(url.clone()), |c| c.database_patience = 1).await.unwrap();
    let alice = s.user("alice").await;
    testing::cut(&server, name, true).await.unwrap();
    refused_for_now(&alice).await;
    assert_eq!(alice.http.channels().await.unwrap_err().code(), Some(ErrorCode::Unavailable));
    s.health_until(|health| health["database"]["up"] == false).await;
    let (status, health) = s.http().health().await.unwrap();
    assert_eq!((status, &health["ready"]), (503, &false.into()));
    testing::cut(&server, name, false).await.unwrap();
    s.health_until(|health| health["ready"] == true).await;
    stored_once(&alice).await;
}

on_both! {
    async fn a_newer_schema_is_refused_with_what_to_do(s: TestServer) {
        let mut s = s;
        s.stop().await;
        testing::add_migration_of_the_future(&s.config.database()).await.unwrap();
        let error = TestServer::again(s.config.clone(), s.clock.clone()).await.err().unwrap().to_string();
        assert!(error.contains("newer Madang"), "{error}");
    }

    async fn two_servers_cannot_share_a_data_folder(s: TestServer) {
        let error = TestServer::again(s.config.clone(), s.clock.clone()).await.err().unwrap().to_string();
        assert!(error.contains("another madang uses the data folder"), "{error}");
    }

    async fn an_orderly_stop_loses_nothing_that_was_acknowledged(s: TestServer) {
        let mut s = s;
        let (alice, bob) = s.users().await;
        let general = alice.general();
        let sender = alice.client.clone();
        let sending = async move {
            let mut acknowledged = Vec::new();
            for n in 0..200 {
                acknowledged.push(sender.send(general, &n.to_string()).await.unwrap());
            }
            acknowledged
        };
        let stopping = async {
            bob.client.wait_for("some messages", |state| (state.channel(general)?.facts().last_seq > 20).then_some(()))
                .await.unwrap();
            s.restart().await;
        };
        let (acknowledged, ()) = tokio::join!(sending, stopping);
        let view = bob.client.wait_for("all messages", |state| {
            let view: Vec<_> = state.channel(general)?.messages().map(|m| (m.seq, m.content.clone())).collect();
            (view.len() == 200).then_some(view)
        });
        let wanted: Vec<_> = acknowledged.into_iter().map(|m| (m.seq, m.content)).collect();
        assert_eq!(view.await.unwrap(), wanted);
        assert!(wanted.iter().zip(1..).all(|((seq, _), n)| *seq == n), "no hole, no double");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_with_what_to_do() {
    type Change = fn(&mut madang_server::Config);
    let wrong: [(Change, &str); 4] = [
        (|c| c.database_url = Some("mysql://x".to_owned()), "expected sqlite:PATH or postgres://"),
        (|c| c.issuer_secret = Some("s".repeat(32)), "set --issuer"),
        (|c| c.issuer = Some("https://id.example.org".to_owned()), "either --issuer-secret or --issuer-jwks"),
        (|c| c.data = "/dev/null/x".into(), "data folder /dev/null/x"),
    ];
    for (change, words) in wrong {
        let error = TestServer::start_with(Backend::Sqlite, change).await.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}
