//! Keys in, commands and screens out, without a terminal and without a server.

mod screen;
mod typing;

use std::{sync::Arc, time::Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use madang_client::{
    ConnectionStatus, State,
    proto::{
        ChannelId, Event, Timestamp, UserId,
        accounts::{User, UserSummary},
        channels::{Channel, ChannelKind},
        event::Ready,
        messages::Message,
        permissions::Role,
        presence::{Presence, Status},
        retention::Retention,
        settings::Settings,
        workspaces::{EditHistory, Workspace},
    },
};
use ratatui::{Terminal, backend::TestBackend};

use crate::{
    model::{Chat, Cmd, Model, Msg, Screen},
    update::update,
    view,
};

const ME: i64 = 1;
const EVE: i64 = 2;
const GENERAL: i64 = 100;
const RANDOM: i64 = 101;
/// 2026-11-20T08:30:00Z
const NOON: i64 = 1_795_163_400_000;

fn general() -> ChannelId {
    GENERAL.into()
}

fn summary(id: i64) -> UserSummary {
    let name = if id == ME { "지민" } else { "Eve" };
    UserSummary { id: id.into(), username: name.into(), display_name: name.into(), avatar_url: None }
}

fn channel(id: i64, name: &str, last_seq: i64) -> Channel {
    Channel {
        id: id.into(),
        workspace_id: 10.into(),
        kind: ChannelKind::Public,
        name: name.into(),
        topic: String::new(),
        is_default: id == GENERAL,
        created_by: None,
        member_count: 2,
        last_seq,
        first_seq: 1,
        version: last_seq,
        created_at: Timestamp::from(NOON),
        joined: Some(true),
        last_read_seq: Some(0),
        read_version: 0,
        unread_count: Some(last_seq),
        unread_skipped: Vec::new(),
        mention_count: Some(0),
        unread_mentions: Vec::new(),
        people: Vec::new(),
        thread: None,
        overrides: Vec::new(),
        slow_mode: 0,
        archived_at: None,
        retention: None,
    }
}

fn message(seq: i64, author: i64, content: &str) -> Message {
    Message {
        id: (1_000 + seq).into(),
        channel_id: general(),
        seq,
        version: seq,
        author: summary(author).into(),
        user: summary(author).into(),
        content: content.into(),
        nonce: None,
        edited_at: None,
        deleted_at: None,
        reactions: Vec::new(),
        mentions: Vec::new(),
        pinned: false,
        files: Vec::new(),
        previews: Vec::new(),
        thread: None,
        created_at: Timestamp::from(NOON + seq * 1_000),
    }
}

fn ready(last_seq: i64) -> Event {
    Event::Ready(Box::new(Ready {
        session_id: 1.into(),
        user: User {
            summary: summary(ME),
            guest: false,
            email: None,
            about: None,
            time_zone: None,
            created_at: Timestamp::from(NOON),
        },
        heartbeat_interval_ms: 30_000,
        server_time: Timestamp::from(NOON),
        workspaces: vec![Workspace {
            id: 10.into(),
            name: "Yard".into(),
            open: true,
            allow_guests: true,
            edit_history: EditHistory::Everyone,
            retention: Retention::default(),
            emoji_version: 0,
            default_channel_id: general(),
            created_at: Timestamp::from(NOON),
            role: Some(Role::Member),
        }],
        channels: vec![channel(RANDOM, "잡담", 0), channel(GENERAL, "general", last_seq)],
        online: Vec::new(),
        users_version: 0,
        presence: vec![Presence::of(ME.into(), Status::Online, None)],
        changes: vec![],
        resync: vec![],
        notifications: madang_client::proto::notifications::NotificationCount::default(),
        sanctions: vec![],
        settings: Settings::default(),
    }))
}

/// Someone at the keyboard, and what they had the client do.
struct Desk {
    model: Model,
    state: State,
    done: Vec<Cmd>,
}

impl Desk {
    /// Signed in, `#general` shown with these messages, given as author and content.
    fn with(messages: &[(i64, &str)]) -> Self {
        let now = Instant::now();
        let mut state = State::default();
        let count = i64::try_from(messages.len()).unwrap();
        state.apply(ready(count), now);
        state.connection = ConnectionStatus::Online;
        let mut model = Model::new("http://localhost:8080", None, TimeZone::UTC, now);
        update(&mut model, Msg::Resize(80, 20));
        let mut desk = Self { model, state, done: Vec::new() };
        desk.happen(Msg::SignedIn(Arc::new(desk.state.clone())));
        let page: Vec<Message> =
            (1..).zip(messages).map(|(seq, (author, content))| message(seq, *author, content)).collect();
        let number = desk.state.expect_page(general());
        assert!(desk.state.put_page(general(), number, Some(&page)));
        desk.changed();
        desk.happen(Msg::Loaded(general()));
        desk.done.clear();
        desk
    }

    fn happen(&mut self, msg: Msg) {
        self.done.extend(update(&mut self.model, msg));
    }

    fn changed(&mut self) {
        self.happen(Msg::State(Arc::new(self.state.clone())));
    }

    fn hear(&mut self, event: Event) {
        self.state.apply(event, self.model.now);
        self.changed();
    }

    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) -> &mut Self {
        self.happen(Msg::Key(KeyEvent::new(code, modifiers)));
        self
    }

    fn key(&mut self, code: KeyCode) -> &mut Self {
        self.press(code, KeyModifiers::NONE)
    }

    fn control(&mut self, c: char) -> &mut Self {
        self.press(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.key(KeyCode::Char(c));
        }
        self
    }

    /// What was done since the last time, without reports of typing and reading.
    fn done(&mut self) -> Vec<Cmd> {
        let done = std::mem::take(&mut self.done);
        done.into_iter().filter(|cmd| !matches!(cmd, Cmd::Typing { .. } | Cmd::MarkRead { .. })).collect()
    }

    fn chat(&self) -> &Chat {
        match &self.model.screen {
            Screen::Chat(chat) => chat,
            Screen::Login(_) => panic!("not signed in"),
        }
    }

    /// The screen as lines, without spaces at their ends.
    fn screen(&self) -> Vec<String> {
        screen(&self.model).0
    }

    fn sees(&self, text: &str) -> bool {
        self.screen().iter().any(|line| line.contains(text))
    }
}

/// The screen as lines, and the cursor's column and row.
fn screen(model: &Model) -> (Vec<String>, (u16, u16)) {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| view::draw(model, frame)).unwrap();
    let cursor = terminal.get_cursor_position().unwrap();
    let buffer = terminal.backend().buffer();
    let lines = (0..buffer.area.height).map(|y| {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(crate::text::width(symbol).max(1)).unwrap();
        }
        line.trim_end().to_owned()
    });
    (lines.collect(), (cursor.x, cursor.y))
}

fn user(id: i64) -> UserId {
    id.into()
}
