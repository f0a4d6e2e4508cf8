//! What is unread in a channel: one's own read mark, and which messages after it do not count or mention one.
//!
//! The mark and the lists come with the facts, as they were at `mark_seq`. From then on messages heard add to them.
//! A mark moves on in whatever order one hears of it. When it moved back (a later `read_version`), what it uncovers
//! is not known here: the channel asks for its changes, whose facts tell, and no event goes on before they are there.
//!
//! Invariants:
//! - `facts.read_version` is the version that the mark and the lists are of.

use std::cmp::Ordering;

use madang_proto::{
    UserId,
    channels::Channel,
    mentions::{self, MentionKind},
    messages::Message,
};

use super::ChannelState;

/// What is known of one's own mark besides the facts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnMark {
    /// The channel's newest message when the facts told the mark: it counts those of one's own up to there.
    mark_seq: i64,
    /// One's own newest message that was heard.
    own_seq: i64,
    /// The newest mark that was heard of: its version and where it is, if that was told.
    heard: (i64, i64),
}

impl ChannelState {
    /// How many messages one has not read.
    #[must_use]
    pub fn unread(&self) -> i64 {
        self.facts.unread_count.unwrap_or(0)
    }

    /// How many of them mention one, or everyone; at most 100 are counted.
    #[must_use]
    pub fn mentioned(&self) -> i64 {
        self.facts.mention_count.unwrap_or(0)
    }

    /// The `seq` up to which one has read.
    #[must_use]
    pub fn last_read_seq(&self) -> i64 {
        self.facts.last_read_seq.unwrap_or(0)
    }

    /// Whether the mark moved back and it is not known yet what is unread.
    pub(super) const fn is_uncovered(&self) -> bool {
        self.own_mark.heard.0 > self.facts.read_version
    }

    /// Takes the mark and the lists of newer facts into the known ones. Facts for everyone have none.
    pub(super) fn put_unread(&mut self, facts: &Channel) {
        let Some(read) = facts.last_read_seq else { return };
        let known = &mut self.facts;
        let (upto, of_facts) = match facts.read_version.cmp(&known.read_version) {
            // Told before the mark moved back, it adds what is newer than what was known then.
            Ordering::Less => (known.last_seq, false),
            Ordering::Equal | Ordering::Greater => (facts.last_seq, true),
        };
        for (known, told) in [
            (&mut known.unread_skipped, &facts.unread_skipped),
            (&mut known.unread_mentions, &facts.unread_mentions),
        ] {
            if of_facts {
                known.retain(|seq| *seq > upto);
                known.splice(..0, told.iter().copied());
            } else {
                known.extend(told.iter().filter(|seq| **seq > upto));
            }
            known.sort_unstable();
            known.dedup();
        }
        if of_facts {
            let further = if facts.read_version == known.read_version { known.last_read_seq } else { None };
            let written = (self.own_mark.own_seq > facts.last_seq).then_some(self.own_mark.own_seq);
            // Heard while the facts were on their way.
            let (version, seq) = self.own_mark.heard;
            let heard = (version == facts.read_version).then_some(seq);
            known.last_read_seq = Some(read).max(further).max(written).max(heard);
            known.read_version = facts.read_version;
            self.own_mark.mark_seq = facts.last_seq;
        }
    }

    /// One's own mark moved on, in a version. `true` when that shows that it had moved back.
    pub(super) fn read_to(&mut self, seq: i64, version: i64) -> bool {
        if version == self.facts.read_version && self.facts.last_read_seq.is_none_or(|known| known < seq) {
            self.facts.last_read_seq = Some(seq);
            self.count_unread();
        }
        self.uncover(version, seq)
    }

    /// One's own mark is in this version here, or further. `true` when the version is news.
    pub(super) fn uncover(&mut self, version: i64, seq: i64) -> bool {
        self.own_mark.heard = self.own_mark.heard.max((version, seq));
        self.is_uncovered()
    }

    /// What `READY` tells of the mark is as new as anything heard before it.
    pub(super) const fn trust_facts(&mut self) {
        self.facts.read_version = 0;
        self.own_mark.heard = (0, 0);
    }

    pub(super) fn count_unread(&mut self) {
        let skipped = std::mem::take(&mut self.facts.unread_skipped);
        let mentions = std::mem::take(&mut self.facts.unread_mentions);
        self.facts.set_unread(skipped, mentions);
    }

    /// Takes in that there is a message. Who writes has read up to there.
    pub(super) fn learn_seq(&mut self, message: &Message, me: Option<UserId>) {
        self.facts.last_seq = self.facts.last_seq.max(message.seq);
        if Some(message.author.id) == me {
            self.own_mark.own_seq = self.own_mark.own_seq.max(message.seq);
            if message.seq > self.own_mark.mark_seq {
                self.facts.last_read_seq = self.facts.last_read_seq.max(Some(message.seq));
            }
        }
        self.count_unread();
    }

    /// Takes in whom the newest state of a message mentions, and whether it is deleted. Who was there when it was
    /// sent is known when it is heard then, or told by the facts.
    pub(super) fn learn_unread(&mut self, message: &Message, me: Option<UserId>) {
        if message.deleted_at.is_some()
            && let Err(place) = self.facts.unread_skipped.binary_search(&message.seq)
        {
            self.facts.unread_skipped.insert(place, message.seq);
        }
        let there = message.seq > self.facts.last_seq || self.facts.unread_mentions.contains(&message.seq);
        let mentioned = me.is_some_and(|me| mentions::reach(&message.mentions, me))
            || (there && mentions::has(&message.mentions, MentionKind::Here));
        let known = &mut self.facts.unread_mentions;
        match (known.binary_search(&message.seq), mentioned) {
            (Err(place), true) => known.insert(place, message.seq),
            (Ok(place), false) => drop(known.remove(place)),
            (Ok(_), true) | (Err(_), false) => {}
        }
    }
}
