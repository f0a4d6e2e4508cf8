//! Bytes from a client: first byte how they are cut and what was agreed on, the rest the stream. However it
//! is cut, the same messages come out, nothing panics, nothing takes more memory than the limit allows, and
//! what is a command in the end is one after writing it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use madang_proto::command::ClientFrame;
use madang_websocket::{Decoder, Message, Violation, extension, written};

const LIMIT: usize = 4_096;

fn read(stream: &[u8], size: usize, deflate: bool) -> (Vec<Message>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMIT, deflate);
    let mut messages = Vec::new();
    for chunk in stream.chunks(size) {
        decoder.feed(chunk);
        loop {
            match decoder.message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
        assert!(decoder.held() <= 3 * (LIMIT + 14 + size), "{} bytes held", decoder.held());
    }
    (messages, None)
}

fuzz_target!(|data: &[u8]| {
    let [how, stream @ ..] = data else { return };
    let deflate = how & 0x80 != 0;
    let size = usize::from(how & 0x7f) + 1;
    let whole = read(stream, stream.len().max(1), deflate);
    assert_eq!(read(stream, size, deflate), whole, "cut by {size}");
    for message in &whole.0 {
        let frame = match message {
            Message::Text(text) => ClientFrame::parse(text),
            Message::Binary(bytes) => ClientFrame::parse_msgpack(bytes),
            Message::Ping(_) | Message::Pong | Message::Close(_) => continue,
        };
        if let Ok(frame) = frame {
            ClientFrame::parse_msgpack(&frame.to_msgpack()).expect("a command is one in MessagePack");
        }
    }
    // The other readers of what comes from outside.
    let taken: usize = written(stream).map(|frame| frame.bytes.len()).sum();
    assert!(taken <= stream.len());
    if let Ok(header) = std::str::from_utf8(stream) {
        extension::agree([header]).map(extension::Agreed::header);
    }
});
