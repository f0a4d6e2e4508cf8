//! Every limit of the contract that does not depend on configuration, in one place.
//!
//! `docs/protocol.md` lists them too; a test of the server compares the two.

/// Characters (Unicode scalar values, after NFC) of a message's content.
pub const CONTENT_CHARS: usize = 8_000;
/// Characters of a nonce.
pub const NONCE_CHARS: usize = 64;
/// Characters of a request id of the gateway.
pub const RID_CHARS: usize = 64;
/// Fewest and most characters of a username.
pub const USERNAME_CHARS: (usize, usize) = (2, 32);
/// Characters of a display name.
pub const DISPLAY_NAME_CHARS: usize = 64;
/// Fewest and most characters of a password.
pub const PASSWORD_CHARS: (usize, usize) = (8, 256);
/// Characters of an e-mail address.
pub const EMAIL_CHARS: usize = 254;
/// Characters of a workspace's name.
pub const WORKSPACE_NAME_CHARS: usize = 80;
/// Characters of a channel's name.
pub const CHANNEL_NAME_CHARS: usize = 80;
/// Characters of a channel's topic.
pub const TOPIC_CHARS: usize = 250;
/// Characters of a custom status.
pub const CUSTOM_STATUS_CHARS: usize = 100;
/// Kinds of emoji on a message.
pub const REACTION_KINDS: usize = 50;
/// Pinned messages of a channel.
pub const PINS_PER_CHANNEL: i64 = 100;
/// Earlier texts that are kept of a message; past it the oldest go.
pub const EDITS_PER_MESSAGE: i64 = 100;
/// Messages that a user saved.
pub const SAVED_PER_USER: i64 = 1_000;
/// Items of a page when the request does not say.
pub const PAGE_DEFAULT: u32 = 50;
/// Most items of a page.
pub const PAGE_MAX: u32 = 100;
/// Characters of what is searched for.
pub const SEARCH_CHARS: usize = 200;
/// Words, phrases and filters of one search.
pub const SEARCH_TERMS: usize = 16;
/// Most states that one answer of a channel's changes carries; past it `more` is true.
pub const CHANGES_MAX: u32 = 200;
/// Most channels named in the `resume` of a `HELLO`.
pub const RESUME_CHANNELS: usize = 1_000;
/// Most messages that a `READY` carries for all resumed channels together; channels past it are
/// named in `resync`.
pub const RESUME_MESSAGES: usize = 1_000;
/// Most people that a `READY` names as present.
pub const PRESENCE_LISTED: usize = 500;
/// People present in a workspace above which they are counted and no longer named.
pub const PRESENCE_PEOPLE: usize = 200;
/// People present in a workspace at which they are named again, so that one who comes and goes at the
/// limit does not change it each time.
pub const PRESENCE_PEOPLE_AGAIN: usize = 150;
/// People whom a connection can watch.
pub const WATCH_PEOPLE: usize = 100;
/// Workspaces that one user can own.
pub const WORKSPACES_OWNED: i64 = 20;
/// Channels of one workspace.
pub const CHANNELS_PER_WORKSPACE: i64 = 5_000;
/// Channels that one user can be a member of.
pub const CHANNELS_PER_USER: i64 = 1_000;
/// People of a group, oneself included.
pub const DIRECT_PEOPLE: usize = 20;
/// Direct messages and groups that one user can be in.
pub const DIRECTS_PER_USER: i64 = 1_000;
/// Sessions of one user; a login past it ends the oldest.
pub const SESSIONS_PER_USER: i64 = 50;
/// Bytes of one gateway frame from a client (a message of 8,000 characters, all escaped, fits).
pub const FRAME_BYTES: usize = 128 * 1024;
/// Bytes from which the gateway compresses a message, where it was agreed on. Frames below it (typing,
/// presence, read marks: 90 to 200 bytes) became 20 to 40 bytes smaller at best, and some larger; those
/// above it (a message, without its text, is 290 to 360 bytes) by a third and more.
pub const DEFLATE_BYTES: usize = 256;
/// Bytes of frames that the gateway joins into one message, where the client takes that.
pub const BATCH_BYTES: usize = 64 * 1024;
/// Bytes of a REST request's body.
pub const BODY_BYTES: usize = 256 * 1024;
/// Bytes that may wait for one connection before it is closed as too slow.
pub const OUTBOX_BYTES: usize = 256 * 1024;
/// Milliseconds between a client's `PING`s.
pub const HEARTBEAT_MS: u32 = 30_000;
/// Milliseconds without any frame after which the server closes a connection.
pub const SILENCE_MS: u32 = 90_000;
/// Milliseconds that a new connection has to agree on TLS, where the server itself speaks it.
pub const TLS_HANDSHAKE_MS: u32 = 10_000;
/// Milliseconds that a connection may stay without a valid `HELLO`.
pub const HELLO_MS: u32 = 10_000;
/// Milliseconds after which a `TYPING` that is not repeated is over.
pub const TYPING_MS: u32 = 6_000;
/// Milliseconds in which a repeated `TYPING` of one person in one channel is not told again.
pub const TYPING_REPEAT_MS: u32 = 2_000;
/// Milliseconds without a command (pings aside) after which an online user shows as away.
pub const AWAY_MS: u32 = 600_000;
/// Milliseconds between a user's last connection closing and their showing as offline.
pub const OFFLINE_MS: u32 = 5_000;
/// Members above which read marks and typing are no longer sent to the whole channel.
pub const READ_RECEIPT_MEMBERS: i64 = 200;
/// Seconds that an access token is valid.
pub const ACCESS_SECONDS: i64 = 15 * 60;
/// Seconds that a refresh token is valid.
pub const REFRESH_SECONDS: i64 = 7 * 24 * 60 * 60;
