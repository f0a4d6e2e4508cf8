//! Two nodes at work on one database at once: numbers without holes, no deadlock, and what has to be done is done once.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use madang_client::proto::{
    ChannelId, MessageId, Timestamp,
    channels::ChannelKind,
    ids,
    messages::{CreateMessage, Message},
    notifications::NotificationQuery,
    page::MessagePageQuery,
    retention::Retention,
    threads::CreateReply,
};
use madang_store::testing;

use crate::support::{PATIENCE, TestServer, User, nodes::Nodes};

async fn send(user: &User, channel: ChannelId, content: String) -> Message {
    let body = CreateMessage { content, nonce: None, file_ids: Vec::new() };
    user.http.create_message(channel, &body).await.unwrap()
}

/// So many messages of a user, to these channels in turn, a dozen at a time.
async fn many(user: &User, channels: &[ChannelId], count: usize) -> Vec<Message> {
    let turns = channels.iter().cycle().take(count).enumerate();
    stream::iter(turns)
        .map(|(n, channel)| send(user, *channel, n.to_string()))
        .buffer_unordered(12)
        .collect()
        .await
}

/// All messages of a channel as they are stored, oldest first.
async fn stored(reader: &User, channel: ChannelId) -> Vec<Message> {
    let (mut all, mut before) = (Vec::<Message>::new(), None);
    loop {
        let query = MessagePageQuery { limit: Some(100), before, ..MessagePageQuery::default() };
        let page = reader.http.messages(channel, query).await.unwrap().items;
        let Some(oldest) = page.iter().map(|message| message.id).min_by_key(|id| id.get()) else { break };
        before = page.iter().min_by_key(|message| message.seq).map(|message| message.id);
        assert!(oldest.get() > 0);
        all.extend(page);
    }
    all.sort_by_key(|message| message.seq);
    all
}

fn seqs(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.seq).collect()
}

async fn texts(reader: &User, channel: ChannelId) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for message in stored(reader, channel).await {
        *counted.entry(message.content).or_default() += 1;
    }
    counted
}

/// Channels that both are in before the second node knows of them.
async fn with_channels(
    nodes: &Nodes,
    names: &[&str],
) -> ((TestServer, User), (TestServer, User), Vec<ChannelId>) {
    let first = nodes.start().await;
    let (alice, bob) = first.users().await;
    let mut channels = vec![alice.general()];
    for name in names {
        let channel = alice.channel(name, ChannelKind::Public).await.id;
        bob.http.join_channel(channel).await.unwrap();
        channels.push(channel);
    }
    let second = nodes.start().await;
    let bob = second.again_as("bob").await;
    ((first, alice), (second, bob), channels)
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_never_meet_and_numbers_have_no_holes() {
    const EACH: usize = 1_500;
    let Some(nodes) = Nodes::new().await else { return };
    let ((_a, alice), (_b, bob), channels) = with_channels(&nodes, &["one", "two"]).await;
    let (hers, his) = tokio::join!(many(&alice, &channels, EACH), many(&bob, &channels, EACH));
    let made_by = |messages: &[Message]| -> BTreeSet<i64> {
        messages.iter().map(|m| (m.id.get() >> ids::SEQUENCE_BITS) & ((1 << ids::NODE_BITS) - 1)).collect()
    };
    assert_eq!((made_by(&hers), made_by(&his)), ([0].into(), [1].into()));
    let all: Vec<_> = hers.into_iter().chain(his).collect();
    assert_eq!(all.iter().map(|m| m.id.get()).collect::<BTreeSet<_>>().len(), 2 * EACH);
    let (_c, reader) = nodes.looking("alice").await;
    for channel in channels {
        let there = stored(&reader, channel).await;
        let newest = i64::try_from(2 * EACH / 3).unwrap();
        assert_eq!(seqs(&there), (1..=newest).collect::<Vec<_>>());
        assert!(there.windows(2).all(|pair| pair[0].version + 1 == pair[1].version));
    }
}

async fn read_all(user: &User) {
    let newest =
        user.http.notifications(NotificationQuery::default()).await.unwrap().items.first().map(|one| one.id);
    if let Some(newest) = newest {
        user.http.read_notifications_up_to(newest).await.unwrap();
    }
}

/// A round of all that locks several rows: messages that mention, replies, reactions, edits, deletions, marks, and all
/// notifications read.
async fn round(user: &User, other: &str, channels: &[ChannelId], root: &Message, n: usize) {
    let sent = many(user, channels, 6).await;
    let mention = send(user, channels[n % channels.len()], format!("@{other} {n}")).await;
    let reply = CreateReply {
        content: n.to_string(),
        nonce: None,
        also_to_channel: n.is_multiple_of(2),
        file_ids: Vec::new(),
    };
    let reply = user.http.reply(root.id, &reply).await.unwrap();
    tokio::join!(
        async { user.http.delete_message(sent[0].id).await.unwrap() },
        async { drop(user.http.update_message(sent[1].id, &format!("@{other}")).await.unwrap()) },
        async { user.http.delete_message(reply.id).await.unwrap() },
        async { read_all(user).await },
        async { user.http.mark_read(mention.channel_id, mention.id).await.map(|_| ()).unwrap() },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rounds_of_all_kinds_of_changes_know_no_deadlock() {
    const ROUNDS: usize = 60;
    let Some(nodes) = Nodes::new().await else { return };
    let ((mut a, alice), (mut b, bob), channels) = with_channels(&nodes, &["one", "two"]).await;
    let root = send(&alice, channels[1], "root".to_owned()).await;
    let rounds = async |user: &User, other: &str| {
        stream::iter(0..ROUNDS).for_each_concurrent(12, |n| round(user, other, &channels, &root, n)).await;
    };
    tokio::join!(rounds(&alice, "bob"), rounds(&bob, "alice"));
    tokio::join!(a.stop(), b.stop());
    assert_eq!(testing::deadlocks(&nodes.url).await.unwrap(), 0);
    let (_c, reader) = nodes.looking("alice").await;
    for channel in channels {
        let there = seqs(&stored(&reader, channel).await);
        assert_eq!(there, (1..=i64::try_from(there.len()).unwrap()).collect::<Vec<_>>());
    }
}

fn minute(nodes: &Nodes) -> Timestamp {
    nodes.clock.now().plus_millis(60_000)
}

/// Both have so many messages that are to be sent in a minute, and reminders.
async fn plan(nodes: &Nodes, users: [&User; 2], count: usize) {
    for user in users {
        for n in 0..count {
            let text = format!("{} {n}", user.name);
            user.http.schedule(user.general(), &text, minute(nodes)).await.unwrap();
            user.http.remind(None, Some(&text), minute(nodes)).await.unwrap();
        }
    }
}

/// Each was sent once, and each reminder is due.
async fn all_done(nodes: &Nodes, count: usize) {
    let (_c, alice) = nodes.looking("alice").await;
    let (_d, bob) = nodes.looking("bob").await;
    let sent = texts(&alice, alice.general()).await;
    assert_eq!((sent.len(), sent.values().sum::<usize>()), (2 * count, 2 * count), "{sent:?}");
    for user in [&alice, &bob] {
        assert_eq!(user.http.scheduled().await.unwrap(), []);
        let reminders = user.http.reminders().await.unwrap();
        assert!(reminders.len() == count && reminders.iter().all(|one| one.due));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_done_once_by_two_who_look() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((a, alice), (b, bob)) = nodes.pair().await;
    plan(&nodes, [&alice, &bob], 25).await;
    nodes.clock.advance(60_000);
    tokio::join!(a.tried(), b.tried());
    all_done(&nodes, 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_done_once_when_one_is_killed_in_the_middle() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((a, alice), (b, bob)) = nodes.pair().await;
    plan(&nodes, [&alice, &bob], 25).await;
    nodes.clock.advance(60_000);
    a.jobs_until(|jobs| jobs["running"] != 0 || jobs["late_seconds"] == 0).await;
    a.kill();
    b.tried().await;
    // What it had claimed.
    nodes.clock.advance(121_000);
    b.tried().await;
    all_done(&nodes, 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_told_once_of_each_mention() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((a, alice), (b, bob)) = nodes.pair().await;
    for n in 0..20 {
        let mentions = |other: &str| format!("@{other} {n}");
        let general = alice.general();
        tokio::join!(send(&alice, general, mentions("bob")), send(&bob, general, mentions("alice")));
    }
    nodes.clock.advance(10_000);
    tokio::join!(a.tried(), b.tried());
    for name in ["alice", "bob"] {
        let (_c, user) = nodes.looking(name).await;
        let found = user.http.notifications(NotificationQuery::default()).await.unwrap().items;
        let messages: BTreeSet<_> = found.iter().map(|one| one.message_id.map(MessageId::get)).collect();
        assert_eq!((found.len(), messages.len()), (20, 20), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_and_removing_on_both_at_once_moves_each_message_once() {
    let Some(nodes) = Nodes::new().await else { return };
    let ((a, alice), (b, bob), channels) = with_channels(&nodes, &["short"]).await;
    let [general, short] = channels[..] else { panic!() };
    let days = Retention { days: Some(3) };
    alice.http.set_channel_retention(short, days).await.unwrap();
    tokio::join!(many(&alice, &channels, 200), many(&bob, &channels, 200));
    tokio::join!(a.kept_up(), b.kept_up());
    // From November into June.
    nodes.clock.advance(220 * 24 * 60 * 60 * 1_000);
    let since = nodes.clock.now();
    let done = async |node: &TestServer, what: &str| {
        let health = node.http().health().await.unwrap().1;
        let at = health[what]["done_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        at.is_some_and(|at| at >= since)
    };
    let all = async {
        for (node, what) in [(&a, "retention"), (&b, "retention"), (&a, "archive"), (&b, "archive")] {
            while !done(node, what).await {
                // Who found the other at it looks again a minute later.
                nodes.clock.advance(61_000);
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    let (c, reader) = nodes.looking("alice").await;
    assert_eq!(seqs(&stored(&reader, general).await), (1..=200).collect::<Vec<_>>());
    assert_eq!(seqs(&stored(&reader, short).await), [0; 0]);
    let kept = reader.http.channel(short).await.unwrap();
    assert_eq!((kept.first_seq, kept.last_seq), (201, 200));
    let months = crate::message_archive::months(&c).await;
    assert_eq!(months["2026_11"], (true, 200));
}
