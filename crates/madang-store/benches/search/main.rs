//! Search in very many messages, held against a scan of every text in the same run.
//!
//! `cargo bench --profile fast -p madang-store --features testing --bench search [-- --messages 100000] [--only
//! sqlite]`; PostgreSQL takes part where `MADANG_TEST_POSTGRES_URL` names a server for tests. It fills a new
//! database with made-up Korean and English, indexes it, asks for 500 parts of its messages, of 1 to 6 syllables,
//! some in NFD and some in capitals, and checks that each page has all that a scan finds in its reach.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "figures are for people")]

#[path = "../store/world.rs"]
mod world;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use madang_proto::ChannelId;
use madang_store::{
    prose::Prose,
    search::{self, Search, Terms},
    testing,
};
use unicode_normalization::UnicodeNormalization;
use world::{KINDS, World};

const CHANNELS: i64 = 100;
const QUERIES: usize = 500;
const PAGE: u32 = 50;
/// How many of the queries are also asked as `LIKE`, which takes long.
const SCANS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|a| *a != name).nth(1);
    let messages = after("--messages").map_or(1_000_000, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for kind in KINDS.into_iter().filter(|kind| after("--only").is_none_or(|only| only == kind)) {
        runtime.block_on(measure(kind, messages));
    }
}

/// A part of a message, what is asked for it, and what came.
struct Asked {
    part: String,
    took: Duration,
    ids: Vec<i64>,
    more: bool,
}

async fn measure(kind: &str, messages: usize) {
    let Some(world) = World::new(kind, CHANNELS).await else { return };
    let mut prose = Prose::new(42);
    let texts = fill(&world, &mut prose, messages).await;
    index(kind, &world).await;
    let channels: Vec<ChannelId> = (1..=CHANNELS).map(ChannelId::from).collect();
    let mut asked = Vec::new();
    while asked.len() < QUERIES {
        let (_, text) = &texts[prose.below(texts.len())];
        let Some(part) = prose.part(text) else { continue };
        asked.push(ask(&world, &channels, part, asked.len()).await);
    }
    let mut times: Vec<Duration> = asked.iter().map(|a| a.took).collect();
    show(&format!("{kind}: {QUERIES} searches in {messages} messages"), &mut times);
    let slowest = asked.iter().max_by_key(|a| a.took).unwrap();
    println!("  slowest: {:?}, {} on the page", slowest.part, slowest.ids.len());
    let mut scans = Vec::new();
    for a in asked.iter().take(SCANS) {
        let begun = Instant::now();
        let ids = testing::like(&world.db, &a.part).await.unwrap();
        scans.push(begun.elapsed());
        let by_hand =
            texts.iter().rev().filter(|(_, t)| t.contains(&a.part.to_lowercase())).map(|(id, _)| *id);
        assert!(by_hand.eq(ids), "LIKE and a look at each text differ for {:?}", a.part);
    }
    show(&format!("{kind}: the same by LIKE"), &mut scans);
    let (missing, found) = recall(&texts, &asked);
    println!("{kind}: of {found} messages that a scan finds in reach of the pages, {missing} are missing");
    assert_eq!(missing, 0);
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place"
        )]
        let place = ((times.len() - 1) as f64 * share) as usize;
        times[place].as_secs_f64() * 1e3
    };
    println!(
        "{what}: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

/// Stores messages; gives their ids and texts in small letters, the oldest first.
async fn fill(world: &World, prose: &mut Prose, messages: usize) -> Vec<(i64, String)> {
    let begun = Instant::now();
    let mut texts = Vec::with_capacity(messages);
    while texts.len() < messages {
        let batch: Vec<_> =
            (0..512.min(messages - texts.len())).map(|_| world.saying(prose.message())).collect();
        texts.extend(batch.iter().map(|new| (new.id.get(), new.content.to_lowercase())));
        assert!(world.commit(batch).await.iter().all(Result::is_ok));
        if texts.len() % (512 * 64) == 0 {}
    }
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    println!("stored in {:.1} s, {} bytes each", begun.elapsed().as_secs_f64(), bytes / messages);
    texts
}

async fn index(kind: &str, world: &World) {
    let begun = Instant::now();
    let mut times = Vec::new();
    loop {
        let (channels, _) = search::behind(&world.db, None).await.unwrap();
        if channels.is_empty() {
            break;
        }
        let batch = search::changed(&world.db, &channels).await.unwrap();
        let writing = Instant::now();
        search::store(&world.db, &batch).await.unwrap();
        times.push(writing.elapsed());
        if times.len() % 64 == 0 {}
    }
    println!("indexed in {:.1} s", begun.elapsed().as_secs_f64());
    show(&format!("{kind}: a transaction of the index"), &mut times);
}

async fn ask(world: &World, channels: &[ChannelId], part: String, n: usize) -> Asked {
    let asked = match n % 5 {
        0 => part.nfd().collect(),
        1 => part.to_uppercase(),
        _ => part.clone(),
    };
    let begun = Instant::now();
    let mut terms = Terms::default();
    assert!(terms.text(&asked, false));
    let search = Search { terms: &terms, user: 1.into(), channels, between: (0, i64::MAX), limit: PAGE };
    let found = search::find(&mut world.db.read().await.unwrap(), &search).await.unwrap();
    let took = begun.elapsed();
    let ids = found.messages.iter().map(|(m, _)| m.id.get()).collect();
    Asked { part, took, ids, more: found.more_before.is_some() }
}

/// How many of the messages that have the part are missing, and how many there are: down to the last of a
/// page, or to the oldest where there is no further page.
fn recall(texts: &[(i64, String)], asked: &[Asked]) -> (usize, usize) {
    let (missing, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for half in asked.chunks(asked.len().div_ceil(2)) {
            let (missing, found) = (&missing, &found);
            scope.spawn(move || {
                for a in half {
                    let part = a.part.to_lowercase();
                    let reach = a.ids.last().filter(|_| a.more).copied().unwrap_or_default();
                    let reached = texts.iter().rev().take_while(|(id, _)| *id >= reach);
                    for (id, _) in reached.filter(|(_, text)| text.contains(&part)) {
                        found.fetch_add(1, Ordering::Relaxed);
                        missing.fetch_add(usize::from(!a.ids.contains(id)), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    (missing.into_inner(), found.into_inner())
}
