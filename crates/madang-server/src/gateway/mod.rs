//! The gateway: live connections over WebSocket (RFC 6455).
//!
//! [`ws`] is the codec between sockets and frames, [`session`] the life of a connection, [`ready`] its
//! beginning, [`dispatch`] what its commands do.

mod dispatch;
mod ready;
mod session;
pub mod ws;
