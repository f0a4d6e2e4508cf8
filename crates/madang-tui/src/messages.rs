//! The messages of a channel as rows of the screen, and moving through them.
//!
//! A message makes a block of rows: perhaps a day, perhaps the line "new", perhaps its author, its text.
//! Only as many blocks are made as the screen needs, from the lowest row that is shown upwards, so a long
//! history costs nothing.
//!
//! Invariants:
//! - Where one has scrolled to is a row of a message, not a distance: what comes in below or above moves
//!   nothing.

use std::sync::Arc;

use jiff::{Timestamp, Zoned, tz::TimeZone};
use madang_client::{
    outbox::{Pending, Progress},
    proto::{UserId, messages::Message, reactions::Reaction},
};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::{
    model::{Anchor, Chat, Model},
    text, theme,
};

/// Messages of one author within this time stand under one name.
const TOGETHER_MS: i64 = 5 * 60 * 1000;
/// The key of rows that belong to messages on their way.
const PENDING: i64 = i64::MAX;
/// The key of the row above the first message.
const TOP: i64 = 0;

/// A row of the screen, and the place that it is.
#[derive(Debug, Clone)]
pub struct Row {
    pub at: Anchor,
    pub line: Line<'static>,
}

fn local(zone: &TimeZone, millis: i64) -> Zoned {
    Timestamp::from_millisecond(millis).unwrap_or_default().to_zoned(zone.clone())
}

fn name_line(model: &Model, chat: &Chat, user: UserId, name: &str, millis: Option<i64>) -> Line<'static> {
    let (dot, style) = theme::presence(chat.status_of(user));
    let time =
        millis.map_or_else(String::new, |millis| local(&model.zone, millis).strftime("  %H:%M").to_string());
    Line::from(vec![
        Span::styled(format!("{dot} "), style),
        Span::styled(text::shown_line(name), theme::name(user)),
        Span::styled(time, theme::QUIET),
    ])
}

fn centred(label: &str, width: usize, style: Style) -> Line<'static> {
    let label = format!(" {} ", text::fit(label, width.saturating_sub(4)));
    let rest = width.saturating_sub(text::width(&label));
    let line = format!("{}{label}{}", "─".repeat(rest / 2), "─".repeat(rest - rest / 2));
    Line::styled(line, style)
}

fn body(content: &str, note: Option<&str>, style: Style, edge: &str, width: usize) -> Vec<Line<'static>> {
    let content = text::shown(content);
    let mut lines: Vec<Line<'static>> = text::wrap(&content, width.saturating_sub(2))
        .into_iter()
        .map(|row| {
            Line::from(vec![
                Span::raw(edge.to_owned()),
                Span::styled(content[row].trim_end_matches(' ').to_owned(), style),
            ])
        })
        .collect();
    if let Some(note) = note {
        let note = Span::styled(format!(" {note}"), theme::QUIET);
        match lines.last_mut() {
            Some(last) if last.width() + note.width() <= width => last.push_span(note),
            _ => lines.push(Line::from(vec![Span::raw(edge.to_owned()), note])),
        }
    }
    lines
}

/// Bytes as people say them.
fn amount(bytes: i64) -> String {
    if bytes < 1_000 {
        format!("{bytes} B")
    } else if bytes < 1_000_000 {
        format!("{} kB", bytes / 1_000)
    } else {
        format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
    }
}

/// Each emoji with its number; one's own in brackets.
fn reactions(message: &Message) -> String {
    let shown = message.reactions.iter().map(|Reaction { emoji, count, me }| match me {
        Some(true) => format!("[{emoji} {count}]"),
        Some(false) | None => format!("{emoji} {count}"),
    });
    shown.collect::<Vec<_>>().join("  ")
}

fn block(
    model: &Model,
    chat: &Chat,
    before: Option<&Message>,
    message: &Message,
    width: usize,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let sent = message.created_at.millis();
    let day = local(&model.zone, sent).date();
    let new_day = before.is_none_or(|before| local(&model.zone, before.created_at.millis()).date() != day);
    if new_day {
        lines.push(centred(&model.texts.day(day), width, theme::QUIET));
    }
    let first_new = message.seq == chat.read_before + 1
        && chat.read_before > 0
        && Some(message.author.id) != chat.state.my_id();
    if first_new {
        lines.push(centred(model.texts.new_messages, width, theme::WRONG));
    }
    let together = before.is_some_and(|before| {
        before.author.id == message.author.id && sent - before.created_at.millis() < TOGETHER_MS
    });
    if new_day || first_new || !together {
        let name = &message.author.display_name;
        lines.push(name_line(model, chat, message.author.id, name, Some(sent)));
    }
    let edited = chat.editing.as_ref().is_some_and(|editing| editing.message == message.id);
    let edge = if edited { "▎ " } else { "  " };
    if message.deleted_at.is_some() {
        lines.extend(body(model.texts.deleted, None, theme::GONE, edge, width));
    } else {
        let note = message.edited_at.map(|_| model.texts.edited);
        if !message.content.is_empty() || note.is_some() {
            lines.extend(body(&message.content, note, Style::new(), edge, width));
        }
        for file in &message.files {
            lines.extend(body(
                &format!("📎 {} ({})", file.name, amount(file.size)),
                None,
                theme::QUIET,
                edge,
                width,
            ));
        }
        for preview in &message.previews {
            let site = preview.site_name.as_ref().map_or_else(String::new, |site| format!("{site}: "));
            let line =
                text::fit(&text::shown_line(&format!("🔗 {site}{}", preview.title)), width.saturating_sub(2));
            lines.push(Line::from(vec![Span::raw(edge.to_owned()), Span::styled(line, theme::QUIET)]));
        }
    }
    if !message.reactions.is_empty() {
        lines.extend(body(&reactions(message), None, theme::QUIET, edge, width));
    }
    lines
}

fn pending_block(model: &Model, pending: &Pending, width: usize) -> Vec<Line<'static>> {
    match &pending.progress {
        Progress::Waiting { .. } | Progress::InFlight { .. } => {
            body(&pending.content, Some(model.texts.waiting), theme::PENDING, "  ", width)
        }
        Progress::Refused(error) => {
            let mut lines = body(&pending.content, None, theme::PENDING, "  ", width);
            let detail = || error.problem().map(|problem| problem.detail.clone());
            let words = error.code().and_then(|code| model.texts.refusal(code)).map(str::to_owned);
            let why = words.or_else(detail).unwrap_or_else(|| error.to_string());
            let why = format!("✗ {}: {} ({})", model.texts.not_sent, why, model.texts.refused_keys);
            lines.extend(body(&why, None, theme::WRONG, "  ", width));
            lines
        }
    }
}

/// The rows of the messages on their way, below all others.
fn pending_rows(model: &Model, chat: &Chat, last: Option<&Message>, width: usize) -> Vec<Line<'static>> {
    let (Some(id), Some(me)) = (chat.current, chat.state.me()) else { return Vec::new() };
    let now = chat.state.server_time(model.now).map_or(0, madang_client::proto::Timestamp::millis);
    let mut rows = Vec::new();
    for (place, pending) in chat.state.outbox.of_channel(id).enumerate() {
        let together = last.is_some_and(|last| {
            last.author.id == me.summary.id && now - last.created_at.millis() < TOGETHER_MS
        });
        if place == 0 && !together {
            rows.push(name_line(model, chat, me.summary.id, &me.summary.display_name, None));
        }
        rows.extend(pending_block(model, pending, width));
    }
    rows
}

fn messages(chat: &Chat) -> Vec<&Arc<Message>> {
    chat.channel().map(|channel| channel.messages().collect()).unwrap_or_default()
}

fn top_row(model: &Model, chat: &Chat) -> Line<'static> {
    let older = chat.channel().is_some_and(madang_client::state::ChannelState::has_older);
    let text = match (chat.loading, older) {
        (true, _) => model.texts.loading,
        (false, true) => model.texts.older,
        (false, false) => model.texts.beginning,
    };
    Line::styled(text, theme::QUIET)
}

/// At least `need` rows that end with the row at `anchor`, or with the newest one; fewer when the first
/// loaded message comes before that.
pub fn rows_above(model: &Model, chat: &Chat, anchor: Option<Anchor>, need: usize, width: usize) -> Vec<Row> {
    let messages = messages(chat);
    let mut blocks: Vec<Vec<Row>> = Vec::new();
    let mut count = 0;
    let mut add = |key: i64, lines: Vec<Line<'static>>| {
        let rows =
            lines.into_iter().enumerate().map(|(row, line)| Row { at: Anchor { seq: key, row }, line });
        let rows: Vec<Row> = match anchor {
            Some(anchor) if anchor.seq == key => rows.take(anchor.row + 1).collect(),
            _ => rows.collect(),
        };
        count += rows.len();
        blocks.push(rows);
        count >= need
    };
    let mut enough = false;
    if anchor.is_none_or(|anchor| anchor.seq == PENDING) {
        enough = add(PENDING, pending_rows(model, chat, messages.last().map(AsRef::as_ref), width));
    }
    for (place, message) in messages.iter().enumerate().rev() {
        if enough {
            break;
        }
        if anchor.is_some_and(|anchor| anchor.seq < message.seq && anchor.seq != TOP) {
            continue;
        }
        let before = place.checked_sub(1).map(|place| messages[place].as_ref());
        enough = add(message.seq, block(model, chat, before, message, width));
    }
    if !enough && chat.channel().is_some() {
        add(TOP, vec![top_row(model, chat)]);
    }
    blocks.into_iter().rev().flatten().collect()
}

/// The places of at least `need` rows below the row at `anchor`; fewer at the end.
fn places_below(model: &Model, chat: &Chat, anchor: Anchor, need: usize, width: usize) -> Vec<Anchor> {
    let messages = messages(chat);
    let mut places = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        if message.seq < anchor.seq || places.len() >= need {
            continue;
        }
        let before = place.checked_sub(1).map(|place| messages[place].as_ref());
        let rows = block(model, chat, before, message, width).len();
        let first = if message.seq == anchor.seq { anchor.row + 1 } else { 0 };
        places.extend((first..rows).map(|row| Anchor { seq: message.seq, row }));
    }
    if places.len() < need {
        let rows = pending_rows(model, chat, messages.last().map(AsRef::as_ref), width).len();
        let first = if anchor.seq == PENDING { anchor.row + 1 } else { 0 };
        places.extend((first..rows).map(|row| Anchor { seq: PENDING, row }));
    }
    places
}

/// Where one is after moving up by `rows` in a view of this size, and whether older messages are wanted.
pub fn up(
    model: &Model,
    chat: &Chat,
    rows: usize,
    (width, height): (usize, usize),
) -> (Option<Anchor>, bool) {
    let above = rows_above(model, chat, chat.anchor, height + rows, width);
    let moved = rows.min(above.len().saturating_sub(height));
    let near_top = above.len() < height + rows || above.first().is_some_and(|row| row.at.seq == TOP);
    if moved == 0 {
        return (chat.anchor, near_top);
    }
    (above.get(above.len() - 1 - moved).map(|row| row.at), near_top)
}

/// Where one is after moving down by `rows`; nowhere when that is the end.
pub fn down(model: &Model, chat: &Chat, rows: usize, width: usize) -> Option<Anchor> {
    let below = places_below(model, chat, chat.anchor?, rows + 1, width);
    if below.len() <= rows { None } else { below.get(rows.checked_sub(1)?).copied() }
}

/// Draws the messages; short histories stand at the bottom.
pub fn draw(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let rows = rows_above(model, chat, chat.anchor, height, width);
    let mut lines: Vec<Line<'static>> = rows.into_iter().map(|row| row.line).collect();
    if lines.len() < height {
        let mut padded = vec![Line::default(); height - lines.len()];
        padded.append(&mut lines);
        lines = padded;
    }
    let hidden = lines.len().saturating_sub(height);
    let mut lines: Vec<_> = lines.into_iter().skip(hidden).collect();
    if chat.anchor.is_some()
        && let Some(last) = lines.last_mut()
    {
        *last = Line::styled(model.texts.more_below, theme::WARNING);
    }
    frame.render_widget(Paragraph::new(lines), area);
}
