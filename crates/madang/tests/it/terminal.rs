//! The terminal client in a real terminal: two people chat, the server goes and comes back in between,
//! and nothing is lost, doubled or out of order.

use std::{process::Command, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    process::{Backend, MADANG, Process},
    secure::Secure,
};

/// A terminal that somebody sits at.
struct Terminal {
    /// A tmux server of its own.
    socket: String,
}

impl Terminal {
    fn open(name: &str, url: &str) -> Self {
        Self::open_with(name, url, "")
    }

    /// The same with variables set, as a shell takes them.
    fn open_with(name: &str, url: &str, variables: &str) -> Self {
        let terminal = Self { socket: format!("madang-{}-{name}", std::process::id()) };
        let client = format!("{variables} {MADANG} chat --guest --lang ko --server {url}");
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", &client]);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-u", "-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .output();
        let output = output.expect("tmux is needed; `cargo xtask test` installs it");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn say(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.tmux(&["send-keys", "Enter"]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen shows something, and gives the screen.
    async fn shows(&self, what: &str) -> String {
        self.until(what, |screen| screen.contains(what)).await
    }

    async fn until(&self, what: &str, look: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let screen = self.screen();
            if look(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "waited for {what:?}:\n{screen}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output());
    }
}

/// The numbers of the messages as they stand on the screen, from top to bottom.
fn numbers(screen: &str) -> Vec<u32> {
    let said = |line: &str| line.split("말 ").nth(1)?.split_whitespace().next()?.parse().ok();
    screen.lines().filter_map(said).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_terminals_chat_over_a_lost_server() {
    let mut server = Process::start(Backend::Sqlite).await;
    let (alice, bob) = (Terminal::open("alice", &server.url), Terminal::open("bob", &server.url));
    alice.shows("#general").await;
    bob.shows("#general").await;

    alice.say("말 1");
    bob.shows("말 1").await;
    bob.say("말 2");
    alice.shows("말 2").await;

    server.kill();
    alice.until("that the server is away", |screen| !screen.contains("온라인")).await;
    // Typed while the server is away; each goes out when it is back, in the order of each person.
    alice.say("말 3");
    alice.say("말 4");
    alice.shows("말 4").await;
    server.again().await;
    bob.shows("말 4").await;
    bob.say("말 5");
    alice.shows("말 5").await;

    for person in [&alice, &bob] {
        let screen =
            person.until("all five, none waiting", |screen| numbers(screen) == [1, 2, 3, 4, 5]).await;
        assert!(screen.contains("온라인"), "{screen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminals_chat_over_https_with_an_authority_that_they_are_told_of() {
    let server = Secure::start();
    let trust = format!("SSL_CERT_FILE={}", server.root().display());
    let alice = Terminal::open_with("secure-alice", &server.url, &trust);
    let bob = Terminal::open_with("secure-bob", &server.url, &trust);
    alice.shows("#general").await;
    bob.shows("#general").await;
    alice.say("말 1");
    bob.shows("말 1").await;
    bob.say("말 2");
    alice.shows("말 2").await;
}
