//! The bus on Redis servers that these tests start: the suite, who hears what, and what is refused.
//!
//! Where there is no `redis-server` they say so and pass; `cargo xtask test` installs it, or counts it as skipped.

mod away;

use std::{
    io::ErrorKind,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    Connection, Control, Payload,
    bus::{
        Arriving,
        conformance::{self, Node},
    },
    redis_server::RedisServer,
    testing::{Text, World, channel, note, until},
};

const SECRET: &[u8] = b"of the nodes of a test";

/// What a node is told.
#[derive(Default)]
struct Told {
    events: AtomicUsize,
    controls: AtomicUsize,
    lost: AtomicUsize,
    missed: AtomicUsize,
    unheard: Mutex<Vec<Topic>>,
    notices: Mutex<Vec<(NodeId, Bytes)>>,
}

impl Remote for Told {
    fn event(&self, _: NodeId, event: Arriving<'_>) -> Option<Arc<dyn Payload>> {
        self.events.fetch_add(1, SeqCst);
        let text = String::from_utf8(event.payload.to_vec()).ok()?;
        Some(Arc::new(Text(text)))
    }

    fn control(&self, _: NodeId, _: Control) {
        self.controls.fetch_add(1, SeqCst);
    }

    fn notice(&self, from: NodeId, notice: Bytes) {
        self.notices.lock().push((from, notice));
    }

    fn unheard(&self, topics: &[Topic]) {
        self.unheard.lock().extend(topics);
    }

    fn lost(&self) {
        self.lost.fetch_add(1, SeqCst);
    }

    fn missed(&self) {
        self.missed.fetch_add(1, SeqCst);
    }
}

struct Member {
    world: World,
    bus: Arc<RedisBus>,
    told: Arc<Told>,
}

impl Member {
    fn new(servers: &str, prefix: &str, secret: &[u8], number: u16) -> Self {
        let (world, told) = (World::new(3), Arc::new(Told::default()));
        let servers = RedisServers::parse(servers).unwrap();
        let settings = RedisSettings { servers, prefix, secret, node: NodeId(number) };
        let bus = RedisBus::new(Arc::clone(&world.hub), Arc::clone(&told) as Arc<_>, settings);
        let bus = Arc::new(bus.unwrap());
        let served = Arc::clone(&bus);
        world.supervisor.child("bus", move || {
            let served = Arc::clone(&served);
            async move { served.run().await }
        });
        Self { world, bus, told }
    }

    async fn up(servers: &str, prefix: &str, number: u16) -> Self {
        let member = Self::new(servers, prefix, SECRET, number);
        eventually("the bus is up", || member.bus.health() == BusHealth::Up).await;
        member
    }

    async fn listener(&self, topics: &[Topic]) -> Connection {
        let connection = self.world.connect(1, topics);
        self.bus.listening(topics).await;
        connection
    }

    async fn say(&self, topic: Topic, text: &str) {
        self.bus.publish(note(topic, text).into()).await;
    }
}

/// Waits for what the network brings.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A server, unless there is none on this machine.
fn server<T>(started: std::io::Result<T>) -> Option<T> {
    match started {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("not tested: {error}");
            None
        }
        started => Some(started.unwrap()),
    }
}

async fn suite(servers: &str) {
    let clusters = AtomicU32::new(0);
    conformance::suite(async || {
        let prefix = format!("suite-{}", clusters.fetch_add(1, SeqCst));
        let mut nodes = Vec::new();
        for number in 1..=3 {
            let Member { world, bus, .. } = Member::up(servers, &prefix, number).await;
            nodes.push(Node { hub: Arc::clone(&world.hub), bus, _kept: Box::new(world) });
        }
        nodes
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_one_server_it_keeps_what_every_bus_keeps() {
    let Some(redis) = server(RedisServer::start()) else { return };
    suite(&redis.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_it_keeps_what_every_bus_keeps() {
    let Some(cluster) = server(RedisServer::cluster(3)) else { return };
    let hosts = cluster.iter().map(RedisServer::address).collect::<Vec<_>>();
    suite(&format!("redis+cluster://{}", hosts.join(","))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_sentinel_it_keeps_what_every_bus_keeps() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let sentinel = redis.sentinel().unwrap();
    suite(&format!("redis+sentinel://{}/madang", sentinel.address())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_nodes_that_hear_the_topic_get_its_events_and_all_get_notices() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let (here, there, elsewhere) = (
        Member::up(&redis.url(), "few", 1).await,
        Member::up(&redis.url(), "few", 2).await,
        Member::up(&redis.url(), "few", 3).await,
    );
    let listener = there.listener(&[channel(1)]).await;
    assert!(there.bus.hears(channel(1)) && !elsewhere.bus.hears(channel(1)));
    for text in ["1", "2", "3"] {
        here.say(channel(1), text).await;
    }
    here.bus.notify(Bytes::from_static(b"forget"));
    for member in [&there, &elsewhere] {
        eventually("the notice comes", || !member.told.notices.lock().is_empty()).await;
        assert_eq!(*member.told.notices.lock(), [(NodeId(1), Bytes::from_static(b"forget"))]);
    }
    assert_eq!(until(listener.outbox(), "3").await, ["1", "2", "3"]);
    assert_eq!(there.told.events.load(SeqCst), 3);
    assert_eq!((there.bus.stats().received, elsewhere.bus.stats().received), (4, 1));
    assert_eq!(here.bus.stats().published, 4);
    assert_eq!((here.bus.stats().received, here.told.notices.lock().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_with_another_prefix_hear_nothing_of_each_other() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let (one, other) = (Member::up(&redis.url(), "one", 1).await, Member::up(&redis.url(), "two", 2).await);
    let _listener = other.listener(&[channel(1)]).await;
    one.say(channel(1), "for us").await;
    one.bus.notify(Bytes::new());
    eventually("it is sent", || one.bus.stats().published == 2).await;
    let third = Member::up(&redis.url(), "two", 3).await;
    third.bus.notify(Bytes::new());
    eventually("what was sent later comes", || other.bus.stats().received == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_with_another_secret_says_is_refused() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let honest = Member::up(&redis.url(), "sealed", 1).await;
    let listener = honest.listener(&[channel(1)]).await;
    let stranger = Member::new(&redis.url(), "sealed", b"guessed, and guessed wrong", 2);
    eventually("the stranger is up", || stranger.bus.health() == BusHealth::Up).await;
    stranger.say(channel(1), "lies").await;
    let user = listener.info().user;
    let code = madang_proto::close::CloseCode::Unauthenticated;
    stranger.bus.publish(Control::CloseUser { user, code }.into()).await;
    eventually("both are refused", || honest.bus.stats().refused == 2).await;
    assert_eq!((honest.told.events.load(SeqCst), honest.told.controls.load(SeqCst)), (0, 0));
    honest.say(channel(1), "truth").await;
    assert_eq!(until(listener.outbox(), "truth").await, ["truth"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_counted() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let member = Member::up(&redis.url(), "garbage", 1).await;
    let _listener = member.listener(&[channel(1)]).await;
    let later = "\u{7f}".repeat(60);
    for bytes in ["", "x", "\u{1}", &"\u{1}".repeat(60), &later] {
        for name in ["garbage:all", "garbage:t:c1"] {
            assert_eq!(redis.command(&["PUBLISH", name, bytes]).unwrap(), ":1\r\n");
        }
    }
    eventually("all of it is counted", || member.bus.stats().refused + member.bus.stats().unknown == 10)
        .await;
    assert_eq!(member.bus.stats().unknown, 2);
    assert_eq!((member.bus.stats().received, member.bus.health()), (0, BusHealth::Up));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_true_only_for_a_moment_does_not_wait_for_redis() {
    let gone = "redis://127.0.0.1:1";
    let member = Member::new(gone, "none", SECRET, 1);
    let text = || Arc::new(Text("typing".to_owned()));
    let typing = crate::Envelope::new(channel(1), None, Class::Ephemeral, text());
    member.bus.publish(typing.into()).await;
    assert_eq!((member.bus.stats().dropped, member.bus.stats().queued_bytes), (1, 0));
    member.say(channel(1), "stored").await;
    assert!(member.bus.stats().queued_bytes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_the_server_stops_is_sent() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let (here, there) = (Member::up(&redis.url(), "bye", 1).await, Member::up(&redis.url(), "bye", 2).await);
    here.bus.notify(Bytes::from_static(b"bye"));
    here.world.hub.close();
    here.bus.run().await.unwrap();
    eventually("it came", || there.told.notices.lock().len() == 1).await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let world = World::new(1);
    let make = |prefix: &str, secret: &[u8]| {
        let servers = RedisServers::parse("redis://127.0.0.1:1").unwrap();
        let settings = RedisSettings { servers, prefix, secret, node: NodeId(1) };
        RedisBus::new(Arc::clone(&world.hub), Arc::new(Told::default()), settings).err()
    };
    assert_eq!(make("", SECRET), Some(BadSettings::Prefix));
    assert_eq!(make("{1}", SECRET), Some(BadSettings::Prefix));
    assert_eq!(make(&"x".repeat(65), SECRET), Some(BadSettings::Prefix));
    assert_eq!(make("madang", b"short"), Some(BadSettings::Secret));
    assert_eq!(make("madang", SECRET), None);
}

/// Who hears the topic where it is at Redis.
fn heard_by(servers: &[RedisServer], count: &str, name: &str) -> bool {
    servers.iter().any(|server| server.command(&["PUBSUB", count, name]).unwrap().contains(":1"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_nobody_here_hears_any_more_is_let_go_of() {
    let (Some(one), Some(cluster)) = (server(RedisServer::start()), server(RedisServer::cluster(3))) else {
        return;
    };
    let place = format!("redis+cluster://{}", cluster[0].address());
    let (single, sharded) = (Member::up(&one.url(), "left", 1).await, Member::up(&place, "left", 2).await);
    let name = channels::Channels::new("left", &sharded.bus.servers.layout().await.unwrap()).of(channel(1)).1;
    let one = [one];
    for (member, servers, count, name) in
        [(&single, &one[..], "NUMSUB", "left:t:c1"), (&sharded, &cluster[..], "SHARDNUMSUB", name.as_str())]
    {
        drop(member.listener(&[channel(1)]).await);
        assert!(member.bus.hears(channel(1)) && heard_by(servers, count, name));
    }
    for (member, servers, count, name) in
        [(&single, &one[..], "NUMSUB", "left:t:c1"), (&sharded, &cluster[..], "SHARDNUMSUB", name.as_str())]
    {
        eventually("Redis is told", || !heard_by(servers, count, name)).await;
        assert_eq!((member.bus.hears(channel(1)), member.bus.stats().topics), (false, 0));
        assert_eq!(*member.told.unheard.lock(), [channel(1)]);
        let _back = member.listener(&[channel(1)]).await;
        assert!(member.bus.hears(channel(1)) && heard_by(servers, count, name));
        assert_eq!(member.bus.stats().reconnects, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_topics_are_asked_for_at_once() {
    let Some(redis) = server(RedisServer::start()) else { return };
    let member = Member::up(&redis.url(), "many", 1).await;
    let topics = (1..=900).map(channel).collect::<Vec<_>>();
    let _listener = member.listener(&topics).await;
    assert!(topics.iter().all(|topic| member.bus.hears(*topic)));
    let said = redis.command(&["INFO", "commandstats"]).unwrap();
    let calls = said.split("cmdstat_subscribe:calls=").nth(1).unwrap().split(',').next().unwrap();
    assert!(calls.parse::<u32>().unwrap() < 20, "{calls}");
}
