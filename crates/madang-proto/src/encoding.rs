//! The encodings of the gateway, and the subprotocols by which they are chosen.

/// How the objects in frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// JSON, in text frames.
    #[default]
    Json,
    /// MessagePack, in binary frames.
    MessagePack,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Json, Self::MessagePack];

    /// The name in `Sec-WebSocket-Protocol`.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "madang.v1.json",
            Self::MessagePack => "madang.v1.msgpack",
        }
    }
}
