//! Certificates of a test's own, and clients that trust nothing else.

use std::{path::PathBuf, sync::Arc};

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::aws_lc_rs,
        pki_types::ServerName,
        version::{TLS12, TLS13},
    },
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::{Backend, PATIENCE, TestServer, server::PASSWORD};

/// What issues certificates, and the two files of a server.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    /// With files for this machine that are valid whenever the tests run.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        authority.write(&authority.issue(2020, 2099));
        authority
    }

    /// A certificate for this machine that is valid between these years, and its key.
    pub fn issue(&self, from: i32, until: i32) -> (String, String) {
        let mut parameters =
            CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        let key = KeyPair::generate().unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes both files.
    pub fn write(&self, (certificate, key): &(String, String)) {
        std::fs::write(self.certificate(), certificate).unwrap();
        std::fs::write(self.key(), key).unwrap();
    }

    /// The file of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The file of the key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// A server with these files.
    pub async fn server(&self) -> TestServer {
        let files = (Some(self.certificate()), Some(self.key()));
        let change = |c: &mut madang_server::Config| (c.tls_certificate, c.tls_key) = files;
        TestServer::start_with(Backend::Sqlite, change).await.unwrap()
    }

    /// REST for one who trusts this authority.
    pub fn http(&self) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.issuer.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap()
    }

    /// Someone new, and their token.
    pub async fn register(&self, s: &TestServer, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD});
        let answer =
            self.http().post(format!("{}/api/v1/auth/register", s.url)).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    /// TLS to a server, in the versions given.
    pub async fn connect_with(
        &self,
        tcp: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), tcp).await
    }

    /// TLS to a server.
    pub async fn connect(&self, s: &TestServer) -> TlsStream<TcpStream> {
        self.connect_with(tcp(s).await, &[&TLS13, &TLS12]).await.unwrap()
    }

    /// When the certificate ends that a new connection is shown, as it is in DER.
    pub async fn shown(&self, s: &TestServer) -> Vec<u8> {
        self.connect(s).await.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }

    /// A socket of the gateway over TLS.
    pub async fn socket(&self, s: &TestServer, token: &str) -> Wss {
        Wss::over(self.connect(s).await, token).await
    }
}

/// TCP to a server.
pub async fn tcp(s: &TestServer) -> TcpStream {
    TcpStream::connect(s.url.strip_prefix("https://").unwrap()).await.unwrap()
}

/// TCP to a server, with little room for what was not read yet.
pub async fn narrow_tcp(s: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.connect(s.url.strip_prefix("https://").unwrap().parse().unwrap()).await.unwrap()
}

/// A socket of the gateway over TLS; nothing is done by itself.
pub struct Wss(WebSocketStream<TlsStream<TcpStream>>);

impl Wss {
    /// The WebSocket of one with this token.
    pub async fn over(tls: TlsStream<TcpStream>, token: &str) -> Self {
        let request = format!("wss://localhost/api/v1/ws?token={token}").into_client_request().unwrap();
        Self(client_async(request, tls).await.unwrap().0)
    }

    /// Sends a frame just as given.
    pub async fn text(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.unwrap();
    }

    /// Says `HELLO` and gives the `READY`.
    pub async fn hello(&mut self, payload: Value) -> Value {
        self.text(&json!({"type": "HELLO", "payload": payload}).to_string()).await;
        self.next("READY").await
    }

    /// The payload of the next frame of this type.
    pub async fn next(&mut self, kind: &str) -> Value {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.unwrap_or_else(|_| panic!("no {kind} came"));
            let message = next.unwrap_or_else(|| panic!("the end came before {kind}")).unwrap();
            let Message::Text(text) = message else { panic!("{message:?} came before {kind}") };
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            if frame["type"] == kind {
                return frame["payload"].take();
            }
        }
    }

    /// The code that the server closes with; then the client says goodbye, and TLS must end as it should.
    pub async fn closed(mut self) -> u16 {
        let code = loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Close(frame) => break frame.unwrap().code.into(),
                _ => continue,
            }
        };
        assert!(self.0.next().await.is_none());
        // Without a `close_notify` the end is an error.
        AsyncReadExt::read_to_end(self.0.get_mut(), &mut Vec::new()).await.unwrap();
        code
    }
}
