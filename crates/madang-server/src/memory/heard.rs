//! Memory on one of several nodes: only what the bus brings changes of is kept.
//!
//! Invariants:
//! - Whether something is heard is asked before it is read. What is heard no more is forgotten, and what was being read
//!   meanwhile is not kept.

use std::collections::HashSet;

use madang_proto::{ChannelId, Event, UserId, workspaces::Workspace};
use madang_realtime::Topic;
use madang_store::{Tx, channels, workspaces};

use super::Memory;
use crate::error::Result;

/// Whether what other nodes change of a topic is heard. `None` where there are no others.
pub type Hears = Option<Box<dyn Fn(Topic) -> bool + Send + Sync>>;

/// Where what changes of a user with these is told.
pub(super) fn topics(
    user: UserId,
    workspaces: &[Workspace],
    channels: &[ChannelId],
) -> impl Iterator<Item = Topic> {
    let places = workspaces.iter().filter_map(|w| Some(crate::workspaces::topic(w.id, w.role?)));
    places.chain(channels.iter().map(|id| Topic::Channel(*id))).chain([Topic::User(user)])
}

impl Memory {
    pub(super) fn hears(&self, topic: Topic) -> bool {
        self.hears.as_ref().is_none_or(|hears| hears(topic))
    }

    /// Which of what a user carries with them is heard, to be asked before it is read; everything, where there are no
    /// other nodes.
    pub(super) async fn heard(&self, tx: &mut Tx, user: UserId) -> Result<Option<HashSet<Topic>>> {
        if self.hears.is_none() {
            return Ok(None);
        }
        let workspaces = workspaces::of_user(tx, user).await?;
        let channels: Vec<_> = channels::of_user(tx, user).await?.iter().map(|channel| channel.id).collect();
        Ok(Some(topics(user, &workspaces, &channels).filter(|topic| self.hears(*topic)).collect()))
    }

    /// Forgets what has to do with topics that are heard no more.
    pub fn unheard(&self, topics: &[Topic]) {
        for topic in topics {
            match topic {
                Topic::Channel(id) => {
                    self.rooms.forget(*id);
                    self.heeded.forget(*id);
                }
                Topic::User(id) => self.people.forget(*id),
                Topic::Workspace(_) | Topic::Lobby(_) | Topic::Presence(_) => {}
            }
        }
        let topics: HashSet<_> = topics.iter().copied().collect();
        let of = |topic| topics.contains(&topic);
        self.people.change_all(|person| {
            !self::topics(person.user.summary.id, &person.workspaces, &person.channels).any(of)
        });
    }

    /// Takes in what the bus did not bring. Where that is not known in full, it may be about anyone.
    pub fn missed(&self, event: &Event) {
        match event {
            Event::Message(message) => self.stored(message),
            _ => self.people.change_all(|_| false),
        }
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.people.change_all(|_| false);
        self.rooms.change_all(|_| false);
        self.heeded.change_all(|_| false);
    }

    /// Someone shows otherwise, as another node told.
    pub fn shows_otherwise(&self, user: UserId) {
        self.renamed(user, |room| !room.shows(user));
    }
}
