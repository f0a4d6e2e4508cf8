//! The screen: where everything is, and the parts that are nobody else's (header, typing line, composer,
//! status line).
//!
//! Invariants:
//! - Drawing changes nothing: the same model gives the same screen.

use std::time::Instant;

use madang_client::{
    ConnectionStatus,
    proto::{close::CloseCode, error::ErrorCode},
    status::OfflineReason,
};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph},
};

use crate::{
    channels, dialogs, login, messages,
    model::{Chat, Model, Screen},
    text, theme,
};

/// Most rows that the composer grows to.
const COMPOSER_ROWS: usize = 6;
/// Below this there is no room for the list of channels.
const WIDE: u16 = 64;
/// Below this there is no room for anything.
const SMALLEST: (u16, u16) = (20, 8);

/// Where everything is.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    pub list: Option<Rect>,
    pub header: Rect,
    pub messages: Rect,
    pub typing: Rect,
    pub composer: Rect,
    pub status: Rect,
}

/// Where everything is on a screen of the model's size.
pub fn areas(model: &Model, chat: &Chat) -> Areas {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    let [above, status] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(screen);
    let (list, main) = if screen.width >= WIDE {
        let [list, main] =
            Layout::horizontal([Constraint::Length((screen.width / 4).min(30)), Constraint::Fill(1)])
                .areas(above);
        (Some(list), main)
    } else {
        (None, above)
    };
    let rows = chat.composer.rows(composer_width(main.width)).len().clamp(1, COMPOSER_ROWS);
    let rows = u16::try_from(rows).unwrap_or(1).min(screen.height / 3).max(1);
    let [header, messages, typing, composer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(rows + 2),
    ])
    .areas(main);
    Areas { list, header, messages, typing, composer, status }
}

fn composer_width(outer: u16) -> usize {
    usize::from(outer.saturating_sub(4))
}

/// How wide the composer's text can be.
pub fn composer_text_width(model: &Model, chat: &Chat) -> usize {
    composer_width(areas(model, chat).composer.width)
}

/// How many columns and rows the messages have.
pub fn message_space(model: &Model, chat: &Chat) -> (usize, usize) {
    let area = areas(model, chat).messages;
    (usize::from(area.width), usize::from(area.height))
}

/// Draws the whole screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        frame.render_widget(Paragraph::new(model.texts.too_small), area);
        return;
    }
    match &model.screen {
        Screen::Login(form) => login::draw(model, form, frame),
        Screen::Chat(chat) => draw_chat(model, chat, frame),
    }
}

fn draw_chat(model: &Model, chat: &Chat, frame: &mut Frame<'_>) {
    let areas = areas(model, chat);
    if let Some(list) = areas.list {
        channels::draw(model, chat, frame, list);
    }
    draw_header(model, chat, frame, areas.header);
    if chat.channel().is_some() {
        messages::draw(model, chat, frame, areas.messages);
    } else {
        let text = if chat.state.connection.is_online() { model.texts.no_channel } else { "" };
        frame.render_widget(Paragraph::new(Line::styled(text, theme::QUIET)), areas.messages);
    }
    draw_typing(model, chat, frame, areas.typing);
    draw_composer(model, chat, frame, areas.composer);
    draw_status(model, chat, frame, areas.status);
    if let Some(dialog) = &chat.dialog {
        dialogs::draw(model, chat, dialog, frame);
    }
}

fn draw_header(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let Some(channel) = chat.channel() else { return };
    let facts = channel.facts();
    let mut spans = vec![
        Span::styled(channels::title(facts, chat.state.my_id()), theme::TITLE),
        Span::styled(format!("  {}", model.texts.members(facts.member_count)), theme::QUIET),
    ];
    if let Some(online) = chat.state.online(facts.workspace_id) {
        spans.push(Span::styled(format!("  {}", model.texts.there(online)), theme::QUIET));
    }
    if !facts.topic.is_empty() {
        spans.push(Span::styled(format!("  {}", text::shown_line(&facts.topic)), theme::QUIET));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn draw_typing(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let Some(channel) = chat.channel() else { return };
    let name = |id| chat.state.user(id).map(|user| text::shown_line(&user.display_name));
    let names: Vec<String> =
        channel.typing(model.now).map(|id| name(id).unwrap_or_else(|| "?".to_owned())).collect();
    let line = Line::styled(model.texts.typing(&names), theme::QUIET);
    frame.render_widget(Paragraph::new(line), area);
}

fn draw_composer(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let texts = model.texts;
    let mut block = Block::bordered().border_type(BorderType::Rounded);
    if chat.editing.is_some() {
        block = block
            .border_style(theme::WARNING)
            .title(Line::styled(format!(" {} ", texts.editing), theme::TITLE))
            .title_bottom(Line::styled(format!(" {} ", texts.editing_keys), theme::QUIET));
    }
    let mut inner = block.inner(area);
    inner.x += 1;
    inner.width = inner.width.saturating_sub(2);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let (row, column) = chat.composer.cursor_at(width);
    let height = usize::from(inner.height);
    let first = (row + 1).saturating_sub(height);
    if chat.composer.is_empty() {
        frame.render_widget(Paragraph::new(Line::styled(texts.write_here, theme::QUIET)), inner);
    } else {
        let rows = chat.composer.rows(width).into_iter().skip(first).take(height);
        let lines: Vec<Line<'static>> = rows.map(|row| Line::raw(row.to_owned())).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }
    if chat.dialog.is_none() {
        frame.set_cursor_position(login::place(inner, column, row - first));
    }
}

/// What the connection is like, in words.
fn connection(model: &Model, chat: &Chat) -> (String, Style) {
    let texts = model.texts;
    match &chat.state.connection {
        ConnectionStatus::Online => (texts.online.to_owned(), theme::QUIET),
        ConnectionStatus::Connecting => (texts.connecting.to_owned(), theme::WARNING),
        ConnectionStatus::Offline { reason, retry_at } => {
            let reason = match reason {
                OfflineReason::Unreachable(_) => texts.unreachable,
                OfflineReason::Closed(code) if *code == CloseCode::Restarting.number() => texts.restarting,
                OfflineReason::Refused(ErrorCode::RateLimited | ErrorCode::Unavailable) => texts.too_busy,
                OfflineReason::Lost
                | OfflineReason::Silent
                | OfflineReason::Asked
                | OfflineReason::Closed(_)
                | OfflineReason::Refused(_) => texts.lost,
            };
            (texts.offline(reason, retry_at.map(|at| seconds_until(at, model.now))), theme::WARNING)
        }
        ConnectionStatus::Ended { .. } => (texts.ended.to_owned(), theme::WRONG),
    }
}

fn seconds_until(at: Instant, now: Instant) -> u64 {
    at.saturating_duration_since(now).as_millis().div_ceil(1_000).try_into().unwrap_or(0)
}

fn draw_status(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let (mut said, mut style) = connection(model, chat);
    let waiting = chat.state.outbox.iter().count();
    if waiting > 0 && !chat.state.connection.is_online() {
        said = format!("{said} · {}", model.texts.on_their_way(waiting));
    }
    if let Some((notice, _)) = &chat.notice {
        (said, style) = (text::shown_line(notice), theme::WRONG);
    }
    let me = chat.state.me().map_or_else(String::new, |me| text::shown_line(&me.summary.display_name));
    let left = vec![Span::styled(format!("{me} "), theme::TITLE), Span::styled(said, style)];
    let left = Line::from(left);
    let room = usize::from(area.width).saturating_sub(left.width() + 2);
    let keys = Line::styled(text::fit(model.texts.keys, room), theme::QUIET).right_aligned();
    if room > 8 {
        frame.render_widget(Paragraph::new(keys), area);
    }
    let width = u16::try_from(left.width()).unwrap_or(area.width).min(area.width);
    frame.render_widget(Paragraph::new(left), Rect { width, ..area });
}
