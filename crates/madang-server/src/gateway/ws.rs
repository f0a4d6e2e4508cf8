//! WebSocket as frames of text: the only file of the gateway that knows the library.
//!
//! Everything that is due is written at once and flushed when the pass is over.

use std::time::Duration;

use axum::{
    Extension,
    extract::{
        Query, State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::HeaderMap,
    response::Response,
};
use madang_proto::{close::CloseCode, limits};
use madang_realtime::Frame;
use serde::Deserialize;

use super::session;
use crate::{
    app::App,
    error::Result,
    http::{
        Place,
        extract::{Address, bearer},
    },
    ratelimit::Limit,
};

/// A reader that takes nothing for this long is too slow.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// Bytes read at a time; the library's default of 128 KiB is kept per connection.
const READ_BUFFER: usize = 1024;

/// What the address of the socket may carry.
#[derive(Deserialize)]
pub struct Parameters {
    token: Option<String>,
}

/// `GET /api/v1/ws`.
pub async fn upgrade(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    Address(address): Address,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    app.limits.check(Limit::ConnectByAddress, address)?;
    let token = bearer(&headers).map(str::to_owned).or(parameters.token);
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(limits::FRAME_BYTES)
        .max_frame_size(limits::FRAME_BYTES)
        .on_upgrade(move |socket| async move {
            let supervisor = app.supervisor.clone();
            // Kept to the end, so that a stop waits for the goodbye.
            let _place = place;
            // A panic in it costs this connection and is counted.
            drop(supervisor.isolated("connections", session::run(app, Socket(socket), token)).await);
        }))
}

/// What came from the client.
pub enum Incoming {
    /// A frame.
    Text(Utf8Bytes),
    /// A sign of life of the protocol itself.
    Alive,
    /// Not a frame of ours, for this reason.
    Bad(CloseCode),
    /// The client is gone.
    Gone,
}

/// A socket of text frames.
pub struct Socket(WebSocket);

impl Socket {
    /// What comes next. May be cancelled.
    pub async fn receive(&mut self) -> Incoming {
        match self.0.recv().await {
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Incoming::Alive,
            Some(Ok(Message::Binary(_))) => Incoming::Bad(CloseCode::Protocol),
            Some(Ok(Message::Close(_))) | None => Incoming::Gone,
            Some(Err(error)) => {
                // The library tells a frame that is too large by its text only.
                let text = error.to_string();
                if text.contains("too long") || text.contains("too big") || text.contains("too large") {
                    Incoming::Bad(CloseCode::TooLarge)
                } else if text.contains("UTF-8") || text.contains("protocol error") {
                    Incoming::Bad(CloseCode::Protocol)
                } else {
                    Incoming::Gone
                }
            }
        }
    }

    /// Writes frames and flushes once. False when the client is gone or takes nothing.
    pub async fn send(&mut self, frames: &mut Vec<Frame>) -> bool {
        use futures_util::SinkExt;
        let writing = async {
            for frame in frames.drain(..) {
                // Frames are made from strings; what is not UTF-8 cannot be one of them.
                let Ok(text) = Utf8Bytes::try_from(frame.into_bytes()) else { continue };
                self.0.feed(Message::Text(text)).await?;
            }
            self.0.flush().await
        };
        matches!(tokio::time::timeout(WRITE_WITHIN, writing).await, Ok(Ok(())))
    }

    /// Says why and closes.
    pub async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.number(), reason: code.reason().into() };
        let closing = async {
            if self.0.send(Message::Close(Some(frame))).await.is_ok() {
                // Until the client answers: closing before it has read would take the reason away.
                while let Some(Ok(_)) = self.0.recv().await {}
            }
        };
        drop(tokio::time::timeout(CLOSE_WITHIN, closing).await);
    }
}
