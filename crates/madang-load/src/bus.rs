//! What nodes say over the bus, by their own metrics.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Error;

/// Most bytes of an answer.
const LARGEST: u64 = 4 << 20;
/// Counts what came from other nodes.
const RECEIVED: &str = "chat_bus_received_total ";

/// How many messages of other nodes came to all of these, which answer with metrics.
///
/// # Errors
/// When one does not, or has no bus.
pub async fn received(metrics: &[SocketAddr]) -> Result<u64, Error> {
    let mut sum = 0;
    for address in metrics {
        let text = get(*address, "/metrics").await?;
        let line = text.lines().find_map(|line| line.strip_prefix(RECEIVED)?.trim().parse::<u64>().ok());
        sum += line.ok_or_else(|| Error::Protocol(format!("no {RECEIVED}at http://{address}/metrics")))?;
    }
    Ok(sum)
}

/// What a server of this machine answers to a plain request.
///
/// # Errors
/// When it does not.
pub async fn get(server: SocketAddr, path: &str) -> Result<String, Error> {
    let doing = || Error::io(format!("asking http://{server}{path}"));
    let mut stream = TcpStream::connect(server).await.map_err(doing())?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(doing())?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer).await.map_err(doing())?;
    Ok(answer)
}
