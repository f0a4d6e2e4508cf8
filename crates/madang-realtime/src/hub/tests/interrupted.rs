//! Shards that panic or are aborted, and what cannot be delivered.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_cannot_be_encoded_is_given_up_and_the_next_delivered() {
    let world = World::new(1);
    let alice = world.connect(1, &[channel(1)]);
    world.publish(change(channel(1), 1)).await;
    world.publish(named(channel(1), 2, "panic")).await;
    world.publish(change(channel(1), 3)).await;
    assert_eq!(until(alice.outbox(), "3").await, numbers([1, 3]));
    assert_eq!(world.supervisor.status()[0].restarts, 3, "with others, and twice alone");
}

#[tokio::test(start_paused = true)]
async fn an_aborted_shard_goes_on_where_it_stopped() {
    let hub = Hub::new(1, &Faults::default());
    let crowd: Vec<_> = (0..SLICE as i64 + 1).map(|id| hub.connect(info(id, id))).collect();
    crowd.iter().for_each(|connection| connection.subscribe(&[channel(1)]));
    hub.publish(change(channel(1), 1).into()).await;
    hub.publish(change(channel(1), 2).into()).await;
    let mut run = Box::pin(hub.run_shard(0));
    assert!(timeout(Duration::ZERO, &mut run).await.is_err());
    drop(run);
    hub.close();
    hub.run_shard(0).await.unwrap();
    assert_eq!(waiting(crowd[SLICE].outbox()).concat(), "12");
}

#[cfg(feature = "faults")]
#[tokio::test(start_paused = true)]
async fn a_panic_in_a_shard_loses_neither_events_nor_subscriptions() {
    let world = World::new(2);
    let connections: Vec<_> = (1..=8).map(|id| world.connect(id, &[channel(1)])).collect();
    world.faults.arm("shard-0");
    for version in 1..=5 {
        world.publish(change(channel(1), version)).await;
    }
    world.publish(Control::Subscribe { user: 1.into(), topic: channel(2) }).await;
    world.publish(note(channel(2), "end")).await;
    assert_eq!(until(connections[0].outbox(), "end").await.last().unwrap(), "end");
    for connection in &connections[1..] {
        connection.settled().await;
        let heard: BTreeSet<_> = until(connection.outbox(), "5").await.into_iter().collect();
        assert_eq!(Vec::from_iter(heard), numbers(1..=5), "some of them twice");
    }
    let status = world.supervisor.status();
    assert_eq!((status[0].restarts, status[1].restarts), (1, 0));
}

#[cfg(feature = "faults")]
#[tokio::test(start_paused = true)]
async fn a_control_that_was_interrupted_is_done_after_the_restart() {
    let world = World::new(1);
    let alice = world.connect(1, &[]);
    world.faults.arm("shard-0");
    world.publish(Control::Subscribe { user: 1.into(), topic: channel(1) }).await;
    world.publish(note(channel(1), "hi")).await;
    assert_eq!(until(alice.outbox(), "hi").await, ["hi"]);
    drop(alice);
    assert!(world.hub.is_empty());
}
