//! A web site for one test, on 127.0.0.1: what it answers to each path, and what it was asked.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status line, these headers and this body.
    Whole(&'static str, String, Vec<u8>),
    /// This beginning of a page, and then the same byte for ever.
    Endless(&'static str),
    /// Nothing, ever.
    Silence,
}

impl Answer {
    /// A page in UTF-8.
    pub fn page(html: &str) -> Self {
        Self::of("text/html; charset=utf-8", html.as_bytes())
    }

    /// A body of some type.
    pub fn of(media_type: &str, body: &[u8]) -> Self {
        Self::Whole("200 OK", format!("Content-Type: {media_type}\r\n"), body.to_vec())
    }

    /// A redirect.
    pub fn redirect(place: &str) -> Self {
        Self::Whole("302 Found", format!("Location: {place}\r\n"), Vec::new())
    }
}

/// A web site.
pub struct Site {
    /// Where it is.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Site {
    /// A site that answers so to each path.
    pub async fn with(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let (of_task, mut task) = (Arc::clone(&asked), JoinSet::new());
        task.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, answer) = (Arc::clone(&of_task), Arc::clone(&answer));
                visits.spawn(async move { visit(stream, &asked, &*answer).await });
            }
        });
        Self { address, asked, _task: task }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far, each with its headers.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    /// The paths that were asked for.
    pub fn paths(&self) -> Vec<String> {
        self.asked().iter().map(|asked| asked.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }
}

async fn visit(
    mut stream: TcpStream,
    asked: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().push(request);
    match answer(&path) {
        Answer::Whole(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            drop(stream.write_all(&[head.as_bytes(), &body].concat()).await);
        }
        Answer::Endless(beginning) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{beginning}");
            let mut sent = stream.write_all(head.as_bytes()).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b' '; 16 * 1024]).await;
            }
        }
        Answer::Silence => {
            drop(stream.read_u8().await);
        }
    }
}
