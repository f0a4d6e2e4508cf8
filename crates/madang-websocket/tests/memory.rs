//! Memory: a client that lies, floods or sends bombs takes no more of it than the limit allows. One test,
//! since it counts what the whole process takes.

use madang_websocket::{Decoder, Message, Opcode, Violation, deflate, from_client};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LIMIT: usize = 128 * 1024;
/// What a thread reads at once.
const CHUNK: usize = 16 * 1024;

/// Feeds a decoder as a socket does, until the client breaks the protocol; what that was, and the most
/// memory that it took.
fn read(stream: impl Iterator<Item = Vec<u8>>) -> (Option<Violation>, usize) {
    let mut decoder = Decoder::new(LIMIT, true);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut broken = None;
    'stream: for chunk in stream {
        decoder.feed(&chunk);
        loop {
            match decoder.message() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(violation) => {
                    broken = Some(violation);
                    break 'stream;
                }
            }
        }
    }
    (broken, MEMORY.peak_usage().saturating_sub(before))
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    bytes.chunks(CHUNK).map(<[u8]>::to_vec)
}

#[test]
fn nothing_that_a_client_sends_takes_more_than_the_limit_allows() {
    let frame = |opcode, fin, packed, payload: &[u8]| from_client(opcode, fin, packed, [1, 2, 3, 4], payload);
    // The thread's own compressor and unpacker are there before anything is counted.
    let hundred_megabytes = vec![0_u8; 100 << 20];
    let bomb = deflate::deflate(&hundred_megabytes);
    drop(hundred_megabytes);
    let bomb = bomb.map(|bomb| frame(Opcode::Text, true, true, &bomb)).unwrap_or_default();
    assert!((1_000..LIMIT).contains(&bomb.len()), "{} bytes", bomb.len());
    let (violation, most) = read(chunks(&bomb));
    assert_eq!(violation, Some(Violation::TooLarge));
    assert!(most < 6 * LIMIT, "a bomb of {} bytes took {most}", bomb.len());

    // A header that promises all the memory there is.
    for length in [u64::MAX, 1 << 62, 1 << 40, LIMIT as u64 + 1] {
        let header = [&[0x82, 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat();
        let (violation, most) = read(chunks(&header));
        assert_eq!(violation, Some(Violation::TooLarge));
        assert!(most < 1_024 + 2 * CHUNK, "a promise of {length} took {most}");
    }

    // Parts without an end, and empty ones.
    let part = frame(Opcode::Continuation, false, false, &[b'x'; 1_000]);
    let begun = std::iter::once(frame(Opcode::Binary, false, false, b""));
    let (violation, most) = read(begun.clone().chain(std::iter::repeat_n(part, 100_000)));
    assert_eq!(violation, Some(Violation::TooLarge));
    assert!(most < 5 * LIMIT, "endless parts took {most}");
    let empty = frame(Opcode::Continuation, false, false, b"").repeat(1_000);
    let (violation, most) = read(begun.chain(std::iter::repeat_n(empty, 100)));
    assert_eq!(violation, None);
    assert!(most < 5 * CHUNK, "endless empty parts took {most}");

    // The largest message that there may be, byte by byte.
    let largest = frame(Opcode::Binary, true, false, &vec![7; LIMIT]);
    let (violation, most) = read(largest.iter().map(|byte| vec![*byte]));
    assert_eq!(violation, None);
    assert!(most < 5 * LIMIT, "the largest message took {most}");
    let mut decoder = Decoder::new(LIMIT, true);
    decoder.feed(&largest);
    assert!(matches!(decoder.message(), Ok(Some(Message::Binary(payload))) if payload.len() == LIMIT));
}
