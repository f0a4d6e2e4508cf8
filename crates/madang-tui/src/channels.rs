//! The list of channels: its order, moving in it, how it looks; and the people below it.

use madang_client::{
    proto::{
        ChannelId, UserId,
        channels::{Channel, ChannelKind},
        presence::Status,
    },
    state::ChannelState,
};
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph},
};

use crate::{
    model::{Chat, Model},
    text, theme,
};

/// The channels as they are listed: by workspace, the default one first, then by name; direct messages last.
pub fn listed(chat: &Chat) -> Vec<&ChannelState> {
    let me = chat.state.my_id();
    let mut channels: Vec<_> = chat.state.channels().collect();
    channels.sort_by_cached_key(|channel| {
        let facts = channel.facts();
        let direct = facts.kind.is_direct();
        let name = if direct { title(facts, me) } else { facts.name.clone() };
        (facts.workspace_id, direct, !facts.is_default, name.to_lowercase(), facts.id)
    });
    channels
}

/// The channel before or after the one that is shown, going round.
pub fn neighbour(chat: &Chat, down: bool) -> Option<ChannelId> {
    let channels = listed(chat);
    let count = channels.len();
    let place = channels.iter().position(|channel| Some(channel.id()) == chat.current);
    let next = match place {
        Some(place) if down => (place + 1) % count,
        Some(place) => (place + count - 1) % count,
        None => 0,
    };
    channels.get(next).map(|channel| channel.id())
}

/// The mark in front of a channel's name.
pub const fn mark(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Public => "#",
        ChannelKind::Private => "🔒",
        ChannelKind::Dm | ChannelKind::Group | ChannelKind::Thread => "@",
    }
}

/// How a channel is called on the screen: direct messages by the others in them.
pub fn title(facts: &Channel, me: Option<UserId>) -> String {
    if !facts.kind.is_direct() {
        return format!("{}{}", mark(facts.kind), text::shown_line(&facts.name));
    }
    let alone = facts.people.len() == 1;
    let others = facts.people.iter().filter(|user| alone || Some(user.id) != me);
    let names: Vec<_> = others.map(|user| text::shown_line(&user.display_name)).collect();
    format!("{}{}", mark(facts.kind), names.join(", "))
}

fn channel_line(chat: &Chat, channel: &ChannelState, width: usize) -> Line<'static> {
    let facts = channel.facts();
    let unread = channel.unread();
    let named = if channel.mentioned() > 0 { "@" } else { "" };
    let count = match unread {
        0 => String::new(),
        1..=99 => format!(" {named}{unread}"),
        _ => format!(" {named}99+"),
    };
    let name = text::fit(&title(facts, chat.state.my_id()), width.saturating_sub(count.len()));
    let gap = width.saturating_sub(text::width(&name) + count.len());
    let style = match (chat.current == Some(channel.id()), unread > 0) {
        (true, _) => theme::CHOSEN,
        (false, true) => theme::UNREAD,
        (false, false) => Style::new(),
    };
    Line::from(vec![
        Span::styled(format!("{name}{}", " ".repeat(gap)), style),
        Span::styled(count, style.patch(theme::TITLE)),
    ])
}

fn rows(chat: &Chat, width: usize) -> (Vec<Line<'static>>, usize) {
    let channels = listed(chat);
    let several = chat.state.workspaces().count() > 1;
    let mut rows = Vec::new();
    let (mut chosen, mut workspace) = (0, None);
    for channel in channels {
        let id = channel.facts().workspace_id;
        if several && workspace != Some(id) {
            workspace = Some(id);
            let name = chat.state.workspace(id).map_or_else(String::new, |w| text::shown_line(&w.name));
            rows.push(Line::styled(text::fit(&name, width), theme::QUIET));
        }
        if chat.current == Some(channel.id()) {
            chosen = rows.len();
        }
        rows.push(channel_line(chat, channel, width));
    }
    (rows, chosen)
}

/// What someone who is there says of themself.
fn said(chat: &Chat, user: UserId) -> String {
    let Some(presence) = chat.state.presence_of(user) else { return String::new() };
    if !chat.state.connection.is_online() {
        return String::new();
    }
    let words = presence.emoji.iter().chain(&presence.custom_status).map(|text| text::shown_line(text));
    words.collect::<Vec<_>>().join(" ")
}

fn people(chat: &Chat, width: usize) -> Vec<Line<'static>> {
    let Some(members) = chat.channel().and_then(ChannelState::members) else { return Vec::new() };
    let mut people: Vec<_> =
        members.values().map(|member| (chat.status_of(member.user.id), &member.user)).collect();
    let order = |status: Status| match status {
        Status::Online => 0,
        Status::Away | Status::Dnd => 1,
        Status::Offline => 2,
    };
    people.sort_by_key(|(status, user)| (order(*status), user.display_name.to_lowercase(), user.id));
    let line = |(status, user): (Status, &madang_client::proto::accounts::UserSummary)| {
        let (dot, style) = theme::presence(status);
        let name = text::fit(&text::shown_line(&user.display_name), width.saturating_sub(2));
        let name_style = if status == Status::Offline { theme::QUIET } else { Style::new() };
        let room = width.saturating_sub(3 + text::width(&name));
        let said = text::fit(&said(chat, user.id), room);
        let said = if said.is_empty() { said } else { format!(" {said}") };
        Line::from(vec![
            Span::styled(format!("{dot} "), style),
            Span::styled(name, name_style),
            Span::styled(said, theme::QUIET),
        ])
    };
    people.into_iter().map(line).collect()
}

/// Draws the list and, where there is room, the people of the channel that is shown.
pub fn draw(model: &Model, chat: &Chat, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::new().borders(Borders::RIGHT).border_style(theme::QUIET);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let (rows, chosen) = rows(chat, width);
    let people = people(chat, width);
    let height = usize::from(inner.height);
    // The people get what the channels leave, but at least a third when they need it.
    let wanted = if people.is_empty() { 0 } else { people.len() + 2 };
    let for_people = wanted.min((height / 3).max(height.saturating_sub(rows.len() + 1)));
    let for_channels = height.saturating_sub(for_people + 1);
    let first = (chosen + 1).saturating_sub(for_channels);

    let mut lines = vec![Line::styled(model.texts.channels, theme::QUIET)];
    lines.extend(rows.into_iter().skip(first).take(for_channels));
    if for_people > 1 {
        lines.resize(height.saturating_sub(for_people) + 1, Line::default());
        lines.push(Line::styled(format!("{} ({})", model.texts.people, people.len()), theme::QUIET));
        lines.extend(people.into_iter().take(for_people.saturating_sub(2)));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}
