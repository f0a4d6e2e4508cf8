//! Which messages one saved, once they were loaded.
//!
//! The list takes several requests: what is heard while it is fetched is applied to it afterwards. It shows
//! only what one may see, so it is asked for anew when that changed.
//!
//! Invariants:
//! - A loaded list is true as of the newest change that was heard.

use std::collections::BTreeSet;

use madang_proto::{
    MessageId,
    channels::Channel,
    saved::{Saved, SavedChange},
};

use super::{ChannelState, Effect, State};

/// The list, and what was heard while it is fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Saves {
    list: Option<BTreeSet<MessageId>>,
    fetching: u32,
    epoch: u64,
    heard: Vec<SavedChange>,
}

impl Saves {
    fn change(&mut self, change: &SavedChange) {
        if self.fetching > 0 {
            self.heard.push(change.clone());
        }
        if let Some(list) = &mut self.list {
            if change.saved {
                list.insert(change.message_id);
            } else {
                list.remove(&change.message_id);
            }
        }
    }
}

impl State {
    /// Which messages one saved, if they were loaded.
    #[must_use]
    pub const fn saved(&self) -> Option<&BTreeSet<MessageId>> {
        self.saved.list.as_ref()
    }

    /// One saved a message, or it is not to be kept any more.
    pub(super) fn change_saved(&mut self, change: &SavedChange) {
        self.saved.change(change);
    }

    /// Something may have been missed: a list asked for before this is not good enough.
    pub(super) fn distrust_saved(&mut self) -> Vec<Effect> {
        self.saved.epoch += 1;
        self.saved.fetching = 0;
        self.saved.heard.clear();
        if self.saved.list.is_some() { vec![Effect::Saved] } else { Vec::new() }
    }

    /// The same where the oldest messages of a channel, as it is now, are gone: one may have saved some of them.
    pub(super) fn distrust_saved_of(&mut self, channel: &Channel) -> Vec<Effect> {
        let begun = |known: &ChannelState| known.facts().first_seq < channel.first_seq;
        if self.channel(channel.id).is_some_and(begun) { self.distrust_saved() } else { Vec::new() }
    }

    /// What one saved is being fetched; [`State::put_saved`] follows with the number.
    pub const fn expect_saved(&mut self) -> u64 {
        self.saved.fetching += 1;
        self.saved.epoch
    }

    /// What one saved, or that it did not come. `false` when it is to be fetched again.
    pub fn put_saved(&mut self, number: u64, fetched: Option<&[Saved]>) -> bool {
        if number != self.saved.epoch {
            return false;
        }
        self.saved.fetching = self.saved.fetching.saturating_sub(1);
        let heard = std::mem::take(&mut self.saved.heard);
        if let Some(fetched) = fetched {
            self.saved.list = Some(fetched.iter().map(|saved| saved.message.id).collect());
            heard.iter().for_each(|change| self.saved.change(change));
        }
        if self.saved.fetching > 0 {
            self.saved.heard = heard;
        }
        true
    }
}
