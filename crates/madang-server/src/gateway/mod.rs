//! The gateway: live connections over WebSocket (RFC 6455).
//!
//! [`madang_websocket`] is the protocol, [`ws`] brings it to sockets, [`stream`] is TCP or TLS under them, [`negotiate`] is what a handshake
//! agrees on, [`pace`] how many frames are taken, [`session`] the life of a connection, [`ready`] its beginning, [`dispatch`] what its commands
//! do, [`codec`] makes frames, [`join`] joins them, [`threads`] is where it runs.

pub mod codec;
mod dispatch;
mod join;
mod negotiate;
mod pace;
mod ready;
mod session;
mod stream;
mod threads;
pub mod ws;

pub use threads::Threads;
