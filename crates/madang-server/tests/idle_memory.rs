//! What an idle connection holds of memory, counted by the allocator. A test binary of its own: it counts
//! what the whole process takes.

#![expect(clippy::unwrap_used, reason = "in a test, what fails ends it")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use clap::Parser;
use madang_client::{
    Http,
    proto::{
        accounts::{GuestLogin, Register, Secret},
        channels::{ChannelKind, CreateChannel},
    },
};
use madang_server::{Config, Hands, Server};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CHANNELS: usize = 5;
const CONNECTIONS: usize = 400;
/// Bytes that a connection may hold, with its place in the hub and in five channels.
const BOUND: usize = 3_072;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

/// A client that takes no memory: it says HELLO, reads READY, and is silent.
fn connect(address: SocketAddr, token: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    let handshake = format!(
        "GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    socket.write_all(handshake.as_bytes()).unwrap();
    let mut byte = [0];
    let mut end = [0; 4];
    while end != *b"\r\n\r\n" {
        socket.read_exact(&mut byte).unwrap();
        end.rotate_left(1);
        end[3] = byte[0];
    }
    let hello = br#"{"type":"HELLO","payload":{}}"#;
    let header = [0x81, 0x80 | u8::try_from(hello.len()).unwrap(), 0, 0, 0, 0];
    socket.write_all(&[&header[..], hello].concat()).unwrap();
    let mut header = [0; 4];
    socket.read_exact(&mut header).unwrap();
    assert_eq!(header[1], 126, "READY is longer than 125 bytes");
    let mut ready = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]]))];
    socket.read_exact(&mut ready).unwrap();
    assert!(ready.starts_with(br#"{"type":"READY""#));
    socket
}

async fn guest_in_channels(http: &Http) -> String {
    let register = Register {
        username: "minji".to_owned(),
        password: Secret("correct horse".to_owned()),
        display_name: None,
        email: None,
    };
    let keeper = http.signed_in(&http.register(&register).await.unwrap());
    let guest = http.guest(&GuestLogin { display_name: None }).await.unwrap();
    let in_channels = http.signed_in(&guest);
    for n in 0..CHANNELS {
        let new = CreateChannel {
            workspace_id: None,
            name: format!("channel {n}"),
            kind: ChannelKind::Public,
            topic: None,
        };
        let channel = keeper.create_channel(&new).await.unwrap();
        in_channels.join_channel(channel.id).await.unwrap();
    }
    guest.access_token.0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_holds_little() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["madang", "--listen", "127.0.0.1:0", "--data", data, "--rate-limits", "off"];
    let hands = Hands { password_kib: Some(8), ..Hands::default() };
    let server = Server::start_with(Cli::parse_from(arguments).config, hands).await.unwrap();
    let address = server.address();
    let token = guest_in_channels(&Http::new(&format!("http://{address}")).unwrap()).await;
    let clients = move |count: usize| {
        let token = token.clone();
        let connect = move || (0..count).map(|_| connect(address, &token)).collect::<Vec<_>>();
        async move { tokio::task::spawn_blocking(connect).await.unwrap() }
    };
    // What the first ones need for all has grown then.
    let first = clients(CONNECTIONS).await;
    let before = MEMORY.current_usage();
    let second = clients(CONNECTIONS).await;
    let each = MEMORY.current_usage().saturating_sub(before) / CONNECTIONS;
    eprintln!("{each} bytes a connection");
    assert!(each <= BOUND, "{each} bytes a connection");
    assert!(each > 500, "{each} bytes: was anything counted?");
    drop((first, second));
    server.stop().await;
}
