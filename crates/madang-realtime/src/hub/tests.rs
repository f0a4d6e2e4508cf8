//! Tests of the hub and its shards, through the hub's public door.

mod interrupted;
mod rounds;

use std::{collections::BTreeSet, time::Duration};

use madang_proto::close::CloseCode;
use tokio::{
    task::yield_now,
    time::{Instant, timeout},
};

use super::*;
use crate::{
    Audience, Class, Control, Envelope,
    lanes::SLICE,
    testing::{World, change, channel, info, named, note, pushes, to_the_end, until, waiting},
};

fn numbers(versions: impl IntoIterator<Item = i64>) -> Vec<String> {
    versions.into_iter().map(|version| version.to_string()).collect()
}

#[tokio::test]
async fn an_event_reaches_those_who_hear_its_topic_once_on_every_shard() {
    let world = World::new(4);
    let hearing: Vec<_> = (1..=20).map(|id| world.connect(id, &[channel(1), channel(1)])).collect();
    let other = world.connect(21, &[channel(2)]);
    world.publish(change(channel(1), 1)).await;
    world.publish(note(channel(2), "other")).await;
    for connection in &hearing {
        assert_eq!(until(connection.outbox(), "1").await, ["1"]);
    }
    assert_eq!(until(other.outbox(), "other").await, ["other"]);
    let shards = world.hub.shards.iter().filter(|shard| shard.counts().0.0 > 0).count();
    assert_eq!(shards, 4, "connections are spread");
}

#[tokio::test]
async fn what_goes_to_several_topics_reaches_nobody_twice_nor_who_has_no_part_in_it() {
    let world = World::new(2);
    let watched = Topic::Presence(7.into());
    let one = world.connect(1, &[channel(1), watched]);
    let both = world.connect(2, &[channel(1), channel(2), watched]);
    let stranger = world.connect(3, &[channel(9), watched]);
    let payload = || Arc::new(crate::testing::Text("away".into()));
    let to = |topic, among: &[Topic], except: &[Topic]| {
        let audience = Audience { among: among.to_vec(), except: except.to_vec() };
        world.publish(Envelope::for_some(topic, audience, None, Class::Ephemeral, payload()))
    };
    to(channel(2), &[], &[]).await;
    to(watched, &[channel(1), channel(2)], &[channel(2)]).await;
    for topic in [channel(1), channel(9)] {
        world.publish(note(topic, "end")).await;
    }
    assert_eq!(until(one.outbox(), "end").await, ["away", "end"], "as one of those who watch");
    assert_eq!(until(both.outbox(), "end").await, ["away", "end"], "once");
    assert_eq!(until(stranger.outbox(), "end").await, ["end"]);
}

#[tokio::test]
async fn watching_others_ends_watching_those_before() {
    let world = World::new(1);
    let watched = |user: i64| Topic::Presence(user.into());
    let alice = world.connect(1, &[channel(1)]);
    alice.watch(&[5.into(), 6.into()]);
    alice.watch(&[6.into(), 7.into(), 7.into()]);
    let heard: Vec<_> = (5..=8).filter(|user| alice.hears(watched(*user))).collect();
    assert_eq!((heard, alice.hears(channel(1))), (vec![6, 7], true));
    alice.watch(&[]);
    assert_eq!(world.hub.stats().subscriptions, 1, "nothing is left of it");
}

#[tokio::test]
async fn a_topic_that_nobody_hears_costs_no_shard_anything() {
    let hub = Hub::new(2, &Faults::default());
    hub.publish(change(channel(1), 1).into()).await;
    assert_eq!(hub.stats(), HubStats::default());
}

#[tokio::test(start_paused = true)]
async fn events_of_a_channel_arrive_in_the_order_of_their_versions() {
    let world = World::new(1);
    let alice = world.connect(1, &[channel(1)]);
    for version in [1, 4, 2, 3, 6] {
        world.publish(change(channel(1), version)).await;
    }
    let begun = Instant::now();
    assert_eq!(until(alice.outbox(), "6").await, numbers([1, 2, 3, 4, 6]));
    assert_eq!(begun.elapsed().as_millis() / 10, 20, "6 waited for 5 and no longer");
}

#[tokio::test]
async fn what_does_not_come_is_named_and_takes_its_place_when_it_is_given_in_time() {
    let world = World::new(2);
    let listeners: Vec<_> = (1..=8).map(|id| world.connect(id, &[channel(1), channel(2)])).collect();
    for version in [1, 3] {
        world.publish(change(channel(1), version)).await;
    }
    let missing = world.hub.missing().await;
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), [(1.into(), 1)]);
    world.publish(change(channel(1), 2)).await;
    for listener in &listeners {
        assert_eq!(until(listener.outbox(), "3").await, numbers(1..=3));
    }
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_the_others_do_not_notice() {
    let world = World::new(1);
    let slow = world.hub.connect_with(info(1, 1), Outbox::bounded(5));
    slow.subscribe(&[channel(1)]);
    let alice = world.connect(2, &[channel(1)]);
    for version in 1..=9 {
        world.publish(change(channel(1), version)).await;
        world.settle().await;
    }
    assert_eq!(until(alice.outbox(), "9").await, numbers(1..=9));
    assert_eq!(to_the_end(slow.outbox()).await, (vec![], CloseCode::TooSlow));
}

#[tokio::test]
async fn typing_is_dropped_before_messages_are() {
    let world = World::new(1);
    let slow = world.hub.connect_with(info(1, 1), Outbox::bounded(6));
    slow.subscribe(&[channel(1)]);
    let typing = Arc::new(crate::testing::Text("typing".into()));
    world.publish(Envelope::new(channel(1), None, Class::Ephemeral, typing)).await;
    for version in 1..=6 {
        world.publish(change(channel(1), version)).await;
    }
    assert_eq!(until(slow.outbox(), "6").await, numbers(1..=6));
}

#[tokio::test]
async fn a_large_topic_is_served_in_slices_while_its_receivers_change() {
    let world = World::new(1);
    let mut crowd: Vec<_> =
        (0..2 * SLICE + 9).map(|id| Some(world.connect(id as i64, &[channel(1)]))).collect();
    yield_now().await;
    world.publish(change(channel(1), 1)).await;
    yield_now().await;
    let first = crowd[0].as_ref().unwrap();
    assert_eq!(waiting(first.outbox()), ["1"], "the first slice is served");
    assert_eq!(first.versions(), [], "the version is told when all have it");
    let last = crowd.last().unwrap().as_ref().unwrap();
    assert_eq!(waiting(last.outbox()), [""; 0], "the last is not");

    crowd[SLICE + 1] = None;
    let newcomer = world.connect(9_999, &[channel(2)]);
    crowd[SLICE + 3] = None;
    let returned = world.connect(9_998, &[channel(1)]);
    let leaver = crowd[SLICE + 2].take().unwrap();
    leaver.unsubscribe(channel(1));
    world.settle().await;

    assert_eq!(waiting(newcomer.outbox()), [""; 0], "the place of another is not its own");
    assert_eq!(waiting(leaver.outbox()), [""; 0]);
    assert_eq!(waiting(returned.outbox()), [""; 0], "whoever comes later is told by a snapshot");
    for connection in crowd.iter().skip(1).flatten() {
        assert_eq!(waiting(connection.outbox()), ["1"]);
        assert_eq!(connection.versions(), [(1.into(), 1)]);
    }
}

#[tokio::test]
async fn small_and_middling_rooms_do_not_wait_for_a_giant_one() {
    let world = World::new(1);
    let giant: Vec<_> = (0..9 * SLICE).map(|id| world.connect(id as i64, &[channel(1)])).collect();
    let middling: Vec<_> = (0..SLICE + 1).map(|id| world.connect(id as i64, &[channel(2)])).collect();
    let small = world.connect(9_999, &[channel(3)]);
    for topic in 1..=3 {
        world.publish(change(channel(topic), 1)).await;
    }
    let last = |crowd: &[Connection]| waiting(crowd.last().unwrap().outbox());
    let mut served = Vec::new();
    while served.len() < 3 {
        yield_now().await;
        let heard =
            [("small", waiting(small.outbox())), ("middling", last(&middling)), ("giant", last(&giant))];
        served.extend(heard.into_iter().filter(|(_, frames)| !frames.is_empty()).map(|(name, _)| name));
    }
    assert_eq!(served, ["small", "middling", "giant"]);
}

#[tokio::test]
async fn what_came_during_a_pass_is_one_push_in_the_next() {
    let world = World::new(1);
    let crowd: Vec<_> = (0..2 * SLICE).map(|id| world.connect(id as i64, &[channel(1)])).collect();
    yield_now().await;
    world.publish(change(channel(1), 1)).await;
    yield_now().await;
    for version in 2..=9 {
        world.publish(change(channel(1), version)).await;
    }
    world.settle().await;
    for connection in &crowd {
        assert_eq!(pushes(connection.outbox()), ["1", "23456789"]);
        assert_eq!(connection.versions(), [(1.into(), 9)]);
    }
}

#[tokio::test]
async fn what_waits_of_a_small_topic_is_one_push() {
    let world = World::new(1);
    let (alice, bob) = (world.connect(1, &[channel(1)]), world.connect(2, &[channel(1), channel(2)]));
    for (topic, version) in [(1, 1), (1, 2), (2, 1), (1, 3)] {
        world.publish(change(channel(topic), version)).await;
    }
    world.settle().await;
    assert_eq!(
        (pushes(alice.outbox()), pushes(bob.outbox())),
        (vec!["12".to_owned(), "3".to_owned()], ["12", "1", "3"].map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn a_control_takes_effect_between_the_events_around_it() {
    let world = World::new(3);
    let (alice, bob) = (world.connect(1, &[]), world.connect(2, &[]));
    let aside = world.hub.connect(ConnectionInfo { follows: false, ..info(3, 1) });
    let (user, topic) = (1.into(), channel(1));
    world.publish(note(topic, "before")).await;
    world.publish(Control::Subscribe { user, topic }).await;
    world.publish(note(topic, "during")).await;
    world.publish(Control::Unsubscribe { user, topic }).await;
    world.publish(note(topic, "after")).await;
    for connection in [&alice, &bob, &aside] {
        connection.subscribe(&[channel(2)]);
    }
    world.publish(note(channel(2), "end")).await;
    assert_eq!(until(alice.outbox(), "end").await, ["during", "end"]);
    assert_eq!(until(bob.outbox(), "end").await, ["end"]);
    assert_eq!(until(aside.outbox(), "end").await, ["end"], "it follows nobody");
}

#[tokio::test]
async fn what_was_held_is_heard_before_its_subscription_ends() {
    let world = World::new(1);
    let alice = world.connect(1, &[channel(1), channel(2)]);
    world.publish(change(channel(1), 1)).await;
    world.publish(named(channel(1), 3, "you were removed")).await;
    world.publish(Control::Unsubscribe { user: 1.into(), topic: channel(1) }).await;
    world.publish(change(channel(1), 2)).await;
    world.publish(note(channel(2), "end")).await;
    assert_eq!(until(alice.outbox(), "end").await, ["1", "you were removed", "end"]);
}

#[tokio::test]
async fn an_end_of_membership_ends_what_was_asked_for_too() {
    let world = World::new(1);
    let asked = world.hub.connect(ConnectionInfo { follows: false, ..info(1, 1) });
    asked.subscribe(&[channel(1)]);
    world.publish(Control::Unsubscribe { user: 1.into(), topic: channel(1) }).await;
    world.settle().await;
    assert!(!asked.hears(channel(1)));
}

#[tokio::test]
async fn sessions_users_and_all_are_closed_after_what_was_published_before() {
    let world = World::new(2);
    let connections: Vec<_> = (1..=3).map(|id| world.connect(id, &[channel(1)])).collect();
    world.publish(note(channel(1), "bye")).await;
    world.publish(Control::CloseSession { session: 1.into(), code: CloseCode::SessionEnded }).await;
    world.publish(Control::CloseUser { user: 2.into(), code: CloseCode::Unauthenticated }).await;
    world.publish(Control::CloseAll { code: CloseCode::Restarting }).await;
    let codes = [CloseCode::SessionEnded, CloseCode::Unauthenticated, CloseCode::Restarting];
    for (connection, code) in connections.iter().zip(codes) {
        assert_eq!(to_the_end(connection.outbox()).await, (vec!["bye".to_owned()], code));
    }
}

#[tokio::test]
async fn dropping_a_connection_leaves_nothing_behind() {
    let world = World::new(2);
    let connections: Vec<_> = (1..=50).map(|id| world.connect(id, &[channel(1), channel(id)])).collect();
    for version in [1, 3] {
        world.publish(change(channel(1), version)).await;
    }
    for user in 1..=50 {
        world.publish(Control::Subscribe { user: user.into(), topic: channel(99) }).await;
    }
    world.settle().await;
    let stats = world.hub.stats();
    assert_eq!((stats.connections, stats.subscriptions, stats.held), (50, 149, 2));
    let outbox = Arc::clone(connections[0].outbox());
    drop(connections);
    assert!(world.hub.is_empty(), "{:?}", world.hub.stats());
    assert_eq!(to_the_end(&outbox).await.1, CloseCode::Fault, "nobody waits for it in vain");
}

#[tokio::test]
async fn a_full_queue_makes_publishers_wait_but_nobody_else() {
    let hub = Hub::new(1, &Faults::default());
    let alice = hub.connect(info(1, 1));
    alice.subscribe(&[channel(1)]);
    let mut published = 0;
    let fill = async {
        loop {
            hub.publish(note(channel(1), "x").into()).await;
            published += 1;
        }
    };
    assert!(timeout(Duration::from_millis(20), fill).await.is_err());
    assert_eq!(hub.stats().queued, published);
    alice.subscribe(&[channel(2)]);
    drop(alice);
    assert_eq!(hub.stats().connections, 0);
    let stuck = hub.publish(Control::CloseAll { code: CloseCode::Restarting }.into());
    let ((), ()) = tokio::join!(stuck, async { hub.close() });
}

#[tokio::test]
async fn a_closed_hub_does_what_is_queued_and_ends() {
    let hub = Hub::new(1, &Faults::default());
    let alice = hub.connect(info(1, 1));
    alice.subscribe(&[channel(1)]);
    hub.publish(change(channel(1), 1).into()).await;
    hub.close();
    hub.publish(change(channel(1), 2).into()).await;
    hub.run_shard(0).await.unwrap();
    assert_eq!(waiting(alice.outbox())[..1], ["1"]);
    assert!(hub.run_shard(1).await.is_err(), "there is no such shard");
}

/// Publishers race, so the order in the queue is any; a reader that never falls behind hears every
/// version once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishers_on_many_threads_lose_nothing() {
    const EVENTS: i64 = 4_000;
    let world = Arc::new(World::new(3));
    let connections: Vec<_> = (1..=12).map(|id| world.connect(id, &[channel(1)])).collect();
    world.publish(change(channel(1), 1)).await;
    let next = Arc::new(std::sync::atomic::AtomicI64::new(2));
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (world, next) = (Arc::clone(&world), Arc::clone(&next));
        publishers.spawn(async move {
            loop {
                let version = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if version > EVENTS {
                    break;
                }
                world.publish(change(channel(1), version)).await;
            }
        });
    }
    publishers.join_all().await;
    world.publish(note(channel(1), "end")).await;
    for connection in &connections {
        let mut heard = until(connection.outbox(), "end").await;
        heard.pop();
        let mut heard: Vec<i64> = heard.iter().map(|version| version.parse().unwrap()).collect();
        heard.sort_unstable();
        assert_eq!(heard, (1..=EVENTS).collect::<Vec<_>>());
    }
}
