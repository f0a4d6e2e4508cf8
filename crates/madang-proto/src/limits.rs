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
/// Characters of what someone writes about themself.
pub const ABOUT_CHARS: usize = 500;
/// Bytes of a picture that is to be an avatar.
pub const AVATAR_BYTES: usize = 8 * 1024 * 1024;
/// Pixels of an avatar across and down.
pub const AVATAR_PIXELS: u32 = 256;
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
/// Overrides of a channel.
pub const OVERRIDES_PER_CHANNEL: usize = 100;
/// Seconds of slow mode.
pub const SLOW_MODE_SECONDS: u32 = 21_600;
/// Days after which messages are removed, at most.
pub const RETENTION_DAYS: u32 = 36_500;
/// Characters of why someone is muted or banned, or a message reported.
pub const REASON_CHARS: usize = 500;
/// Invites of a workspace that can be used.
pub const INVITES_PER_WORKSPACE: usize = 100;
/// Uses of an invite, where its maker counts them.
pub const INVITE_USES: u32 = 10_000;
/// Days for which a guest link gives access, at most.
pub const GUEST_LINK_DAYS: i64 = 366;
/// Open reports of one user.
pub const REPORTS_PER_USER: i64 = 100;
/// Characters of a custom status.
pub const CUSTOM_STATUS_CHARS: usize = 100;
/// Spellings of mentions that a message has; what is beyond stays text.
pub const MENTIONS_PER_MESSAGE: usize = 50;
/// Members of a channel above which only those who keep it mention everyone.
pub const MENTION_EVERYONE_MEMBERS: i64 = 200;
/// Unread mentions of a channel that are counted.
pub const MENTIONS_COUNTED: usize = 100;

/// Kinds of emoji on a message.
pub const REACTION_KINDS: usize = 50;
/// Emoji of a workspace's own.
pub const EMOJI_PER_WORKSPACE: usize = 500;
/// Fewest and most characters of the name of a workspace's own emoji.
pub const EMOJI_NAME_CHARS: (usize, usize) = (2, 32);
/// Bytes of a picture that becomes an emoji.
pub const EMOJI_BYTES: usize = 256 * 1024;
/// Pixels of an emoji across and down, at most; a larger picture is made smaller.
pub const EMOJI_PIXELS: u32 = 128;
/// Pictures of an animated emoji.
pub const EMOJI_FRAMES: usize = 150;
/// Pixels of all pictures of what becomes an animated emoji, before they are made smaller.
pub const EMOJI_FRAME_PIXELS: u64 = 20_000_000;
/// Pinned messages of a channel.
pub const PINS_PER_CHANNEL: i64 = 100;
/// Earlier texts that are kept of a message; past it the oldest go.
pub const EDITS_PER_MESSAGE: i64 = 100;
/// Messages that a user saved.
pub const SAVED_PER_USER: i64 = 1_000;
/// Drafts of a user.
pub const DRAFTS_PER_USER: i64 = 500;
/// Scheduled messages of a user, those that failed among them.
pub const SCHEDULED_PER_USER: i64 = 100;
/// Reminders of a user, those that are due among them.
pub const REMINDERS_PER_USER: i64 = 100;
/// Characters of a reminder's text.
pub const REMINDER_CHARS: usize = 500;
/// Seconds from now to the latest time of a scheduled message or a reminder.
pub const AHEAD_SECONDS: i64 = 366 * 24 * 60 * 60;
/// Notifications of a user that are kept; past it the oldest go.
pub const NOTIFICATIONS_KEPT: i64 = 500;
/// Workspaces and channels for which a user has notification settings.
pub const NOTIFICATION_PLACES: usize = 3_000;
/// Characters of a message that a notification shows.
pub const EXCERPT_CHARS: usize = 200;
/// Keywords of a user.
pub const KEYWORDS_PER_USER: usize = 50;
/// Characters of a keyword.
pub const KEYWORD_CHARS: usize = 64;
/// Files of one message.
pub const FILES_PER_MESSAGE: usize = 10;
/// Characters of a file's name.
pub const FILE_NAME_CHARS: usize = 200;
/// Uploads of one user that have begun and not ended.
pub const UPLOADS_PER_USER: i64 = 20;
/// Pieces of an upload that are kept where every node finds them; past it the rest stays where it comes to.
pub const UPLOAD_PIECES: usize = 1_000;
/// Milliseconds after which an upload that sends nothing is given up.
pub const UPLOAD_SILENCE_MS: u32 = 30_000;
/// Hours that an upload, and a file that no message carries, is kept.
pub const FILE_HOURS: i64 = 24;
/// Days that an export is kept.
pub const EXPORT_DAYS: i64 = 7;
/// Seconds after one asked for an export in which one cannot ask for another.
pub const EXPORT_SECONDS: i64 = 60 * 60;
/// Bytes of a line of a transfer that is imported.
pub const TRANSFER_LINE_BYTES: usize = 4 * 1024 * 1024;
/// How many times its size a transfer that is imported may unfold to.
pub const TRANSFER_UNFOLDED: u64 = 300;
/// Bytes of an image (JPEG, PNG, GIF, WebP, HEIC, AVIF).
pub const IMAGE_BYTES: u64 = 32 * 1024 * 1024;
/// Pixels of an image above which it gets no thumbnail.
pub const IMAGE_PIXELS: u64 = 50_000_000;
/// Pixels of a thumbnail across and down, at most.
pub const THUMBNAIL_PIXELS: u32 = 640;
/// Links of a message that are previewed; what is beyond stays text.
pub const PREVIEWS_PER_MESSAGE: usize = 3;
/// Bytes of a link that is previewed.
pub const LINK_BYTES: usize = 2_048;
/// Characters of a preview's title.
pub const PREVIEW_TITLE_CHARS: usize = 200;
/// Characters of a preview's description.
pub const PREVIEW_DESCRIPTION_CHARS: usize = 400;
/// Characters of the name of a preview's site.
pub const PREVIEW_SITE_CHARS: usize = 80;
/// Bytes of a page that are read for a preview.
pub const PREVIEW_PAGE_BYTES: usize = 512 * 1024;
/// Bytes of an image that a preview shows made small.
pub const PREVIEW_IMAGE_BYTES: usize = 8 * 1024 * 1024;
/// Seconds that a video may take to be cleaned and looked at.
pub const VIDEO_SECONDS: u64 = 60;
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
/// Frames of one connection in a minute, in the long run: of whatever kind, valid or not.
pub const FRAMES_A_MINUTE: u32 = 3_000;
/// Frames of one connection at once.
pub const FRAMES_AT_ONCE: u32 = 500;
/// Frames past these that are answered by an error; then the connection is closed.
pub const FRAMES_REFUSED: u32 = 100;
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
/// Deleted and own messages after one's read mark that are told apart from unread ones.
pub const UNREAD_SKIPPED: usize = 500;
/// The newest messages of a channel among which one's own are told apart when it is marked as unread.
pub const UNREAD_OWN_AMONG: i64 = 10_000;
/// Seconds that an access token is valid.
pub const ACCESS_SECONDS: i64 = 15 * 60;
/// Seconds that a refresh token is valid.
pub const REFRESH_SECONDS: i64 = 7 * 24 * 60 * 60;
