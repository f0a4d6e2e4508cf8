//! Traces: a collector hears of the server's work, and not what was said or by whom.

use madang_client::proto::accounts::{Register, Secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::process::{Backend, Process};

/// A collector that speaks OTLP over HTTP: what it was sent is the body of each request, as it came.
struct Collector(TcpListener);

impl Collector {
    async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// Takes what is sent until all of these were in it; gives all of it.
    async fn until(&self, wanted: &[&str]) -> Vec<u8> {
        let (mut all, mut connections) = (Vec::new(), tokio::task::JoinSet::new());
        while !wanted.iter().all(|text| contains(&all, text)) {
            tokio::select! {
                accepted = self.0.accept() => { connections.spawn(receive(accepted.unwrap().0)); }
                Some(received) = connections.join_next() => {
                    let Some((body, stream)) = received.unwrap() else { continue };
                    all.extend(body);
                    connections.spawn(receive(stream));
                }
            }
        }
        all
    }
}

/// The next request of a connection, answered; nothing when there is no more.
async fn receive(mut stream: TcpStream) -> Option<(Vec<u8>, TcpStream)> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap().to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let length = length.parse::<usize>().unwrap();
            break (head, length);
        }
    };
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    while bytes.len() < length {
        stream.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    Some((bytes, stream))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_hears_of_the_work_and_not_what_was_said() {
    let collector = Collector::start().await;
    let mut server =
        Process::start_with(Backend::Sqlite, &[("MADANG_OTLP_ENDPOINT", &collector.url())]).await;
    let alice = server.user("alice-of-the-traces").await;
    let workspace = alice.http().workspaces().await.unwrap()[0].id;
    let channel = alice.http().workspace_channels(workspace).await.unwrap()[0].id;
    alice.send(channel, "a secret that is said").await.unwrap();
    alice.http().messages(channel, Default::default()).await.unwrap();
    let token = alice.http().current_token().unwrap().0;
    let wanted = ["madang", "GET /api/v1/channels/{id}/messages", "http.route", "MESSAGE", "batch"];
    let stopping = async { tokio::join!(collector.until(&wanted), server.terminate()).0 };
    let all = tokio::time::timeout(std::time::Duration::from_secs(60), stopping).await.unwrap();
    for secret in ["a secret", "alice-of", &token, &channel.to_string(), &workspace.to_string()] {
        assert!(!contains(&all, secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_harms_nothing_and_a_wrong_address_is_refused() {
    let away = format!("http://{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    let mut server = Process::start_with(Backend::Sqlite, &[("MADANG_OTLP_ENDPOINT", &away)]).await;
    let body = Register {
        username: "alice".to_owned(),
        password: Secret("correct horse".to_owned()),
        display_name: None,
        email: None,
    };
    server.http().register(&body).await.unwrap();
    assert!(server.terminate().await.success());
    let folder = tempfile::tempdir().unwrap();
    let (good, said) = crate::process::run(&["serve", "--otlp-endpoint", "localhost:4318"], folder.path());
    assert!(!good && said.contains("expected a URL such as http://127.0.0.1:4318"), "{said}");
}
