//! What every send, resume and page would ask the database for again and again, kept in memory: who a
//! user is and what they are in, what a channel is, and its newest messages.
//!
//! It is kept true by [`Change`](crate::change::Change) and the writer, after each commit and before the
//! announcement ([`Touched`]); what cannot be brought up to date is forgotten, and read anew when it is
//! asked for. What other nodes changed is taken in when the bus brings it; what the bus does not bring ([`Hears`]) is
//! not kept.
//!
//! Invariants:
//! - An answer from memory is one that the database could have given at that moment.
//! - Bounded: [`PEOPLE`], [`ROOMS`], and what each of them may hold.

mod doubts;
mod everyone;
mod heard;
mod memo;
mod notified;
mod person;
mod profiles;
mod read;
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
    mentions::{Mention, people},
    messages::Message,
    reads::ReadMark,
    sanctions::Sanction,
};
use madang_realtime::Topic;
use madang_store::{
    Db, accounts, channels, notification_settings, notifications, sanctions, settings, unread, workspaces,
};
use parking_lot::Mutex;

pub use self::{
    doubts::Doubts,
    heard::Hears,
    person::{Person, Standing},
    profiles::Profiles,
    room::Room,
    touched::{Silent, Touched},
};
use self::{memo::Memo, notified::Notified, read::Read};
use crate::error::Result;

/// Most users that are kept.
const PEOPLE: usize = 65_536;
/// Most channels that are kept.
const ROOMS: usize = 16_384;

/// What is kept.
pub struct Memory {
    hears: Hears,
    people: Memo<UserId, Person>,
    rooms: Memo<ChannelId, Room>,
    /// Whether anyone may be notified of what is said in a channel to nobody in particular.
    heeded: Memo<ChannelId, bool>,
    /// Moves when a workspace changes or a channel goes: its people carry it with them.
    workspaces: AtomicI64,
    /// What may have changed without being announced.
    pub doubts: Doubts,
    /// How new what people know of each other is.
    pub profiles: Profiles,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Memory {
    /// An empty one.
    pub fn new(hears: Hears) -> Self {
        Self {
            hears,
            people: Memo::new(PEOPLE),
            rooms: Memo::new(ROOMS),
            heeded: Memo::new(ROOMS),
            workspaces: AtomicI64::new(0),
            doubts: Doubts::default(),
            profiles: Profiles::default(),
        }
    }

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
        let heard = self.heard(&mut db.read().await?, id).await?;
        let heard = |topic| heard.as_ref().is_none_or(|heard| heard.contains(&topic));
        let tx = &mut db.read().await?;
        let Some((user, status)) = accounts::with_status(tx, id).await? else { return Ok(None) };
        let workspaces = workspaces::of_user(tx, id).await?;
        let channels = channels::of_user(tx, id).await?;
        let sanctions = sanctions::of_user(tx, id).await?;
        let count = notifications::count_of(tx, id).await?;
        // Where nothing is unread, nothing is asked.
        let unread_in = if count.unread == 0 { Vec::new() } else { notifications::unread_in(tx, id).await? };
        let notified = Mutex::new(Notified { count, channels: unread_in.into_iter().collect() });
        let settings = settings::of_user(tx, id).await?;
        let read = channels.iter().map(|c| (c.id, Read::of(c))).collect();
        let mut marks = unread::around(tx, id).await?;
        let mut mentions = HashMap::new();
        let rooms = channels.iter().map(|c| {
            let mut marks = marks.remove(&c.id).unwrap_or_default();
            mentions.insert(c.id, std::mem::take(&mut marks.by_name));
            Arc::new(Room::new(c.clone(), marks, now))
        });
        let rooms: Vec<_> = rooms.collect();
        mentions.retain(|_, by_name| !by_name.is_empty());
        let mentions = Mutex::new(mentions);
        let channels = channels.into_iter().map(|c| c.id).collect();
        let person = Person {
            user,
            status,
            workspaces,
            channels,
            sanctions,
            settings,
            read,
            mentions,
            notified,
            as_of,
        };
        let person = Arc::new(person);
        if heard::topics(id, &person.workspaces, &person.channels).all(heard) {
            self.people.keep(id, Arc::clone(&person), &of_people);
        }
        for (id, room) in person.channels.iter().zip(&rooms).filter(|(id, _)| heard(Topic::Channel(**id))) {
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
        let (mark, heard) = (self.rooms.mark(), self.hears(Topic::Channel(id)));
        // Nobody's own fields are kept, so it does not matter who asks.
        let tx = &mut db.read().await?;
        let Some(found) = channels::find(tx, id, UserId::from(0)).await? else { return Ok(None) };
        let marks = unread::of_channel(tx, id).await?;
        let room = Arc::new(Room::new(found.channel, marks, now));
        if heard {
            self.rooms.keep(id, Arc::clone(&room), &mark);
        }
        Ok(Some(room))
    }

    /// Whether anyone may be notified of what is said in a channel to nobody in particular, if that is kept.
    pub fn known_heeded(&self, id: ChannelId) -> Option<bool> {
        self.heeded.get(id).map(|heeded| *heeded)
    }

    /// The same, which asks the database for what is not kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_heeded(&self, db: &Db, id: ChannelId, workspace: WorkspaceId) -> Result<bool> {
        if let Some(heeded) = self.known_heeded(id) {
            return Ok(heeded);
        }
        let (mark, heard) = (self.heeded.mark(), self.hears(Topic::Channel(id)));
        let heeded = notification_settings::is_heeded(&mut db.read().await?, id, workspace).await?;
        if heard {
            self.heeded.keep(id, Arc::new(heeded), &mark);
        }
        Ok(heeded)
    }

    /// Takes in a message that was stored, here or by another node: who writes has read up to there.
    pub fn stored(&self, message: &Message) {
        self.rooms.change(message.channel_id, |room| room.take(message));
        for user in people(&message.mentions) {
            self.people.change(user, |person| {
                person.mention(message.channel_id, message.seq);
                true
            });
        }
        self.people.change(message.author.id, |person| match person.read.get(&message.channel_id) {
            Some(read) => {
                read.wrote(message.seq);
                true
            }
            None => false,
        });
    }

    fn read(&self, mark: &ReadMark) {
        self.people.change(mark.user_id, |person| match person.read.get(&mark.channel_id) {
            Some(read) => mark.read_version.is_some_and(|version| read.move_on(version, mark.seq)),
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
                Touched::Read(mark) => self.read(&mark),
                Touched::Room(id) => {
                    self.rooms.forget(id);
                    self.heeded.forget(id);
                }
                Touched::Heed(ids) => ids.into_iter().for_each(|id| self.heeded.forget(id)),
                Touched::Notified(user, count, channel) => self.people.change(user, |person| {
                    person.notified.lock().take(count, channel);
                    true
                }),
                Touched::AllRead(user, channel, version) => self.people.change(user, |person| {
                    person.notified.lock().read(channel, version);
                    true
                }),
                Touched::Person(id) => self.people.forget(id),
                Touched::Profile(user, topic, version) => {
                    if topic == Topic::User(user.id) {
                        self.renamed(user.id, |room| room.rename(&user));
                    }
                    self.profiles.note(topic, version);
                }
                Touched::Workspaces => drop(self.workspaces.fetch_add(1, Ordering::AcqRel)),
            }
        }
    }

    /// Someone shows otherwise: in the rooms by `keep_up`, or not any more.
    fn renamed(&self, user: UserId, keep_up: impl Fn(&Room) -> bool) {
        self.rooms.change_all(keep_up);
        let names = |sanction: &Sanction| sanction.by.as_ref().is_some_and(|by| by.id == user);
        self.people
            .change_all(|person| person.user.summary.id != user && !person.sanctions.iter().any(names));
    }

    /// Forgets what a commit may have changed, and notes where that was: nobody knows whether it did.
    pub fn doubtful(&self, touched: Vec<Touched>) {
        for touched in touched {
            match touched {
                Touched::Message(message) => {
                    self.doubtful_message(message.channel_id, message.author.id, &message.mentions);
                }
                Touched::Read(mark) => self.people.forget(mark.user_id),
                Touched::Notified(user, ..) | Touched::AllRead(user, ..) => self.people.forget(user),
                Touched::Reaction(change) => self.doubtful_room(change.channel_id),
                Touched::Room(id) => self.doubtful_room(id),
                Touched::Profile(user, topic, version) => {
                    self.shows_otherwise(user.id);
                    self.profiles.note(topic, version);
                }
                other @ (Touched::Person(_) | Touched::Heed(_) | Touched::Workspaces) => {
                    self.changed(vec![other]);
                }
            }
        }
    }

    fn doubtful_room(&self, id: ChannelId) {
        self.doubts.anything(id);
        self.rooms.forget(id);
        self.heeded.forget(id);
    }

    /// The same for a message, of which no more than the channel and the people need be known.
    pub fn doubtful_message(&self, channel: ChannelId, author: UserId, mentions: &[Mention]) {
        self.doubts.messages(channel, self.known_room(channel).map(|room| room.version()));
        self.rooms.forget(channel);
        people(mentions).into_iter().chain([author]).for_each(|user| self.people.forget(user));
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
