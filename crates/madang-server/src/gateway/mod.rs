//! The gateway: live connections over WebSocket (RFC 6455).
//!
//! [`websocket`] is the protocol, [`ws`] brings it to sockets, [`stream`] is TCP or TLS under them, [`session`]
//! is the life of a connection, [`ready`] its beginning, [`dispatch`] what its commands do, [`threads`] where it runs.

mod dispatch;
mod ready;
mod session;
mod stream;
mod threads;
mod websocket;
pub mod ws;

pub use threads::Threads;
