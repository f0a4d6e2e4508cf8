//! Load balancers in front of three nodes, with the shipped files: one node is told to stop, another is killed, and nobody
//! misses anything.

use std::{cell::Cell, net::SocketAddr, os::unix::fs::symlink, time::Duration};

use madang_client::{
    Client, Error, State,
    proto::{
        ChannelId,
        accounts::{Register, Secret},
        channels::{ChannelKind, CreateChannel},
        messages::CreateMessage,
        page::MessagePageQuery,
    },
};
use madang_realtime::redis_server::RedisServer;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

use crate::{
    balancer::{Balancer, Running},
    process::{Backend, Process},
};

const PASSWORD: &str = "correct horse";
const PATIENCE: Duration = Duration::from_secs(60);

/// Three nodes, and what is in front of them.
struct Place {
    nodes: Vec<Process>,
    balancer: Running,
    _redis: RedisServer,
    _folder: TempDir,
}

impl Place {
    /// Starts all; nothing where something for it is not installed, which `cargo xtask test` says.
    async fn with(balancer: Balancer) -> Option<Self> {
        let redis = RedisServer::start().ok()?;
        let Backend::Postgres(url) = Backend::postgres().await? else { return None };
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        let mut nodes = Vec::new();
        for number in 1..=3 {
            let data = folder.path().join(format!("node-{number}"));
            std::fs::create_dir(&data).unwrap();
            symlink(&files, data.join("files")).unwrap();
            let settings = [
                ("MADANG_DATA", data.to_str().unwrap()),
                ("MADANG_SECRET", "a secret that all of the nodes know"),
                ("MADANG_CLUSTER_REDIS", &redis.url()),
                ("MADANG_SHARED_FILES", "on"),
                ("MADANG_TRUSTED_PROXIES", "127.0.0.1/32"),
                ("MADANG_DRAIN_SECONDS", "3"),
            ];
            nodes.push(Process::start_with(Backend::Postgres(url.clone()), &settings).await);
        }
        let balancer = balancer.start(&nodes).await?;
        Some(Self { nodes, balancer, _redis: redis, _folder: folder })
    }

    async fn someone(&self, name: &str) -> Client {
        let password = Secret(PASSWORD.to_owned());
        let body = Register { username: name.to_owned(), password, display_name: None, email: None };
        Client::register(&self.balancer.url, &body).await.unwrap()
    }

    /// Asks from an address of this machine, and gives the answer as it is on the wire.
    async fn ask(&self, from: &str, request: &str) -> String {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        let to = self.balancer.url.trim_start_matches("http://").parse().unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Waits until the connections to these nodes are as wanted.
    async fn connections(&self, at: &[usize], are: impl Fn(&[u64]) -> bool) {
        let now = async || {
            let mut all = Vec::new();
            for index in at {
                let health = self.nodes[*index].http().health().await.unwrap().1;
                all.push(health["connections"].as_u64().unwrap());
            }
            all
        };
        let reached = async { while !are(&now().await) {} };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "connections stay at {:?}: {}", now().await, self.balancer.log());
    }
}

fn general(client: &Client) -> ChannelId {
    client.state().channel_named("general").unwrap().id()
}

fn contents(state: &State) -> Vec<String> {
    let general = state.channel_named("general").unwrap();
    general.messages().map(|message| message.content.clone()).collect()
}

/// Waits until someone knows what was said last.
async fn knows(who: &Client, last: &str) {
    let known = who.wait_for_within(PATIENCE, last, |state| {
        (contents(state).last().map(String::as_str) == Some(last)).then_some(())
    });
    known.await.unwrap();
}

/// All that is stored in a channel, the oldest first.
async fn stored(who: &Client) -> Vec<String> {
    let mut all = Vec::new();
    let mut query = MessagePageQuery { limit: Some(100), ..MessagePageQuery::default() };
    loop {
        let page = who.http().messages(general(who), query).await.unwrap();
        all.splice(0..0, page.items.iter().map(|message| message.content.clone()));
        match page.items.first() {
            Some(oldest) if page.items.len() == 100 => query.before = Some(oldest.id),
            _ => return all,
        }
    }
}

/// Says things, one after the other, each once the last one is known, until it is told to end; gives them.
async fn talk(about: &str, who: &Client, to: &Client, end: &Cell<bool>) -> Vec<String> {
    let mut said = Vec::new();
    while !end.get() {
        let text = format!("{about} {}", said.len());
        who.send(general(who), &text).await.unwrap();
        knows(to, &text).await;
        said.push(text);
    }
    said
}

/// Asks and changes by REST until it is told to end; nothing of that may fail.
async fn ask_on(who: &Client, end: &Cell<bool>) -> Result<(), Error> {
    let (name, kind) = ("aside".to_owned(), ChannelKind::Private);
    let own = CreateChannel { workspace_id: None, name, kind, topic: None };
    let channel = who.http().create_channel(&own).await?.id;
    while !end.get() {
        let body = CreateMessage { content: "by REST".to_owned(), nonce: None, file_ids: Vec::new() };
        who.http().create_message(channel, &body).await?;
        who.http().me().await?;
    }
    Ok(())
}

/// A file at once and one in pieces come through whole; the server knows where requests come from, and whom not to
/// believe; its metrics are not for everyone.
async fn all_goes_through(place: &Place, who: &Client) {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let at_once = who.http().upload("at once.bin", bytes.clone()).await.unwrap().id;
    let in_pieces = who.http().create_upload("in pieces.bin", bytes.len() as u64).await.unwrap();
    let mut offset = 0;
    for piece in bytes.chunks(1_000_000) {
        offset = who.http().add_to_upload(in_pieces, offset, piece.to_vec()).await.unwrap();
    }
    for file in [at_once, in_pieces] {
        assert_eq!(who.http().download(file).await.unwrap().bytes().await.unwrap(), bytes);
    }
    let body = format!(r#"{{"username": "alice", "password": "{PASSWORD}"}}"#);
    let login = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: chat\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = place.ask("127.0.0.2", &login).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let sessions = who.http().sessions().await.unwrap();
    let addresses = |current| sessions.iter().find(|s| s.current == current).unwrap().address.clone();
    assert_eq!((addresses(true), addresses(false)), ("127.0.0.1".to_owned(), "127.0.0.2".to_owned()));
    let metrics = "GET /metrics HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n";
    let answer = place.ask("127.0.0.2", metrics).await;
    // No node was asked: it would have told a problem, or shown the web client.
    assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("problem+json"), "{answer}");
}

async fn nobody_misses_anything(balancer: Balancer) {
    let Some(mut place) = Place::with(balancer).await else { return };
    let mut people = Vec::new();
    for name in ["alice", "bob", "carol", "dan", "erin", "frank"] {
        people.push(place.someone(name).await);
    }
    let [alice, bob, carol, ..] = people.as_slice() else { unreachable!() };
    place.connections(&[0, 1, 2], |all| all.iter().all(|connections| *connections > 0)).await;
    all_goes_through(&place, alice).await;

    let end = Cell::new(false);
    let replaced = async {
        let ended = place.nodes[0].terminate().await;
        assert!(ended.success(), "{}", place.nodes[0].read_log());
        place.nodes[0].again().await;
        end.set(true);
    };
    let (mut said, asked, ()) =
        tokio::join!(talk("replaced", alice, bob, &end), ask_on(carol, &end), replaced);
    asked.unwrap_or_else(|error| panic!("{error}: {}", place.balancer.log()));

    let end = Cell::new(false);
    let killed = async {
        place.nodes[1].kill();
        place.connections(&[0, 2], |all| all.iter().sum::<u64>() == 6).await;
        end.set(true);
    };
    let (more, ()) = tokio::join!(talk("killed", alice, bob, &end), killed);
    said.extend(more);

    alice.send(general(alice), "the end").await.unwrap();
    said.push("the end".to_owned());
    for one in &people {
        knows(one, "the end").await;
        assert!(said.ends_with(&contents(&one.state())), "something is missing, or twice");
    }
    assert_eq!(stored(alice).await, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_haproxy_nobody_misses_a_node_that_is_replaced_or_killed() {
    nobody_misses_anything(Balancer::HaProxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_nobody_misses_a_node_that_is_replaced_or_killed() {
    nobody_misses_anything(Balancer::Nginx).await;
}
