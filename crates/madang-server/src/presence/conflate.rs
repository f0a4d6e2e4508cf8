//! Conflation: of what is true for a moment only the newest is told, and not more often than it is of use.
//!
//! Typing is told at once and then no more for [`TYPING_REPEAT_MS`]; what was said last in that time is
//! told at its end, unless it is over, which is told at once. Read marks wait for the next
//! [`Conflation::sweep`], which takes the newest of each person and channel.
//!
//! Invariants:
//! - Pure: it tells nothing itself, and times are arguments.
//! - Bounded: at most [`MOST`] people typing, and as many marks, are kept; what is too much is not told.
//! - Who types is forgotten [`TYPING_MS`] after they last said so.

use std::collections::{HashMap, hash_map::Entry};

use madang_proto::{
    ChannelId, UserId,
    limits::{TYPING_MS, TYPING_REPEAT_MS},
    presence::Typing,
    reads::ReadMark,
};
use parking_lot::Mutex;

/// How much is kept at once.
const MOST: usize = 65_536;

type Key = (ChannelId, UserId);

/// What waits to be told.
#[derive(Debug, Default)]
pub struct Conflation(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    typing: HashMap<Key, Typist>,
    marks: HashMap<Key, ReadMark>,
}

/// Someone who types, or just did.
#[derive(Debug)]
struct Typist {
    /// What was said last, and when that they type.
    types: bool,
    typed_ms: i64,
    /// What was told last, and when that they type.
    told: bool,
    told_ms: i64,
    /// Whether anybody is told; else it is only counted as if.
    aloud: bool,
}

impl Typist {
    const fn may_be_told(&self, now_ms: i64) -> bool {
        now_ms - self.told_ms >= TYPING_REPEAT_MS as i64
    }

    const fn tell(&mut self, now_ms: i64) {
        (self.told, self.told_ms) = (true, now_ms);
    }
}

impl Conflation {
    /// Someone says that they type, or no more. Whether that is to be told now.
    pub fn typing(&self, said: &Typing, now_ms: i64) -> bool {
        let mut inner = self.0.lock();
        let full = inner.typing.len() >= MOST;
        let known = inner.typing.entry((said.channel_id, said.user_id));
        match known {
            Entry::Vacant(_) if !said.typing || full => false,
            Entry::Vacant(place) => {
                let begun =
                    Typist { types: true, typed_ms: now_ms, told: true, told_ms: now_ms, aloud: true };
                place.insert(begun);
                true
            }
            Entry::Occupied(mut known) if said.typing => {
                let typist = known.get_mut();
                (typist.types, typist.typed_ms) = (true, now_ms);
                let due = typist.may_be_told(now_ms);
                if due {
                    typist.aloud = true;
                    typist.tell(now_ms);
                }
                due
            }
            Entry::Occupied(mut known) => {
                let typist = known.get_mut();
                typist.types = false;
                std::mem::take(&mut typist.told) && typist.aloud
            }
        }
    }

    /// Nobody is told that someone types here, until they are to be told of again.
    pub fn hush(&self, channel: ChannelId, user: UserId) {
        if let Some(typist) = self.0.lock().typing.get_mut(&(channel, user)) {
            typist.aloud = false;
        }
    }

    /// A read mark for the others of a channel: the newest counts.
    pub fn mark(&self, mark: ReadMark) {
        let mut inner = self.0.lock();
        let full = inner.marks.len() >= MOST;
        match inner.marks.entry((mark.channel_id, mark.user_id)) {
            Entry::Occupied(mut known) if known.get().seq < mark.seq => _ = known.insert(mark),
            Entry::Vacant(place) if !full => _ = place.insert(mark),
            Entry::Occupied(_) | Entry::Vacant(_) => {}
        }
    }

    /// Nobody is told the read marks of this user that wait.
    pub fn withhold(&self, user: UserId) {
        self.0.lock().marks.retain(|key, _| key.1 != user);
    }

    /// What has waited long enough, sorted by channel and user.
    pub fn sweep(&self, now_ms: i64) -> (Vec<Typing>, Vec<ReadMark>) {
        let mut inner = self.0.lock();
        let mut typing = Vec::new();
        inner.typing.retain(|(channel_id, user_id), typist| {
            let fresh = now_ms - typist.typed_ms < i64::from(TYPING_MS);
            if fresh && typist.types && !typist.told && typist.aloud && typist.may_be_told(now_ms) {
                typist.tell(now_ms);
                typing.push(Typing { channel_id: *channel_id, user_id: *user_id, typing: true });
            }
            fresh
        });
        let mut marks: Vec<_> = std::mem::take(&mut inner.marks).into_values().collect();
        typing.sort_unstable_by_key(|typing| (typing.channel_id, typing.user_id));
        marks.sort_unstable_by_key(|mark| (mark.channel_id, mark.user_id));
        (typing, marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGAIN: i64 = TYPING_REPEAT_MS as i64;

    fn says(user: i64, typing: bool) -> Typing {
        Typing { channel_id: 7.into(), user_id: user.into(), typing }
    }

    fn mark(user: i64, seq: i64) -> ReadMark {
        ReadMark {
            channel_id: 7.into(),
            user_id: user.into(),
            message_id: seq.into(),
            seq,
            read_version: None,
        }
    }

    #[test]
    fn repeated_typing_is_told_so_often_only() {
        let all = Conflation::default();
        let told = (0..=10 * AGAIN).step_by(100).filter(|at| all.typing(&says(1, true), *at)).count();
        assert_eq!(told, 11);
        assert!(all.typing(&says(2, true), 10 * AGAIN), "another one's is told for itself");
    }

    #[test]
    fn the_end_is_told_at_once_and_a_new_beginning_when_it_may_be() {
        let all = Conflation::default();
        assert!(!all.typing(&says(1, false), 0), "who did not begin does not end");
        assert!(all.typing(&says(1, true), 0));
        assert!(all.typing(&says(1, false), 10));
        assert!(!all.typing(&says(1, false), 20), "once");
        assert!(!all.typing(&says(1, true), 30));
        assert_eq!(all.sweep(AGAIN - 1).0, []);
        assert_eq!(all.sweep(AGAIN).0, [says(1, true)]);
        assert_eq!(all.sweep(2 * AGAIN).0, [], "once");
        assert!(all.typing(&says(1, false), 2 * AGAIN));
    }

    #[test]
    fn who_stopped_again_before_it_could_be_told_is_not_told_of() {
        let all = Conflation::default();
        for (at, typing) in [(0, true), (10, false), (20, true), (30, false)] {
            assert_eq!(all.typing(&says(1, typing), at), at < 20, "{at}");
        }
        assert_eq!(all.sweep(AGAIN).0, []);
    }

    #[test]
    fn where_nobody_is_told_neither_the_end_nor_the_rest_is() {
        let all = Conflation::default();
        assert!(all.typing(&says(1, true), 0));
        all.hush(7.into(), 1.into());
        assert!(!all.typing(&says(1, false), 10) && !all.typing(&says(1, true), 20));
        assert_eq!(all.sweep(AGAIN).0, []);
        assert!(all.typing(&says(1, true), AGAIN), "it is looked at again");
    }

    #[test]
    fn of_read_marks_the_newest_of_each_is_told_once() {
        let all = Conflation::default();
        for seq in [1, 5, 3] {
            all.mark(mark(1, seq));
        }
        all.mark(mark(2, 4));
        all.mark(mark(3, 4));
        all.withhold(3.into());
        assert_eq!(all.sweep(0).1, [mark(1, 5), mark(2, 4)]);
        assert_eq!(all.sweep(0).1, []);
    }

    #[test]
    fn nothing_is_left_and_no_more_than_so_much_is_kept() {
        let all = Conflation::default();
        let many = i64::try_from(MOST).unwrap() + 10;
        let told = (0..many).filter(|user| all.typing(&says(*user, true), 0)).count();
        (0..many).for_each(|user| all.mark(mark(user, 1)));
        assert_eq!((told, all.sweep(1).1.len()), (MOST, MOST));
        all.sweep(i64::from(TYPING_MS));
        let inner = all.0.lock();
        assert!(inner.typing.is_empty() && inner.marks.is_empty());
    }
}
