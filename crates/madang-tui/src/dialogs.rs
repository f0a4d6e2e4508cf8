//! What opens above the chat: going to a channel, joining one, making one, questions, help.

use crossterm::event::{KeyCode, KeyEvent};
use madang_client::proto::{
    ChannelId, MessageId, WorkspaceId,
    channels::{Channel, ChannelKind},
};
use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph},
};

use crate::{
    channels::{listed, title},
    composer::{Input, Typed},
    login,
    model::{Chat, Cmd, Model},
    text, theme,
};

/// What is open.
#[derive(Debug)]
pub enum Dialog {
    Help,
    /// Among one's own channels.
    Switch {
        filter: Input,
        chosen: usize,
    },
    /// Among those that one could join.
    Browse {
        filter: Input,
        chosen: usize,
    },
    Create {
        workspace: WorkspaceId,
        name: Input,
        kind: ChannelKind,
    },
    Delete(MessageId),
    Leave(ChannelId),
}

/// What a key did to a dialog.
#[derive(Debug)]
pub enum Outcome {
    /// It stays open.
    Open,
    /// It closes.
    Close,
    /// It closes, and this is to be done.
    Do(Cmd),
    /// It closes, and this channel is shown.
    Show(ChannelId),
}

/// A channel that can be chosen.
struct Choice {
    id: ChannelId,
    name: String,
    note: String,
}

fn fits(filter: &Input, name: &str) -> bool {
    let wanted = filter.text().trim().trim_start_matches(['#', '@']).to_lowercase();
    name.to_lowercase().contains(&wanted)
}

fn own(chat: &Chat, filter: &Input) -> Vec<Choice> {
    let me = chat.state.my_id();
    let fitting = listed(chat).into_iter().filter(|channel| fits(filter, &title(channel.facts(), me)));
    let choice = |channel: &madang_client::state::ChannelState| Choice {
        id: channel.id(),
        name: title(channel.facts(), me),
        note: if channel.unread() > 0 { channel.unread().to_string() } else { String::new() },
    };
    fitting.map(choice).collect()
}

fn joinable(chat: &Chat, filter: &Input) -> Vec<Choice> {
    let fitting = chat.joinable().into_iter().filter(|channel| fits(filter, &channel.name));
    let choice = |channel: &Channel| Choice {
        id: channel.id,
        name: title(channel, None),
        note: text::shown_line(&channel.topic),
    };
    fitting.map(choice).collect()
}

fn choose(key: KeyEvent, filter: &mut Input, chosen: &mut usize, count: usize) {
    match key.code {
        KeyCode::Down | KeyCode::Tab => *chosen = (*chosen + 1) % count.max(1),
        KeyCode::Up | KeyCode::BackTab => *chosen = (*chosen + count.max(1) - 1) % count.max(1),
        _ => {
            if filter.key(key) == Typed::Changed {
                *chosen = 0;
            }
        }
    }
}

fn confirmed(key: KeyEvent, cmd: Cmd) -> Outcome {
    match key.code {
        // On a Korean keyboard the same key types ㅛ.
        KeyCode::Char('y' | 'Y' | 'ㅛ') => Outcome::Do(cmd),
        KeyCode::Char('n' | 'N' | 'ㅜ') => Outcome::Close,
        _ => Outcome::Open,
    }
}

/// A key while a dialog is open.
pub fn key(chat: &mut Chat, key: KeyEvent) -> Outcome {
    let Some(mut dialog) = chat.dialog.take() else { return Outcome::Close };
    let outcome = match (&mut dialog, key.code) {
        (_, KeyCode::Esc) | (Dialog::Help, _) => Outcome::Close,
        (Dialog::Switch { filter, chosen }, code) => {
            let choices = own(chat, filter);
            match (code, choices.get(*chosen)) {
                (KeyCode::Enter, Some(choice)) => Outcome::Show(choice.id),
                (KeyCode::Enter, None) => Outcome::Open,
                _ => {
                    choose(key, filter, chosen, choices.len());
                    Outcome::Open
                }
            }
        }
        (Dialog::Browse { filter, chosen }, code) => {
            let choices = joinable(chat, filter);
            match (code, choices.get(*chosen)) {
                (KeyCode::Enter, Some(choice)) => Outcome::Do(Cmd::Join(choice.id)),
                (KeyCode::Enter, None) => Outcome::Open,
                _ => {
                    choose(key, filter, chosen, choices.len());
                    Outcome::Open
                }
            }
        }
        (Dialog::Create { workspace, name, kind }, KeyCode::Enter) => {
            let wanted = name.text().trim().trim_start_matches('#').trim().to_owned();
            if wanted.is_empty() {
                Outcome::Open
            } else {
                Outcome::Do(Cmd::Create { workspace: *workspace, name: wanted, kind: *kind })
            }
        }
        (Dialog::Create { kind, .. }, KeyCode::Tab | KeyCode::BackTab) => {
            *kind = match kind {
                ChannelKind::Public => ChannelKind::Private,
                _ => ChannelKind::Public,
            };
            Outcome::Open
        }
        (Dialog::Create { name, .. }, _) => {
            name.key(key);
            Outcome::Open
        }
        (Dialog::Delete(message), _) => confirmed(key, Cmd::Delete(*message)),
        (Dialog::Leave(channel), _) => confirmed(key, Cmd::Leave(*channel)),
    };
    if matches!(outcome, Outcome::Open) {
        chat.dialog = Some(dialog);
    }
    outcome
}

/// Text, at once.
pub fn paste(dialog: &mut Dialog, pasted: &str) {
    let pasted = text::clean_line(pasted.trim());
    match dialog {
        Dialog::Switch { filter, chosen } | Dialog::Browse { filter, chosen } => {
            filter.insert(&pasted);
            *chosen = 0;
        }
        Dialog::Create { name, .. } => name.insert(&pasted),
        Dialog::Help | Dialog::Delete(_) | Dialog::Leave(_) => {}
    }
}

fn popup(frame: &mut Frame<'_>, title: &str, width: u16, height: u16) -> Rect {
    let [area] = Layout::vertical([Constraint::Length(height + 2)]).flex(Flex::Center).areas(frame.area());
    let [area] = Layout::horizontal([Constraint::Max(width)]).flex(Flex::Center).areas(area);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(Line::styled(format!(" {title} "), theme::TITLE));
    let inner = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    inner
}

fn draw_choices(
    frame: &mut Frame<'_>,
    title: &str,
    filter: &Input,
    choices: &[Choice],
    chosen: usize,
    empty: &str,
) {
    const SHOWN: usize = 10;
    let inner = popup(frame, title, 60, 12);
    let width = usize::from(inner.width);
    let (shown, column) = login::window(filter, width.saturating_sub(2), false);
    let mut lines =
        vec![Line::from(vec![Span::styled("> ", theme::QUIET), Span::raw(shown)]), Line::default()];
    let first = (chosen + 1).saturating_sub(SHOWN);
    for (place, choice) in choices.iter().enumerate().skip(first).take(SHOWN) {
        let style = if place == chosen { theme::CHOSEN } else { Style::new() };
        let name = text::fit(&choice.name, width);
        let room = width.saturating_sub(text::width(&name) + 2);
        lines.push(Line::from(vec![
            Span::styled(name, style),
            Span::styled(format!("  {}", text::fit(&choice.note, room)), theme::QUIET),
        ]));
    }
    if choices.is_empty() {
        lines.push(Line::styled(empty.to_owned(), theme::QUIET));
    }
    frame.render_widget(Paragraph::new(lines), inner);
    frame.set_cursor_position(login::place(inner, column + 2, 0));
}

fn draw_question(model: &Model, frame: &mut Frame<'_>, question: &str) {
    let inner = popup(frame, question, 40, 1);
    frame.render_widget(Paragraph::new(Line::styled(model.texts.yes_no, theme::QUIET)), inner);
}

/// Draws what is open.
pub fn draw(model: &Model, chat: &Chat, dialog: &Dialog, frame: &mut Frame<'_>) {
    let texts = model.texts;
    match dialog {
        Dialog::Help => {
            let height = u16::try_from(texts.help.len()).unwrap_or(20);
            let inner = popup(frame, texts.help_title, 64, height);
            let line = |(key, what): &(&'static str, &'static str)| {
                let gap = " ".repeat(24usize.saturating_sub(text::width(key)));
                Line::from(vec![Span::styled(*key, theme::TITLE), Span::raw(gap), Span::raw(*what)])
            };
            let lines: Vec<_> = texts.help.iter().map(line).collect();
            frame.render_widget(Paragraph::new(lines), inner);
        }
        Dialog::Switch { filter, chosen } => {
            let choices = own(chat, filter);
            draw_choices(frame, texts.switch_title, filter, &choices, *chosen, "");
        }
        Dialog::Browse { filter, chosen } => {
            let choices = joinable(chat, filter);
            draw_choices(frame, texts.browse_title, filter, &choices, *chosen, texts.browse_empty);
        }
        Dialog::Create { name, kind, .. } => {
            let inner = popup(frame, texts.create_title, 56, 4);
            let label = format!("{}: ", texts.name);
            let start = text::width(&label);
            let (shown, column) = login::window(name, usize::from(inner.width).saturating_sub(start), false);
            let of = |wanted: ChannelKind| if wanted == *kind { theme::CHOSEN } else { theme::QUIET };
            let lines = vec![
                Line::from(vec![Span::styled(label, theme::QUIET), Span::raw(shown)]),
                Line::from(vec![
                    Span::styled(format!(" {} ", texts.public), of(ChannelKind::Public)),
                    Span::styled(format!(" {} ", texts.private), of(ChannelKind::Private)),
                ]),
                Line::default(),
                Line::styled(texts.create_keys, theme::QUIET),
            ];
            frame.render_widget(Paragraph::new(lines), inner);
            frame.set_cursor_position(login::place(inner, start + column, 0));
        }
        Dialog::Delete(_) => draw_question(model, frame, texts.delete_question),
        Dialog::Leave(_) => draw_question(model, frame, texts.leave_question),
    }
}
