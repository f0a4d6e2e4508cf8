//! Frames that were read a moment ago: in a large channel everyone gets the same bytes, and comparing them is
//! several times quicker than reading them.
//!
//! A message has its place by its number in the channel. One who is sent several at once gets them in the order
//! of their places, so the next frame is looked for behind the last one, and at the beginning of a read where
//! the last read began.
//!
//! Invariants:
//! - What is found here is what reading would find: the whole frame is compared.

use crate::{
    dialect::Dialect,
    scan::{Scanned, Seen},
};

/// More than the messages that are ever sent at once.
const PLACES: usize = 256;

/// Frames by place.
#[derive(Debug, Default)]
pub struct Memo {
    frames: Vec<(Vec<u8>, Option<Seen>)>,
    next: usize,
    /// Where the last read began; none before its first message.
    began: Option<usize>,
    wanted: usize,
}

impl Memo {
    /// For runs in which many hear the same; in others it remembers nothing.
    #[must_use]
    pub fn new(useful: bool) -> Self {
        let places = if useful { PLACES } else { 0 };
        Self { frames: vec![(Vec::new(), None); places], ..Self::default() }
    }

    /// A read begins.
    #[inline]
    pub fn begin(&mut self) {
        self.wanted = self.began.take().unwrap_or(self.wanted);
        self.next = self.wanted;
    }

    /// Reads a frame of a live connection.
    #[inline]
    pub fn scan(&mut self, dialect: Dialect, frame: &[u8]) -> Scanned {
        if let Some((bytes, Some(seen))) = self.frames.get(self.next)
            && bytes == frame
        {
            let seen = *seen;
            self.step(self.next);
            return Scanned::Message(seen);
        }
        let scanned = dialect.scan(frame);
        if let Scanned::Message(seen) = scanned
            && !self.frames.is_empty()
        {
            self.keep(frame, seen);
        }
        scanned
    }

    fn keep(&mut self, frame: &[u8], seen: Seen) {
        let place = usize::try_from(seen.seq).unwrap_or_default() % PLACES;
        let (bytes, kept) = &mut self.frames[place];
        if *kept != Some(seen) {
            bytes.clear();
            bytes.extend_from_slice(frame);
            *kept = Some(seen);
        }
        self.step(place);
    }

    #[inline]
    fn step(&mut self, place: usize) {
        self.began.get_or_insert(place);
        self.next = (place + 1) % PLACES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Stamp;

    fn frame(channel: u64, seq: u64, size: usize) -> String {
        let content = Stamp { due: seq, number: seq }.content(size);
        format!(
            r#"{{"type":"MESSAGE","payload":{{"id":"{seq}","channel_id":"{channel}","seq":{seq},"content":"{content}"}}}}"#
        )
    }

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let mut memo = Memo::new(true);
        for read in [1..9, 1..9, 1..5, 5..9, 3..4, 300..304, 44..48, 300..304, 1..9] {
            memo.begin();
            for (seq, channel, size) in read.flat_map(|seq| [(seq, 7, 128), (seq, 8, 128), (seq, 7, 64)]) {
                let frame = frame(channel, seq, size);
                let expected = Dialect::Madang.scan(frame.as_bytes());
                assert!(matches!(expected, Scanned::Message(_)));
                assert_eq!(memo.scan(Dialect::Madang, frame.as_bytes()), expected, "{frame}");
            }
            assert_eq!(memo.scan(Dialect::Madang, b"{}"), Scanned::Other);
        }
    }

    #[test]
    fn frames_that_come_again_are_found() {
        let mut memo = Memo::new(true);
        let frames: Vec<_> = (1..9).map(|seq| frame(7, seq, 128)).collect();
        for _ in 0..2 {
            memo.begin();
            for frame in &frames {
                memo.scan(Dialect::Madang, frame.as_bytes());
            }
        }
        memo.begin();
        for frame in &frames {
            assert_eq!(memo.frames[memo.next].0, frame.as_bytes());
            memo.scan(Dialect::Madang, frame.as_bytes());
        }
    }
}
