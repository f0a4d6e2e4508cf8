//! One who reads a channel page by page over a kept HTTP connection, and checks what it reads.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use memchr::memmem;

use crate::{
    Error,
    check::{Faults, Order},
    measure::{Kind, Measure},
    scan,
    schedule::{Clock, Stream},
};

/// A server that is silent for this long is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read, and how.
#[derive(Debug)]
pub struct Walk {
    pub server: SocketAddr,
    pub host: String,
    pub token: String,
    pub channel: u64,
    /// The `seq` of the newest message.
    pub newest: u64,
    pub page: u32,
    /// Pages a second; 0 is as fast as it goes.
    pub rate: f64,
    pub length: u64,
    pub clock: Clock,
}

/// A reader.
#[derive(Debug)]
pub struct Reader {
    walk: Arc<Walk>,
    stream: TcpStream,
    buffer: Vec<u8>,
    schedule: Stream,
    cursor: Option<String>,
    /// The next older message that must come.
    expected: u64,
    pub measure: Measure,
    pub faults: Faults,
    pub pages: u64,
}

impl Reader {
    /// The reader with this number.
    ///
    /// # Errors
    /// When the server does not take the connection.
    pub fn connect(walk: Arc<Walk>, number: u32) -> Result<Self, Error> {
        let stream = TcpStream::connect(walk.server).map_err(Error::io("connecting"))?;
        stream.set_nodelay(true).map_err(Error::io("connecting"))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(Error::io("connecting"))?;
        // The readers' pages lie evenly between each other.
        let offset = if walk.rate > 0.0 { u64::from(number) * 10_000 % 1_000_000 } else { 0 };
        Ok(Self {
            schedule: Stream::new(walk.rate, offset, walk.length),
            measure: Measure::new(walk.length),
            faults: Faults::default(),
            pages: 0,
            buffer: Vec::new(),
            cursor: None,
            expected: walk.newest,
            stream,
            walk,
        })
    }

    /// Reads until the time is over.
    ///
    /// # Errors
    /// When the server does not answer as it must.
    pub fn run(&mut self) -> Result<(), Error> {
        while let Some(due) = self.wait() {
            let older = self.expected <= self.walk.newest / 2;
            self.page()?;
            let kind = if older { Kind::Beside } else { Kind::Delivery };
            self.measure.add(kind, due, self.walk.clock.now().saturating_sub(due));
            self.pages += 1;
        }
        Ok(())
    }

    /// Waits for the next page's moment; nothing once the time is over.
    fn wait(&mut self) -> Option<u64> {
        let now = self.walk.clock.now();
        if self.walk.rate <= 0.0 {
            return (now < self.walk.length).then_some(now);
        }
        let due = self.schedule.next_due()?;
        // What is overdue when the time is over is not made up for.
        if now >= self.walk.length {
            return None;
        }
        std::thread::sleep(Duration::from_micros(due.saturating_sub(now)));
        self.schedule.take(u64::MAX).map(|(_, due)| due)
    }

    fn page(&mut self) -> Result<(), Error> {
        let walk = self.walk.clone();
        let Walk { host, token, channel, page, .. } = &*walk;
        let before = self.cursor.as_ref().map(|c| format!("&before={c}")).unwrap_or_default();
        let request = format!(
            "GET /api/v1/channels/{channel}/messages?limit={page}{before} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).map_err(Error::io("asking for a page"))?;
        let body = self.answer()?;
        let (seqs, cursor) = read_page(&self.buffer[body..], self.walk.channel);
        let lowest = self.expected.saturating_sub(u64::from(*page));
        self.faults += check_page(&seqs, lowest, self.expected);
        self.expected = lowest;
        self.cursor = cursor;
        match (&self.cursor, self.expected) {
            // From the beginning again.
            (None, 0) => self.expected = self.walk.newest,
            (None, missing) => {
                self.faults.lost += missing;
                self.expected = self.walk.newest;
            }
            (Some(_), 0) => return Err(Error::Protocol("a cursor past the oldest message".to_owned())),
            (Some(_), _) => {}
        }
        Ok(())
    }

    /// Reads one answer into the buffer; gives where its body begins.
    fn answer(&mut self) -> Result<usize, Error> {
        self.buffer.clear();
        let mut whole = None;
        loop {
            if let Some((body, length)) = whole
                && self.buffer.len() >= body + length
            {
                return Ok(body);
            }
            let end = self.buffer.len();
            self.buffer.resize(end + 64 * 1024, 0);
            let n = self.stream.read(&mut self.buffer[end..]).map_err(Error::io("reading a page"))?;
            self.buffer.truncate(end + n);
            if n == 0 {
                return Err(Error::Protocol("the server closed in the middle of a page".to_owned()));
            }
            if whole.is_none() {
                whole = head(&self.buffer)?;
            }
        }
    }
}

/// Where the body begins and how long it is, once the head is whole.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let first = head.lines().next().unwrap_or_default().to_owned();
    if first.contains(" 429") {
        return Err(Error::RateLimited);
    }
    let length = head.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse().ok());
    match length {
        Some(length) if first.contains(" 200") => Ok(Some((end + 4, length))),
        _ => Err(Error::Protocol(format!("the answer to a page: {first}"))),
    }
}

/// The places of the messages in a page, and the cursor of the next.
fn read_page(body: &[u8], channel: u64) -> (Vec<u64>, Option<String>) {
    let mark = format!(r#""channel_id":"{channel}","seq":"#);
    let seqs = memmem::find_iter(body, mark.as_bytes())
        .filter_map(|at| Some(scan::number(&body[at + mark.len()..])?.0))
        .collect();
    const CURSOR: &[u8] = br#""next_cursor":""#;
    let cursor = memmem::rfind(body, CURSOR).and_then(|at| {
        let rest = &body[at + CURSOR.len()..];
        let end = memchr::memchr(b'"', rest)?;
        Some(String::from_utf8_lossy(&rest[..end]).into_owned())
    });
    (seqs, cursor)
}

/// Whether a page has exactly the messages after `after` up to `last`, oldest first.
fn check_page(seqs: &[u64], after: u64, last: u64) -> Faults {
    let mut order = Order::after(after);
    for seq in seqs {
        order.hear(*seq);
    }
    order.finish(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_checked() {
        for (seqs, lost, doubled, disordered) in [
            (&[11, 12, 13][..], 0, 0, 0),
            (&[11, 13], 1, 0, 0),
            (&[11, 12], 1, 0, 0),
            (&[12, 13], 1, 0, 0),
            (&[10, 11, 12, 13], 0, 1, 0),
            (&[11, 13, 12], 0, 0, 1),
            (&[], 3, 0, 0),
        ] {
            let faults = check_page(seqs, 10, 13);
            assert_eq!(
                (faults.lost, faults.doubled, faults.disordered),
                (lost, doubled, disordered),
                "{seqs:?}"
            );
        }
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n").unwrap(), None);
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nx").unwrap(), Some((38, 7)));
        assert!(head(b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\n").is_err());
        assert!(matches!(head(b"HTTP/1.1 429 Too Many Requests\r\n\r\n"), Err(Error::RateLimited)));
        let body = br#"{"items":[{"id":"1","channel_id":"7","seq":3,"x":0},{"id":"2","channel_id":"7","seq":4}],"next_cursor":"1","prev_cursor":null}"#;
        assert_eq!(read_page(body, 7), (vec![3, 4], Some("1".to_owned())));
        assert_eq!(read_page(br#"{"items":[],"next_cursor":null}"#, 7), (vec![], None));
    }
}
