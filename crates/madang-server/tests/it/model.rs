//! Unread counts against a model: Alice on three devices and Bob do what people do, at random, and after each burst
//! every device, a fresh one and a fresh request say what a plain list of messages says.
//!
//! `MADANG_MODEL_OPERATIONS` is how many operations, `MADANG_MODEL_SEED` replays a run; both are printed.

use std::collections::BTreeMap;

use madang_client::{
    Client, Options, State,
    proto::{
        ChannelId, MessageId, UserId,
        channels::{Channel, ChannelKind},
        error::ErrorCode::Conflict,
        mentions,
        messages::{CreateMessage, Message},
        reads::{MarkRead, SeenQuery},
        threads::{CreateReply, ThreadPageQuery},
    },
};

use crate::support::{TestServer, User, on_both};

/// Operations, when nobody says how many.
const OPERATIONS: u64 = 1_500;
const SAID: [&str; 5] = ["hi", "hello", "@alice", "@channel", "@bob"];
/// No more than this is left unread, so that no count comes to its bound.
const UNREAD: i64 = 150;
const MENTIONED: i64 = 90;
/// Threads; all of them fit one page.
const THREADS: usize = 6;

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name)?.to_str()?.parse().ok()
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What is known of a message without asking anybody.
#[derive(Clone, Copy)]
struct Said {
    id: MessageId,
    own: bool,
    mentions: bool,
    deleted: bool,
}

/// A channel or thread as Alice stands to it; the place of a message is its `seq` less one.
#[derive(Default)]
struct Place {
    said: Vec<Said>,
    joined: bool,
    read: i64,
    version: i64,
    /// The furthest that she has read.
    seen: i64,
}

/// What is unread: how many, how many mentions, the first.
type Badge = (i64, i64, Option<i64>);

impl Place {
    fn read_to(&mut self, seq: i64) {
        self.read = self.read.max(seq);
        self.seen = self.seen.max(self.read);
    }

    fn seq(index: usize) -> i64 {
        i64::try_from(index).unwrap() + 1
    }

    /// How far the mark is behind.
    fn unread(&self) -> i64 {
        Place::seq(self.said.len()) - 1 - self.read
    }

    fn badge(&self) -> Badge {
        let unread =
            |(index, said): &(usize, &Said)| Self::seq(*index) > self.read && !said.own && !said.deleted;
        let unread: Vec<_> = self.said.iter().enumerate().filter(unread).collect();
        let count = |number: usize| i64::try_from(number).unwrap();
        let mentions = unread.iter().filter(|(_, said)| said.mentions).count().min(100);
        (count(unread.len()), count(mentions), unread.first().map(|(index, _)| Self::seq(*index)))
    }
}

fn badge(channel: &Channel) -> Badge {
    (channel.unread_count.unwrap(), channel.mention_count.unwrap(), channel.first_unread_seq())
}

struct World {
    dice: Dice,
    alice: User,
    bob: User,
    devices: Vec<(Client, bool)>,
    places: BTreeMap<ChannelId, Place>,
    general: ChannelId,
    yard: ChannelId,
    /// Threads of messages in general, by their roots.
    threads: BTreeMap<MessageId, ChannelId>,
}

impl World {
    async fn new(s: &TestServer, seed: u64) -> Self {
        let (alice, bob) = s.users().await;
        let (general, yard) = (alice.general(), alice.channel("yard", ChannelKind::Public).await.id);
        bob.http.join_channel(yard).await.unwrap();
        let mut devices = Vec::new();
        for _ in 0..3 {
            devices.push((alice.device().await, true));
        }
        let joined = || Place { joined: true, ..Place::default() };
        let places = [(general, joined()), (yard, joined())].into();
        Self { dice: Dice(seed), alice, bob, devices, places, general, yard, threads: BTreeMap::new() }
    }

    fn place(&mut self, id: ChannelId) -> &mut Place {
        self.places.get_mut(&id).unwrap()
    }

    fn take(&mut self, message: &Message) {
        let alice = self.alice.id;
        let said = said(message, alice);
        let place = self.places.entry(message.channel_id).or_default();
        assert_eq!(message.seq, Place::seq(place.said.len()));
        place.said.push(said);
        if said.own {
            place.read_to(message.seq);
        }
    }

    /// A message of a place, and where it stands, if there is one.
    fn some(&mut self) -> Option<(ChannelId, i64, Said)> {
        let places: Vec<_> = self.places.keys().copied().collect();
        let id = self.dice.of(&places);
        let count = self.places[&id].said.len();
        if count == 0 {
            return None;
        }
        // Mostly the newer ones.
        let near = self.dice.below(3) > 0;
        let index = if near { count - 1 - self.dice.below(count.min(8)) } else { self.dice.below(count) };
        Some((id, Place::seq(index), self.places[&id].said[index]))
    }

    async fn step(&mut self) {
        match self.dice.below(20) {
            0..4 => self.bob_writes().await,
            4..6 => self.alice_writes().await,
            6..8 => self.edit().await,
            8..10 => self.delete().await,
            10 => self.react().await,
            11..14 => self.read().await,
            14..17 => self.unread().await,
            17 => self.come_or_go().await,
            18 => self.reply().await,
            _ => self.lose_or_find_a_device().await,
        }
        let much = |place: &Place| place.badge().1 > MENTIONED || place.unread() > 2 * UNREAD;
        let much = self.places.iter().find(|(_, place)| place.joined && much(place)).map(|(id, _)| *id);
        if let Some(id) = much {
            let (newest, seq) =
                (self.places[&id].said.len() - 1, Place::seq(self.places[&id].said.len()) - 1);
            self.alice.http.mark_read(id, self.places[&id].said[newest].id).await.unwrap();
            self.place(id).read_to(seq);
        }
    }

    async fn bob_writes(&mut self) {
        let (id, content) = (self.dice.of(&[self.general, self.yard]), self.dice.of(&SAID));
        let body = CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() };
        let sent = self.bob.http.create_message(id, &body).await.unwrap();
        self.take(&sent);
    }

    async fn alice_writes(&mut self) {
        let (id, content) = (self.dice.of(&[self.general, self.yard]), self.dice.of(&SAID));
        let device = self.dice.below(3);
        let online = self.devices[device].1;
        if self.places[&id].joined && online {
            let sent = self.devices[device].0.send(id, content).await.unwrap();
            self.take(&sent);
        }
    }

    async fn edit(&mut self) {
        let Some((id, seq, known)) = self.some() else { return };
        if known.deleted || (known.own && !self.places[&id].joined) {
            return;
        }
        let content = self.dice.of(&SAID);
        let author = if known.own { &self.alice } else { &self.bob };
        let edited = author.http.update_message(known.id, content).await.unwrap();
        let now = said(&edited, self.alice.id);
        self.place(id).said[usize::try_from(seq - 1).unwrap()] = now;
    }

    async fn delete(&mut self) {
        let Some((id, seq, known)) = self.some() else { return };
        if known.own && !self.places[&id].joined {
            return;
        }
        let author = if known.own { &self.alice } else { &self.bob };
        author.http.delete_message(known.id).await.unwrap();
        let said = &mut self.place(id).said[usize::try_from(seq - 1).unwrap()];
        *said = Said { deleted: true, mentions: false, ..known };
    }

    async fn react(&mut self) {
        let Some((_, _, known)) = self.some() else { return };
        if !known.deleted {
            self.bob.http.react(known.id, "👍").await.unwrap();
        }
    }

    async fn read(&mut self) {
        let Some((id, seq, known)) = self.some() else { return };
        if !self.places[&id].joined {
            return;
        }
        let (way, device) = (self.dice.below(4), self.dice.below(3));
        let version = self.places[&id].version;
        let read_version = match way {
            // A device that may not have heard of the newest version yet.
            0 | 1 if self.devices[device].1 && self.devices[device].0.state().channel(id).is_some() => {
                match self.devices[device].0.mark_read(id, known.id).await {
                    Ok(_) => self.place(id).read_to(seq),
                    Err(error) => assert_eq!(error.code(), Some(Conflict), "{error}"),
                }
                return;
            }
            // One that surely has not, in a mark that comes late.
            2 if version > 0 => Some(version - 1),
            3 => Some(version),
            _ => None,
        };
        let mark = MarkRead { message_id: known.id, read_version };
        let marked = self.alice.http.put_read_mark(id, &mark).await;
        if read_version.is_some_and(|known| known < version) {
            assert_eq!(marked.unwrap_err().code(), Some(Conflict));
        } else {
            marked.unwrap();
            self.place(id).read_to(seq);
        }
    }

    async fn unread(&mut self) {
        let Some((id, seq, known)) = self.some() else { return };
        let place = &self.places[&id];
        if place.joined && Place::seq(place.said.len()) - seq < UNREAD {
            let mark = self.alice.http.mark_unread(id, known.id).await.unwrap();
            let place = self.place(id);
            (place.read, place.version) = (seq - 1, place.version + 1);
            place.seen = place.seen.max(place.read);
            assert_eq!((mark.last_read_seq, mark.read_version), (place.read, place.version));
        }
    }

    async fn come_or_go(&mut self) {
        let threads: Vec<_> = self.threads.iter().map(|(root, id)| (*root, *id)).collect();
        if !threads.is_empty() && self.dice.below(2) == 0 {
            let (root, id) = self.dice.of(&threads);
            if self.places[&id].joined {
                self.alice.http.unfollow_thread(root).await.unwrap();
            } else {
                self.alice.http.follow_thread(root).await.unwrap();
            }
            self.arrive(id);
            return;
        }
        let yard = self.yard;
        if self.places[&yard].joined {
            self.alice.http.leave_channel(yard).await.unwrap();
        } else {
            self.alice.http.join_channel(yard).await.unwrap();
        }
        self.arrive(yard);
    }

    /// She comes where she was not, and has read all; or goes.
    fn arrive(&mut self, id: ChannelId) {
        let place = self.place(id);
        place.joined = !place.joined;
        if place.joined {
            place.read = Place::seq(place.said.len()) - 1;
        }
    }

    async fn reply(&mut self) {
        let roots: Vec<_> = self.threads.keys().copied().collect();
        let general = &self.places[&self.general].said;
        let (root, by_alice) = if roots.len() >= THREADS || (!roots.is_empty() && self.dice.below(3) > 0) {
            (self.dice.of(&roots), self.dice.below(4) == 0)
        } else {
            let open: Vec<_> = general.iter().filter(|said| !said.deleted).map(|said| said.id).collect();
            if open.is_empty() {
                return;
            }
            (self.dice.of(&open), false)
        };
        let rooted_by_alice = general.iter().any(|said| said.id == root && said.own);
        let content = self.dice.of(&SAID).to_owned();
        let body = CreateReply { content, nonce: None, also_to_channel: false, file_ids: Vec::new() };
        let who = if by_alice { &self.alice } else { &self.bob };
        let sent = who.http.reply(root, &body).await.unwrap();
        if self.threads.insert(root, sent.channel_id).is_none() {
            self.places.insert(sent.channel_id, Place { joined: rooted_by_alice, ..Place::default() });
        }
        if by_alice && !self.places[&sent.channel_id].joined {
            self.arrive(sent.channel_id);
        }
        self.take(&sent);
    }

    async fn lose_or_find_a_device(&mut self) {
        let device = self.dice.below(3);
        let (client, online) = &mut self.devices[device];
        if *online {
            client.disconnect().await.unwrap();
        } else {
            client.reconnect().await.unwrap();
        }
        *online = !*online;
    }

    fn expected(&self, threads: bool) -> BTreeMap<ChannelId, Badge> {
        let here = |(id, place): &(&ChannelId, &Place)| {
            place.joined && threads == self.threads.values().any(|thread| thread == *id)
        };
        self.places.iter().filter(here).map(|(id, place)| (*id, place.badge())).collect()
    }

    async fn check(&mut self, what: &str) {
        let (channels, threads) = (self.expected(false), self.expected(true));
        let of = |all: &[Channel]| all.iter().map(|c| (c.id, badge(c))).collect::<BTreeMap<_, _>>();
        assert_eq!(of(&self.alice.http.channels().await.unwrap()), channels, "{what}: the list");
        let followed = self.alice.http.threads(&ThreadPageQuery::default()).await.unwrap().items;
        let followed: Vec<_> = followed.into_iter().map(|followed| followed.channel).collect();
        assert_eq!(of(&followed), threads, "{what}: the threads");
        assert!(followed.is_sorted_by_key(|thread| badge(thread).0 == 0), "{what}: unread threads first");
        for (id, expected) in channels.iter().chain(&threads) {
            assert_eq!(badge(&self.alice.http.channel(*id).await.unwrap()), *expected, "{what}: one");
        }
        let fresh = Client::connect(self.alice.http.clone(), Options::default()).await.unwrap();
        assert_eq!(known(&fresh.state()), channels, "{what}: a fresh device");
        fresh.close().await;
        for (index, (device, _)) in self.devices.iter().enumerate().filter(|(_, (_, online))| *online) {
            let equal = device.wait_for("the badges", |state| (known(state) == channels).then_some(()));
            if equal.await.is_err() {
                assert_eq!(known(&device.state()), channels, "{what}: device {index}");
            }
        }
        let newest = self.places[&self.general].said.iter().enumerate().rev().find(|(_, said)| !said.own);
        if let Some((index, said)) = newest {
            let seen = self.bob.http.seen(said.id, SeenQuery::default()).await.unwrap();
            let expected = i64::from(self.places[&self.general].seen >= Place::seq(index));
            assert_eq!(seen.count, expected, "{what}: seen");
        }
    }
}

fn said(message: &Message, alice: UserId) -> Said {
    Said {
        id: message.id,
        own: message.author.id == alice,
        mentions: mentions::reach(&message.mentions, alice),
        deleted: message.deleted_at.is_some(),
    }
}

fn known(state: &State) -> BTreeMap<ChannelId, Badge> {
    state.channels().map(|channel| (channel.id(), badge(channel.facts()))).collect()
}

on_both! {
    async fn badges_are_those_of_a_model(s: TestServer) {
        let operations = number("MADANG_MODEL_OPERATIONS").unwrap_or(OPERATIONS);
        let seed = number("MADANG_MODEL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        eprintln!("MADANG_MODEL_SEED={seed} MADANG_MODEL_OPERATIONS={operations}");
        let mut world = World::new(&s, seed).await;
        let mut done = 0;
        while done < operations {
            let burst = 1 + u64::try_from(world.dice.below(40)).unwrap();
            for _ in 0..burst {
                world.step().await;
            }
            done += burst;
            world.check(&format!("MADANG_MODEL_SEED={seed}, after {done} operations")).await;
        }
    }
}
