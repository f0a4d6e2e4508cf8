//! Joined messages come apart again, are made once for all who get the same, and are as small as documented.

use madang_proto::{Event, event::ServerFrame, messages::Message, msgpack};
use madang_realtime::Codec;
use madang_websocket::deflate::inflate;
use serde_json::{Value, json};

use super::*;
use crate::gateway::{codec, ws};

const ENGLISH: &str = "the meeting moved to three please look at what I posted earlier where shall we eat lunch \
    today noodles would be fine for me deploy tomorrow morning after all tests passed thanks everyone for your \
    review and comments there was one more question about that budget who can call customer back before Friday \
    I will write it down again sorry was late because train did not come nobody else seems to know why";
const KOREAN: &str = "오늘 회의는 세 시로 미뤄졌습니다 자료는 아까 올린 것을 보시면 됩니다 점심은 어디서 먹을까요 저는 국밥이 좋은데 \
    다른 의견 있으신 분은 말씀해 주세요 배포는 내일 아침에 하기로 했고 시험은 모두 통과했습니다 검토해 주셔서 감사합니다 예산에 대해 \
    하나만 더 여쭤볼게요 금요일 전에 고객에게 누가 전화할 수 있을까요 제가 다시 정리해서 적어 둘게요 기차가 늦어서 죄송합니다 아무도 \
    이유를 모르는 것 같네요";

/// The message number `n` of a room where five people talk: words in a changing order, 128 bytes of them.
fn message(words: &str, n: usize) -> ServerFrame {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut content = String::new();
    let mut seed = u32::try_from(n).unwrap() * 7_919 + 12_345;
    while content.len() < 128 {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let word = words[seed as usize % words.len()];
        content = if content.is_empty() { word.to_owned() } else { format!("{content} {word}") };
        if content.len() > 128 {
            content.truncate(content.floor_char_boundary(128));
            content.push_str(&".".repeat(128 - content.len()));
        }
    }
    let (name, shown) =
        [("alice", "Alice"), ("bob", "밥"), ("carol", "Carol C"), ("dave", "대이브"), ("erin", "Erin")]
            [n % 5];
    let author = json!({
        "id": (340_282_366_920_000_000_i64 + ((n as i64 % 5) << 12)).to_string(), "username": name, "display_name": shown
    });
    let message: Message = serde_json::from_value(json!({
        "id": (351_282_366_920_938_463_i64 + (n as i64) * 7_777_777_777).to_string(),
        "channel_id": "340282366920938463", "seq": 1_000 + n, "version": 1_200 + n,
        "author": author, "user": author, "content": content,
        "nonce": format!("{:016x}", (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        "created_at": format!("2026-11-20T09:{:02}:{:02}.{:03}Z", 30 + n / 20, n * 3 % 60, n * 377 % 1_000)
    }))
    .unwrap();
    Event::Message(message).into()
}

const ENCODINGS: [Encoding; 2] = [Encoding::Json, Encoding::MessagePack];

fn deflate_of(offer: &str) -> Option<extension::Agreed> {
    extension::agree([offer])
}

/// What is in the messages that a connection gets, and how many messages of ours that are.
fn taken_apart(joined: &Frame, encoding: Encoding) -> (Vec<ServerFrame>, usize) {
    let (mut said, mut messages, mut bytes) = (Vec::new(), 0, 0);
    for frame in websocket::written(joined.bytes()) {
        bytes += frame.bytes.len();
        if frame.opcode.is_control() {
            continue;
        }
        messages += 1;
        assert_eq!(frame.opcode == Opcode::Text, encoding == Encoding::Json);
        let payload = match frame.compressed {
            true => inflate(frame.payload.to_vec(), limits::BATCH_BYTES).unwrap(),
            false => frame.payload.to_vec(),
        };
        let value: Value = match encoding {
            Encoding::Json => serde_json::from_slice(&payload).unwrap(),
            Encoding::MessagePack => msgpack::from_slice(&payload).unwrap(),
        };
        let array = if value.is_array() { value } else { Value::Array(vec![value]) };
        said.extend(serde_json::from_value::<Vec<ServerFrame>>(array).unwrap());
    }
    assert_eq!(bytes, joined.len(), "whole frames only");
    (said, messages)
}

#[test]
fn what_is_joined_comes_apart_again_in_order() {
    let offers =
        [None, deflate_of("permessage-deflate"), deflate_of("permessage-deflate; server_max_window_bits=9")];
    for encoding in ENCODINGS {
        for deflate in offers {
            for count in [0, 1, 2, 15, 16, 17, 200] {
                let said: Vec<_> =
                    (0..count).map(|n| message(if n % 3 == 0 { KOREAN } else { ENGLISH }, n)).collect();
                let list: Vec<_> = said.iter().map(|said| codec::encode(said, encoding)).collect();
                let (apart, messages) =
                    taken_apart(&join(&list, Joining { encoding, deflate, batch: true }), encoding);
                assert!(apart == said, "{count} in {encoding:?} with {deflate:?}");
                let windowed = deflate.and_then(extension::Agreed::longest).is_some();
                // 200 messages are more than 64 KiB.
                let wanted = match count {
                    0 => 0,
                    _ if windowed => count,
                    200 => 2,
                    _ => 1,
                };
                assert_eq!(messages, wanted, "{count} in {encoding:?} with {deflate:?}");
                let (apart, messages) =
                    taken_apart(&join(&list, Joining { encoding, deflate, batch: false }), encoding);
                assert!(apart == said && messages == count, "{count} in {encoding:?}, not joined");
            }
        }
    }
}

#[test]
fn what_is_not_ours_or_packed_already_passes_in_its_place() {
    let joining =
        Joining { encoding: Encoding::Json, deflate: deflate_of("permessage-deflate"), batch: true };
    let packed = codec::frame(&message(KOREAN, 2), Codec { encoding: Encoding::Json, deflate: true });
    let list = [codec::encode(&message(KOREAN, 1), Encoding::Json), ws::pong(b"here"), packed.clone()];
    let joined = join(&list, joining);
    let frames: Vec<_> =
        websocket::written(joined.bytes()).map(|frame| (frame.opcode, frame.bytes.to_vec())).collect();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[1], (Opcode::Pong, ws::pong(b"here").bytes().to_vec()));
    assert_eq!(frames[2], (Opcode::Text, packed.bytes().to_vec()));
    // Several frames in one piece are taken apart.
    let one = [
        codec::encode(&message(KOREAN, 1), Encoding::Json),
        codec::encode(&message(KOREAN, 3), Encoding::Json),
    ];
    let piece = Frame::new([one[0].bytes().to_vec(), one[1].bytes().to_vec()].concat().into());
    assert_eq!(join(&[piece], joining), join(&one, joining));
}

#[test]
fn everybody_who_gets_the_same_list_gets_the_same_bytes() {
    let joining =
        Joining { encoding: Encoding::Json, deflate: deflate_of("permessage-deflate"), batch: true };
    let list = |from: usize| {
        (from..from + 4).map(|n| codec::encode(&message(ENGLISH, n), Encoding::Json)).collect::<Vec<_>>()
    };
    let pointer = |list: &[Frame], joining| join(list, joining).bytes().as_ptr();
    let room = list(0);
    let first = join(&room, joining);
    // The room's list stays while others come between, as often as it is asked for.
    for n in 0..3 * REMEMBERED {
        assert_eq!(pointer(&room.clone(), joining), first.bytes().as_ptr());
        join(&list(n), joining);
    }
    assert_eq!(join(&list(0), joining), first, "the same frames made anew give the same bytes");
    assert_ne!(pointer(&list(0), joining), first.bytes().as_ptr(), "but are another list");
    assert_ne!(pointer(&room, Joining { deflate: None, ..joining }), first.bytes().as_ptr());
    (0..REMEMBERED).for_each(|n| drop(join(&list(n), joining)));
    assert_ne!(pointer(&room, joining), first.bytes().as_ptr(), "it was forgotten");
}

#[test]
fn a_client_with_a_small_window_gets_nothing_compressed_that_does_not_fit_it() {
    let deflate = deflate_of("permessage-deflate; server_max_window_bits=10");
    let joining = Joining { encoding: Encoding::Json, deflate, batch: true };
    let list: Vec<_> = (0..40).map(|n| codec::encode(&message(KOREAN, n), Encoding::Json)).collect();
    let joined = join(&list, joining);
    let sizes: Vec<usize> = websocket::written(joined.bytes())
        .filter(|frame| frame.compressed)
        .map(|frame| inflate(frame.payload.to_vec(), 100_000).unwrap().len())
        .collect();
    assert!(sizes.len() >= 10 && sizes.iter().all(|size| *size <= 1 << 10), "{sizes:?}");
}

/// Bytes per delivery of 16 messages, each alone or all joined.
fn bytes(words: &str, encoding: Encoding, deflate: bool, batch: bool) -> usize {
    let list: Vec<_> = (0..16).map(|n| codec::encode(&message(words, n), encoding)).collect();
    let deflate = deflate_of("permessage-deflate").filter(|_| deflate);
    join(&list, Joining { encoding, deflate, batch }).len() / list.len()
}

#[test]
fn the_bytes_of_a_delivery_are_in_the_order_that_is_documented() {
    use Encoding::{Json, MessagePack};
    for words in [ENGLISH, KOREAN] {
        let alone = |encoding, deflate| bytes(words, encoding, deflate, false);
        let joined = |encoding, deflate| bytes(words, encoding, deflate, true);
        let packed = [Json, MessagePack].map(|encoding| alone(encoding, true));
        let packed_joined = [Json, MessagePack].map(|encoding| joined(encoding, true));
        assert!(alone(Json, false) > alone(MessagePack, false));
        assert!(packed.iter().all(|packed| alone(MessagePack, false) * 100 > packed * 120), "{packed:?}");
        assert!(packed.iter().all(|packed| packed * 10 > packed_joined[0] * 25), "{packed_joined:?}");
        assert!(alone(Json, false) > 4 * packed_joined[0]);
        // Joining alone saves next to nothing.
        assert!(alone(Json, false) - joined(Json, false) <= 4);
        // Compressed, the encodings are about the same.
        for [a, b] in [packed, packed_joined] {
            assert!(a.abs_diff(b) * 15 < a, "{a} {b}");
        }
    }
}
