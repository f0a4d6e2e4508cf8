//! Whatever is lost, doubled, late or out of order: in the end the state is that of a fresh client.

use std::time::Instant;

use madang_proto::{Event, event::Pong, messages::Message, workspaces::Member};
use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};

use super::{
    super::{Effect, Reloaded, State},
    general,
    server::Server,
};

/// What people say.
const SAID: [&str; 4] = ["sent", "@me", "@other", "@channel"];

/// On its way between the client and the server.
enum Transit {
    Event(Event),
    Ask(Effect),
    Changes(i64, madang_proto::channels::ChannelChanges),
    Reloaded(Reloaded),
    AskPage(u64, Option<i64>),
    Page(u64, Vec<Message>),
    AskMembers(u64),
    Members(u64, Vec<Member>),
}

struct World {
    random: StdRng,
    server: Server,
    state: State,
    transit: Vec<Transit>,
}

impl World {
    fn new(seed: u64) -> Self {
        let server = Server::new();
        let mut state = State::default();
        state.apply(server.ready(None, 3), Instant::now());
        Self { random: StdRng::seed_from_u64(seed), server, state, transit: Vec::new() }
    }

    fn happen(&mut self) {
        let event = match self.random.random_range(0..15) {
            14 if !self.server.messages.is_empty() => {
                let count = self.random.random_range(1..=self.server.messages.len());
                self.server.remove_oldest(count)
            }
            10..14 if !self.server.messages.is_empty() => {
                let place = self.random.random_range(0..self.server.messages.len());
                let emoji = *["👍", "🎉", "❤️"].choose(&mut self.random).unwrap();
                self.server.react(place, emoji, self.random.random_range(1..4))
            }
            0..4 => {
                let content = *SAID.choose(&mut self.random).unwrap();
                self.server.send(self.random.random_range(1..4), content)
            }
            4..7 if !self.server.messages.is_empty() => {
                let place = self.random.random_range(0..self.server.messages.len());
                let said = SAID.choose(&mut self.random).unwrap();
                let content = format!("{said} at {}", self.server.facts.version);
                let content = self.random.random_bool(0.7).then_some(content.as_str());
                self.server.edit(place, content)
            }
            4..8 => self.server.toggle_member(self.random.random_range(2..6)),
            _ => self.server.set_topic(&format!("topic {}", self.server.facts.version)),
        };
        // Some are lost, some come twice.
        for _ in 0..*[0, 1, 1, 1, 1, 2].choose(&mut self.random).unwrap() {
            self.transit.push(Transit::Event(event.clone()));
        }
    }

    /// I read on, or mark something as unread, on another device: told once, and in no order.
    fn mark(&mut self) {
        if let Some(last) = self.server.messages.len().checked_sub(1) {
            let place = self.random.random_range(0..=last);
            let event = if self.random.random_bool(0.6) {
                self.server.read(place)
            } else {
                Some(self.server.unread(place))
            };
            self.transit.extend(event.map(Transit::Event));
        }
    }

    fn load(&mut self) {
        if self.random.random_bool(0.5) {
            let number = self.state.expect_members(general());
            self.transit.push(Transit::AskMembers(number));
        } else {
            let number = self.state.expect_page(general());
            let before = self.random.random_range(1..=self.server.facts.last_seq + 2);
            self.transit.push(Transit::AskPage(number, self.random.random_bool(0.5).then_some(before)));
        }
    }

    fn reconnect(&mut self) {
        self.transit.retain(|transit| {
            matches!(
                transit,
                Transit::AskPage(..) | Transit::Page(..) | Transit::AskMembers(_) | Transit::Members(..)
            )
        });
        let ready = self.server.ready(self.state.resume(), 3);
        let effects = self.state.apply(ready, Instant::now());
        self.ask(effects);
    }

    fn ask(&mut self, effects: Vec<Effect>) {
        self.transit.extend(effects.into_iter().map(Transit::Ask));
    }

    /// Something on its way arrives at the server or at the client.
    fn arrive(&mut self) {
        if self.transit.is_empty() {
            return;
        }
        let which = self.random.random_range(0..self.transit.len());
        match self.transit.swap_remove(which) {
            Transit::Event(event) => {
                let effects = self.state.apply(event, Instant::now());
                self.ask(effects);
            }
            Transit::Ask(Effect::Changes { after, .. }) => {
                self.transit.push(Transit::Changes(after, self.server.changes(after, 3)));
            }
            Transit::Ask(Effect::Reload { messages, members, .. }) => {
                // Three requests, with things happening in between.
                let channel = self.server.mine();
                self.happen();
                let messages = messages.then(|| self.server.page(None, 5));
                self.happen();
                let members = members.then(|| self.server.member_list());
                self.transit.push(Transit::Reloaded(Reloaded { channel, messages, members }));
            }
            Transit::Ask(_) => {}
            Transit::Changes(after, changes) => {
                let effects = self.state.put_changes(after, changes);
                self.ask(effects);
            }
            Transit::Reloaded(fetched) => {
                let effects = self.state.put_reloaded(fetched);
                self.ask(effects);
            }
            Transit::AskPage(number, before) => {
                self.transit.push(Transit::Page(number, self.server.page(before, 5)));
            }
            Transit::Page(number, page) => {
                if !self.state.put_page(general(), number, Some(&page)) {
                    let number = self.state.expect_page(general());
                    self.transit.push(Transit::AskPage(number, None));
                }
            }
            Transit::AskMembers(number) => {
                self.transit.push(Transit::Members(number, self.server.member_list()));
            }
            Transit::Members(number, members) => {
                if !self.state.put_members(general(), number, Some(members)) {
                    let number = self.state.expect_members(general());
                    self.transit.push(Transit::AskMembers(number));
                }
            }
        }
    }

    fn come_to_rest(&mut self) {
        for _ in 0..20 {
            while !self.transit.is_empty() {
                self.arrive();
            }
            let versions = [(general(), self.server.facts.version)].into();
            let effects = self.state.apply(Event::Pong(Pong { versions }), Instant::now());
            self.ask(effects);
        }
        assert!(self.transit.is_empty(), "it asks and asks");
    }

    fn fresh(&self) -> State {
        let mut state = State::default();
        state.apply(self.server.ready(None, 3), Instant::now());
        let number = state.expect_page(general());
        state.put_page(general(), number, Some(&self.server.messages));
        let number = state.expect_members(general());
        state.put_members(general(), number, Some(self.server.member_list()));
        state
    }
}

#[test]
fn in_the_end_the_state_is_that_of_a_fresh_client() {
    for seed in 0..2_000 {
        let mut world = World::new(seed);
        for _ in 0..world.random.random_range(1..120) {
            match world.random.random_range(0..23) {
                0..8 => world.happen(),
                8..17 => world.arrive(),
                17..19 => world.load(),
                19 => world.reconnect(),
                _ => world.mark(),
            }
            let seqs: Vec<i64> =
                world.state.channel(general()).unwrap().messages().map(|message| message.seq).collect();
            assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "seed {seed}: holes in {seqs:?}");
        }
        world.transit.shuffle(&mut world.random);
        world.come_to_rest();
        let mine = world.state.comparable();
        assert_eq!(mine, world.fresh().comparable().like(&mine), "seed {seed}");
    }
}
