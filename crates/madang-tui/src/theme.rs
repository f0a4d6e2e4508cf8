//! Colours and marks: only the terminal's own sixteen, so that they fit any background.

use madang_client::proto::{UserId, presence::Status};
use ratatui::style::{Color, Modifier, Style};

/// Secondary text.
pub const QUIET: Style = Style::new().fg(Color::DarkGray);
/// Titles and names of fields.
pub const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);
/// What is chosen.
pub const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);
/// What has something new.
pub const UNREAD: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
/// Not stored yet.
pub const PENDING: Style = Style::new().add_modifier(Modifier::DIM);
/// Went wrong.
pub const WRONG: Style = Style::new().fg(Color::Red);
/// Off line, or soon.
pub const WARNING: Style = Style::new().fg(Color::Yellow);
/// Gone.
pub const GONE: Style = Style::new().fg(Color::DarkGray).add_modifier(Modifier::ITALIC);

const NAMES: [Color; 6] =
    [Color::Cyan, Color::Green, Color::Magenta, Color::Blue, Color::LightRed, Color::LightCyan];

/// The colour of someone's name: always the same one.
pub fn name(user: UserId) -> Style {
    // The lower bits of an id are a counter; the time in the upper ones tells people apart.
    let bits = user.get().unsigned_abs();
    let mixed = (bits ^ (bits >> 21)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let index = usize::try_from(mixed).unwrap_or(0) % NAMES.len();
    Style::new().fg(NAMES[index]).add_modifier(Modifier::BOLD)
}

/// The mark of someone's presence.
pub const fn presence(status: Status) -> (&'static str, Style) {
    match status {
        Status::Online => ("●", Style::new().fg(Color::Green)),
        Status::Away => ("◐", Style::new().fg(Color::Yellow)),
        Status::Dnd => ("■", Style::new().fg(Color::Red)),
        Status::Offline => ("○", QUIET),
    }
}
