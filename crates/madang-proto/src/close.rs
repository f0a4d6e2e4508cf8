//! Close codes of the gateway. 4000-4099: come back and resume. 4100-4199: do not come back
//! without a change.

/// Why the server ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 4000: the server is restarting.
    Restarting,
    /// 4001: nothing was heard for too long.
    Silent,
    /// 4002: the client read too slowly and its queue was full.
    TooSlow,
    /// 4003: a fault inside the server; it was logged.
    Fault,
    /// 4004: far more frames than are taken in a minute; come back, and send fewer.
    TooManyFrames,
    /// 4100: no token, or a bad or expired one. Refresh or sign in first.
    Unauthenticated,
    /// 4101: the session was ended.
    SessionEnded,
    /// 4102: not a frame of this protocol.
    Protocol,
    /// 4103: a frame was too large.
    TooLarge,
    /// 4104: the first frame was not a `HELLO`, or none came in time.
    NoHello,
    /// 4105: the access that a link gave to a guest is over, and nothing else is left to them.
    AccessEnded,
}

impl CloseCode {
    /// All of them, in order.
    pub const ALL: [Self; 11] = [
        Self::Restarting,
        Self::Silent,
        Self::TooSlow,
        Self::Fault,
        Self::TooManyFrames,
        Self::Unauthenticated,
        Self::SessionEnded,
        Self::Protocol,
        Self::TooLarge,
        Self::NoHello,
        Self::AccessEnded,
    ];

    /// The number in the close frame.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Restarting => 4000,
            Self::Silent => 4001,
            Self::TooSlow => 4002,
            Self::Fault => 4003,
            Self::TooManyFrames => 4004,
            Self::Unauthenticated => 4100,
            Self::SessionEnded => 4101,
            Self::Protocol => 4102,
            Self::TooLarge => 4103,
            Self::NoHello => 4104,
            Self::AccessEnded => 4105,
        }
    }

    /// The reason in the close frame.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Restarting => "server restarting, come back",
            Self::Silent => "no heartbeat",
            Self::TooSlow => "reading too slowly, come back and resume",
            Self::Fault => "server fault, come back",
            Self::TooManyFrames => "too many frames, come back and send fewer",
            Self::Unauthenticated => "not signed in",
            Self::SessionEnded => "session ended",
            Self::Protocol => "not a valid frame",
            Self::TooLarge => "frame too large",
            Self::NoHello => "HELLO expected",
            Self::AccessEnded => "access ended",
        }
    }
}

/// Whether a client should come back by itself after this close code. Codes of the WebSocket
/// protocol itself (1000-1015, a lost connection) mean yes.
#[must_use]
pub const fn may_return(number: u16) -> bool {
    number < 4100 || number > 4199
}
