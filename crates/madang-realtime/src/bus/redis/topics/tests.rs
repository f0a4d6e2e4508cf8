//! What the hub wants, by what Redis is asked for.

use super::*;
use crate::{
    Connection, Hub,
    testing::{World, channel},
};
use std::sync::Arc;

struct Watched {
    topics: Arc<Topics>,
    world: World,
}

impl Watched {
    fn new() -> Self {
        let (topics, world) = (Arc::new(Topics::default()), World::new(2));
        Hub::watch_interest(&world.hub, Arc::clone(&topics) as Arc<_>);
        Self { topics, world }
    }

    /// All that is wanted is confirmed and the bus is up.
    fn up(&self) {
        let new = self.topics.take_new(100);
        self.topics.confirm(&new);
        assert!(self.topics.rise());
    }

    fn hears(&self, id: i64) -> bool {
        self.topics.hears(channel(id))
    }

    fn connect(&self, id: i64, topic: i64) -> Connection {
        self.world.connect(id, &[channel(topic)])
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_asked_for_once_and_heard_when_confirmed() {
    let watched = Watched::new();
    watched.up();
    let _people = (watched.connect(1, 1), watched.connect(2, 1));
    let new = watched.topics.take_new(100);
    assert_eq!(new, [channel(1)]);
    assert!(watched.topics.take_new(100).is_empty() && !watched.hears(1));
    watched.topics.confirm(&new);
    assert!(watched.hears(1));
}

#[tokio::test(start_paused = true)]
async fn what_was_wanted_before_the_bus_was_made_is_asked_for() {
    let world = World::new(2);
    let _person = world.connect(1, &[channel(1)]);
    let topics = Arc::new(Topics::default());
    world.hub.watch_interest(Arc::clone(&topics) as Arc<_>);
    assert_eq!(topics.take_new(100), [channel(1)]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_costs_nothing() {
    let watched = Watched::new();
    watched.up();
    drop(watched.connect(1, 1));
    assert!(watched.topics.take_new(100).is_empty());
    let person = watched.connect(1, 1);
    watched.up();
    drop(person);
    let over = Instant::now() + LINGER;
    assert!(watched.hears(1));
    assert!(watched.topics.take_over(100, over - Duration::from_millis(1)).is_empty());
    let person = watched.connect(1, 1);
    assert!(watched.topics.take_over(100, over).is_empty() && watched.topics.take_new(100).is_empty());
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(person);
    assert!(watched.topics.take_over(100, over).is_empty());
    assert_eq!(watched.topics.take_over(100, Instant::now() + LINGER), [channel(1)]);
    assert!(!watched.hears(1));
    let _back = watched.connect(1, 1);
    assert_eq!(watched.topics.take_new(100), [channel(1)]);
}

#[tokio::test(start_paused = true)]
async fn there_is_work_when_something_is_new_or_over() {
    let watched = Watched::new();
    watched.up();
    let (_, person) = tokio::join!(watched.topics.work(), async { watched.connect(1, 1) });
    watched.up();
    drop(person);
    watched.topics.work().await;
    watched.topics.work().await;
    assert_eq!(watched.topics.take_over(100, Instant::now()), [channel(1)]);
}

#[tokio::test(start_paused = true)]
async fn listening_waits_for_what_is_wanted_here_while_the_bus_is_up() {
    let watched = Watched::new();
    let _person = watched.connect(1, 1);
    watched.topics.listening(&[channel(1)]).await;
    watched.up();
    let _other = watched.connect(2, 2);
    watched.topics.listening(&[channel(1), channel(3)]).await;
    let both = [channel(1), channel(2)];
    let confirming = async {
        let new = watched.topics.take_new(100);
        watched.topics.confirm(&new);
    };
    tokio::join!(biased; watched.topics.listening(&both), confirming);
    assert!(watched.hears(2));
    let _third = watched.connect(3, 3);
    let third = [channel(3)];
    tokio::join!(biased; watched.topics.listening(&third), async { watched.topics.fall() });
}

#[tokio::test(start_paused = true)]
async fn after_a_fall_all_that_is_wanted_is_asked_for_anew() {
    let watched = Watched::new();
    let (_stays, leaves) = (watched.connect(1, 1), watched.connect(2, 2));
    watched.up();
    drop(leaves);
    assert!(watched.topics.fall());
    assert!(!watched.topics.fall() && !watched.hears(1));
    assert_eq!(watched.topics.take_new(100), [channel(1)]);
    assert!(watched.topics.take_over(100, Instant::now() + LINGER).is_empty());
}
