//! Batches of messages, on both databases: what is stored, what is answered, what it takes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};

use madang_store::{
    Db, Error, NewMessage, Options, Sent,
    db::LOG_KEPT,
    messages::{self, Place, Window},
    testing::statements,
    writer,
};
use world::{KINDS, World};

#[path = "../benches/store/world.rs"]
mod world;

async fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(World::new(kind, 4).await);
    }
    all
}

fn some(world: &World, count: usize) -> Vec<NewMessage> {
    (0..count).map(|_| world.saying("안녕")).collect()
}

async fn counted(world: &World, batch: Vec<NewMessage>) -> u64 {
    let before = statements();
    for answer in world.commit(batch).await {
        answer.unwrap();
    }
    statements() - before
}

#[tokio::test]
async fn a_batch_is_as_many_statements_for_512_messages_as_for_one() {
    for world in worlds().await {
        let one = counted(&world, some(&world, 1)).await;
        let full = some(&world, writer::BATCH);
        assert_eq!(counted(&world, full.clone()).await, one);
        let resent = |count: usize| {
            let resend = |first: &NewMessage| NewMessage { id: world.saying("안녕").id, ..first.clone() };
            full.iter().take(count).map(resend).collect()
        };
        let again = counted(&world, resent(1)).await;
        assert_eq!(counted(&world, resent(writer::BATCH)).await, again, "each nonce seen before");
        assert!(one.max(again) <= 5, "{one}, {again}");
    }
}

#[tokio::test]
async fn seqs_of_a_channel_go_up_in_the_order_of_the_queue() {
    for world in worlds().await {
        for count in [1, 3, 100] {
            let answers = world.commit(some(&world, count)).await;
            let sent: Vec<Sent> = answers.into_iter().map(Result::unwrap).collect();
            for channel in 1..=4 {
                let mut of_channel =
                    sent.iter().map(|s| &s.message).filter(|m| m.channel_id.get() == channel);
                let Some(first) = of_channel.next() else { continue };
                let numbers = of_channel.map(|m| (m.seq - first.seq, m.version - first.version));
                assert!(numbers.enumerate().all(|(n, (seq, version))| {
                    let n = i64::try_from(n).unwrap() + 1;
                    seq == n && version == n
                }));
            }
        }
    }
}

#[tokio::test]
async fn a_nonce_gives_the_first_message_in_its_batch_and_later() {
    for world in worlds().await {
        let first = world.saying("안녕");
        let batch = || {
            let again = NewMessage {
                nonce: first.nonce.clone(),
                author: first.author.clone(),
                ..world.saying("안녕")
            };
            vec![world.saying("안녕"), again, world.saying("안녕")]
        };
        let mut both = batch();
        both.insert(0, first.clone());
        for (batch, place) in [(both, 2), (batch(), 1)] {
            let answers = world.commit(batch).await;
            let created: Vec<bool> = answers.iter().map(|a| a.as_ref().unwrap().created).collect();
            assert!(created.iter().enumerate().all(|(n, created)| *created == (n != place)), "{created:?}");
            assert_eq!(answers[place].as_ref().unwrap().message.id, first.id);
        }
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_fails_alone() {
    for world in worlds().await {
        let there = world.saying("안녕");
        world.commit(vec![there.clone()]).await[0].as_ref().unwrap();
        let same_id = NewMessage { nonce: None, ..there };
        let nowhere = NewMessage { channel_id: 99.into(), ..world.saying("안녕") };
        let batch =
            vec![world.saying("안녕"), same_id, world.saying("안녕"), nowhere.clone(), world.saying("안녕")];
        let answers = world.commit(batch).await;
        assert!(matches!(answers[1], Err(Error::Conflict(_))), "{:?}", answers[1]);
        assert!(matches!(answers[3], Err(Error::NotFound)), "{:?}", answers[3]);
        assert!([0, 2, 4].iter().all(|n| answers[*n].as_ref().unwrap().created));
        let elsewhere = NewMessage { channel_id: 1.into(), ..nowhere };
        assert!(world.commit(vec![elsewhere]).await[0].as_ref().unwrap().created, "its nonce was forgotten");
    }
}

#[tokio::test]
async fn more_than_the_queue_holds_is_refused_and_what_it_holds_is_stored() {
    for world in worlds().await {
        let answers = world.commit(some(&world, writer::QUEUE + 10)).await;
        let (taken, refused) = answers.split_at(writer::QUEUE);
        assert!(taken.iter().all(|a| a.as_ref().unwrap().created));
        assert!(refused.iter().all(|a| matches!(a, Err(Error::Busy))));
        assert_eq!(world.writer.waiting(), 0);
        assert!(world.commit(some(&world, 1)).await[0].is_ok(), "and it goes on");
    }
}

/// A world on SQLite, its database and the path of its log.
async fn with_log() -> (World, Db, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let url = world::url("sqlite", folder.path()).await.unwrap();
    let db = Db::connect(&Options::new(url)).await.unwrap();
    let log = db.sqlite_path().unwrap().with_extension("db-wal");
    (World::on(db.clone(), folder, 500).await, db, log)
}

/// Stores full batches, so many at most, while the size of the log is as `go_on` wants it; gives the sizes.
async fn fill(world: &World, log: &Path, most: usize, go_on: impl Fn(u64) -> bool) -> Vec<u64> {
    let mut sizes = Vec::new();
    while sizes.len() < most && sizes.last().is_none_or(|size| go_on(*size)) {
        for answer in world.commit(some(world, writer::BATCH)).await {
            answer.unwrap();
        }
        sizes.push(std::fs::metadata(log).unwrap().len());
    }
    sizes
}

#[tokio::test]
async fn the_log_of_sqlite_stays_small_while_many_write_and_read() {
    let (world, db, log) = with_log().await;
    let reading = async {
        for channel in (1..=500).cycle() {
            messages::page(
                &db,
                channel.into(),
                1.into(),
                Window { place: Place::Newest, older: 50, newer: 0, ends: (1, 0) },
            )
            .await
            .unwrap();
        }
    };
    let sizes = tokio::select! {
        sizes = fill(&world, &log, 40, |_| true) => sizes,
        () = reading => Vec::new(),
    };
    assert_eq!(sizes.len(), 40);
    assert!(sizes.iter().all(|size| *size <= LOG_KEPT), "{sizes:?}");
}

#[tokio::test]
async fn who_reads_for_long_holds_up_no_writer_and_the_log_only_meanwhile() {
    let (world, db, log) = with_log().await;
    let mut long = db.read().await.unwrap();
    assert!(messages::find(&mut long, 1.into()).await.unwrap().is_none());
    let sizes = fill(&world, &log, 200, |size| size <= LOG_KEPT).await;
    assert!(sizes.last().is_some_and(|size| *size > LOG_KEPT), "{sizes:?}");
    drop(long);
    let sizes = fill(&world, &log, 20, |size| size > LOG_KEPT).await;
    assert!(sizes.last().is_some_and(|size| *size <= LOG_KEPT), "{sizes:?}");
}
