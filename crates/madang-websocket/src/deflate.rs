//! Compression of messages (RFC 7692, 7.2), each for itself: nothing is kept between two messages, so a
//! compressed frame is the same for everyone, and a connection holds no window.
//!
//! The compressor's and the unpacker's memory (about 300 KB together) belongs to the thread.
//!
//! Invariants:
//! - Unpacking stops at the limit: a small frame that claims to be large never is in memory.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::Violation;

/// What every compressed message ends with before it is sent, and which is left out (7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

thread_local! {
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The payload, compressed; nothing when that is not smaller.
#[must_use]
pub fn deflate(payload: &[u8]) -> Option<Vec<u8>> {
    DEFLATE.with_borrow_mut(|compress| {
        compress.reset();
        // Room for as much as is worth it. The flush is complete when some of it is left.
        let mut packed = Vec::with_capacity(payload.len() + TAIL.len());
        compress.compress_vec(payload, &mut packed, FlushCompress::Sync).ok()?;
        if compress.total_in() != payload.len() as u64 || packed.len() == packed.capacity() {
            return None;
        }
        packed.truncate(packed.len() - packed.strip_suffix(&TAIL).map_or(0, |_| TAIL.len()));
        (packed.len() < payload.len()).then_some(packed)
    })
}

/// The payload of a compressed message.
///
/// # Errors
/// When it is larger than `limit`, or not compressed.
pub fn inflate(mut packed: Vec<u8>, limit: usize) -> Result<Vec<u8>, Violation> {
    packed.extend(TAIL);
    INFLATE.with_borrow_mut(|decompress| {
        decompress.reset(false);
        let mut payload: Vec<u8> = Vec::new();
        loop {
            let read = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
            let rest = packed.get(read..).unwrap_or_default();
            if payload.len() == payload.capacity() {
                if payload.len() > limit {
                    return Err(Violation::TooLarge);
                }
                // Doubled, as vectors grow, but never past the byte that tells that it is too much.
                let room = payload.len().max(rest.len() * 2).max(64).min(limit + 1 - payload.len());
                payload.reserve_exact(room);
            }
            let before = (decompress.total_in(), decompress.total_out());
            let status = decompress
                .decompress_vec(rest, &mut payload, FlushDecompress::Sync)
                .map_err(|_| Violation::NotDeflated)?;
            if payload.len() > limit {
                return Err(Violation::TooLarge);
            }
            let stuck = before == (decompress.total_in(), decompress.total_out());
            let left = packed.len() - usize::try_from(decompress.total_in()).unwrap_or(packed.len());
            match status {
                // A client may end the stream in its last block, then only padding follows (7.2.3.4).
                Status::StreamEnd => return ended(packed.get(packed.len() - left..), payload),
                _ if left == 0 && payload.len() < payload.capacity() => return Ok(payload),
                _ if stuck => return Err(Violation::NotDeflated),
                _ => {}
            }
        }
    })
}

fn ended(rest: Option<&[u8]>, payload: Vec<u8>) -> Result<Vec<u8>, Violation> {
    match rest {
        Some([0, 0, 0xff, 0xff] | [0, 0, 0, 0xff, 0xff]) => Ok(payload),
        _ => Err(Violation::NotDeflated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let cases: [(&str, &[u8], &str); 5] = [
            ("7.2.3.1", &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], "Hello"),
            ("7.2.3.3", &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], "Hello"),
            ("7.2.3.4", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], "Hello"),
            (
                "7.2.3.5",
                &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
                "Hello",
            ),
            ("7.2.3.6", &[0x00], ""),
        ];
        for (section, packed, text) in cases {
            assert_eq!(inflate(packed.to_vec(), 5).as_deref(), Ok(text.as_bytes()), "{section}");
        }
    }

    #[test]
    fn what_is_not_compressed_is_refused() {
        for packed in [&[0xff_u8; 8][..], &[0x06], &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x07]] {
            assert_eq!(inflate(packed.to_vec(), 100), Err(Violation::NotDeflated), "{packed:x?}");
        }
        // What refers to a message before this one.
        assert_eq!(inflate(vec![0xf2, 0x00, 0x11, 0x00, 0x00], 100), Err(Violation::NotDeflated));
    }

    #[test]
    fn only_what_becomes_smaller_is_compressed() {
        assert_eq!(deflate(b""), None);
        assert_eq!(deflate(b"kqvz"), None);
        let text = "마당 ".repeat(100);
        let packed = deflate(text.as_bytes()).unwrap();
        assert!(packed.len() * 10 < text.len());
        assert_eq!(inflate(packed, text.len()).as_deref(), Ok(text.as_bytes()));
    }

    #[test]
    fn the_limit_counts_what_is_unpacked() {
        let zeros = vec![0_u8; 1_000_000];
        let bomb = deflate(&zeros).unwrap();
        assert!(bomb.len() < 2_000);
        assert_eq!(inflate(bomb.clone(), 999_999), Err(Violation::TooLarge));
        assert_eq!(inflate(bomb.clone(), 0), Err(Violation::TooLarge));
        assert_eq!(inflate(bomb, 1_000_000), Ok(zeros));
    }
}
