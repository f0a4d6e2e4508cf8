//! What is sealed comes out as it went in, and nothing else does.

use std::sync::Arc;

use madang_proto::{SessionId, UserId};
use proptest::prelude::*;

use super::*;
use crate::{Envelope, testing::Text};

fn sealer(secret: &str, start: u64) -> Sealer {
    Sealer::new(secret.as_bytes(), NodeId(7), start)
}

fn ours() -> Sealer {
    sealer("the secret of a cluster", 1)
}

fn theirs() -> Sealer {
    sealer("the secret of a cluster", 2)
}

fn topic() -> impl Strategy<Value = Topic> {
    (0..5, any::<i64>()).prop_map(|(kind, id)| match kind {
        0 => Topic::Channel(id.into()),
        1 => Topic::Workspace(id.into()),
        2 => Topic::User(id.into()),
        3 => Topic::Presence(id.into()),
        _ => Topic::Lobby(id.into()),
    })
}

fn any_control() -> impl Strategy<Value = Control> {
    let code = prop::sample::select(CloseCode::ALL.to_vec());
    (0..5, any::<i64>(), topic(), code).prop_map(|(kind, id, topic, code)| {
        let (user, session) = (UserId::from(id), SessionId::from(id));
        match kind {
            0 => Control::Subscribe { user, topic },
            1 => Control::Unsubscribe { user, topic },
            2 => Control::CloseSession { session, code },
            3 => Control::CloseUser { user, code },
            _ => Control::CloseAll { code },
        }
    })
}

fn opened(item: &[u8]) -> Message {
    let sealed = theirs().seal("channel", 5, item);
    ours().open(b"channel", sealed.into()).unwrap()
}

proptest! {
    #[test]
    fn an_event_comes_as_it_was_sent(
        (topic, among, except) in (topic(), prop::collection::vec(topic(), 0..5), prop::collection::vec(topic(), 0..5)),
        version in any::<Option<i64>>(),
        ephemeral in any::<bool>(),
        text in ".*",
    ) {
        let class = if ephemeral { Class::Ephemeral } else { Class::Durable };
        let audience = Audience { among, except };
        let payload = Arc::new(Text(text.clone()));
        let envelope = Envelope::for_some(topic, audience.clone(), version, class, payload);
        let message = opened(&event(&envelope).unwrap());
        prop_assert_eq!((message.node, message.start, message.number), (NodeId(7), 2, 5));
        let payload = text.into();
        prop_assert_eq!(message.content, Content::Event(Event { topic, version, class, audience, payload }));
    }

    #[test]
    fn a_control_comes_as_it_was_sent(sent in any_control()) {
        prop_assert_eq!(opened(&control(sent)).content, Content::Control(sent));
    }

    #[test]
    fn a_notice_comes_as_it_was_sent(sent in any::<Vec<u8>>()) {
        prop_assert_eq!(opened(&notice(&sent)).content, Content::Notice(sent.into()));
    }

    #[test]
    fn whatever_comes_is_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(ours().open(b"channel", bytes.into()).is_err());
    }

    #[test]
    fn garbage_of_a_node_of_ours_is_read_without_a_panic(kind in 0..5_u8, bytes in any::<Vec<u8>>()) {
        let _read = read([&[kind][..], &bytes].concat().into());
    }

    #[test]
    fn a_changed_byte_is_refused(sent in any_control(), at in any::<prop::sample::Index>(), by in 1..=255_u8) {
        let mut sealed = theirs().seal("channel", 5, &control(sent));
        let at = at.index(sealed.len());
        sealed[at] ^= by;
        prop_assert!(ours().open(b"channel", sealed.into()).is_err());
    }

    #[test]
    fn a_cut_message_is_refused(sent in any_control(), at in any::<prop::sample::Index>()) {
        let mut sealed = theirs().seal("channel", 5, &control(sent));
        sealed.truncate(at.index(sealed.len()));
        prop_assert!(ours().open(b"channel", sealed.into()).is_err());
    }
}

#[test]
fn what_is_not_of_this_cluster_or_channel_is_refused_and_our_own_known() {
    let sealed = Bytes::from(theirs().seal("channel", 5, &notice(b"hi")));
    let refusal = |by: &Sealer, channel: &[u8]| by.open(channel, sealed.clone()).unwrap_err();
    assert_eq!(refusal(&ours(), b"channe"), Refusal::Forged);
    assert_eq!(refusal(&ours(), b"other"), Refusal::Forged);
    assert_eq!(refusal(&sealer("another secret", 1), b"channel"), Refusal::Forged);
    assert_eq!(refusal(&theirs(), b"channel"), Refusal::Own);
    let mut newer = sealed.to_vec();
    newer[0] = 2;
    assert_eq!(ours().open(b"channel", newer.into()).unwrap_err(), Refusal::Unknown);
}

#[test]
fn a_gap_comes_as_it_was_sent() {
    assert_eq!(opened(&gap()).content, Content::Gap);
}

#[test]
fn an_audience_too_long_to_be_counted_is_not_written() {
    let among = vec![Topic::Channel(1.into()); 65_536];
    let audience = Audience { among, except: Vec::new() };
    let text = Arc::new(Text(String::new()));
    let envelope = Envelope::for_some(Topic::Channel(1.into()), audience, None, Class::Durable, text);
    assert_eq!(event(&envelope), None);
}
