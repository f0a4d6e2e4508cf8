//! The gateway: live connections over WebSocket (RFC 6455).
//!
//! [`madang_websocket`] is the protocol, [`ws`] brings it to sockets, [`session`] is the life of a connection,
//! [`ready`] its beginning, [`dispatch`] what its commands do, [`threads`] where it runs.

mod dispatch;
mod ready;
mod session;
mod threads;
pub mod ws;

pub use threads::Threads;
