//! What a connection can agree on: MessagePack, compression, several frames in one message. Whatever it is,
//! everyone hears the same.

use futures_util::future::join_all;
use madang_client::{
    Client, Options,
    proto::{Encoding, close::CloseCode, limits, messages::CreateMessage, msgpack},
};
use madang_websocket::{Opcode, deflate::deflate, from_client};
use serde_json::{Value, json};

use crate::support::{
    TestServer, User, client_settled, on_both,
    raw::code,
    wire::{Came, Offer, Wire},
};

const MASK: [u8; 4] = [9, 8, 7, 6];
const NO_CONTEXT: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

const fn json() -> Offer {
    Offer::of(Encoding::Json)
}

const fn packed() -> Offer {
    Offer::of(Encoding::MessagePack)
}

fn windowed(offer: Offer) -> Offer {
    Offer { extension: Some("permessage-deflate; server_max_window_bits=9"), ..offer }
}

/// Every form in which one can be connected.
fn forms() -> Vec<Offer> {
    let encodings = [Offer::default(), json(), packed()];
    let packing = encodings.iter().flat_map(|offer| [*offer, offer.deflate(), windowed(*offer)]);
    packing.flat_map(|offer| [offer, offer.batch()]).collect()
}

/// What comes until this message's content, and what that was in.
async fn until(wire: &mut Wire, content: &str) -> (Vec<Value>, Vec<Came>) {
    let (mut frames, mut all) = (Vec::new(), Vec::new());
    while !frames.iter().any(|frame: &Value| frame["payload"]["content"] == content) {
        let came = wire.next().await.unwrap();
        frames.extend(came.frames().into_iter().filter(|frame| frame["type"] == "MESSAGE"));
        all.push(came);
    }
    (frames, all)
}

async fn post(user: &User, content: &str) {
    let body = CreateMessage { content: content.to_owned(), nonce: None, file_ids: Vec::new() };
    user.http.create_message(user.general(), &body).await.unwrap();
}

on_both! {
    async fn everyone_hears_the_same_whatever_they_agreed_on(s: TestServer) {
        let alice = s.user("alice").await;
        let mut wires = join_all(forms().into_iter().map(|offer| Wire::of(&alice, offer))).await;
        let long = "마당에서 만나요. ".repeat(100);
        let texts = ["short", &long, "\u{1F642} \"quoted\"\n", "the last"];
        for text in texts {
            post(&alice, text).await;
        }
        let mut heard = Vec::new();
        for (wire, _) in &mut wires {
            heard.push(until(wire, "the last").await.0);
        }
        let contents: Vec<&str> = heard[0].iter().map(|frame| frame["payload"]["content"].as_str().unwrap()).collect();
        let trimmed: Vec<&str> = texts.iter().map(|text| text.trim_end()).collect();
        assert!(contents == texts || contents == trimmed, "{contents:?}");
        assert!(heard.iter().all(|frames| *frames == heard[0]));
    }
}

#[tokio::test]
async fn the_handshake_says_what_was_agreed_on() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let cases = [
        (None, None, None, None),
        (Some("chat, madang.v1.msgpack"), None, Some("madang.v1.msgpack"), None),
        (
            Some("madang.v1.json"),
            Some("permessage-deflate; client_max_window_bits"),
            Some("madang.v1.json"),
            Some(NO_CONTEXT.to_owned()),
        ),
        (Some("chat"), Some("x-other"), None, None),
        (None, Some("permessage-deflate; what=7, permessage-deflate"), None, Some(NO_CONTEXT.to_owned())),
        (None, Some("permessage-deflate; server_max_window_bits=99"), None, None),
        (
            None,
            Some("permessage-deflate; server_max_window_bits=9"),
            None,
            Some(format!("{NO_CONTEXT}; server_max_window_bits=9")),
        ),
    ];
    for (subprotocol, extension, chosen, agreed) in cases {
        let wire = Wire::open(&s.url, Offer { subprotocol, extension, batch: false }).await;
        assert!(wire.answer.starts_with("HTTP/1.1 101 "), "{}", wire.answer);
        assert_eq!(wire.header("Sec-WebSocket-Protocol"), chosen, "{subprotocol:?}");
        assert_eq!(wire.header("Sec-WebSocket-Extensions").map(str::to_owned), agreed, "{extension:?}");
    }
}

#[tokio::test]
async fn frames_have_the_opcode_of_the_encoding_and_are_compressed_from_a_size_on() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let alice = s.user("alice").await;
    for offer in forms() {
        let opcode = if offer.subprotocol == packed().subprotocol { Opcode::Binary } else { Opcode::Text };
        let small_window = offer.extension == windowed(offer).extension;
        let (mut wire, ready) = Wire::of(&alice, offer).await;
        assert_eq!(ready.opcode, opcode, "{offer:?}");
        assert_eq!(ready.compressed, offer.extension.is_some() && !small_window, "READY in {offer:?}");
        wire.say(&json!({"type": "PING", "rid": "p"})).await;
        let mut answered = ready.frames();
        while !answered.iter().any(|frame: &Value| frame["rid"] == "p") {
            let came = wire.next().await.unwrap();
            assert_eq!(came.opcode, opcode, "{offer:?}");
            assert!(!came.compressed || came.payload.len() >= limits::DEFLATE_BYTES, "{came:?}");
            assert!(!came.compressed || came.bytes < came.payload.len(), "{came:?}");
            assert!(offer.extension.is_some() || !came.compressed, "{came:?}");
            assert!(!(came.compressed && small_window) || came.payload.len() <= 512, "{came:?}");
            answered.extend(came.frames());
        }
        let kinds: Vec<&Value> =
            answered.iter().map(|frame| &frame["type"]).filter(|kind| **kind != "PRESENCE").collect();
        assert_eq!(kinds, ["READY", "ACK", "PONG", "ACK"], "{offer:?}");
    }
}

#[tokio::test]
async fn what_waits_together_comes_in_one_message_for_who_takes_that() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let alice = s.user("alice").await;
    // READY and ACK are due at once, so they are one message, where READY is not compressed by itself.
    for (offer, types) in [
        (json(), vec!["READY"]),
        (json().batch(), vec!["READY", "ACK"]),
        (packed().batch(), vec!["READY", "ACK"]),
        (json().deflate().batch(), vec!["READY"]),
    ] {
        let (_, came) = Wire::of(&alice, offer).await;
        let frames = came.frames();
        assert_eq!(
            frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect::<Vec<_>>(),
            types,
            "{offer:?}"
        );
    }
    // A reader who comes late finds the events of a crowd joined, every one and in order.
    let mut late = Wire::of(&alice, packed().deflate().batch()).await.0;
    let mut plain = Wire::of(&alice, json()).await.0;
    join_all((0..100).map(|n| post(&alice, if n % 2 == 0 { "many" } else { "수많은 말" }))).await;
    post(&alice, "the last").await;
    let (joined, messages) = until(&mut late, "the last").await;
    let (one_by_one, _) = until(&mut plain, "the last").await;
    assert_eq!(joined, one_by_one);
    assert_eq!(joined.len(), 101);
    assert!(messages.len() < one_by_one.len(), "nothing was joined");
}

#[tokio::test]
async fn what_was_not_agreed_on_ends_the_connection_and_no_other() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let alice = s.user("alice").await;
    let ping = json!({"type": "PING"});
    let (text, bytes) = (ping.to_string().into_bytes(), msgpack::to_vec(&ping).unwrap());
    let spaces = format!("{ping}{}", " ".repeat(limits::FRAME_BYTES));
    let bomb = deflate(spaces.as_bytes()).unwrap();
    let long_text = deflate(format!("{ping}{}", " ".repeat(100)).as_bytes()).unwrap();
    let hostile =
        [&[0x82, 0xa4][..], b"type", &[0xa4], b"PING", &[0xa7], b"payload", &[0xdf, 0xff, 0xff, 0xff, 0xff]]
            .concat();
    let nested = vec![0x91; limits::FRAME_BYTES];
    let frame = |opcode, compressed, payload: &[u8]| from_client(opcode, true, compressed, MASK, payload);
    let cases = [
        ("a text in MessagePack", packed(), frame(Opcode::Text, false, &text), CloseCode::Protocol),
        ("bytes in JSON", json(), frame(Opcode::Binary, false, &bytes), CloseCode::Protocol),
        (
            "bytes without a subprotocol",
            Offer::default(),
            frame(Opcode::Binary, false, &bytes),
            CloseCode::Protocol,
        ),
        ("not MessagePack", packed(), frame(Opcode::Binary, false, &[0xc1]), CloseCode::Protocol),
        (
            "two frames in one message",
            packed(),
            frame(Opcode::Binary, false, &bytes.repeat(2)),
            CloseCode::Protocol,
        ),
        (
            "an array of frames",
            json(),
            frame(Opcode::Text, false, b"[{\"type\":\"PING\"}]"),
            CloseCode::Protocol,
        ),
        ("a length that lies", packed(), frame(Opcode::Binary, false, &hostile), CloseCode::Protocol),
        ("nested without an end", packed(), frame(Opcode::Binary, false, &nested), CloseCode::Protocol),
        (
            "compressed, which was not agreed on",
            json(),
            frame(Opcode::Text, true, &long_text),
            CloseCode::Protocol,
        ),
        (
            "compressed, but not deflate",
            json().deflate(),
            frame(Opcode::Text, true, &text),
            CloseCode::Protocol,
        ),
        ("a bomb", json().deflate(), frame(Opcode::Text, true, &bomb), CloseCode::TooLarge),
    ];
    let mut other = Wire::of(&alice, packed().deflate()).await.0;
    for (name, offer, bytes, close) in cases {
        let mut wire = Wire::of(&alice, offer).await.0;
        wire.bytes(&bytes).await;
        assert_eq!(wire.closed().await, code(close), "{name}");
    }
    let mut wire = Wire::of(&alice, json().deflate()).await.0;
    wire.bytes(&frame(Opcode::Text, true, &long_text)).await;
    post(&alice, "still here").await;
    until(&mut wire, "still here").await;
    until(&mut other, "still here").await;
}

#[tokio::test]
async fn the_sdk_speaks_message_pack_and_knows_the_same() {
    let s = TestServer::start(crate::support::Backend::Sqlite).await;
    let (alice, bob) = s.users().await;
    let options = Options { encoding: Encoding::MessagePack, ..Options::default() };
    let client = Client::connect(alice.http.clone(), options).await.unwrap();
    let sent = client.send(alice.general(), "안녕 in MessagePack").await.unwrap();
    bob.send(bob.general(), "hello in JSON").await;
    client_settled(&client, "alice").await;
    client_settled(&bob.client, "bob").await;
    assert_eq!(sent.content, "안녕 in MessagePack");
}
