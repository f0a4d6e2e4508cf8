//! What happens: one pure function from the model and a message to the model after it and what is to be
//! done.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use madang_client::{
    ConnectionStatus, State,
    outbox::Progress,
    proto::{ChannelId, channels::ChannelKind, limits},
    state::ChannelState,
    status::EndReason,
};

use crate::{
    channels,
    composer::{Input, Typed},
    dialogs::{self, Dialog, Outcome},
    editing,
    login::{Field, Form},
    messages,
    model::{Chat, Cmd, Model, Msg, Screen},
    view, watching,
};

/// How often typing is reported while it goes on.
const TYPING_EVERY: Duration = Duration::from_secs(3);
/// How long to wait before a page that failed is asked for again.
const LOAD_AGAIN: Duration = Duration::from_secs(3);

/// Takes in what happened.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    match msg {
        Msg::Tick(now) => model.now = now,
        Msg::Resize(width, height) => model.size = (width, height),
        Msg::Focus(focused) => model.focused = focused,
        Msg::Key(key) if key.kind == KeyEventKind::Release => return Vec::new(),
        Msg::Key(key) if quits(key) => {
            model.quit = true;
            return Vec::new();
        }
        Msg::SignedIn(state) => {
            let mut chat = Box::new(Chat::new(state));
            let first = channels::listed(&chat).first().map(|channel| channel.id());
            show(&mut chat, first);
            model.screen = Screen::Chat(chat);
        }
        msg => {
            let mut screen = std::mem::replace(&mut model.screen, Screen::Login(Form::default()));
            let mut cmds = match &mut screen {
                Screen::Login(form) => on_login(form, msg),
                Screen::Chat(chat) => on_chat(model, chat, msg),
            };
            // Signing out has put another screen there.
            if !cmds.contains(&Cmd::SignOut) {
                model.screen = screen;
                cmds.extend(follow_up(model));
            }
            return cmds;
        }
    }
    follow_up(model)
}

fn quits(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'q'))
}

fn on_login(form: &mut Form, msg: Msg) -> Vec<Cmd> {
    match msg {
        Msg::Key(key) => return form.key(key),
        Msg::Paste(text) => form.paste(&text),
        Msg::NotSignedIn(why) => {
            form.busy = false;
            form.error = Some(why);
        }
        _ => {}
    }
    Vec::new()
}

fn on_chat(model: &mut Model, chat: &mut Chat, msg: Msg) -> Vec<Cmd> {
    match msg {
        Msg::Key(key) if chat.dialog.is_some() => on_dialog(chat, key),
        Msg::Key(key) => on_key(model, chat, key),
        Msg::Paste(text) => {
            match &mut chat.dialog {
                Some(dialog) => dialogs::paste(dialog, &text),
                None => chat.composer.insert(&text),
            }
            Vec::new()
        }
        Msg::State(state) => on_state(model, chat, state),
        Msg::Loaded(id) | Msg::NotLoaded(id) => {
            if chat.current == Some(id) {
                chat.loading = false;
                let failed = matches!(msg, Msg::NotLoaded(_));
                chat.load_after = failed.then(|| model.now + LOAD_AGAIN);
            }
            Vec::new()
        }
        Msg::Entered(id) => {
            show(chat, Some(id));
            Vec::new()
        }
        Msg::NotTaken { channel, content, why } => {
            if chat.current == Some(channel) && chat.editing.is_none() {
                chat.composer.insert(&content);
            } else {
                chat.drafts.insert(channel, Input::new(&content));
            }
            chat.notify(why, model.now);
            Vec::new()
        }
        Msg::Failed(why) => {
            chat.notify(why, model.now);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn on_state(model: &mut Model, chat: &mut Chat, state: Arc<State>) -> Vec<Cmd> {
    if let ConnectionStatus::Ended { reason } = &state.connection
        && *reason != EndReason::Asked
    {
        let error = match reason {
            EndReason::SignedOut => model.texts.signed_out.to_owned(),
            EndReason::Refused(why) => why.clone(),
            EndReason::Closed(_) | EndReason::Asked => model.texts.ended.to_owned(),
        };
        let username = chat.state.me().filter(|me| !me.guest).map(|me| me.summary.username.clone());
        let focus = if username.is_some() { Field::Password } else { Field::Username };
        let username = Input::new(&username.unwrap_or_default());
        model.screen = Screen::Login(Form { error: Some(error), username, focus, ..Form::default() });
        return vec![Cmd::SignOut];
    }
    let online = state.connection.is_online();
    if online && !chat.was_online {
        // What was said before the connection was lost may not have been heard.
        chat.marked.clear();
        chat.load_after = None;
    }
    if !online {
        chat.typed_at = None;
    }
    chat.was_online = online;
    chat.state = state;
    editing::check(chat);
    if chat.channel().is_none() {
        let first = channels::listed(chat).first().map(|channel| channel.id());
        show(chat, first);
    }
    Vec::new()
}

/// Shows another channel; what was being written stays with the old one.
pub fn show(chat: &mut Chat, id: Option<ChannelId>) {
    if chat.current == id {
        return;
    }
    editing::cancel(chat);
    if let Some(old) = chat.current {
        let draft = std::mem::take(&mut chat.composer);
        if draft.is_empty() {
            chat.drafts.remove(&old);
        } else {
            chat.drafts.insert(old, draft);
        }
    }
    chat.current = id;
    chat.composer = id.and_then(|id| chat.drafts.get(&id).cloned()).unwrap_or_default();
    chat.anchor = None;
    chat.loading = false;
    chat.load_after = None;
    chat.typed_at = None;
    chat.read_before =
        chat.channel().filter(|channel| channel.unread() > 0).map_or(0, ChannelState::last_read_seq);
    chat.read_version = chat.channel().map_or(0, |channel| channel.facts().read_version);
    // What is unread again may have been reported before.
    id.and_then(|id| chat.marked.remove(&id));
}

fn on_dialog(chat: &mut Chat, key: KeyEvent) -> Vec<Cmd> {
    match dialogs::key(chat, key) {
        Outcome::Open | Outcome::Close => Vec::new(),
        Outcome::Show(id) => {
            show(chat, Some(id));
            Vec::new()
        }
        Outcome::Do(cmd) => {
            if matches!(cmd, Cmd::Delete(_)) {
                editing::cancel(chat);
            }
            vec![cmd]
        }
    }
}

fn on_key(model: &mut Model, chat: &mut Chat, key: KeyEvent) -> Vec<Cmd> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let space = view::message_space(model, chat);
    let width = view::composer_text_width(model, chat);
    match key.code {
        KeyCode::F(1) => chat.dialog = Some(Dialog::Help),
        KeyCode::Char('g') if control => chat.dialog = Some(Dialog::Help),
        KeyCode::Char('k') if control => {
            chat.dialog = Some(Dialog::Switch { filter: Input::default(), chosen: 0 });
        }
        KeyCode::Char('o') if control => {
            chat.dialog = Some(Dialog::Browse { filter: Input::default(), chosen: 0 });
            return chat.state.workspaces().map(|workspace| Cmd::LoadDirectory(workspace.id)).collect();
        }
        KeyCode::Char('n') if control => {
            if let Some(workspace) = chat.workspace() {
                let name = Input::default();
                chat.dialog = Some(Dialog::Create { workspace, name, kind: ChannelKind::Public });
            }
        }
        KeyCode::Char('x') if control => chat.dialog = chat.current.map(Dialog::Leave),
        KeyCode::Char('l') if control => return vec![Cmd::Reconnect, Cmd::Redraw],
        KeyCode::Char('r') if control => return refused(chat).into_iter().map(Cmd::Retry).collect(),
        KeyCode::Char('d') if control => match &chat.editing {
            Some(editing) => chat.dialog = Some(Dialog::Delete(editing.message)),
            None => return refused(chat).into_iter().map(Cmd::Discard).collect(),
        },
        KeyCode::Char('j') if control => return typed(model, chat, "\n"),
        KeyCode::Enter if alt || shift || control => return typed(model, chat, "\n"),
        KeyCode::Enter => return submit(model, chat),
        KeyCode::Up | KeyCode::Down if alt => {
            let next = channels::neighbour(chat, key.code == KeyCode::Down);
            show(chat, next.or(chat.current));
        }
        KeyCode::PageUp => return scroll_up(model, chat, space.1.saturating_sub(2).max(1), space),
        KeyCode::Up if shift || control => return scroll_up(model, chat, 1, space),
        KeyCode::PageDown => {
            chat.anchor = messages::down(model, chat, space.1.saturating_sub(2).max(1), space.0);
        }
        KeyCode::Down if shift || control => chat.anchor = messages::down(model, chat, 1, space.0),
        KeyCode::End if control || chat.composer.is_empty() => chat.anchor = None,
        KeyCode::Esc if chat.editing.is_some() => editing::cancel(chat),
        KeyCode::Esc => chat.notice = None,
        KeyCode::Up if editing::steps(chat) => editing::earlier(chat),
        KeyCode::Down if chat.editing.is_some() && editing::steps(chat) => editing::later(chat),
        KeyCode::Up => _ = chat.composer.move_row(false, width),
        KeyCode::Down => _ = chat.composer.move_row(true, width),
        _ => {
            if chat.composer.key(key) == Typed::Changed {
                return say_typing(model, chat);
            }
        }
    }
    Vec::new()
}

fn typed(model: &Model, chat: &mut Chat, text: &str) -> Vec<Cmd> {
    chat.composer.insert(text);
    say_typing(model, chat)
}

fn say_typing(model: &Model, chat: &mut Chat) -> Vec<Cmd> {
    let Some(channel) = chat.current else { return Vec::new() };
    if chat.editing.is_some() || !chat.state.connection.is_online() {
        return Vec::new();
    }
    if chat.composer.is_empty() {
        let said = chat.typed_at.take().is_some();
        return if said { vec![Cmd::Typing { channel, typing: false }] } else { Vec::new() };
    }
    if chat.typed_at.is_some_and(|at| model.now < at + TYPING_EVERY) {
        return Vec::new();
    }
    chat.typed_at = Some(model.now);
    vec![Cmd::Typing { channel, typing: true }]
}

fn submit(model: &Model, chat: &mut Chat) -> Vec<Cmd> {
    let Some(channel) = chat.current else { return Vec::new() };
    if chat.composer.text().chars().count() > limits::CONTENT_CHARS {
        chat.notify(model.texts.too_long, model.now);
        return Vec::new();
    }
    if let Some(editing) = &chat.editing {
        let (message, content) = (editing.message, chat.composer.text().to_owned());
        if content.trim().is_empty() {
            chat.dialog = Some(Dialog::Delete(message));
            return Vec::new();
        }
        if !chat.state.connection.is_online() {
            chat.notify(model.texts.offline_for_this, model.now);
            return Vec::new();
        }
        let changed = content != editing.original;
        editing::cancel(chat);
        return if changed { vec![Cmd::Edit { message, content }] } else { Vec::new() };
    }
    if chat.composer.text().trim().is_empty() {
        return Vec::new();
    }
    let content = chat.composer.take();
    chat.anchor = None;
    chat.typed_at = None;
    vec![Cmd::Send { channel, content }]
}

fn refused(chat: &Chat) -> Vec<String> {
    let of_channel = chat.current.into_iter().flat_map(|id| chat.state.outbox.of_channel(id));
    let refused = of_channel.filter(|pending| matches!(pending.progress, Progress::Refused(_)));
    refused.map(|pending| pending.nonce.clone()).collect()
}

fn scroll_up(model: &Model, chat: &mut Chat, rows: usize, space: (usize, usize)) -> Vec<Cmd> {
    let (anchor, wants_older) = messages::up(model, chat, rows, space);
    chat.anchor = anchor;
    if wants_older { load_older(model.now, chat) } else { Vec::new() }
}

fn load_older(now: Instant, chat: &mut Chat) -> Vec<Cmd> {
    let older = chat.channel().is_some_and(|channel| channel.is_open() && channel.has_older());
    match chat.current {
        Some(id) if older && may_load(now, chat) => {
            chat.loading = true;
            vec![Cmd::LoadOlder(id)]
        }
        _ => Vec::new(),
    }
}

fn may_load(now: Instant, chat: &Chat) -> bool {
    !chat.loading && chat.state.connection.is_online() && chat.load_after.is_none_or(|at| at <= now)
}

/// What follows from how things are, whatever happened: load what is shown, report what is read.
fn follow_up(model: &mut Model) -> Vec<Cmd> {
    let mut screen = std::mem::replace(&mut model.screen, Screen::Login(Form::default()));
    let mut cmds = Vec::new();
    if let Screen::Chat(chat) = &mut screen {
        if chat.notice.as_ref().is_some_and(|(_, until)| *until <= model.now) {
            chat.notice = None;
        }
        cmds.extend(load_shown(model, chat));
        cmds.extend(mark_read(model, chat));
        cmds.extend(watching::follow(chat));
    }
    model.screen = screen;
    cmds
}

fn load_shown(model: &Model, chat: &mut Chat) -> Vec<Cmd> {
    let Some(channel) = chat.channel() else { return Vec::new() };
    if !may_load(model.now, chat) {
        return Vec::new();
    }
    let id = channel.id();
    if !channel.is_open() {
        let members = channel.members().is_none().then_some(Cmd::LoadMembers(id));
        chat.loading = true;
        return [Some(Cmd::LoadNewest(id)), members].into_iter().flatten().collect();
    }
    // A page may not fill the screen.
    let (width, height) = view::message_space(model, chat);
    let short = messages::rows_above(model, chat, None, height, width).len() < height;
    if short { load_older(model.now, chat) } else { Vec::new() }
}

fn mark_read(model: &Model, chat: &mut Chat) -> Vec<Cmd> {
    let Some(channel) = chat.channel() else { return Vec::new() };
    let sees_newest = model.focused && chat.anchor.is_none() && !channel.has_newer();
    if !sees_newest || !chat.state.connection.is_online() || !channel.is_open() {
        return Vec::new();
    }
    let Some(newest) = channel.messages().next_back() else { return Vec::new() };
    let id = channel.id();
    if channel.facts().read_version != chat.read_version {
        return Vec::new();
    }
    let said = chat.marked.get(&id).copied().unwrap_or(0).max(channel.last_read_seq());
    if newest.seq <= said {
        return Vec::new();
    }
    let cmd = Cmd::MarkRead { channel: id, message: newest.id };
    let seq = newest.seq;
    chat.marked.insert(id, seq);
    vec![cmd]
}
