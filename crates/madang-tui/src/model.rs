//! Everything that is on the screen, and nothing else: no connection, no terminal.
//!
//! What happens comes in as [`Msg`]; `update` changes the model and answers with [`Cmd`]s, which `run`
//! carries out. So each key can be tried in a test.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::KeyEvent;
use jiff::tz::TimeZone;
use madang_client::{
    State,
    proto::{
        ChannelId, MessageId, UserId, WorkspaceId,
        channels::{Channel, ChannelKind},
        presence::Status,
    },
};

use crate::{composer::Input, dialogs::Dialog, login::Form, texts::Texts};

/// How long a notice stays.
pub const NOTICE: Duration = Duration::from_secs(8);

/// What happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// Text, at once.
    Paste(String),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Whether the terminal has the keyboard.
    Focus(bool),
    /// Time passed.
    Tick(Instant),
    /// What the client knows has changed.
    State(Arc<State>),
    /// Signed in and connected.
    SignedIn(Arc<State>),
    /// Signing in did not work.
    NotSignedIn(String),
    /// A page of messages came.
    Loaded(ChannelId),
    /// A page of messages did not come.
    NotLoaded(ChannelId),
    /// One is in this channel now and wants to see it.
    Entered(ChannelId),
    /// A message could not even be queued: it goes back where it was written.
    NotTaken { channel: ChannelId, content: String, why: String },
    /// Something that was asked for did not work.
    Failed(String),
}

/// How one comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// With an account.
    LogIn { username: String, password: String },
    /// With a new account.
    Register { username: String, password: String, display_name: Option<String> },
    /// Without one.
    Guest { display_name: Option<String> },
}

/// What is to be done outside of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd {
    SignIn(SignIn),
    SignOut,
    Send { channel: ChannelId, content: String },
    Edit { message: MessageId, content: String },
    Delete(MessageId),
    Retry(String),
    Discard(String),
    LoadNewest(ChannelId),
    LoadOlder(ChannelId),
    LoadMembers(ChannelId),
    LoadDirectory(WorkspaceId),
    MarkRead { channel: ChannelId, message: MessageId },
    Typing { channel: ChannelId, typing: bool },
    Watch(BTreeSet<UserId>),
    Join(ChannelId),
    Leave(ChannelId),
    Create { workspace: WorkspaceId, name: String, kind: ChannelKind },
    Reconnect,
    Redraw,
}

/// What is on the screen.
#[derive(Debug)]
pub struct Model {
    pub texts: &'static Texts,
    pub zone: TimeZone,
    pub server: String,
    pub now: Instant,
    pub size: (u16, u16),
    pub focused: bool,
    pub quit: bool,
    pub screen: Screen,
}

/// Which of the two screens.
#[derive(Debug)]
pub enum Screen {
    Login(Form),
    Chat(Box<Chat>),
}

/// A place in the messages: this row of the block of this message is the lowest that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    pub seq: i64,
    pub row: usize,
}

/// The message that is being edited, and what was in the composer before.
#[derive(Debug)]
pub struct Editing {
    pub message: MessageId,
    pub original: String,
}

/// The screen with channels and messages.
#[derive(Debug)]
pub struct Chat {
    pub state: Arc<State>,
    pub current: Option<ChannelId>,
    pub composer: Input,
    pub drafts: BTreeMap<ChannelId, Input>,
    pub editing: Option<Editing>,
    /// Where one has scrolled to; nowhere means to follow the newest message.
    pub anchor: Option<Anchor>,
    /// What had been read when the channel was entered: the line "new" stands behind it.
    pub read_before: i64,
    /// The version that one's read mark had then: marked as unread since, the channel stays so while it is shown.
    pub read_version: i64,
    pub dialog: Option<Dialog>,
    pub notice: Option<(String, Instant)>,
    pub loading: bool,
    /// A failed page is not asked for again before this.
    pub load_after: Option<Instant>,
    /// Up to where reading was reported, so that it is said once.
    pub marked: BTreeMap<ChannelId, i64>,
    /// Who is watched, so that it is said once.
    pub watched: BTreeSet<UserId>,
    /// When typing was last reported.
    pub typed_at: Option<Instant>,
    pub was_online: bool,
}

impl Model {
    pub fn new(server: &str, language: Option<&str>, zone: TimeZone, now: Instant) -> Self {
        Self {
            texts: Texts::of(language),
            zone,
            server: server.to_owned(),
            now,
            size: (80, 24),
            focused: true,
            quit: false,
            screen: Screen::Login(Form::default()),
        }
    }
}

impl Chat {
    pub fn new(state: Arc<State>) -> Self {
        Self {
            state,
            current: None,
            composer: Input::default(),
            drafts: BTreeMap::new(),
            editing: None,
            anchor: None,
            read_before: 0,
            read_version: 0,
            dialog: None,
            notice: None,
            loading: false,
            load_after: None,
            marked: BTreeMap::new(),
            watched: BTreeSet::new(),
            typed_at: None,
            was_online: false,
        }
    }

    /// The channel that is shown.
    pub fn channel(&self) -> Option<&madang_client::state::ChannelState> {
        self.state.channel(self.current?)
    }

    /// Whether someone is there; unknown while offline.
    pub fn status_of(&self, user: UserId) -> Status {
        if self.state.connection.is_online() { self.state.status_of(user) } else { Status::Offline }
    }

    /// The workspace of the channel that is shown, or the first one.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        let shown = self.channel().map(|channel| channel.facts().workspace_id);
        shown.or_else(|| self.state.workspaces().next().map(|workspace| workspace.id))
    }

    /// The channels that one could join, by name.
    pub fn joinable(&self) -> Vec<&Channel> {
        let lists = self.state.workspaces().filter_map(|workspace| self.state.directory(workspace.id));
        let mut channels: Vec<_> = lists.flat_map(BTreeMap::values).collect();
        channels.sort_by_key(|channel| channel.name.to_lowercase());
        channels
    }

    pub fn notify(&mut self, text: impl Into<String>, now: Instant) {
        self.notice = Some((text.into(), now + NOTICE));
    }
}
