//! Tests of how much a publication costs, and of rounds while many come back.

use super::*;

#[tokio::test]
async fn an_event_is_one_item_for_each_shard_that_hears_it_however_many_hear_it() {
    let hub = Hub::new(4, &Faults::default());
    let connect = |id: i64, topic| {
        let connection = hub.connect(info(id, id));
        connection.subscribe(&[topic]);
        connection
    };
    let _crowd: Vec<_> = (0..100).map(|id| connect(id, channel(1))).collect();
    let _alone = connect(100, channel(2));
    hub.publish(change(channel(1), 1).into()).await;
    assert_eq!(hub.stats().queued, 4);
    hub.publish(change(channel(2), 1).into()).await;
    assert_eq!(hub.stats().queued, 5);
}

#[tokio::test]
async fn who_waits_until_all_is_settled_has_what_was_published_before() {
    let world = World::new(1);
    let connection = world.connect(1, &[channel(1)]);
    for version in 1..=300 {
        world.publish(change(channel(1), version)).await;
    }
    connection.settled().await;
    assert_eq!(waiting(connection.outbox()), numbers(1..=300));
    world.hub.close();
    connection.settled().await;
}

#[tokio::test(start_paused = true)]
async fn while_many_come_back_giant_rooms_are_told_in_rounds_and_small_ones_at_once() {
    let world = World::new(1);
    let both = [channel(1), channel(2)];
    let crowd: Vec<_> = (0..2 * SLICE).map(|id| world.connect(id as i64, &both)).collect();
    let small = world.connect(9_999, &[channel(3)]);
    let coming: Vec<_> = (0..100).map(|id| world.hub.opening(id.into())).collect();
    yield_now().await;
    world.publish(change(channel(1), 1)).await;
    world.settle().await;
    for topic in 1..=3 {
        for version in 2..=3 {
            world.publish(change(channel(topic), version)).await;
        }
    }
    small.settled().await;
    yield_now().await;
    assert_eq!(waiting(small.outbox()), ["2", "3"]);
    assert!(crowd.iter().all(|one| waiting(one.outbox()) == ["1"]), "the rest is gathered");
    tokio::time::advance(Duration::from_millis(500)).await;
    world.settle().await;
    assert!(crowd.iter().all(|one| pushes(one.outbox()) == ["23", "23"]), "joined");
    world.publish(change(channel(1), 4)).await;
    drop(coming);
    tokio::time::advance(Duration::from_millis(500)).await;
    world.settle().await;
    assert_eq!(waiting(crowd[0].outbox()), ["4"]);
}
