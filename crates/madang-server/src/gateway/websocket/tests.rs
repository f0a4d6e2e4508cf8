//! The protocol's own examples, its cuts, its violations, and noise.

use super::*;

/// A frame as a client sends it.
fn masked(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = frame(Opcode::Text, payload);
    bytes[0] = if fin { FIN } else { 0 } | opcode;
    bytes[1] |= MASKED;
    let start = bytes.len() - payload.len();
    bytes.iter_mut().skip(start).zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    bytes.splice(start..start, mask);
    bytes
}

fn all(chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Message>, Violation> {
    let mut decoder = Decoder::new(1_000);
    let mut messages = Vec::new();
    for chunk in chunks {
        decoder.feed(&chunk);
        while let Some(message) = decoder.next()? {
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
fn noise_is_refused_or_waits_but_never_harms() {
    let mut seed = 0x9E37_79B9_u32;
    for _ in 0..20_000 {
        let noise: Vec<u8> = (0..24)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 17;
                seed ^= seed << 5;
                seed.to_le_bytes()[1]
            })
            .collect();
        let mut decoder = Decoder::new(1_000);
        decoder.feed(&noise);
        while let Ok(Some(_)) = decoder.next() {}
        assert!(decoder.input.len() <= noise.len());
    }
}

#[test]
fn an_idle_decoder_keeps_no_memory() {
    let mut decoder = Decoder::new(100_000);
    decoder.feed(&masked(true, 1, &[b'x'; 50_000]));
    assert!(decoder.next().unwrap().is_some());
    assert_eq!(decoder.next(), Ok(None));
    assert_eq!(decoder.input.capacity(), 0);
}
