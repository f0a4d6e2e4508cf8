//! A server that says back what it hears, for test suites of the WebSocket protocol: CONTRIBUTING.md says
//! how to run one against it. One thread for each connection, and the close codes of the RFC instead of
//! Madang's own.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use madang_websocket::{
    Decoder, Message, Opcode, Violation, accept, close, compressed, deflate::deflate, extension, frame,
};

/// Test suites send messages of 16 MiB.
const LIMIT: usize = 32 << 20;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    for stream in TcpListener::bind(address)?.incoming() {
        let stream = stream?;
        // Whoever breaks off ends its own connection only.
        thread::spawn(move || drop(serve(stream)));
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let (agreed, early) = handshake(&mut stream)?;
    let mut decoder = Decoder::new(LIMIT, agreed.is_some());
    decoder.feed(&early);
    let longest = agreed.map(|agreed| agreed.longest().unwrap_or(usize::MAX));
    let echo = |opcode, payload: &[u8]| {
        let packed =
            Some(payload).filter(|p| longest.is_some_and(|longest| p.len() <= longest)).and_then(deflate);
        packed.map_or_else(|| frame(opcode, payload), |packed| compressed(opcode, &packed))
    };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (answer, last) = match decoder.message() {
            Ok(Some(Message::Text(text))) => (echo(Opcode::Text, text.as_bytes()), false),
            Ok(Some(Message::Binary(bytes))) => (echo(Opcode::Binary, &bytes), false),
            Ok(Some(Message::Ping(payload))) => (frame(Opcode::Pong, &payload), false),
            Ok(Some(Message::Pong)) => continue,
            Ok(Some(Message::Close(code))) => (close(code.unwrap_or(1000), ""), true),
            Err(Violation::Protocol) => (close(1002, ""), true),
            Err(Violation::NotUtf8 | Violation::NotDeflated) => (close(1007, ""), true),
            Err(Violation::TooLarge) => (close(1009, ""), true),
            Ok(None) => {
                let read = stream.read(&mut buffer)?;
                if read == 0 {
                    return Ok(());
                }
                decoder.feed(buffer.get(..read).unwrap_or_default());
                continue;
            }
        };
        stream.write_all(&answer)?;
        if last {
            return Ok(());
        }
    }
}

/// Answers the handshake; gives what was agreed on and what came after it.
fn handshake(stream: &mut TcpStream) -> io::Result<(Option<extension::Agreed>, Vec<u8>)> {
    let mut request = Vec::new();
    let end = loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let early = request.split_off(end);
    let head = String::from_utf8_lossy(&request);
    let values = |wanted: &'static str| {
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        headers.filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let key = values("Sec-WebSocket-Key").next().unwrap_or_default();
    let agreed = extension::agree(values("Sec-WebSocket-Extensions"));
    let extension = agreed.map(|agreed| format!("Sec-WebSocket-Extensions: {}\r\n", agreed.header()));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{}\r\n",
        accept(key.as_bytes()),
        extension.unwrap_or_default()
    );
    stream.write_all(answer.as_bytes())?;
    Ok((agreed, early))
}
