//! A socket over TLS whose client takes little at a time.

use std::{sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, ServerName},
        version::TLS13,
    },
};

use madang_realtime::Frame;
use madang_websocket::{self as websocket, Opcode};

use super::*;
use crate::gateway::ws;

const PATIENCE: Duration = Duration::from_secs(15);

/// Both ends of a connection through which little fits at a time.
async fn narrow() -> (Stream, client::TlsStream<TcpStream>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let of_server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let of_client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let socket = || {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(4_096).unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket
    };
    let listening = socket();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let accept = async {
        let (tcp, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(of_server)).accept(tcp).await.unwrap()
    };
    let connect = async {
        let tcp = socket().connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(of_client)).connect(name, tcp).await.unwrap()
    };
    let (server, client) = tokio::join!(accept, connect);
    let (tcp, connection) = server.into_inner();
    (Stream { tcp: Arc::new(Plain(tcp)), tls: Some(Box::new(Session { connection, unread: true })) }, client)
}

#[tokio::test]
async fn a_frame_that_the_kernel_has_no_room_for_is_sent_whole() {
    let (stream, mut client) = narrow().await;
    assert!(!stream.holds());
    let mut socket = ws::Socket::on(stream);
    let content = "x".repeat(60_000);
    let mut frames = vec![Frame::new(websocket::frame(Opcode::Text, content.as_bytes()).into())];
    let wanted = frames[0].bytes().to_vec();
    let mut heard = vec![0; wanted.len()];
    let read = async { client.read_exact(&mut heard).await.map(drop) };
    let both = async { tokio::join!(socket.send(&mut frames), read) };
    // Nothing is sent after it that could push it on.
    let (sent, read) = timeout(PATIENCE, both).await.expect("something stayed behind");
    assert!(sent && read.is_ok() && heard == wanted);
}

#[tokio::test]
async fn what_is_due_together_is_one_write() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (accepted, client) = tokio::join!(listener.accept(), connect);
    let (mut socket, mut client) =
        (ws::Socket::on(Stream { tcp: Arc::new(Plain(accepted.unwrap().0)), tls: None }), client.unwrap());
    let writes_of = async |socket: &mut ws::Socket, frames: usize, bytes: usize| {
        let frame = Frame::new(websocket::frame(Opcode::Text, &vec![b'x'; bytes]).into());
        let before = ws::WRITES.get();
        assert!(socket.send(&mut vec![frame; frames]).await);
        ws::WRITES.get() - before
    };
    assert_eq!(writes_of(&mut socket, 1, 500).await, 1);
    assert_eq!(writes_of(&mut socket, 100, 500).await, 1);
    let mut heard = vec![0; 101 * 504];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(writes_of(&mut socket, 3, 30_000).await, 2, "64 KiB are joined at most");
}
