//! The messages of one channel as far as they are loaded: a window without holes.
//!
//! `seq` numbers a channel's messages without holes, so the window is simply an interval. What arrives
//! at its end or beginning extends it. What arrives further ahead (states after a gap come in the
//! order of their changes, not of their places) waits in `ahead` until the places between are filled.
//! While a page is being fetched, everything heard is remembered too: the page may be older than an
//! event that overtook it.
//!
//! Invariants:
//! - The window has no holes.
//! - Nothing below `floor` is in it: that is gone, whoever still tells of it.
//! - A message is in it only with one's own reactions told apart.
//! - Of two states of a message the one with the larger `version` stays, in whatever order they come.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use madang_proto::{MessageId, UserId, accounts::UserSummary, messages::Message, reactions::ReactionChange};

/// Most messages kept ahead of a window that does not reach the newest message.
const AHEAD: usize = 1_000;

/// What was heard at a version.
#[derive(Debug, Clone)]
enum Heard {
    Message(Arc<Message>),
    Reaction(ReactionChange),
}

/// The loaded messages of a channel.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    /// The `seq` of the oldest message that is kept.
    floor: i64,
    /// The window, by `seq`.
    window: BTreeMap<i64, Arc<Message>>,
    /// Past the window's end, by `seq`; holes between.
    ahead: BTreeMap<i64, Arc<Message>>,
    /// Where a message stands, of those in the window.
    by_id: HashMap<MessageId, i64>,
    /// Whether a page was ever put in: the window then is what a reader asked for.
    open: bool,
    /// How many pages are being fetched, and what was heard meanwhile.
    fetching: u32,
    heard: BTreeMap<i64, Heard>,
    /// Grows when everything is forgotten: a page asked for before that is no longer wanted.
    epoch: u64,
}

impl Timeline {
    /// Empty; `version` of the channel tells this stay in it from others, `floor` is where it begins.
    pub(crate) fn since(version: i64, floor: i64) -> Self {
        Self::empty(floor, 0, version.unsigned_abs() << 16)
    }

    fn empty(floor: i64, fetching: u32, epoch: u64) -> Self {
        let (window, ahead, heard) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { floor, window, ahead, by_id: HashMap::new(), open: false, fetching, heard, epoch }
    }

    /// The oldest messages are gone: this is the first that is there. Where all that was loaded is gone and there
    /// is more, the channel counts as never opened.
    pub(crate) fn rise(&mut self, floor: i64, newest: i64) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        self.window = self.window.split_off(&floor);
        self.ahead = self.ahead.split_off(&floor);
        self.by_id.retain(|_, seq| *seq >= floor);
        self.open &= !self.window.is_empty() || newest < floor;
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> + ExactSizeIterator {
        self.window.values()
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.window.get(self.by_id.get(&id)?)
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn first(&self) -> Option<i64> {
        self.window.first_key_value().map(|(seq, _)| *seq)
    }

    pub(crate) fn last(&self) -> Option<i64> {
        self.window.last_key_value().map(|(seq, _)| *seq)
    }

    /// Forgets everything, as when too much was missed.
    pub(crate) fn clear(&mut self) {
        *self = Self::empty(self.floor, self.fetching, self.epoch + 1);
    }

    fn known_mut(&mut self, id: MessageId) -> Option<&mut Arc<Message>> {
        match self.by_id.get(&id) {
            Some(seq) => self.window.get_mut(seq),
            None => self.ahead.values_mut().find(|message| message.id == id),
        }
    }

    /// The message with one's own reactions told apart, which events for everyone do not. Nothing when
    /// they are not known: then the message was not loaded, and a page will bring it.
    fn complete(&mut self, message: Arc<Message>) -> Option<Arc<Message>> {
        if message.reactions.iter().all(|reaction| reaction.me.is_some()) {
            return Some(message);
        }
        let known = self.known_mut(message.id)?;
        let mut message = Arc::unwrap_or_clone(message);
        for reaction in &mut message.reactions {
            let known = known.reactions.iter().find(|known| known.emoji == reaction.emoji);
            reaction.me = reaction.me.or(Some(known.and_then(|known| known.me) == Some(true)));
        }
        Some(Arc::new(message))
    }

    /// Someone reacted. `me` is who looks on.
    pub(crate) fn react(&mut self, change: ReactionChange, me: Option<UserId>) {
        if let Some(known) = self.known_mut(change.message_id)
            && known.version < change.version
        {
            let message = Arc::make_mut(known);
            change.apply_to(&mut message.reactions, me);
            message.version = change.version;
        }
        if self.fetching > 0 {
            self.heard.entry(change.version).or_insert(Heard::Reaction(change));
        }
    }

    /// Someone shows otherwise from now on.
    pub(crate) fn rename(&mut self, user: &UserSummary) {
        let heard = self.heard.values_mut().filter_map(|heard| match heard {
            Heard::Message(message) => Some(message),
            Heard::Reaction(_) => None,
        });
        let all = self.window.values_mut().chain(self.ahead.values_mut()).chain(heard);
        for message in all.filter(|message| message.author.id == user.id) {
            Arc::make_mut(message).rename(user);
        }
    }

    /// A message as it was at some time, perhaps long ago: it cannot extend the window.
    pub(crate) fn update(&mut self, message: Arc<Message>) {
        let Some(message) = self.complete(message) else { return };
        if self.window.contains_key(&message.seq) {
            keep_newer(&mut self.window, message);
        } else if self.ahead.contains_key(&message.seq) {
            keep_newer(&mut self.ahead, message);
        }
    }

    /// A message as it is now. `newest` is the channel's last `seq`: an empty window begins there.
    pub(crate) fn put(&mut self, message: Arc<Message>, newest: i64) {
        if self.fetching > 0 {
            self.heard.insert(message.version, Heard::Message(Arc::clone(&message)));
        }
        let Some(message) = self.complete(message) else { return };
        let seq = message.seq;
        if seq < self.floor {
            return;
        }
        match (self.first(), self.last()) {
            (Some(first), Some(_)) if seq + 1 < first => {}
            (Some(_), Some(last)) if seq <= last + 1 => self.set(message),
            (Some(_), Some(_)) => {
                keep_newer(&mut self.ahead, message);
                if self.ahead.len() > AHEAD {
                    self.ahead.pop_first();
                }
            }
            // The channel was empty when it was opened: the window begins where the channel does.
            _ if self.open && seq > self.floor => keep_newer(&mut self.ahead, message),
            _ if self.open || seq >= newest => self.set(message),
            _ => {}
        }
        self.join_ahead();
    }

    /// Several messages as they are now, in any order.
    pub(crate) fn put_all(&mut self, mut messages: Vec<Message>, newest: i64) {
        messages.sort_by_key(|message| message.seq);
        if self.window.is_empty() && !self.open {
            // From the newest one back, so that the window grows as far as they go.
            messages.reverse();
        }
        for message in messages {
            self.put(Arc::new(message), newest);
        }
    }

    /// A page is being fetched; [`Timeline::put_page`] or [`Timeline::give_up_page`] follows. Answers
    /// with the epoch that the page belongs to.
    pub(crate) const fn expect_page(&mut self) -> u64 {
        self.fetching += 1;
        self.epoch
    }

    /// No page came.
    pub(crate) fn give_up_page(&mut self) {
        self.fetching = self.fetching.saturating_sub(1);
        if self.fetching == 0 {
            self.heard.clear();
        }
    }

    /// A page: messages without holes between them. One that neither overlaps nor touches the window
    /// takes its place. `newest` is the channel's last `seq`. `false` when everything was forgotten since
    /// it was asked for.
    pub(crate) fn put_page(&mut self, epoch: u64, page: &[Message], newest: i64, me: Option<UserId>) -> bool {
        if epoch != self.epoch {
            self.give_up_page();
            return false;
        }
        // An empty page opens only what is known to have nothing before.
        let page = page.get(page.partition_point(|message| message.seq < self.floor)..).unwrap_or_default();
        self.open |= !page.is_empty() || newest < self.floor || self.first() == Some(self.floor);
        if let (Some(from), Some(to)) = (page.first(), page.last()) {
            let touches = match (self.first(), self.last()) {
                (Some(first), Some(last)) => from.seq <= last + 1 && to.seq + 1 >= first,
                _ => true,
            };
            if !touches {
                self.ahead.append(&mut std::mem::take(&mut self.window));
                self.by_id.clear();
            }
            for message in page {
                self.set(Arc::new(message.clone()));
            }
        }
        self.join_ahead();
        let heard: Vec<_> = self.heard.values().cloned().collect();
        for heard in heard {
            match heard {
                Heard::Message(message) => {
                    let Some(message) = self.complete(message) else { continue };
                    if self.window.contains_key(&message.seq) {
                        keep_newer(&mut self.window, message);
                    } else if self.last().is_some_and(|last| last < message.seq) {
                        // What was sent while the page was fetched continues it.
                        keep_newer(&mut self.ahead, message);
                    }
                }
                Heard::Reaction(change) => self.react(change, me),
            }
        }
        self.join_ahead();
        self.give_up_page();
        true
    }

    fn set(&mut self, message: Arc<Message>) {
        self.by_id.insert(message.id, message.seq);
        keep_newer(&mut self.window, message);
    }

    /// Moves what now follows the window's end into it, and drops what lies before its end.
    fn join_ahead(&mut self) {
        while let (Some(first), Some(last)) = (self.first(), self.last()) {
            match self.ahead.pop_first() {
                Some((seq, message)) if seq > last + 1 => {
                    self.ahead.insert(seq, message);
                    return;
                }
                Some((seq, message)) if seq >= first => self.set(message),
                Some(_) => {}
                None => return,
            }
        }
    }
}

fn keep_newer(map: &mut BTreeMap<i64, Arc<Message>>, message: Arc<Message>) {
    let known = map.entry(message.seq).or_insert_with(|| Arc::clone(&message));
    if known.version < message.version {
        *known = message;
    }
}
