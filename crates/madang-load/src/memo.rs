//! Messages that were read a moment ago: in a large channel everyone gets the same bytes, and comparing them is
//! several times quicker than reading them, let alone unpacking them.
//!
//! A message belongs to a group of places by some of its bytes: those in which the first id differs, and the last
//! ones. A new one takes the place of the oldest of its group; too small a group would cost time, nothing else.
//!
//! Invariants:
//! - What is found here is what reading would find: the whole message is compared, its header too.
//! - Only messages that bring deliveries and nothing else are kept.

use crate::scan::{Scanned, Seen};

/// Together more than the messages that are ever on their way at once.
const GROUPS: usize = 256;
/// Places of a group.
const EACH: usize = 4;
/// Where the first id stands, in both encodings, alone and joined.
const ID: [usize; 4] = [32, 40, 48, 56];
/// A shorter one brings no delivery.
const SHORTEST: usize = 64;

#[derive(Debug, Clone, Default)]
struct Place {
    hash: u64,
    bytes: Vec<u8>,
    seen: Vec<Seen>,
}

/// Messages by place.
#[derive(Debug, Default)]
pub struct Memo {
    places: Vec<Place>,
    /// Which of a group is taken next.
    next: usize,
}

impl Memo {
    /// For runs in which several hear the same; in others it remembers nothing.
    #[must_use]
    pub fn new(useful: bool) -> Self {
        Self { places: vec![Place::default(); if useful { GROUPS * EACH } else { 0 }], next: 0 }
    }

    /// The place of a message that is remembered.
    #[must_use]
    #[inline]
    pub fn find(&self, message: &[u8]) -> Option<usize> {
        let hash = hash(message)?;
        let group = group(hash);
        let is_it = |kept: &Place| kept.hash == hash && kept.bytes == message;
        Some(group + self.places.get(group..group + EACH)?.iter().position(is_it)?)
    }

    /// Its deliveries, by number.
    #[must_use]
    #[inline]
    pub fn seen(&self, place: usize, number: usize) -> Option<Seen> {
        self.places.get(place)?.seen.get(number).copied()
    }

    /// Remembers what was read.
    pub fn keep(&mut self, message: &[u8], scanned: &[Scanned]) {
        let Some(hash) = hash(message) else { return };
        let Some(kept) = self.places.get_mut(group(hash) + self.next) else { return };
        if !scanned.iter().all(|scanned| matches!(scanned, Scanned::Message(_))) {
            return;
        }
        self.next = (self.next + 1) % EACH;
        kept.hash = hash;
        kept.bytes.clear();
        kept.bytes.extend_from_slice(message);
        kept.seen.clear();
        kept.seen.extend(scanned.iter().filter_map(|scanned| match scanned {
            Scanned::Message(seen) => Some(*seen),
            _ => None,
        }));
    }
}

#[inline]
fn hash(message: &[u8]) -> Option<u64> {
    let last = message.len().checked_sub(16).filter(|_| message.len() >= SHORTEST)?;
    let mut hash = message.len() as u64;
    for from in ID.into_iter().chain([last, last + 8]) {
        let word = u64::from_le_bytes(*message.get(from..)?.first_chunk()?);
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    Some(hash)
}

/// The first place of its group.
fn group(hash: u64) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default() % GROUPS * EACH
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialect::Dialect, schedule::Stamp};

    fn frame(channel: u64, seq: u64, size: usize) -> Vec<u8> {
        let content = Stamp { due: seq, number: seq }.content(size);
        format!(
            r#"{{"type":"MESSAGE","payload":{{"id":"73400320000{seq:06}","channel_id":"{channel}","seq":{seq},"content":"{content}"}}}}"#
        )
        .into_bytes()
    }

    /// What a message says, remembered or read, and whether it was remembered.
    fn read(memo: &mut Memo, message: &[u8]) -> (Vec<Seen>, bool) {
        if let Some(place) = memo.find(message) {
            return ((0..).map_while(|number| memo.seen(place, number)).collect(), true);
        }
        let mut scanned = Vec::new();
        Dialect::default().scan(message, &mut scanned);
        memo.keep(message, &scanned);
        let seen = scanned.into_iter().map(|s| match s {
            Scanned::Message(seen) => seen,
            other => panic!("{other:?}"),
        });
        (seen.collect(), false)
    }

    #[test]
    fn what_is_remembered_is_what_is_read() {
        let (mut memo, mut remembered) = (Memo::new(true), 0);
        for seqs in [1..9, 1..9, 1..5, 300..304, 812..816, 300..304, 1..9] {
            for (seq, channel, size) in seqs.flat_map(|seq| [(seq, 7, 128), (seq, 8, 128), (seq, 7, 64)]) {
                let (seen, known) = read(&mut memo, &frame(channel, seq, size));
                assert_eq!(seen.iter().map(|s| (s.channel, s.seq)).collect::<Vec<_>>(), [(channel, seq)]);
                remembered += u32::from(known);
            }
        }
        assert!(remembered > 0);
    }

    #[test]
    fn messages_that_come_again_are_found_joined_ones_too() {
        let mut memo = Memo::new(true);
        let joined = [b"[", &frame(7, 1, 128)[..], b",", &frame(7, 2, 128), b"]"].concat();
        let messages: Vec<_> = (1..9).map(|seq| frame(7, seq, 128)).chain([joined]).collect();
        let first: Vec<_> = messages.iter().map(|message| read(&mut memo, message)).collect();
        assert!(first.iter().all(|(_, known)| !known));
        assert_eq!(first[8].0.iter().map(|seen| seen.seq).collect::<Vec<_>>(), [1, 2]);
        for (message, (seen, _)) in messages.iter().zip(first) {
            assert_eq!(read(&mut memo, message), (seen, true));
        }
        assert!(Memo::new(false).find(&messages[0]).is_none());
    }

    #[test]
    fn what_is_not_only_deliveries_is_not_kept() {
        let (mut memo, bytes) = (Memo::new(true), frame(7, 1, 128));
        for other in [Scanned::Other, Scanned::Ack { rid: 1, seen: None }] {
            memo.keep(&bytes, &[Scanned::Message(Seen { channel: 7, seq: 1, stamp: None }), other]);
            assert!(memo.find(&bytes).is_none());
        }
    }
}
