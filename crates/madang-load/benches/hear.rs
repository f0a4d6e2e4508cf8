//! What the load generator does for each delivery once it has been read: it has to be far cheaper than what
//! the server does for it, or a run measures the generator.

use divan::{Bencher, counter::ItemsCount};
use madang_load::{
    check::Order,
    dialect::Dialect,
    frame,
    measure::{Kind, Measure},
    memo::Memo,
    schedule::Stamp,
};

/// Connections that hear the same, one after the other.
const CONNECTIONS: usize = 1_000;

fn main() {
    divan::main();
}

/// A message as the server writes it.
fn message(seq: u64) -> Vec<u8> {
    let content = Stamp { due: seq * 1_000, number: 1_000_000_000 + seq }.content(128);
    let text = format!(
        r#"{{"type":"MESSAGE","payload":{{"id":"7340032000000{seq:06}","channel_id":"7340032000001","seq":{seq},"version":{seq},"author":{{"id":"7340032000002","username":"guest_7340032","display_name":"load 7","avatar_url":null,"guest":true}},"user":{{"id":"7340032000002","username":"guest_7340032","display_name":"load 7"}},"content":"{content}","nonce":"6ad3-{seq}","created_at":"2026-01-01T00:00:00.000Z","edited_at":null,"deleted":false}}}}"#
    );
    let mut bytes = Vec::new();
    // The server does not mask.
    bytes.extend([0x81, 126]);
    bytes.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// A read of so many joined messages, by many connections.
#[divan::bench(args = [1, 8, 32])]
fn joined(bencher: Bencher<'_, '_>, messages: u64) {
    let mut next = 0;
    let (mut memo, mut scanned) = (Memo::new(true), Vec::new());
    let mut measure = Measure::new(60_000_000);
    let mut orders = vec![Order::after(0); CONNECTIONS];
    let mut read = Vec::new();
    bencher.counter(ItemsCount::new(messages * CONNECTIONS as u64)).bench_local(|| {
        read.clear();
        (next + 1..=next + messages).for_each(|seq| read.extend(message(seq)));
        next += messages;
        for order in &mut orders {
            let mut used = 0;
            while let Ok(Some(frame)) = frame::next(&read, used) {
                let whole = &read[used..frame.payload.end];
                used = frame.payload.end;
                let place = memo.find(whole).unwrap_or_else(|| {
                    scanned.clear();
                    Dialect::default().scan(&read[frame.payload], &mut scanned);
                    memo.keep(whole, &scanned);
                    memo.find(whole).unwrap_or_default()
                });
                if let Some(seen) = memo.seen(place, 0)
                    && order.hear(seen.seq)
                    && let Some(stamp) = seen.stamp
                {
                    measure.add(Kind::Delivery, stamp.due, 2_000);
                    measure.add(Kind::Beyond, stamp.due, 1_000);
                }
            }
        }
    });
    assert!(orders.iter().all(|order| order.heard() == next));
}
