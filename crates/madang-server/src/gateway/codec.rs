//! How what is said becomes frames, and frames what is said: the encoding, and compression where it is
//! worth it.

use madang_proto::{
    Encoding,
    command::{BadFrame, ClientFrame},
    event::ServerFrame,
    limits,
};
use madang_realtime::{Codec, Frame};
use madang_websocket::{self as websocket, Message, Opcode, deflate::deflate};

/// A frame for a connection with this codec.
pub fn frame(said: &ServerFrame, codec: Codec) -> Frame {
    let plain = encode(said, codec.encoding);
    if codec.deflate { compress(&plain).unwrap_or(plain) } else { plain }
}

/// A frame, not compressed.
pub fn encode(said: &ServerFrame, encoding: Encoding) -> Frame {
    let bytes = match encoding {
        Encoding::Json => websocket::frame(Opcode::Text, said.to_json().as_bytes()),
        Encoding::MessagePack => websocket::frame(Opcode::Binary, &said.to_msgpack()),
    };
    Frame::new(bytes.into())
}

/// The same frame compressed; nothing where it is not worth it.
pub fn compress(frame: &Frame) -> Option<Frame> {
    let plain = websocket::written(frame.bytes()).next()?;
    let packed =
        Some(plain.payload).filter(|payload| payload.len() >= limits::DEFLATE_BYTES).and_then(deflate)?;
    Some(Frame::new(websocket::compressed(plain.opcode, &packed).into()))
}

/// What a client said; nothing when it is not in its encoding, or not something said at all.
pub fn parse(message: &Message, encoding: Encoding) -> Option<Result<ClientFrame, BadFrame>> {
    match (message, encoding) {
        (Message::Text(text), Encoding::Json) => Some(ClientFrame::parse(text)),
        (Message::Binary(bytes), Encoding::MessagePack) => Some(ClientFrame::parse_msgpack(bytes)),
        _ => None,
    }
}
