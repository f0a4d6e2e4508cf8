//! What every send, resume and page would ask the database for again and again, kept in memory: who a
//! user is and what they are in, what a channel is, and its newest messages.
//!
//! It is kept true by [`Change`](crate::change::Change) and the writer, after each commit and before the
//! announcement ([`Touched`]); what cannot be brought up to date is forgotten, and read anew when it is
//! asked for. This node's memory knows of this node's changes only: with several nodes on one database,
//! the others' have to be heard first.
//!
//! Invariants:
//! - An answer from memory is one that the database could have given at that moment.
//! - Bounded: [`PEOPLE`], [`ROOMS`], and what each of them may hold.

mod doubts;
mod memo;
mod room;
mod touched;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use madang_proto::{
    ChannelId, Timestamp, UserId, WorkspaceId,
    accounts::User,
    messages::Message,
    permissions::{InChannel, Role},
    workspaces::Workspace,
};
use madang_store::{Db, accounts, channels, channels::Found, workspaces};

use self::memo::Memo;
pub use self::{
    doubts::Doubts,
    room::{Room, Seat},
    touched::Touched,
};
use crate::error::Result;

/// Most users that are kept.
const PEOPLE: usize = 65_536;
/// Most channels that are kept.
const ROOMS: usize = 16_384;

/// What is kept.
pub struct Memory {
    people: Memo<UserId, Person>,
    rooms: Memo<ChannelId, Room>,
    /// Moves when a workspace changes or a channel goes: its people carry it with them.
    workspaces: AtomicI64,
    /// What may have changed without being announced.
    pub doubts: Doubts,
}

/// A user and what they are in.
pub struct Person {
    /// Who it is.
    pub user: User,
    /// The workspaces, with the user's role.
    pub workspaces: Vec<Workspace>,
    /// The channels in their order.
    pub channels: Vec<ChannelId>,
    read: HashMap<ChannelId, AtomicI64>,
    as_of: i64,
}

/// A user, and their channels in the order in which the person lists them.
pub struct Standing {
    /// The user.
    pub person: Arc<Person>,
    /// The channels.
    pub rooms: Vec<Arc<Room>>,
}

impl Person {
    /// What is known of a channel and how the user stands to it, as the database would say, but for whether
    /// they follow it when it is a thread; `parent` is the channel of its root then.
    pub fn found(&self, id: ChannelId, room: &Room, parent: Option<(ChannelId, Arc<Room>)>) -> Found {
        let channel = room.channel(self.seat(id));
        let parent = parent.map(|(id, room)| {
            let channel = room.channel(self.seat(id));
            InChannel {
                kind: channel.kind,
                member: channel.joined == Some(true),
                creator: channel.created_by == Some(self.user.summary.id),
            }
        });
        Found { role: self.role(channel.workspace_id), channel, parent }
    }

    /// How they stand to a channel.
    pub fn seat(&self, channel: ChannelId) -> Seat {
        let read = self.read.get(&channel).map(|read| read.load(Ordering::Acquire));
        Seat { user: self.user.summary.id, read }
    }

    /// Their role in a workspace.
    pub fn role(&self, workspace: WorkspaceId) -> Option<Role> {
        self.workspaces.iter().find(|w| w.id == workspace).and_then(|w| w.role)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            people: Memo::new(PEOPLE),
            rooms: Memo::new(ROOMS),
            workspaces: AtomicI64::new(0),
            doubts: Doubts::default(),
        }
    }
}

impl Memory {
    /// A user, if they are kept.
    pub fn known_person(&self, id: UserId) -> Option<Arc<Person>> {
        self.people.get(id).filter(|person| person.as_of == self.workspaces.load(Ordering::Acquire))
    }

    /// A user and the channels that they are in, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, db: &Db, id: UserId, now: Timestamp) -> Result<Option<Standing>> {
        if let Some(person) = self.known_person(id)
            && let Some(rooms) = person.channels.iter().map(|id| self.known_room(*id)).collect()
        {
            return Ok(Some(Standing { person, rooms }));
        }
        // One that carries old workspaces would keep the place.
        self.people.sweep_one(id, |person| person.as_of == self.workspaces.load(Ordering::Acquire));
        let (of_people, of_rooms) = (self.people.mark(), self.rooms.mark());
        let as_of = self.workspaces.load(Ordering::Acquire);
        let tx = &mut db.read().await?;
        let Some(user) = accounts::by_id(tx, id).await? else { return Ok(None) };
        let workspaces = workspaces::of_user(tx, id).await?;
        let channels = channels::of_user(tx, id).await?;
        let read = channels.iter().map(|c| (c.id, AtomicI64::new(c.last_read_seq.unwrap_or_default())));
        let read = read.collect();
        let ids: Vec<_> = channels.iter().map(|c| c.id).collect();
        let person = Arc::new(Person { user, workspaces, channels: ids, read, as_of });
        let rooms: Vec<_> = channels.into_iter().map(|c| Arc::new(Room::new(c, now))).collect();
        self.people.keep(id, Arc::clone(&person), &of_people);
        for (id, room) in person.channels.iter().zip(&rooms) {
            self.rooms.keep(*id, Arc::clone(room), &of_rooms);
        }
        Ok(Some(Standing { person, rooms }))
    }

    /// A channel, if it is kept.
    pub fn known_room(&self, id: ChannelId) -> Option<Arc<Room>> {
        self.rooms.get(id)
    }

    /// A channel, if it is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room(&self, db: &Db, id: ChannelId, now: Timestamp) -> Result<Option<Arc<Room>>> {
        if let Some(room) = self.known_room(id) {
            return Ok(Some(room));
        }
        let mark = self.rooms.mark();
        // Nobody's own fields are kept, so it does not matter who asks.
        let found = channels::find(&mut db.read().await?, id, UserId::from(0)).await?;
        Ok(found.map(|found| {
            let room = Arc::new(Room::new(found.channel, now));
            self.rooms.keep(id, Arc::clone(&room), &mark);
            room
        }))
    }

    /// Takes in a message that was stored.
    pub fn stored(&self, message: &Message) {
        self.rooms.change(message.channel_id, |room| room.take(message));
    }

    /// Takes in a message that was sent: who writes has read up to there.
    pub fn sent(&self, message: &Message) {
        self.stored(message);
        self.read(message.author.id, message.channel_id, message.seq);
    }

    fn read(&self, user: UserId, channel: ChannelId, seq: i64) {
        self.people.change(user, |person| match person.read.get(&channel) {
            Some(read) => read.fetch_max(seq, Ordering::AcqRel) >= 0,
            None => false,
        });
    }

    /// Takes in what a commit changed.
    pub fn changed(&self, touched: Vec<Touched>) {
        for touched in touched {
            match touched {
                Touched::Message(message) => self.stored(&message),
                Touched::Reaction(change) => {
                    self.rooms.change(change.channel_id, |room| room.react(&change));
                }
                Touched::Read(user, channel, seq) => self.read(user, channel, seq),
                Touched::Room(id) => self.rooms.forget(id),
                Touched::Person(id) => self.people.forget(id),
                Touched::Workspaces => drop(self.workspaces.fetch_add(1, Ordering::AcqRel)),
            }
        }
    }

    /// Forgets what a commit may have changed, and notes where that was: nobody knows whether it did.
    pub fn doubtful(&self, touched: Vec<Touched>) {
        for touched in touched {
            match touched {
                Touched::Message(message) => self.doubtful_message(message.channel_id, message.author.id),
                Touched::Read(user, ..) => self.people.forget(user),
                Touched::Reaction(change) => self.doubtful_room(change.channel_id),
                Touched::Room(id) => self.doubtful_room(id),
                other @ (Touched::Person(_) | Touched::Workspaces) => self.changed(vec![other]),
            }
        }
    }

    fn doubtful_room(&self, id: ChannelId) {
        self.doubts.anything(id);
        self.rooms.forget(id);
    }

    /// The same for a message, of which no more than the channel and the author need be known.
    pub fn doubtful_message(&self, channel: ChannelId, author: UserId) {
        self.doubts.messages(channel, self.known_room(channel).map(|room| room.version()));
        self.rooms.forget(channel);
        self.people.forget(author);
    }

    /// Forgets channels in which nothing was said for a while.
    pub fn sweep(&self, now: Timestamp) {
        self.rooms.sweep(|room| room.is_in_use(now));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        room::tests::{message, room},
        *,
    };

    fn memory() -> Memory {
        let memory = Memory::default();
        memory.rooms.keep(1.into(), Arc::new(room(10, 4)), &memory.rooms.mark());
        memory
    }

    #[test]
    fn a_stored_message_is_taken_in_and_a_gap_or_a_doubt_forgets_the_channel() {
        let kept = |memory: &Memory| memory.known_room(1.into()).is_some();
        let (next, later) = (message(5, 11, "안녕"), message(6, 12, "hi"));
        let known = memory();
        known.stored(&next);
        known.stored(&later);
        assert!(kept(&known));
        let gap = memory();
        gap.stored(&later);
        assert!(!kept(&gap), "something was missed");
        let doubt = memory();
        doubt.doubtful(vec![Touched::Message(Box::new(next))]);
        assert!(!kept(&doubt), "nobody knows whether it was stored");
    }
}
