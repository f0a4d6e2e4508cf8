//! Chaos: three nodes behind HAProxy lose their processes, Redis, the database and the ways to them at random, while
//! three hundred people send. In the end every acknowledged message is there once, for everyone.
//!
//! A run is made of a seed, which it prints: `MADANG_CHAOS_SEED` has it again, `MADANG_CHAOS_SECONDS` makes it longer
//! or shorter than a minute. `cargo xtask chaos` runs it many times. It is a program of its own, so that no other test
//! runs beside it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod crowd;
mod judge;
mod plan;
#[path = "../it/process.rs"]
#[expect(dead_code, reason = "the other tests of processes need more of it")]
mod process;
mod proxy;
mod world;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{crowd::Crowd, judge::Acknowledged, plan::Fault, world::World};

/// How long things break.
const SECONDS: u64 = 60;
/// Within this everyone should know everything again.
const WANTED: Duration = Duration::from_secs(10);
/// What is waited for that at most: the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of what is wrong is shown.
const SHOWN: usize = 20;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var_os(variable)?;
    Some(text.to_str().and_then(|text| text.parse().ok()).expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_all_that_was_acknowledged_is_there_once_for_everyone() {
    let Some(mut world) = World::start().await else { return };
    let seed = number("MADANG_CHAOS_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let length = Duration::from_secs(number("MADANG_CHAOS_SECONDS").unwrap_or(SECONDS));
    let faults = plan::faults(seed, length);
    let crowd = Crowd::gather(&world.url).await;
    let begun = Instant::now();
    let mut talks = crowd.talk(seed, begun + length);
    world.suffer(&faults, begun).await;

    let over = begun + length;
    let mut acknowledged: Acknowledged = BTreeMap::new();
    let (mut wrong, mut slowest) = (Vec::new(), (Duration::ZERO, begun, 0));
    while let Ok(Some(talk)) = timeout_at(over + PATIENCE, talks.join_next()).await {
        match talk.unwrap() {
            (who, Ok(said)) => {
                let slow = said.slowest.map(|(took, sent)| (took, sent, who));
                slowest = slow.into_iter().fold(slowest, Ord::max);
                acknowledged
                    .extend(said.acknowledged.into_iter().map(|m| ((m.channel_id, m.content.clone()), m)));
            }
            (who, Err(error)) => wrong.push(format!("client {who} was refused: {error}")),
        }
    }
    // Those who still wait are named by what they lack.
    let mut last = String::new();
    let heads = loop {
        if let Ok(heads) = crowd.heads().await {
            let lacks: Vec<String> = crowd.people.iter().filter_map(|person| person.lacks(&heads)).collect();
            if lacks.is_empty() || !wrong.is_empty() || Instant::now() > over + PATIENCE {
                wrong.extend(lacks);
                break heads;
            }
            last.clone_from(&lacks[0]);
        }
        sleep(Duration::from_millis(100)).await;
    };
    let took = over.elapsed();
    wrong.extend(world.ended().iter().map(|node| format!("node {node} ended by itself")));
    if wrong.is_empty() {
        wrong.extend(judge::faults(&crowd, &heads, &acknowledged).await);
    }
    let within = if took <= WANTED { "within" } else { "NOT within" };
    println!(
        "seed {seed}: {} faults, {} messages, the slowest after {:.1} s (of client {}, sent at {:.1} s); everyone knew everything \
         {:.1} s after the last fault, {within} {} s (at the end: {last})",
        faults.len(),
        acknowledged.len(),
        slowest.0.as_secs_f64(),
        slowest.2,
        slowest.1.duration_since(begun).as_secs_f64(),
        took.as_secs_f64(),
        WANTED.as_secs()
    );
    assert!(wrong.is_empty(), "{}\n\n{}", report(seed, &faults, &wrong), world.logs());
}

fn report(seed: u64, faults: &[Fault], wrong: &[String]) -> String {
    let plan: String = faults.iter().map(|fault| format!("  {fault}\n")).collect();
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    format!(
        "{} things are wrong; to have it again: MADANG_CHAOS_SEED={seed}\n{plan}\n{}\n(the first {} of {})",
        wrong.len(),
        shown.join("\n"),
        shown.len(),
        wrong.len()
    )
}
