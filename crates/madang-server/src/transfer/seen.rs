//! What of a transfer was read so far: what later lines may refer to.
//!
//! A channel names the message that it is a thread of, which comes later; a workspace its default channel. Such a
//! reference waits until all is read.

use std::collections::{HashMap, HashSet};

use madang_store::transfer::Refers;

use super::check::{Place, Problems};

/// The numbers of a channel, above which no line of it can be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    /// Of the newest message.
    pub seq: i64,
    /// Of the newest change.
    pub version: i64,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Seen {
    pub workspace: Option<i64>,
    pub users: HashSet<i64>,
    pub channels: HashMap<i64, Numbers>,
    pub messages: HashSet<i64>,
    /// `seq` of the last message, by channel: they come in order.
    pub last: Option<(i64, i64)>,
    waiting: Vec<(Refers, i64, Place, &'static str)>,
}

impl Seen {
    fn has(&self, refers: Refers, id: i64) -> bool {
        match refers {
            Refers::Workspace => self.workspace == Some(id),
            Refers::User => self.users.contains(&id),
            Refers::Channel => self.channels.contains_key(&id),
            Refers::Message => self.messages.contains(&id),
            Refers::Own | Refers::OwnUser | Refers::Anything => true,
        }
    }

    /// Notes what a line refers to; what is not there yet may come.
    pub fn refer(&mut self, refers: Refers, id: i64, place: Place, column: &'static str) {
        if !self.has(refers, id) {
            self.waiting.push((refers, id, place, column));
        }
    }

    /// How many references wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Says which references lead nowhere.
    pub fn settle(&mut self, problems: &mut Problems) {
        for (refers, id, place, column) in std::mem::take(&mut self.waiting) {
            if !self.has(refers, id) {
                problems.add(place, format!("{column}: {id} is not in the transfer"));
            }
        }
    }
}
