//! What every bus keeps, as one suite that runs on each of them.
//!
//! A bus gives a factory that makes a cluster of nodes; each test publishes on one node and listens
//! on all. Nothing here depends on a clock that stands still, so a bus with a real network passes
//! through the same door.

use std::{sync::Arc, time::Duration};

use madang_proto::close::CloseCode;
use tokio::time::timeout;

use super::{Bus, Control};
use crate::{
    Audience, Class, Connection, Envelope, Hub, Topic,
    testing::{Text, change, channel, info, note, texts, to_the_end, until},
};

/// One server of a cluster. What serves it lives in `_kept`.
pub(crate) struct Node {
    pub(crate) hub: Arc<Hub>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) _kept: Box<dyn std::any::Any>,
}

/// Runs the suite; `cluster` makes new, connected nodes for every test.
pub(crate) async fn suite<Fut: Future<Output = Vec<Node>>>(cluster: impl Fn() -> Fut) {
    let all = async {
        every_node_hears_an_event_once(&cluster().await).await;
        an_event_is_for_the_same_audience_everywhere(&cluster().await).await;
        events_and_controls_keep_their_order(&cluster().await).await;
        closing_reaches_every_node(&cluster().await).await;
        many_publishers_lose_and_double_nothing(&cluster().await).await;
        a_bus_ends_with_its_hub(&cluster().await).await;
    };
    timeout(Duration::from_secs(60), all).await.expect("what a test waits for never came");
}

/// A connection of the user with the node's number on every node, which hears the topics from everywhere.
async fn people(nodes: &[Node], topics: &[Topic]) -> Vec<Connection> {
    let mut people = Vec::new();
    for (node, id) in nodes.iter().zip(1..) {
        people.push(node.hub.connect(info(id, id)));
        people.iter().last().inspect(|person| person.subscribe(topics));
        node.bus.listening(topics).await;
        assert!(topics.iter().all(|topic| node.bus.hears(*topic)));
    }
    people
}

/// Somebody on every node who hears the topics, and of whom nothing is asked.
async fn bystanders(nodes: &[Node], topics: &[Topic]) -> Vec<Connection> {
    let mut people = Vec::new();
    for (node, id) in nodes.iter().zip(101..) {
        people.push(node.hub.connect(info(id, id)));
        people.iter().last().inspect(|person| person.subscribe(topics));
        node.bus.listening(topics).await;
    }
    people
}

async fn every_node_hears_an_event_once(nodes: &[Node]) {
    let people = people(nodes, &[channel(1)]).await;
    for (node, version) in nodes.iter().zip(1..) {
        node.bus.publish(change(channel(1), version).into()).await;
        for person in &people {
            let text = version.to_string();
            assert_eq!(until(person.outbox(), &text).await, [text]);
        }
    }
}

async fn an_event_is_for_the_same_audience_everywhere(nodes: &[Node]) {
    let people = people(nodes, &[channel(1)]).await;
    let some = people.last().unwrap();
    some.subscribe(&[channel(2)]);
    for publisher in nodes {
        let among = Audience { among: vec![channel(2)], except: Vec::new() };
        let except = Audience { among: Vec::new(), except: vec![channel(2)] };
        for (audience, text) in [(among, "some"), (except, "others")] {
            let text = Arc::new(Text(text.to_owned()));
            let event = Envelope::for_some(channel(1), audience, None, Class::Ephemeral, text);
            publisher.bus.publish(event.into()).await;
        }
        publisher.bus.publish(note(channel(1), "end").into()).await;
        for person in &people {
            let mine = if std::ptr::eq(person, some) { "some" } else { "others" };
            assert_eq!(until(person.outbox(), "end").await, [mine, "end"]);
        }
    }
}

async fn events_and_controls_keep_their_order(nodes: &[Node]) {
    // What nobody on a node hears, it hears from a Subscribe on only once it asked for it.
    let _there = bystanders(nodes, &[channel(1), channel(2)]).await;
    let people = people(nodes, &[]).await;
    for publisher in nodes {
        for (person, user) in people.iter().zip(1..) {
            let (user, topic) = (user.into(), channel(1));
            for item in [
                note(topic, "before").into(),
                Control::Subscribe { user, topic }.into(),
                note(topic, "during").into(),
                Control::Subscribe { user, topic: channel(2) }.into(),
                Control::Unsubscribe { user, topic }.into(),
                note(topic, "after").into(),
                note(channel(2), "end").into(),
                Control::Unsubscribe { user, topic: channel(2) }.into(),
            ] {
                publisher.bus.publish(item).await;
            }
            assert_eq!(until(person.outbox(), "end").await, ["during", "end"]);
        }
    }
}

async fn closing_reaches_every_node(nodes: &[Node]) {
    let people = people(nodes, &[channel(1)]).await;
    let (Some(first), Some(last)) = (nodes.first(), people.last()) else { return };
    let user = last.info().user;
    first.bus.publish(Control::CloseUser { user, code: CloseCode::Unauthenticated }.into()).await;
    assert_eq!(last.outbox().closed().await, CloseCode::Unauthenticated);
    first.bus.publish(note(channel(1), "bye").into()).await;
    first.bus.publish(Control::CloseAll { code: CloseCode::Restarting }.into()).await;
    for person in people.iter().take(people.len() - 1) {
        assert_eq!(to_the_end(person.outbox()).await, (vec!["bye".to_owned()], CloseCode::Restarting));
    }
}

async fn many_publishers_lose_and_double_nothing(nodes: &[Node]) {
    const EACH: i64 = 200;
    let people = people(nodes, &[channel(1)]).await;
    let mut publishers = tokio::task::JoinSet::new();
    for (node, number) in nodes.iter().cycle().take(4).zip(1..) {
        let bus = Arc::clone(&node.bus);
        publishers.spawn(async move {
            for event in 1..=EACH {
                bus.publish(note(channel(number), &event.to_string()).into()).await;
                bus.publish(note(channel(1), &format!("{number}/{event}")).into()).await;
            }
            bus.publish(note(channel(1), &format!("{number}/end")).into()).await;
        });
    }
    publishers.join_all().await;
    for person in &people {
        let mut heard = Vec::new();
        while heard.iter().filter(|text: &&String| text.ends_with("/end")).count() < 4 {
            let mut frames = Vec::new();
            person.outbox().recv(&mut frames).await.unwrap();
            heard.extend(texts(&frames));
        }
        for number in 1..=4 {
            let prefix = format!("{number}/");
            let of_one: Vec<_> = heard.iter().filter_map(|text| text.strip_prefix(&prefix)).collect();
            let expected = (1..=EACH).map(|event| event.to_string()).chain(["end".to_owned()]);
            assert_eq!(of_one, expected.collect::<Vec<_>>());
        }
    }
}

async fn a_bus_ends_with_its_hub(nodes: &[Node]) {
    for node in nodes {
        let closing = async { node.hub.close() };
        let (ended, ()) = tokio::join!(node.bus.run(), closing);
        ended.unwrap();
        node.bus.publish(note(channel(1), "late").into()).await;
    }
}
