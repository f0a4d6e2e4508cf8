//! The protocol's own examples, its cuts, its violations, and noise.

use proptest::prelude::*;

use super::*;

const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// A frame as a client sends it.
fn masked(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = from_client(Opcode::Text, fin, false, MASK, payload);
    bytes[0] = (bytes[0] & FIN) | opcode;
    bytes
}

/// The first or only frame of a compressed message.
fn packed(fin: bool, payload: &[u8]) -> Vec<u8> {
    from_client(Opcode::Text, fin, true, MASK, payload)
}

fn all(chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Message>, Violation> {
    all_of(Decoder::new(1_000, false), chunks)
}

fn all_of(
    mut decoder: Decoder,
    chunks: impl IntoIterator<Item = Vec<u8>>,
) -> Result<Vec<Message>, Violation> {
    let mut messages = Vec::new();
    for chunk in chunks {
        decoder.feed(&chunk);
        while let Some(message) = decoder.message()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

#[test]
fn the_handshake_is_that_of_the_rfc() {
    assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn messages_come_out_however_they_were_cut() {
    let text = "마당 ".repeat(40);
    let bytes = [
        masked(true, 1, text.as_bytes()),
        masked(false, 1, b"in "),
        masked(true, 9, b"ping"),
        masked(false, 0, b""),
        masked(true, 0, b"parts"),
        masked(true, 2, &[0, 255]),
        masked(true, 10, b""),
        masked(true, 8, &[3, 232, b'o', b'k']),
    ]
    .concat();
    let wanted = vec![
        Message::Text(text),
        Message::Ping(b"ping".to_vec()),
        Message::Text("in parts".to_owned()),
        Message::Binary(vec![0, 255]),
        Message::Pong,
        Message::Close(Some(1000)),
    ];
    for size in [1, 2, 3, 7, 64, bytes.len()] {
        assert_eq!(all(bytes.chunks(size).map(<[u8]>::to_vec)).as_ref(), Ok(&wanted), "cut by {size}");
    }
}

#[test]
fn lengths_of_every_width_are_read() {
    for length in [0, 1, 125, 126, 127, 999, 1_000] {
        let messages = all([masked(true, 2, &vec![7; length])]).unwrap();
        assert_eq!(messages, [Message::Binary(vec![7; length])]);
    }
    assert_eq!(frame(Opcode::Text, &vec![0; 70_000])[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
}

#[test]
fn what_breaks_the_protocol_is_refused() {
    use Violation::{NotUtf8, Protocol, TooLarge};
    let mut reserved = masked(true, 1, b"x");
    reserved[0] |= 0x40;
    let cases: [(&str, Vec<u8>, Violation); 13] = [
        ("not masked", frame(Opcode::Text, b"x"), Protocol),
        ("reserved bit", reserved, Protocol),
        ("unknown opcode", masked(true, 3, b""), Protocol),
        ("unknown control opcode", masked(true, 11, b""), Protocol),
        ("a part of nothing", masked(true, 0, b"x"), Protocol),
        ("two begun", [masked(false, 1, b"a"), masked(true, 1, b"b")].concat(), Protocol),
        ("control in parts", masked(false, 9, b""), Protocol),
        ("long control", masked(true, 9, &[0; 126]), Protocol),
        ("half a code", masked(true, 8, &[3]), Protocol),
        ("a code that is not one", masked(true, 8, &[3, 237]), Protocol),
        ("not UTF-8", masked(true, 1, &[0xff]), NotUtf8),
        ("too large", masked(true, 1, &[0; 1_001]), TooLarge),
        ("too large in parts", [masked(false, 1, &[0; 600]), masked(true, 0, &[0; 600])].concat(), TooLarge),
    ];
    for (name, bytes, violation) in cases {
        assert_eq!(all([bytes]), Err(violation), "{name}");
    }
    assert_eq!(
        all([vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]),
        Err(TooLarge),
        "at once"
    );
}

#[test]
fn a_compressed_message_says_so_in_its_first_frame_and_only_where_it_was_agreed_on() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let deflate = || Decoder::new(1_000, true);
    let text = |text: &str| Ok(vec![Message::Text(text.to_owned())]);
    assert_eq!(all_of(deflate(), [packed(true, &hello)]), text("Hello"));
    assert_eq!(
        all_of(deflate(), [masked(true, 1, b"Hello")]),
        text("Hello"),
        "not compressed, though it could be"
    );
    let in_parts = [packed(false, &hello[..3]), masked(true, 10, b""), masked(true, 0, &hello[3..])].concat();
    assert_eq!(
        all_of(deflate(), [in_parts]),
        Ok(vec![Message::Pong, Message::Text("Hello".to_owned())]),
        "in parts, with a pong between"
    );
    let bomb = deflate::deflate(&[b'x'; 1_001]).unwrap();
    let marked = |opcode: Opcode| from_client(opcode, true, true, MASK, b"");
    let cases: [(&str, Decoder, Vec<u8>, Violation); 9] = [
        ("not agreed on", Decoder::new(1_000, false), packed(true, &hello), Violation::Protocol),
        ("RSV2", deflate(), masked(true, 0x21, b"x"), Violation::Protocol),
        ("RSV3", deflate(), masked(true, 0x11, b"x"), Violation::Protocol),
        ("a ping", deflate(), marked(Opcode::Ping), Violation::Protocol),
        ("a close", deflate(), marked(Opcode::Close), Violation::Protocol),
        (
            "a later part",
            deflate(),
            [packed(false, &hello), marked(Opcode::Continuation)].concat(),
            Violation::Protocol,
        ),
        ("not deflate", deflate(), packed(true, b"Hello"), Violation::NotDeflated),
        (
            "not UTF-8",
            deflate(),
            packed(true, &[0x02, 0x03, 0x00, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x00]),
            Violation::NotDeflated,
        ),
        ("too large when unpacked", deflate(), packed(true, &bomb), Violation::TooLarge),
    ];
    for (name, decoder, bytes, violation) in cases {
        assert_eq!(all_of(decoder, [bytes]), Err(violation), "{name}");
    }
    let not_utf8 = deflate::deflate(&[0xff; 100]).unwrap();
    assert_eq!(all_of(deflate(), [packed(true, &not_utf8)]), Err(Violation::NotUtf8));
}

#[test]
fn what_a_server_wrote_is_taken_apart() {
    let long = vec![b'y'; 70_000];
    let frames = [
        frame(Opcode::Text, b"one"),
        compressed(Opcode::Binary, &[7; 200]),
        frame(Opcode::Pong, b""),
        frame(Opcode::Text, &long),
    ];
    let bytes = frames.concat();
    let found: Vec<_> = written(&bytes).collect();
    assert_eq!(found.iter().map(|f| f.bytes.to_vec()).collect::<Vec<_>>(), frames);
    assert_eq!(
        found[1],
        Written { opcode: Opcode::Binary, compressed: true, bytes: &frames[1], payload: &[7; 200] }
    );
    assert_eq!((found[3].opcode, found[3].payload), (Opcode::Text, &long[..]));
    assert_eq!(written(&bytes[..bytes.len() - 1]).count(), 3, "the last is not whole");
}

/// What a client may send, and the messages that it is.
fn said() -> impl Strategy<Value = (Vec<u8>, Message)> {
    let payload = prop_oneof![".{0,40}", "[ab가나]{0,600}"];
    let parts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let message = (payload, any::<bool>(), any::<bool>(), any::<[u8; 4]>(), parts).prop_map(
        |(text, binary, pack, mask, cuts)| {
            let (opcode, message) = match binary {
                true => (Opcode::Binary, Message::Binary(text.clone().into_bytes())),
                false => (Opcode::Text, Message::Text(text.clone())),
            };
            let deflated = deflate::deflate(text.as_bytes()).filter(|_| pack);
            let compressed = deflated.is_some();
            let payload = deflated.unwrap_or_else(|| text.into_bytes());
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
            cuts.sort_unstable();
            let starts = std::iter::once(0).chain(cuts.iter().copied());
            let ends = cuts.iter().copied().chain([payload.len()]);
            let frames = starts.zip(ends).enumerate().map(|(index, (start, end))| {
                let first = index == 0;
                let opcode = if first { opcode } else { Opcode::Continuation };
                from_client(opcode, index == cuts.len(), first && compressed, mask, &payload[start..end])
            });
            (frames.collect::<Vec<_>>().concat(), message)
        },
    );
    let ping = prop::collection::vec(any::<u8>(), 0..126)
        .prop_map(|data| (from_client(Opcode::Ping, true, false, MASK, &data), Message::Ping(data)));
    prop_oneof![4 => message, 1 => ping]
}

fn cut(bytes: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, tail) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = tail;
    }
    chunks
}

proptest! {
    #[test]
    fn any_cut_of_any_stream_gives_the_same_messages(
        said in prop::collection::vec(said(), 1..8),
        sizes in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let (frames, messages): (Vec<_>, Vec<_>) = said.into_iter().unzip();
        let chunks = cut(&frames.concat(), &sizes);
        prop_assert_eq!(all_of(Decoder::new(4_000, true), chunks), Ok(messages));
    }

    #[test]
    fn a_stream_with_a_changed_byte_gives_messages_or_a_violation(
        said in prop::collection::vec(said(), 1..8),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        sizes in prop::collection::vec(1_usize..400, 1..8),
    ) {
        let mut bytes = said.into_iter().map(|(frame, _)| frame).collect::<Vec<_>>().concat();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let whole = all_of(Decoder::new(4_000, true), [bytes.clone()]);
        prop_assert_eq!(all_of(Decoder::new(4_000, true), cut(&bytes, &sizes)), whole);
    }

    #[test]
    fn noise_is_refused_or_waits_but_never_harms(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        deflate in any::<bool>(),
    ) {
        let mut decoder = Decoder::new(1_000, deflate);
        for chunk in noise {
            decoder.feed(&chunk);
            while let Ok(Some(_)) = decoder.message() {}
            prop_assert!(decoder.held() <= 3 * 3_000, "{} bytes", decoder.held());
        }
    }

    #[test]
    fn what_is_compressed_comes_back(payload in prop::collection::vec(0_u8..8, 0..3_000)) {
        if let Some(packed) = deflate::deflate(&payload) {
            prop_assert!(packed.len() < payload.len());
            prop_assert_eq!(deflate::inflate(packed.clone(), payload.len() - 1), Err(Violation::TooLarge));
            prop_assert_eq!(deflate::inflate(packed, payload.len()), Ok(payload));
        }
    }

    #[test]
    fn anything_is_unpacked_within_the_limit_or_refused(
        packed in prop::collection::vec(any::<u8>(), 0..300),
        limit in 0_usize..2_000,
    ) {
        if let Ok(payload) = deflate::inflate(packed, limit) {
            prop_assert!(payload.len() <= limit);
        }
    }

    #[test]
    fn any_offer_is_answered_or_declined(offer in r#"[a-z_=;, "\\0-9]{0,60}"#, bits in 0_u8..20) {
        _ = extension::agree([offer.as_str()]);
        let offer = format!("permessage-deflate; server_max_window_bits={bits}");
        prop_assert_eq!(extension::agree([offer.as_str()]).is_some(), (8..=15).contains(&bits));
    }

    #[test]
    fn frames_are_taken_apart_whatever_the_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let taken: usize = written(&bytes).map(|frame| frame.bytes.len()).sum();
        prop_assert!(taken <= bytes.len());
    }
}

#[test]
fn an_idle_decoder_keeps_no_memory() {
    let mut decoder = Decoder::new(100_000, true);
    decoder.feed(&masked(true, 1, &[b'x'; 50_000]));
    assert!(decoder.message().unwrap().is_some());
    assert_eq!(decoder.message(), Ok(None));
    assert_eq!(decoder.held(), 0);
}
