//! Memory: bytes that lie about lengths make no room for themselves. One test, since it counts what the
//! whole process takes.

use madang_proto::{command::ClientFrame, event::ServerFrame, limits::FRAME_BYTES, msgpack};
use peak_alloc::PeakAlloc;
use serde_json::Value;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What `work` took at its peak, beyond what was there before.
fn taken(work: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    MEMORY.peak_usage().saturating_sub(before)
}

#[test]
fn hostile_lengths_and_nesting_take_no_memory() {
    // Whatever is a value of a first frame: a text, an array, a map, bytes, an extension.
    for marker in [0xdb_u8, 0xdd, 0xdf, 0xc6, 0xc9] {
        for length in [u32::MAX, u32::MAX / 2, 1 << 24] {
            let hostile = [&[marker][..], &length.to_be_bytes(), &[0xa1, b'a', 0xc0]].concat();
            // Alone, and as the payload of a frame that begins well.
            let frame =
                [&[0x82, 0xa4][..], b"type", &[0xa4], b"PING", &[0xa7], b"payload", &hostile].concat();
            for bytes in [&hostile, &frame] {
                let most = taken(|| {
                    assert!(ClientFrame::parse_msgpack(bytes).is_err());
                    assert!(msgpack::from_slice::<Value>(bytes).is_err());
                    assert!(msgpack::from_slice::<Vec<u64>>(bytes).is_err());
                    assert!(msgpack::from_slice::<ServerFrame>(bytes).is_err());
                });
                assert!(most < 2 << 20, "{marker:x} of {length}: {most} bytes");
            }
        }
    }
    // A frame of the largest size, full of the smallest values: as many as JSON could hold, and no more.
    let mut most_values = vec![0xdd];
    most_values.extend(u32::try_from(FRAME_BYTES - 5).unwrap().to_be_bytes());
    most_values.resize(FRAME_BYTES, 0xc0);
    let json = format!("[{}]", vec!["7"; FRAME_BYTES / 2 - 1].join(","));
    let packed = taken(|| drop(msgpack::from_slice::<Value>(&most_values).unwrap()));
    let text = taken(|| drop(serde_json::from_str::<Value>(&json).unwrap()));
    assert!(packed <= 2 * text + 4096, "{packed} bytes, and {text} in JSON");
}
