//! What a message costs: its pieces without IO, and the whole way through the public door.
//!
//! The pieces are those of the send path that everyone's message takes: reading the frame, checking the
//! content, writing the event that all share. The whole way is a server with a database of its own and a
//! client that waits for its acknowledgement, which is a commit.

use std::hint::black_box;

use clap::Parser;
use divan::{Bencher, counter::ItemsCount};
use futures_util::future::try_join_all;
use madang_client::{
    Client,
    proto::accounts::{Register, Secret},
};
use madang_proto::{ChannelId, Event, command::ClientFrame, event::ServerFrame, input};
use madang_server::{Config, Server};

/// 128 bytes, as in the load tests.
const ENGLISH: &str = "The courtyard of a house is where people meet, talk and part again; \
                       so the name of a server where they do just that, and more...";
/// As many characters of Korean, as most people type it: composed.
const KOREAN: &str = "마당은 한국의 집에서 사람들이 만나 이야기를 나누고 다시 헤어지는 곳이다. 그래서 바로 그런 일을 하는 서버의 \
                      이름이 되었다. 여기서는 누구나 쉽게 들어와 함께 이야기할 수 있다.";

/// In which language a message is.
#[derive(Debug, Clone, Copy)]
enum Language {
    English,
    Korean,
}

const LANGUAGES: [Language; 2] = [Language::English, Language::Korean];

impl Language {
    const fn content(self) -> &'static str {
        match self {
            Self::English => ENGLISH,
            Self::Korean => KOREAN,
        }
    }
}

fn main() {
    divan::main();
}

fn command(content: &str) -> String {
    format!(
        r#"{{"type":"MESSAGE","payload":{{"channel_id":"7340032000001","content":"{content}","nonce":"6ad3-17"}},"rid":"17"}}"#
    )
}

/// Reading a `MESSAGE` command.
#[divan::bench(args = LANGUAGES)]
fn parse(bencher: Bencher<'_, '_>, language: Language) {
    let text = command(language.content());
    assert!(ClientFrame::parse(&text).is_ok());
    bencher.bench_local(|| ClientFrame::parse(black_box(&text)).is_ok());
}

/// Checking a content: length, form, characters.
#[divan::bench(args = LANGUAGES)]
fn check(bencher: Bencher<'_, '_>, language: Language) {
    let content = language.content();
    assert!(input::content(content).is_ok());
    bencher.bench_local(|| input::content(black_box(content)).is_ok());
}

/// Writing the event that everyone is told.
#[divan::bench(args = LANGUAGES)]
fn encode(bencher: Bencher<'_, '_>, language: Language) {
    let content = language.content();
    let author = r#"{"id":"7340032000002","username":"alice","display_name":"Alice"}"#;
    let text = format!(
        r#"{{"type":"MESSAGE","payload":{{"id":"7340032000017","channel_id":"7340032000001","seq":17,"version":18,"author":{author},"user":{author},"content":"{content}","nonce":"6ad3-17","created_at":"2026-01-01T00:00:00.000Z"}}}}"#
    );
    let Ok(frame) = serde_json::from_str::<ServerFrame>(&text) else { panic!("not an event: {text}") };
    assert!(matches!(frame.event, Event::Message(_)));
    bencher.bench_local(|| black_box(&frame).to_json());
}

/// A server of its own, and somebody in a channel.
struct World {
    runtime: tokio::runtime::Runtime,
    server: Server,
    alice: Client,
    channel: ChannelId,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        #[derive(Parser)]
        struct Cli {
            #[command(flatten)]
            config: Config,
        }
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data").display().to_string();
        let arguments = ["madang", "--listen", "127.0.0.1:0", "--data", &data, "--rate-limits", "off"];
        let config = Cli::try_parse_from(arguments)?.config;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (server, alice, channel) = runtime.block_on(async {
            let server = Server::start(config).await?;
            let url = format!("http://{}", server.address());
            let password = Secret("correct horse".to_owned());
            let body = Register { username: "alice".to_owned(), password, display_name: None, email: None };
            let alice = Client::register(&url, &body).await?;
            let channel = alice.state().channels().next().map(|c| c.facts().id);
            let channel = channel.ok_or("nobody made a channel")?;
            Ok::<_, Box<dyn std::error::Error>>((server, alice, channel))
        })?;
        Ok(Self { runtime, server, alice, channel, _folder: folder })
    }
}

/// From sending to being acknowledged, so many at a time.
#[divan::bench(args = [1, 64], sample_count = 20, sample_size = 1)]
fn send(bencher: Bencher<'_, '_>, at_once: usize) {
    let world = World::new().unwrap_or_else(|error| panic!("no server: {error}"));
    bencher.counter(ItemsCount::new(at_once)).bench_local(|| {
        let all = (0..at_once).map(|_| world.alice.send(world.channel, ENGLISH));
        let sent = world.runtime.block_on(try_join_all(all));
        assert!(sent.is_ok_and(|sent| sent.len() == at_once), "refused");
    });
    world.runtime.block_on(world.server.stop());
}
