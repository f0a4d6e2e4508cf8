//! The first screen: log in, sign up, or come in as a guest.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Position, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph},
};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    composer::{Input, Typed},
    model::{Cmd, Model, SignIn},
    text,
    texts::Texts,
    theme,
};

/// How one wants to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    LogIn,
    Register,
    Guest,
}

const MODES: [Mode; 3] = [Mode::LogIn, Mode::Register, Mode::Guest];

/// What the focus can be on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field {
    Mode,
    #[default]
    Username,
    Password,
    DisplayName,
}

/// The form.
#[derive(Debug, Default)]
pub struct Form {
    pub mode: Mode,
    pub focus: Field,
    pub username: Input,
    pub password: Input,
    pub display_name: Input,
    pub busy: bool,
    pub error: Option<String>,
}

impl Form {
    fn fields(&self) -> &'static [Field] {
        match self.mode {
            Mode::LogIn => &[Field::Mode, Field::Username, Field::Password],
            Mode::Register => &[Field::Mode, Field::Username, Field::Password, Field::DisplayName],
            Mode::Guest => &[Field::Mode, Field::DisplayName],
        }
    }

    fn input(&mut self) -> Option<&mut Input> {
        match self.focus {
            Field::Mode => None,
            Field::Username => Some(&mut self.username),
            Field::Password => Some(&mut self.password),
            Field::DisplayName => Some(&mut self.display_name),
        }
    }

    fn step(&mut self, forward: bool) {
        let fields = self.fields();
        let count = fields.len();
        let place = fields.iter().position(|field| *field == self.focus).unwrap_or(0);
        self.focus = fields[if forward { place + 1 } else { place + count - 1 } % count];
    }

    fn choose(&mut self, forward: bool) {
        let place = MODES.iter().position(|mode| *mode == self.mode).unwrap_or(0);
        self.mode = MODES[if forward { place + 1 } else { place + 2 } % 3];
        self.error = None;
        if !self.fields().contains(&self.focus) {
            self.focus = Field::Mode;
        }
    }

    /// Comes in as a guest, as the command line may ask for.
    pub fn enter_as_guest(&mut self) -> Vec<Cmd> {
        self.mode = Mode::Guest;
        self.focus = Field::DisplayName;
        self.submit()
    }

    fn submit(&mut self) -> Vec<Cmd> {
        let optional = |input: &Input| Some(input.text().trim().to_owned()).filter(|text| !text.is_empty());
        let username = self.username.text().trim().to_owned();
        let password = self.password.text().to_owned();
        if self.mode != Mode::Guest && (username.is_empty() || password.is_empty()) {
            self.focus = if username.is_empty() { Field::Username } else { Field::Password };
            return Vec::new();
        }
        let sign_in = match self.mode {
            Mode::LogIn => SignIn::LogIn { username, password },
            Mode::Register => {
                SignIn::Register { username, password, display_name: optional(&self.display_name) }
            }
            Mode::Guest => SignIn::Guest { display_name: optional(&self.display_name) },
        };
        self.busy = true;
        self.error = None;
        vec![Cmd::SignIn(sign_in)]
    }

    /// A key.
    pub fn key(&mut self, key: KeyEvent) -> Vec<Cmd> {
        if self.busy {
            return Vec::new();
        }
        match key.code {
            KeyCode::Tab | KeyCode::Down => self.step(true),
            KeyCode::BackTab | KeyCode::Up => self.step(false),
            KeyCode::Left if self.focus == Field::Mode => self.choose(false),
            KeyCode::Right if self.focus == Field::Mode => self.choose(true),
            KeyCode::Char('t') if key.modifiers.contains(KeyModifiers::CONTROL) => self.choose(true),
            KeyCode::Enter if self.fields().last() == Some(&self.focus) => return self.submit(),
            // The display name may stay empty: behind the password one can go on at once.
            KeyCode::Enter if self.focus == Field::Password => return self.submit(),
            KeyCode::Enter => self.step(true),
            _ => {
                let changed = self.input().map(|input| input.key(key)) == Some(Typed::Changed);
                if changed {
                    self.error = None;
                }
            }
        }
        Vec::new()
    }

    /// Text, at once.
    pub fn paste(&mut self, pasted: &str) {
        let pasted = text::clean_line(pasted.trim());
        if let Some(input) = self.input().filter(|_| !pasted.is_empty()) {
            input.insert(&pasted);
        }
    }
}

fn label(texts: &Texts, field: Field) -> &'static str {
    match field {
        Field::Mode => "",
        Field::Username => texts.username,
        Field::Password => texts.password,
        Field::DisplayName => texts.display_name,
    }
}

fn mode_line(texts: &Texts, form: &Form) -> Line<'static> {
    let names = [texts.log_in, texts.register, texts.guest];
    let mut spans = Vec::new();
    for (mode, name) in MODES.into_iter().zip(names) {
        let style = match (mode == form.mode, form.focus == Field::Mode) {
            (true, true) => theme::CHOSEN,
            (true, false) => theme::TITLE,
            (false, _) => theme::QUIET,
        };
        spans.push(Span::styled(format!(" {name} "), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

/// The part of an input that shows in `width` cells, and the column of the cursor in it.
pub fn window(input: &Input, width: usize, hide: bool) -> (String, usize) {
    let (_, column) = input.cursor_at(usize::MAX);
    if hide {
        let dots = "•".repeat(input.text().graphemes(true).count().min(width.saturating_sub(1)));
        let end = text::width(&dots);
        return (dots, column.min(end));
    }
    let first = (column + 1).saturating_sub(width);
    let mut skipped = 0;
    let mut graphemes = input.text().graphemes(true).skip_while(|grapheme| {
        let skip = skipped < first;
        if skip {
            skipped += text::width(grapheme);
        }
        skip
    });
    let mut shown = String::new();
    while let Some(grapheme) = graphemes.next().filter(|g| text::width(&shown) + text::width(g) <= width) {
        shown.push_str(grapheme);
    }
    (shown, column - skipped.min(column))
}

/// Draws the form in the middle of the screen.
pub fn draw(model: &Model, form: &Form, frame: &mut Frame<'_>) {
    let texts = model.texts;
    let fields = form.fields();
    let height = u16::try_from(fields.len() * 2 + 5).unwrap_or(12);
    let [area] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(frame.area());
    let [area] = Layout::horizontal([Constraint::Max(60)]).flex(Flex::Center).areas(area);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(Line::styled(" Madang ", theme::TITLE))
        .title_bottom(Line::styled(format!(" {} ", text::shown_line(&model.server)), theme::QUIET));
    let inner = block.inner(area);
    frame.render_widget(block, area);

    let width = usize::from(inner.width.saturating_sub(2));
    let mut lines = vec![Line::default()];
    let mut cursor = None;
    for field in fields {
        if *field == Field::Mode {
            lines.push(mode_line(texts, form));
            lines.push(Line::default());
            continue;
        }
        let focused = form.focus == *field;
        let style = if focused { theme::TITLE } else { theme::QUIET };
        lines.push(Line::styled(format!(" {}", label(texts, *field)), style));
        let input = match field {
            Field::Password => &form.password,
            Field::DisplayName => &form.display_name,
            Field::Username | Field::Mode => &form.username,
        };
        let (shown, column) = window(input, width, *field == Field::Password);
        if focused && !form.busy {
            cursor = Some((column, lines.len()));
        }
        lines.push(Line::from(vec![Span::styled(" ▏", style), Span::styled(shown, Style::new())]));
    }
    let note = match (&form.error, form.busy) {
        (_, true) => Line::styled(format!(" {}", texts.signing_in), theme::QUIET),
        (Some(error), false) => Line::styled(format!(" {}", text::fit(error, width)), theme::WRONG),
        (None, false) => Line::styled(format!(" {}", text::fit(texts.login_keys, width)), theme::QUIET),
    };
    lines.push(Line::default());
    lines.push(note);
    frame.render_widget(Paragraph::new(lines), inner);
    if let Some((column, row)) = cursor {
        frame.set_cursor_position(place(inner, column + 2, row));
    }
}

/// A place inside an area.
pub fn place(area: Rect, column: usize, row: usize) -> Position {
    let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let row = u16::try_from(row).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    Position::new(area.x + column, area.y + row)
}
