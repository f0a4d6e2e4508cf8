//! What a commit costs, by how many messages are in it, against the database's own insert.
//!
//! `cargo bench -p madang-store --features testing,floor`; PostgreSQL takes part where
//! `MADANG_TEST_POSTGRES_URL` names a server for tests.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on panics")]

mod world;

use divan::{Bencher, counter::ItemsCount};
use madang_store::floor::Floor;
use tokio::runtime::Runtime;
use world::{KINDS, World};

const SIZES: [usize; 4] = [1, 16, 128, 512];
const LINE: &str = "한 줄의 말과 조금 더, as long as people write on a usual day, and then a bit";
/// Small channels, as in the load test of the same kind.
const CHANNELS: i64 = 2_000;

fn main() {
    divan::main();
}

/// One thread, so that all messages of a batch are queued when the writer looks.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn cases() -> impl Iterator<Item = (&'static str, usize)> {
    KINDS.into_iter().flat_map(|kind| SIZES.map(|size| (kind, size)))
}

#[divan::bench(args = Vec::from_iter(cases().map(|(kind, size)| format!("{kind} {size}"))), max_time = 3)]
fn writer(bencher: Bencher<'_, '_>, case: &str) {
    let (kind, size) = case.split_once(' ').unwrap();
    let (runtime, size) = (runtime(), size.parse::<usize>().unwrap());
    let Some(world) = runtime.block_on(World::new(kind, CHANNELS)) else { return };
    let batch = || (0..size).map(|_| world.saying(LINE)).collect();
    bencher
        .counter(ItemsCount::new(size))
        .with_inputs(batch)
        .bench_local_values(|batch| runtime.block_on(world.commit(batch)));
}

#[divan::bench(args = Vec::from_iter(cases().map(|(kind, size)| format!("{kind} {size}"))), max_time = 3)]
fn floor(bencher: Bencher<'_, '_>, case: &str) {
    let (kind, size) = case.split_once(' ').unwrap();
    let (runtime, rows) = (runtime(), size.parse::<u32>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = runtime.block_on(world::url(kind, folder.path())) else { return };
    let mut floor = runtime.block_on(Floor::open(&url)).unwrap();
    let content = "x".repeat(100);
    bencher
        .counter(ItemsCount::new(rows))
        .bench_local(|| runtime.block_on(floor.insert(i64::from(rows), &content)).unwrap());
}
