//! What happens when Redis is away, does not answer, or is somewhere else.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn redis_goes_and_comes_back() {
    let Some(mut redis) = server(RedisServer::start()) else { return };
    let (here, there) =
        (Member::up(&redis.url(), "away", 1).await, Member::up(&redis.url(), "away", 2).await);
    let (mine, theirs) = (here.listener(&[channel(1)]).await, there.listener(&[channel(1)]).await);
    redis.kill();
    let down = |member: &Member| matches!(member.bus.health(), BusHealth::Down(_));
    eventually("both are down", || down(&here) && down(&there)).await;
    assert!(!here.bus.hears(channel(1)));
    here.bus.listening(&[channel(1)]).await;
    here.say(channel(1), "meanwhile").await;
    assert_eq!(until(mine.outbox(), "meanwhile").await, ["meanwhile"]);
    redis.start_again().unwrap();
    let up = |member: &Member| member.bus.hears(channel(1));
    eventually("both are up again", || up(&here) && up(&there)).await;
    for member in [&here, &there] {
        assert_eq!(member.told.lost.load(SeqCst), 1);
        assert_eq!(member.told.missed.load(SeqCst), 2, "at the start and when it came back");
        assert_eq!(member.bus.stats().reconnects, 1);
    }
    here.say(channel(1), "again").await;
    assert_eq!(until(theirs.outbox(), "again").await.last().unwrap(), "again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_does_not_answer_holds_nobody_up() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let member = Member::up(&redis.url(), "stuck", 1).await;
    let listener = member.listener(&[channel(1)]).await;
    redis.pause().unwrap();
    let text = "x".repeat(100_000);
    let publishing = async {
        for _ in 0..400 {
            member.say(channel(2), &text).await;
        }
        member.say(channel(1), "through").await;
    };
    timeout(Duration::from_secs(2), publishing).await.expect("publishing waited for Redis");
    assert_eq!(until(listener.outbox(), "through").await, ["through"]);
    let stats = member.bus.stats();
    assert!(stats.dropped > 0 && stats.queued_bytes <= 16 << 20, "{stats:?}");
    let down = || matches!(member.bus.health(), BusHealth::Down(_));
    eventually("it is noticed", down).await;
    redis.resume().unwrap();
    eventually("it is up again", || member.bus.hears(channel(1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_something_says_so_after_what_is_left() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let there = Member::up(&redis.url(), "lost", 2).await;
    let here = Member::new("redis://127.0.0.1:1", "lost", SECRET, 1);
    let notice = Bytes::from(vec![0; 3 << 20]);
    for _ in 0..6 {
        here.bus.notify(notice.clone());
    }
    assert_eq!(here.bus.stats().dropped, 1);
    // Its Redis comes back: what waits is sent as a session does it.
    let place = RedisServers::parse(&redis.url()).unwrap();
    let layout = place.layout().await.unwrap();
    let (links, _incoming) = link::Links::open("lost", &layout).await.unwrap();
    loop {
        let items = here.bus.outgoing.take(1);
        if items.is_empty() {
            break;
        }
        links.publish(&items, &here.bus.sealer).await.unwrap();
    }
    eventually("it is told of the gap", || there.told.missed.load(SeqCst) == 2).await;
    assert_eq!(there.told.notices.lock().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_sentinel_makes_another_server_the_first_the_bus_follows() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let replica = redis.replica().unwrap();
    eventually("it is a replica", || redis.command(&["INFO"]).unwrap().contains("state=online")).await;
    let sentinel = redis.sentinel().unwrap();
    let servers = format!("redis+sentinel://{}/madang", sentinel.address());
    let (here, there) = (Member::up(&servers, "moving", 1).await, Member::up(&servers, "moving", 2).await);
    let known = || sentinel.command(&["SENTINEL", "REPLICAS", "madang"]).unwrap().contains("runid");
    eventually("the Sentinel knows the replica", known).await;
    let listener = there.listener(&[channel(1)]).await;
    drop(redis);
    let moved = |member: &Member| member.bus.health() == BusHealth::Up && member.bus.stats().reconnects > 0;
    eventually("both are up again", || moved(&here) && moved(&there)).await;
    here.say(channel(1), "moved").await;
    assert_eq!(until(listener.outbox(), "moved").await, ["moved"]);
    assert!(replica.command(&["PUBSUB", "CHANNELS"]).unwrap().contains("moving:t:c1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_slot_of_a_cluster_moves_the_bus_follows() {
    let Some(cluster) = server(RedisServer::cluster(3)) else { return };
    let servers = format!("redis+cluster://{}", cluster[0].address());
    let (here, there) = (Member::up(&servers, "slots", 1).await, Member::up(&servers, "slots", 2).await);
    let listener = there.listener(&[channel(1)]).await;
    here.say(channel(1), "before").await;
    assert_eq!(until(listener.outbox(), "before").await, ["before"]);

    let layout = here.bus.servers.layout().await.unwrap();
    let (link, name) = channels::Channels::new("slots", &layout).of(channel(1));
    let of = |link: usize| {
        let address = layout.servers[link].addr().to_string();
        cluster.iter().find(|server| server.address() == address).unwrap()
    };
    let (from, to) = (of(link), of((link + 1) % 3));
    let slot = from.command(&["CLUSTER", "KEYSLOT", &name]).unwrap();
    let slot = slot.trim_start_matches(':').trim();
    let id = to.command(&["CLUSTER", "MYID"]).unwrap();
    let id = id.lines().nth(1).unwrap();
    for server in [to, from, of((link + 2) % 3)] {
        assert_eq!(server.command(&["CLUSTER", "SETSLOT", slot, "NODE", id]).unwrap(), "+OK\r\n");
    }
    let followed = |member: &Member| {
        member.bus.health() == BusHealth::Up && member.bus.stats().reconnects > 0 && {
            to.command(&["PUBSUB", "SHARDNUMSUB", &name]).unwrap().contains(":1")
        }
    };
    eventually("who hears the topic follows", || followed(&there)).await;
    eventually("what is said comes", || {
        futures_util::FutureExt::now_or_never(here.say(channel(1), "after"));
        there.told.events.load(SeqCst) > 1
    })
    .await;
    assert_eq!(until(listener.outbox(), "after").await.first().unwrap(), "after");
    // Perhaps it was also told that the other node lost something.
    assert!(there.told.missed.load(SeqCst) > there.told.lost.load(SeqCst));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_a_cluster_goes_and_comes_back() {
    let Some(mut cluster) = server(RedisServer::cluster(3)) else { return };
    let hosts = cluster.iter().map(RedisServer::address).collect::<Vec<_>>();
    let servers = format!("redis+cluster://{}", hosts.join(","));
    let (here, there) = (Member::up(&servers, "gone", 1).await, Member::up(&servers, "gone", 2).await);
    let topics = (1..=20).map(channel).collect::<Vec<_>>();
    let listener = there.listener(&topics).await;
    cluster[0].kill();
    eventually("it is noticed", || there.told.lost.load(SeqCst) == 1).await;
    cluster[0].start_again().unwrap();
    let up = |member: &Member| topics.iter().all(|topic| member.bus.hears(*topic));
    eventually("all is heard again", || up(&there) && here.bus.health() == BusHealth::Up).await;
    assert_eq!(there.told.missed.load(SeqCst), 2);
    for topic in &topics {
        here.say(*topic, "again").await;
        assert_eq!(until(listener.outbox(), "again").await, ["again"]);
    }
}
