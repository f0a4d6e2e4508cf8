//! The queue of jobs, on both databases: who may claim what, and what becomes of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::HashSet;

use futures_util::future::join_all;
use madang_proto::Timestamp;
use madang_store::{
    Db, NewMessage, Options,
    jobs::{self, Claimed, NewJob, Outlook},
    testing::statements,
};
use world::{KINDS, World};

#[path = "../benches/store/world.rs"]
mod world;

fn at(ms: i64) -> Timestamp {
    Timestamp::from(ms)
}

fn job(id: i64, due_at: i64) -> NewJob {
    NewJob { id, job: format!("{{\"n\": \"'{id}'\"}}"), due_at: at(due_at), key: None }
}

async fn store(db: &Db, new: &[NewJob]) {
    let mut tx = db.begin().await.unwrap();
    jobs::insert(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(db: &Db, now: i64, lease_ends: i64) -> Vec<Claimed> {
    let mut claimed = jobs::claim(db, at(now), at(lease_ends), 10).await.unwrap();
    claimed.sort_by_key(|claimed| claimed.id);
    claimed
}

async fn worlds() -> Vec<World> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(World::new(kind, 4).await);
    }
    all
}

#[tokio::test]
async fn what_is_due_is_claimed_once_until_its_lease_ends() {
    for World { db, .. } in &worlds().await {
        store(db, &[job(1, 100), job(2, 200), job(3, 300)]).await;
        assert_eq!(jobs::outlook(db, at(200)).await.unwrap(), Outlook { next: Some(100), due: 2, dead: 0 });
        assert_eq!(claim(db, 99, 1_000).await, []);
        let first = claim(db, 200, 1_000).await;
        let text = |id: i64| job(id, 0).job;
        let claimed = |id, attempts| Claimed { id, job: text(id), attempts };
        assert_eq!(first, [claimed(1, 1), claimed(2, 1)]);
        assert_eq!(claim(db, 200, 1_000).await, []);
        jobs::finish(db, &first[0]).await.unwrap();
        // Whoever claimed 2 never came back.
        assert_eq!(jobs::outlook(db, at(200)).await.unwrap().next, Some(300));
        assert_eq!(claim(db, 1_000, 2_000).await, [claimed(2, 2), claimed(3, 1)]);
        // They did, too late to say anything.
        jobs::finish(db, &first[1]).await.unwrap();
        jobs::bury(db, &first[1], at(1_000), "too late").await.unwrap();
        jobs::retry(db, &first[1], at(0), "too late").await.unwrap();
        assert_eq!(jobs::outlook(db, at(200)).await.unwrap(), Outlook { next: Some(2_000), due: 0, dead: 0 });
    }
}

#[tokio::test]
async fn of_those_with_the_same_key_one_waits_and_whoever_begins_it_takes_the_key() {
    for World { db, .. } in &worlds().await {
        let keyed = |id, key: &str| NewJob { key: Some(key.to_owned()), ..job(id, 100) };
        store(db, &[keyed(1, "b"), keyed(2, "b"), keyed(3, "a"), job(4, 100), job(5, 100)]).await;
        store(db, &[keyed(6, "a"), keyed(7, "b")]).await;
        let ids = |claimed: Vec<Claimed>| claimed.into_iter().map(|claimed| claimed.id).collect::<Vec<_>>();
        assert_eq!(ids(claim(db, 100, 1_000).await), [1, 3, 4, 5]);
        // What is stored from now on may come too late for those that were begun.
        store(db, &[keyed(8, "a")]).await;
        store(db, &[keyed(9, "a")]).await;
        assert_eq!(ids(claim(db, 100, 1_000).await), [8]);
        // Someone counts on one that waits, and has not committed yet: nobody begins it before.
        store(db, &[keyed(10, "a")]).await;
        let mut tx = db.begin().await.unwrap();
        jobs::insert(&mut tx, &[keyed(11, "a")]).await.unwrap();
        if let madang_store::Tx::Postgres(_) = tx {
            assert_eq!(ids(claim(db, 100, 1_000).await), [0; 0]);
        }
        tx.commit().await.unwrap();
        assert_eq!(ids(claim(db, 100, 1_000).await), [10]);
    }
}

#[tokio::test]
async fn what_fails_is_due_again_and_what_failed_too_often_is_kept_for_a_while() {
    for World { db, .. } in &worlds().await {
        store(db, &[job(1, 0), job(2, 0)]).await;
        let mut claimed = claim(db, 0, 1_000).await;
        jobs::retry(db, &claimed[0], at(50), "not yet").await.unwrap();
        jobs::bury(db, &claimed[1], at(60), "never").await.unwrap();
        assert_eq!(jobs::outlook(db, at(50)).await.unwrap(), Outlook { next: Some(50), due: 1, dead: 1 });
        claimed = claim(db, 5_000, 6_000).await;
        assert_eq!(claimed.iter().map(|c| (c.id, c.attempts)).collect::<Vec<_>>(), [(1, 2)]);
        let mut tx = db.begin().await.unwrap();
        jobs::cancel(&mut tx, 1).await.unwrap();
        jobs::sweep(&mut tx, at(60)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(jobs::outlook(db, at(60)).await.unwrap(), Outlook { next: None, due: 0, dead: 1 });
        let mut tx = db.begin().await.unwrap();
        jobs::sweep(&mut tx, at(61)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(jobs::outlook(db, at(61)).await.unwrap(), Outlook { next: None, due: 0, dead: 0 });
    }
}

#[tokio::test]
async fn many_who_claim_at_once_never_get_the_same_one() {
    for World { db, .. } in &worlds().await {
        store(db, &(1..=100).map(|id| job(id, 0)).collect::<Vec<_>>()).await;
        let mut seen = HashSet::new();
        while seen.len() < 100 {
            for claimed in join_all((0..4).map(|_| claim(db, 0, 1_000))).await.into_iter().flatten() {
                assert!(seen.insert(claimed.id), "{} was claimed twice", claimed.id);
            }
        }
        assert_eq!(claim(db, 0, 1_000).await, []);
    }
}

#[tokio::test]
async fn jobs_are_stored_with_what_causes_them_or_not_at_all() {
    for world in worlds().await {
        let db = &world.db;
        let mut tx = db.begin().await.unwrap();
        jobs::insert(&mut tx, &[job(1, 0)]).await.unwrap();
        drop(tx);
        let with_job =
            |id: i64, due_at: i64| NewMessage { jobs: vec![job(id, due_at)], ..world.saying("안녕") };
        let nowhere = NewMessage { channel_id: 99.into(), ..with_job(2, 10) };
        let first = with_job(3, 30);
        let again = NewMessage { id: world.saying("").id, jobs: vec![job(4, 20)], ..first.clone() };
        for (answer, stored) in
            world.commit(vec![nowhere, first, again]).await.into_iter().zip([false, true, true])
        {
            assert_eq!(answer.is_ok(), stored);
        }
        let left = claim(db, 1_000, 2_000).await;
        assert_eq!(left.iter().map(|c| c.id).collect::<Vec<_>>(), [3]);
    }
}

#[tokio::test]
async fn messages_without_jobs_cost_no_statement_for_them_and_those_with_jobs_one_for_all() {
    for world in worlds().await {
        let mut counts = Vec::new();
        for (messages, jobs) in [(1_i64, 0_i64), (1, 1), (100, 3)] {
            let new = |n| {
                let jobs = (0..jobs).map(|j| job(1_000 * (messages + n) + j, 0)).collect();
                NewMessage { jobs, ..world.saying("안녕") }
            };
            let batch = (0..messages).map(new).collect();
            let before = statements();
            assert!(world.commit(batch).await.iter().all(Result::is_ok));
            counts.push(statements() - before);
        }
        assert_eq!((counts[1] - counts[0], counts[2] - counts[0]), (1, 1));
    }
}

#[tokio::test]
async fn a_claim_leaves_alone_what_another_node_is_about_to_claim() {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = world::url("postgres", folder.path()).await else { return };
    let db = Db::connect(&Options::new(url)).await.unwrap();
    db.migrate().await.unwrap();
    store(&db, &[job(1, 0), job(2, 0)]).await;
    let mut other = db.begin().await.unwrap();
    jobs::cancel(&mut other, 1).await.unwrap();
    assert_eq!(claim(&db, 0, 1_000).await.iter().map(|c| c.id).collect::<Vec<_>>(), [2]);
}
