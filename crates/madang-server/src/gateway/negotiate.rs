//! What is agreed on in the handshake beyond the WebSocket itself: the encoding, by subprotocol, and
//! compression.
//!
//! Invariants:
//! - Whoever offers nothing that is known gets JSON, not compressed, and no header that says so.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use madang_proto::Encoding;
use madang_realtime::Codec;
use madang_websocket::extension;

/// What was agreed on with a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    subprotocol: Option<&'static str>,
    /// How objects are written, both ways.
    pub encoding: Encoding,
    /// Compression, both ways.
    pub deflate: Option<extension::Agreed>,
}

impl Agreed {
    /// Answers a client's offers.
    pub fn with(headers: &HeaderMap) -> Self {
        let offered = values(headers, &header::SEC_WEBSOCKET_PROTOCOL).flat_map(|value| value.split(','));
        let known = |offer: &str| Encoding::ALL.into_iter().find(|known| known.subprotocol() == offer.trim());
        let chosen = offered.into_iter().find_map(known);
        let deflate = extension::agree(values(headers, &header::SEC_WEBSOCKET_EXTENSIONS));
        Self { subprotocol: chosen.map(Encoding::subprotocol), encoding: chosen.unwrap_or_default(), deflate }
    }

    /// The headers of the answer.
    pub fn headers(&self) -> HeaderMap {
        let subprotocol = self.subprotocol.map(HeaderValue::from_static);
        let extension = self.deflate.and_then(|deflate| HeaderValue::from_str(&deflate.header()).ok());
        [(header::SEC_WEBSOCKET_PROTOCOL, subprotocol), (header::SEC_WEBSOCKET_EXTENSIONS, extension)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// How frames are written for the client. A window smaller than that of the shared frames is the
    /// socket's own matter.
    pub fn codec(&self) -> Codec {
        let deflate = self.deflate.is_some_and(|deflate| deflate.longest().is_none());
        Codec { encoding: self.encoding, deflate }
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_subprotocol_is_chosen() {
        let cases: [(&[&str], Option<&str>, Encoding); 8] = [
            (&[], None, Encoding::Json),
            (&["chat, soap"], None, Encoding::Json),
            (&["madang.v1.json"], Some("madang.v1.json"), Encoding::Json),
            (&["madang.v1.msgpack"], Some("madang.v1.msgpack"), Encoding::MessagePack),
            (
                &["madang.v2, madang.v1.msgpack ,madang.v1.json"],
                Some("madang.v1.msgpack"),
                Encoding::MessagePack,
            ),
            (&["madang.v1.json,madang.v1.msgpack"], Some("madang.v1.json"), Encoding::Json),
            (&["chat", "madang.v1.msgpack"], Some("madang.v1.msgpack"), Encoding::MessagePack),
            (&["MADANG.V1.MSGPACK"], None, Encoding::Json),
        ];
        for (offers, subprotocol, encoding) in cases {
            let offer =
                |offer: &&str| (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(offer).unwrap());
            let agreed = Agreed::with(&offers.iter().map(offer).collect());
            assert_eq!(agreed, Agreed { subprotocol, encoding, deflate: None }, "{offers:?}");
            let answer = agreed.headers();
            let header = answer.get(header::SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap());
            assert_eq!(
                (header, answer.len()),
                (subprotocol, usize::from(subprotocol.is_some())),
                "{offers:?}"
            );
        }
    }
}
