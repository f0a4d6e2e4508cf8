//! Numbers of nodes and leases, on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use futures_util::future::join_all;
use madang_proto::Timestamp;
use madang_store::{
    Db, Error, Options, leases,
    nodes::{self, NUMBERS, Said, Taken},
    testing,
};
use tokio::time::Instant;

const LEASE: Duration = Duration::from_secs(60);
const NOW: i64 = 1_800_000_000_000;

async fn database(name: &str) -> Option<(Db, String)> {
    let Some(url) = std::env::var_os("MADANG_TEST_POSTGRES_URL") else {
        eprintln!("SKIPPED: MADANG_TEST_POSTGRES_URL is not set; `cargo xtask test` sets it");
        return None;
    };
    let name = format!("nodes_{name}_{}", std::process::id());
    let url = testing::create_database(url.to_str()?, &name).await.unwrap();
    let db = Db::connect(&Options::new(&url)).await.unwrap();
    db.migrate().await.unwrap();
    Some((db, url))
}

fn said(id: i64) -> Said {
    let word = |text: &str| text.to_owned();
    Said {
        id,
        place: format!("folder {id}"),
        address: word("10.0.0.1:80"),
        version: word("1.0.0"),
        schema: 28,
        secret: word("a"),
        bus: word("redis"),
        files: word("s3"),
        started_at: NOW.into(),
    }
}

async fn take(db: &Db, id: i64) -> Taken {
    nodes::take(db, &said(id), NOW.into(), LEASE, |_| None).await.unwrap()
}

fn fresh(number: u16) -> Taken {
    Taken::Number(number, 0.into())
}

async fn hold(db: &Db, number: u16, id: i64) -> bool {
    nodes::hold(db, number, id, (NOW + 5_000).into(), LEASE).await.unwrap()
}

#[tokio::test]
async fn a_number_is_one_nodes_until_its_time_is_over_or_it_leaves() {
    let Some((db, url)) = database("numbers").await else { return };
    for number in 0..NUMBERS {
        assert_eq!(take(&db, i64::from(number) + 1).await, fresh(number));
    }
    assert!(
        matches!(take(&db, 1_000).await, Taken::Refused(why, by) if why.contains("510") && by.is_empty())
    );
    assert!(hold(&db, 7, 8).await && !hold(&db, 7, 9).await);
    testing::end_node(&url, 7).await.unwrap();
    assert_eq!(nodes::list(&db).await.unwrap().iter().filter(|node| !node.is_alive()).count(), 1);
    let after = Timestamp::from(NOW + 5_000 + 60_000 - 86_400_000 / 2);
    assert_eq!(take(&db, 1_000).await, Taken::Number(7, after), "after what its clock may have said");
    assert!(!hold(&db, 7, 8).await, "who was away for too long does not have it any more");
    nodes::leave(&db, 21).await.unwrap();
    assert_eq!(take(&db, 1_001).await, fresh(20));
}

#[tokio::test]
async fn a_node_that_was_late_goes_on_where_nobody_took_its_number() {
    let Some((db, url)) = database("late").await else { return };
    assert_eq!((take(&db, 1).await, take(&db, 2).await), (fresh(0), fresh(1)));
    testing::end_node(&url, 0).await.unwrap();
    assert_eq!(take(&db, 3).await, fresh(2), "the number of one that crashed rests");
    assert!(hold(&db, 0, 1).await);
}

#[tokio::test]
async fn a_former_run_of_a_folder_is_forgotten_with_its_leases() {
    let Some((db, _)) = database("former").await else { return };
    assert_eq!((take(&db, 1).await, take(&db, 2).await), (fresh(0), fresh(1)));
    assert!(leases::claim(&db, "upkeep", 1, LEASE).await.unwrap());
    nodes::forget_former(&db, "folder 1").await.unwrap();
    assert!(!hold(&db, 0, 1).await && hold(&db, 1, 2).await);
    assert!(leases::claim(&db, "upkeep", 2, LEASE).await.unwrap());
    nodes::leave(&db, 2).await.unwrap();
    assert!(leases::claim(&db, "upkeep", 3, LEASE).await.unwrap());
}

#[tokio::test]
async fn a_lease_is_one_nodes_until_it_is_given_back_or_over() {
    let Some((db, url)) = database("leases").await else { return };
    let claim = async |name, node| leases::claim(&db, name, node, LEASE).await.unwrap();
    assert!(claim("a", 1).await && claim("b", 2).await && !claim("a", 2).await && claim("a", 1).await);
    leases::release(&db, "a", 2).await.unwrap();
    assert!(!claim("a", 2).await, "it was not theirs");
    leases::release(&db, "a", 1).await.unwrap();
    assert!(claim("a", 2).await && !claim("a", 1).await);
    testing::end_node(&url, 0).await.unwrap();
    assert!(claim("a", 1).await && !claim("a", 2).await);
}

#[tokio::test]
async fn of_many_who_ask_at_once_each_gets_a_number_and_one_a_lease() {
    let Some((db, _)) = database("many").await else { return };
    let ask = async |id| (take(&db, id).await, leases::claim(&db, "one", id, LEASE).await.unwrap());
    let (mut numbers, mut claimed) = (Vec::new(), 0);
    for (taken, lease) in join_all((1..=40).map(ask)).await {
        let Taken::Number(number, _) = taken else { panic!("refused") };
        numbers.push(number);
        claimed += u32::from(lease);
    }
    numbers.sort_unstable();
    assert_eq!((numbers, claimed), ((0..40).collect(), 1));
}

#[tokio::test]
async fn behind_a_closed_fence_nothing_is_begun_that_writes() {
    let Some((db, _)) = database("fence").await else { return };
    db.fence().set(Instant::now());
    assert!(matches!(db.begin().await, Err(Error::Unavailable(_))));
    db.read().await.unwrap();
    db.fence().set(Instant::now() + LEASE);
    db.begin().await.unwrap();
}

#[tokio::test]
async fn the_schema_is_not_changed_under_a_node_unless_that_is_asked_for() {
    let Some((db, url)) = database("schema").await else { return };
    assert_eq!(take(&db, 1).await, fresh(0));
    assert_eq!(db.migrate_beside(false).await.unwrap(), [], "there is nothing to do");
    testing::forget_newest_migration(&url).await.unwrap();
    assert_eq!(db.migrate_beside(false).await.unwrap().len(), 1);
    assert!(matches!(db.migrate().await, Err(Error::Schema(why)) if why.contains("10.0.0.1:80")));
    assert!(
        matches!(db.migrate_beside(true).await, Err(Error::Fault(_))),
        "it tries, and the table is there"
    );
}
