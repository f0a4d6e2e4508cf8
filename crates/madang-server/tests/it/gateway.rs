//! The gateway: how a connection begins, what its frames are answered, how it ends, and that the others
//! never notice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use madang_client::proto::{
    Command, Event,
    accounts::Secret,
    channels::ChannelKind,
    close::CloseCode,
    command::{Empty, Hello, InChannel, Subscribe},
    limits,
    messages::CreateMessage,
};
use serde_json::{Value, json};

use crate::support::{
    Cast, Expected, TestServer, User, all_converge, on_both,
    raw::{Raw, code},
    refusals,
};

const HELLO: &str = r#"{"type":"HELLO"}"#;

fn token(user: &User) -> String {
    user.http.current_token().unwrap().0
}

fn contents(frames: &[madang_client::proto::event::ServerFrame]) -> Vec<String> {
    let content = |event: &Event| if let Event::Message(m) = event { Some(m.content.clone()) } else { None };
    frames.iter().filter_map(|frame| content(&frame.event)).collect()
}

/// What everyone can say wrongly in the middle, and what it is answered: a code, or the end.
fn wrong_frames(channel: &str) -> Vec<(Value, &'static str)> {
    let message = |payload: Value| json!({"type": "MESSAGE", "payload": payload});
    vec![
        (json!({"type": "FLY"}), "invalid"),
        (json!({"type": "hello"}), "invalid"),
        (json!({"type": "HELLO"}), "conflict"),
        (json!({"type": "PING", "extra": 1}), "invalid"),
        (json!({"type": "PING", "payload": {"x": 1}}), "invalid"),
        (json!({"type": "PING", "payload": [1]}), "invalid"),
        (json!({"type": "TYPING", "payload": {"channel_id": channel}}), "invalid"),
        (json!({"type": "TYPING", "payload": {"channel_id": 7, "typing": true}}), "invalid"),
        (json!({"type": "TYPING", "payload": {"channel_id": "7", "typing": true}}), "not_found"),
        (json!({"type": "JOIN_CHANNEL", "payload": {}}), "invalid"),
        (json!({"type": "JOIN_CHANNEL", "payload": {"channel_id": "7"}}), "not_found"),
        (json!({"type": "LEAVE_CHANNEL", "payload": {"channel_id": "-7"}}), "invalid"),
        (json!({"type": "READ_RECEIPT", "payload": {"channel_id": channel, "message_id": "7"}}), "invalid"),
        (message(json!({"channel_id": channel, "content": " "})), "invalid"),
        (message(json!({"channel_id": channel, "content": "x", "nonce": ""})), "invalid"),
        (message(json!({"channel_id": channel, "content": "x", "author": "7"})), "invalid"),
        (message(json!({"channel_id": channel, "content": "가".repeat(8_001)})), "invalid"),
        (message(json!({"channel_id": "7", "content": "x"})), "not_found"),
    ]
}

on_both! {
    async fn the_token_comes_by_header_by_query_or_in_hello(s: TestServer) {
        let alice = s.user("alice").await;
        let in_hello = json!({"type": "HELLO", "payload": {"token": token(&alice)}}).to_string();
        let by_query = format!("{}/api/v1/ws?token={}", s.url.replace("http", "ws"), token(&alice));
        for (mut raw, hello) in [
            (Raw::open(&s.url, Some(&token(&alice))).await, HELLO),
            (Raw::open_at(&by_query).await, HELLO),
            (Raw::open(&s.url, None).await, &in_hello),
        ] {
            raw.text(hello).await;
            let Event::Ready(ready) = raw.next().await.unwrap().event else { panic!("no READY") };
            assert_eq!((ready.user.summary.id, ready.channels.len()), (alice.id, 1));
            assert_eq!(ready.heartbeat_interval_ms, limits::HEARTBEAT_MS);
            assert_eq!(ready.server_time, s.clock.now());
        }
    }

    async fn without_a_good_token_a_connection_ends(s: TestServer) {
        let alice = s.user("alice").await;
        for bad in [None, Some("garbage"), Some(""), Some("a.b.c")] {
            let mut raw = Raw::open(&s.url, bad).await;
            raw.text(HELLO).await;
            assert_eq!(raw.closed().await, code(CloseCode::Unauthenticated), "{bad:?}");
        }
        let old = token(&alice);
        s.advance(16 * 60_000);
        let mut raw = Raw::open(&s.url, Some(&old)).await;
        raw.text(HELLO).await;
        assert_eq!(raw.closed().await, code(CloseCode::Unauthenticated), "expired");
    }

    async fn the_first_frame_is_a_hello(s: TestServer) {
        let alice = s.user("alice").await;
        let end = async |frame: &str| {
            let mut raw = Raw::open(&s.url, Some(&token(&alice))).await;
            raw.text(frame).await;
            raw.closed().await
        };
        for other in [r#"{"type":"PING"}"#, r#"{"type":"TYPING","payload":{"channel_id":"7","typing":true}}"#] {
            assert_eq!(end(other).await, code(CloseCode::NoHello), "{other}");
        }
        for bad in ["", "x", "[]", "{}", r#"{"type":"FLY"}"#, r#"{"type":"HELLO","payload":{"colour":"red"}}"#] {
            assert_eq!(end(bad).await, code(CloseCode::Protocol), "{bad}");
        }
        let mut raw = Raw::open(&s.url, Some(&token(&alice))).await;
        raw.binary(HELLO.as_bytes().to_vec()).await;
        assert_eq!(raw.closed().await, code(CloseCode::Protocol));
    }

    async fn a_bad_hello_with_a_rid_is_told_why(s: TestServer) {
        let alice = s.user("alice").await;
        let mut raw = Raw::open(&s.url, Some(&token(&alice))).await;
        raw.text(r#"{"type":"HELLO","payload":{"subscribe":"all"},"rid":"h"}"#).await;
        let frame = raw.next().await.unwrap();
        assert!(matches!(&frame.event, Event::Error(e) if e.detail.contains("HELLO")), "{frame:?}");
        assert_eq!(frame.rid.as_deref(), Some("h"));
        assert_eq!(raw.closed().await, code(CloseCode::Protocol));
    }

    async fn a_request_with_a_rid_gets_exactly_one_answer(s: TestServer) {
        let (alice, _bob) = s.users().await;
        let mut raw = Raw::of(&alice).await;
        let id = alice.general().to_string();
        let mut expected = BTreeSet::new();
        for n in 0..20 {
            let (payload, other) = (json!({"channel_id": id, "content": format!("{n}")}), json!({"channel_id": "7"}));
            for (kind, payload) in [("MESSAGE", payload), ("JOIN_CHANNEL", other), ("PING", json!({})), ("FLY", json!({}))] {
                let rid = format!("{kind} {n}");
                raw.text(&json!({"type": kind, "payload": payload, "rid": rid}).to_string()).await;
                expected.insert(rid);
            }
        }
        let mut answered = Vec::new();
        for frame in raw.heard().await {
            if matches!(frame.event, Event::Ack(_) | Event::Error(_)) {
                let rid = frame.rid.unwrap();
                let good = rid.starts_with("MESSAGE") || rid.starts_with("PING");
                assert_eq!(matches!(frame.event, Event::Ack(_)), good, "{rid}");
                answered.push(rid);
            }
        }
        assert_eq!(answered.len(), 80);
        assert_eq!(answered.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    async fn a_request_without_a_rid_is_answered_by_errors_only(s: TestServer) {
        let alice = s.user("alice").await;
        let mut raw = Raw::of(&alice).await;
        let id = alice.general().to_string();
        raw.text(&json!({"type": "MESSAGE", "payload": {"channel_id": id, "content": "hi"}}).to_string()).await;
        let heard = raw.heard().await;
        assert_eq!((contents(&heard), heard.iter().any(|f| matches!(f.event, Event::Ack(_)))), (vec!["hi".to_owned()], false));
        raw.text(&json!({"type": "MESSAGE", "payload": {"channel_id": id, "content": ""}}).to_string()).await;
        let heard = raw.heard().await;
        assert!(matches!(heard.as_slice(), [f] if matches!(f.event, Event::Error(_)) && f.rid.is_none()), "{heard:?}");
    }

    async fn wrong_frames_get_an_error_and_nothing_else_happens(s: TestServer) {
        let (alice, bob) = s.users().await;
        let mut raw = Raw::of(&alice).await;
        let mut bystander = Raw::of(&bob).await;
        for (frame, expected) in wrong_frames(&alice.general().to_string()) {
            assert_eq!(raw.ask(frame.clone()).await, Err(json!(expected)), "{frame}");
        }
        for frame in [json!({"type": "PING", "rid": 7}), json!({"type": "PING", "rid": "r".repeat(65)})] {
            raw.text(&frame.to_string()).await;
            let answer = raw.next().await.unwrap();
            assert!(matches!(answer.event, Event::Error(_)) && answer.rid.is_none(), "{frame}: {answer:?}");
        }
        assert_eq!(raw.ask(json!({"type": "PING"})).await, Ok(json!({})), "still there");
        assert_eq!(bystander.heard().await, []);
        assert_eq!(alice.http.channel(alice.general()).await.unwrap().version, 2, "two came in, nothing else");
    }

    async fn what_is_not_a_frame_ends_the_connection_and_no_other(s: TestServer) {
        let (alice, bob) = s.users().await;
        let mut bystander = Raw::of(&bob).await;
        let mut same_session = Raw::of(&alice).await;
        for garbage in ["", "x", "7", "[]", "{}", "null", r#"{"type":7}"#, "{\"type\":\"PING\"", "\u{0}", "가"] {
            let mut raw = Raw::of(&alice).await;
            raw.text(garbage).await;
            assert_eq!(raw.closed().await, code(CloseCode::Protocol), "{garbage:?}");
        }
        let mut raw = Raw::of(&alice).await;
        raw.binary(vec![0xff, 0, 1]).await;
        assert_eq!(raw.closed().await, code(CloseCode::Protocol));
        for too_much in [limits::FRAME_BYTES + 1, 4 * limits::FRAME_BYTES] {
            let mut raw = Raw::of(&alice).await;
            raw.text(&"x".repeat(too_much)).await;
            assert_eq!(raw.closed().await, code(CloseCode::TooLarge), "{too_much} bytes");
        }
        alice.send(alice.general(), "all well").await;
        bob.client.wait_for("the message", |state| (state.channel_named("general")?.facts().last_seq == 1).then_some(())).await.unwrap();
        assert_eq!(contents(&bystander.heard().await), ["all well"]);
        assert_eq!(contents(&same_session.heard().await), ["all well"]);
    }

    async fn the_largest_message_fits_in_a_frame_however_it_is_escaped(s: TestServer) {
        let alice = s.user("alice").await;
        let mut raw = Raw::of(&alice).await;
        let escaped = "\\ud83c\\udf31".repeat(8_000);
        let frame = format!(
            r#"{{"type":"MESSAGE","payload":{{"channel_id":"{}","content":"{escaped}"}},"rid":"big"}}"#,
            alice.general()
        );
        assert!(frame.len() < limits::FRAME_BYTES);
        raw.text(&frame).await;
        assert!(raw.heard().await.iter().any(|f| matches!(f.event, Event::Ack(_))));
        assert_eq!(alice.http.messages(alice.general(), Default::default()).await.unwrap().items[0].content, "🌱".repeat(8_000));
    }

    async fn a_connection_that_subscribes_to_nothing_hears_what_it_names(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (general, other) = (alice.general(), alice.channel("other", ChannelKind::Public).await.id);
        bob.client.join(other).await.unwrap();
        let hello = Hello { subscribe: Subscribe::None, ..Hello::default() };
        let (mut raw, ready) = Raw::with(&bob, hello).await;
        assert_eq!(ready.channels.len(), 2, "what there is, it is told");
        let at = |kind: &str, id| json!({"type": kind, "payload": InChannel { channel_id: id }});
        alice.send(general, "before").await;
        let joined = raw.ask(at("JOIN_CHANNEL", general)).await.unwrap();
        assert_eq!((&joined["joined"], &joined["unread_count"]), (&json!(true), &json!(1)));
        alice.send(general, "heard").await;
        alice.send(other, "not asked for").await;
        assert_eq!(raw.ask(at("JOIN_CHANNEL", other)).await.unwrap()["name"], "other");
        alice.send(other, "heard too").await;
        // What is in the answer to JOIN_CHANNEL may come as an event too.
        let heard = heard_until(&mut raw, "heard too").await;
        assert_eq!(heard.iter().filter(|text| *text != "before").collect::<Vec<_>>(), ["heard"]);
        raw.ask(at("LEAVE_CHANNEL", general)).await.unwrap();
        alice.send(general, "no more").await;
        alice.send(other, "the end").await;
        assert_eq!(heard_until(&mut raw, "the end").await, Vec::<String>::new());
        assert_eq!(bob.http.channel(general).await.unwrap().joined, Some(true), "membership stays");
    }

    async fn leaving_on_one_connection_is_not_felt_on_another(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let quiet = bob.device().await;
        quiet.unsubscribe(bob.general()).await.unwrap();
        alice.send(alice.general(), "hi").await;
        assert_eq!(bob.next_message().await.content, "hi");
        assert_eq!(quiet.state().channel_named("general").unwrap().facts().last_seq, 0);
    }

    async fn naming_a_public_channel_joins_it(s: TestServer) {
        let cast = Cast::of(&s).await;
        let all = [&cast.outsider, &cast.owner];
        let ack = all_converge(&all, cast.outsider.client.subscribe(cast.open.id)).await.unwrap();
        assert_eq!((&ack["id"], &ack["joined"]), (&json!(cast.open.id), &json!(true)));
        assert_eq!(cast.outsider.http.channel(cast.open.id).await.unwrap().joined, Some(true));
    }

    async fn leaving_tells_nothing_about_what_one_may_not_see(s: TestServer) {
        let cast = Cast::of(&s).await;
        refusals(&cast, Expected::ALLOWED, |user| user.client.unsubscribe(cast.secret.id)).await;
        refusals(&cast, Expected::ALLOWED, |user| user.client.unsubscribe(7.into())).await;
    }

    async fn a_lost_membership_ends_what_every_connection_hears(s: TestServer) {
        let cast = Cast::of(&s).await;
        let (owner, member, secret) = (&cast.owner, &cast.member, cast.secret.id);
        let (mut follows, _) = Raw::with(member, Hello::default()).await;
        let (mut named, _) = Raw::with(member, Hello { subscribe: Subscribe::None, ..Hello::default() }).await;
        for id in [secret, member.general()] {
            named.ask(json!({"type": "JOIN_CHANNEL", "payload": {"channel_id": id}})).await.unwrap();
        }
        owner.send(secret, "heard").await;
        owner.http.remove_channel_member(secret, member.id).await.unwrap();
        owner.send(secret, "not for you").await;
        owner.http.add_channel_member(secret, member.id).await.unwrap();
        owner.send(secret, "back again").await;
        owner.send(owner.general(), "the end").await;
        assert_eq!(heard_until(&mut follows, "the end").await, ["heard", "back again"]);
        assert_eq!(heard_until(&mut named, "the end").await, ["heard"], "it has to name it again");
        let typing = json!({"type": "TYPING", "payload": {"channel_id": secret, "typing": true}});
        follows.ask(typing.clone()).await.unwrap();
        owner.http.remove_channel_member(secret, member.id).await.unwrap();
        owner.send(owner.general(), "out").await;
        heard_until(&mut follows, "out").await;
        assert_eq!(follows.ask(typing).await, Err(json!("not_found")), "nor may it speak there");
    }

    async fn pong_tells_the_versions_of_what_is_heard(s: TestServer) {
        let (alice, bob) = s.users().await;
        let sent = alice.send(alice.general(), "hi").await;
        let mut raw = Raw::of(&bob).await;
        alice.http.update_message(sent.id, "hello").await.unwrap();
        raw.send(Command::Ping(Empty {}), None).await;
        loop {
            if let Event::Pong(pong) = raw.next().await.unwrap().event {
                let versions: Vec<_> = pong.versions.into_iter().collect();
                break assert_eq!(versions, [(alice.general(), sent.version + 1)]);
            }
        }
    }

    async fn a_slow_reader_is_closed_and_the_others_hear_all(s: TestServer) {
        let (alice, mut bob) = s.users().await;
        let carol = s.user("carol").await;
        carol.client.close().await;
        let mut slow = Raw::of(&carol).await;
        s.connections(3).await;
        let long = CreateMessage { content: "가".repeat(8_000), nonce: None, file_ids: Vec::new() };
        let mut sent = 0;
        // The kernel takes some megabytes; then the outbox fills.
        while s.connections_now().await == 3 {
            assert!(sent < 4_000, "a reader that reads nothing was never closed");
            let batch = (0..4).map(|_| alice.http.create_message(alice.general(), &long));
            join_all(batch).await.into_iter().for_each(|answer| drop(answer.unwrap()));
            sent += 4;
        }
        assert_eq!(slow.closed().await, code(CloseCode::TooSlow));
        for seq in 1..=sent {
            assert_eq!(bob.next_message().await.seq, seq);
        }
    }

    async fn a_stopping_server_tells_clients_to_come_back(s: TestServer) {
        let mut s = s;
        let alice = s.user("alice").await;
        let mut raw = Raw::of(&alice).await;
        s.stop().await;
        assert_eq!(raw.closed().await, code(CloseCode::Restarting));
    }

    async fn a_connection_outlives_its_token_and_a_new_one_wants_a_new_token(s: TestServer) {
        let (alice, bob) = s.users().await;
        let (mut raw, old) = (Raw::of(&alice).await, token(&alice));
        s.advance(16 * 60_000);
        bob.send(bob.general(), "still here?").await;
        assert_eq!(heard_until(&mut raw, "still here?").await, Vec::<String>::new());
        raw.ask(json!({"type": "PING"})).await.unwrap();
        let new = alice.http.renew(&Secret(old)).await.unwrap();
        let mut raw = Raw::open(&s.url, Some(&new.0)).await;
        raw.text(HELLO).await;
        assert!(matches!(raw.next().await.unwrap().event, Event::Ready(_)));
    }
}

/// The messages that a connection hears before the one that marks the end.
async fn heard_until(raw: &mut Raw, end: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        match raw.next().await.unwrap().event {
            Event::Message(m) if m.content == end => return heard,
            Event::Message(m) => heard.push(m.content),
            _ => {}
        }
    }
}
