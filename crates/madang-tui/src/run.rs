//! The terminal and the loop: keys, events of the client and time in, screens and requests out.
//!
//! Invariants:
//! - However it ends (quit, error, panic, signal), the terminal is as it was before.
//! - At most one screen is drawn in 30 ms, however fast things happen.

use std::{
    io::stdout,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use crossterm::{
    event::{
        DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, Event,
        EventStream,
    },
    execute,
};
use futures_util::StreamExt;
use jiff::tz::TimeZone;
use madang_client::{Client, Http, State, proto::ChannelId};
use ratatui::DefaultTerminal;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    Options, commands,
    composer::Input,
    login::Field,
    model::{Cmd, Model, Msg, Screen},
    update::update,
    view,
};

const FRAME: Duration = Duration::from_millis(30);
const TICK: Duration = Duration::from_millis(500);

/// What ran beside the loop and is done.
pub enum Finished {
    Msg(Msg),
    SignedIn(Client),
    Nothing,
}

/// The terminal, set up for us, and as it was before when this is dropped.
struct Screenful {
    terminal: DefaultTerminal,
}

impl Screenful {
    fn open() -> Result<Self> {
        let terminal = ratatui::try_init().context("this needs a terminal")?;
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Where the terminal is gone there is nothing to put back.
            _ = execute!(stdout(), DisableBracketedPaste, DisableFocusChange);
            usual(panic);
        }));
        execute!(stdout(), EnableBracketedPaste, EnableFocusChange)?;
        Ok(Self { terminal })
    }
}

impl Drop for Screenful {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to put back.
        _ = execute!(stdout(), DisableBracketedPaste, DisableFocusChange);
        ratatui::restore();
    }
}

/// How many messages may wait until the client takes them.
const SENDS: usize = 64;

struct App {
    http: Http,
    model: Model,
    client: Option<Client>,
    state: Option<watch::Receiver<Arc<State>>>,
    /// To the one task that hands messages to the client, so that they stay in order.
    sends: Option<mpsc::Sender<(ChannelId, String)>>,
    running: JoinSet<Finished>,
}

/// Runs the terminal client until the user quits.
///
/// # Errors
/// When the address is not one, or there is no terminal.
pub async fn run(options: Options) -> Result<()> {
    let http = Http::new(&options.server)?;
    let mut model = Model::new(http.server(), options.lang.as_deref(), TimeZone::system(), Instant::now());
    let mut first = Vec::new();
    if let Screen::Login(form) = &mut model.screen {
        if options.guest {
            first = form.enter_as_guest();
        } else if let Some(username) = &options.username {
            form.username = Input::new(username);
            form.focus = Field::Password;
        }
    }
    let mut app = App { http, model, client: None, state: None, sends: None, running: JoinSet::new() };
    let mut screen = Screenful::open()?;
    for cmd in first {
        app.carry_out(cmd, &mut screen)?;
    }
    let ended = app.turn(&mut screen).await;
    drop(screen);
    if let Some(client) = &app.client {
        client.close().await;
    }
    ended
}

impl App {
    async fn turn(&mut self, screen: &mut Screenful) -> Result<()> {
        let size = screen.terminal.size()?;
        self.model.size = (size.width, size.height);
        let mut keys = EventStream::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut signals = Signals::new()?;
        let mut draw_at = Some(Instant::now());
        loop {
            let next_frame = async {
                match draw_at {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let msg = tokio::select! {
                () = next_frame => {
                    let model = &self.model;
                    screen.terminal.draw(|frame| view::draw(model, frame))?;
                    draw_at = None;
                    continue;
                }
                event = keys.next() => match event {
                    Some(Ok(event)) => translate(event),
                    // The terminal is gone.
                    Some(Err(_)) | None => return Ok(()),
                },
                Some(done) = self.running.join_next() => self.finished(done?),
                state = changed(&mut self.state) => {
                    Some(Msg::State(state.context("the client stopped by itself")?))
                }
                _ = tick.tick() => None,
                () = signals.next() => return Ok(()),
            };
            let mut cmds = update(&mut self.model, Msg::Tick(Instant::now()));
            if let Some(state) = self.newer_state() {
                // What a request answered is in the state already.
                cmds.extend(update(&mut self.model, Msg::State(state)));
            }
            if let Some(msg) = msg {
                cmds.extend(update(&mut self.model, msg));
            }
            for cmd in cmds {
                self.carry_out(cmd, screen)?;
            }
            if self.model.quit {
                return Ok(());
            }
            draw_at = draw_at.or(Some(Instant::now() + FRAME));
        }
    }

    fn newer_state(&mut self) -> Option<Arc<State>> {
        let state = self.state.as_mut()?;
        let newer = state.has_changed().unwrap_or(false);
        newer.then(|| Arc::clone(&state.borrow_and_update()))
    }

    fn finished(&mut self, finished: Finished) -> Option<Msg> {
        match finished {
            Finished::Nothing => None,
            Finished::Msg(msg) => Some(msg),
            Finished::SignedIn(client) => {
                let state = client.state();
                self.state = Some(client.watch());
                let (sends, inbox) = mpsc::channel(SENDS);
                self.sends = Some(sends);
                self.running.spawn(commands::hand_over(client.clone(), inbox));
                self.client = Some(client);
                Some(Msg::SignedIn(state))
            }
        }
    }

    fn carry_out(&mut self, cmd: Cmd, screen: &mut Screenful) -> Result<()> {
        match cmd {
            Cmd::SignIn(how) => {
                let (http, texts) = (self.http.clone(), self.model.texts);
                self.running.spawn(commands::sign_in(http, how, texts));
            }
            Cmd::SignOut => {
                self.client = None;
                self.state = None;
                self.sends = None;
                self.running = JoinSet::new();
            }
            Cmd::Send { channel, content } => {
                let full = |sends: &mpsc::Sender<_>| sends.try_send((channel, content.clone())).is_err();
                if self.sends.as_ref().is_none_or(full) {
                    let why = self.model.texts.not_sent.to_owned();
                    update(&mut self.model, Msg::NotTaken { channel, content, why });
                }
            }
            Cmd::Redraw => screen.terminal.clear()?,
            cmd => {
                if let Some(client) = self.client.clone() {
                    self.running.spawn(commands::run(client, cmd, self.model.texts));
                }
            }
        }
        Ok(())
    }
}

/// The next state; nothing when there will be no more, and never while nobody is signed in.
async fn changed(state: &mut Option<watch::Receiver<Arc<State>>>) -> Option<Arc<State>> {
    let Some(watched) = state else { return std::future::pending().await };
    watched.changed().await.ok().map(|()| Arc::clone(&watched.borrow_and_update()))
}

fn translate(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => Some(Msg::Key(key)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize(width, height)),
        Event::FocusGained => Some(Msg::Focus(true)),
        Event::FocusLost => Some(Msg::Focus(false)),
        Event::Mouse(_) => None,
    }
}

/// The signals that end a program.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}
