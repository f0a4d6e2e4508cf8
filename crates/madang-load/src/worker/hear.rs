//! Taking what came: from bytes to checked deliveries.

use std::sync::atomic::Ordering::Relaxed;

use memchr::memmem;
use serde_json::Value;

use super::Worker;
use crate::{
    Error,
    dialect::{Dialect, Greeting},
    frame::{self, Kind},
    measure,
    scan::{self, Scanned, Seen},
    schedule::Stamp,
    socket::{self, Got, Pace, Phase},
};

impl Worker {
    /// Reads all that is there; to the end when the other side has closed.
    pub(super) fn take(&mut self, at: usize, to_the_end: bool) -> Result<(), Error> {
        // Out of `self` while the frames in it are worked on.
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.take_into(&mut buffer, at, to_the_end);
        self.buffer = buffer;
        result
    }

    fn take_into(&mut self, buffer: &mut Vec<u8>, at: usize, to_the_end: bool) -> Result<(), Error> {
        loop {
            let rest = std::mem::take(&mut self.connections[at].rest);
            let room = rest.len().max(frame::needed(&rest, 0)) + super::BUFFER / 2;
            if buffer.len() < room && !rest.is_empty() {
                buffer.resize(room, 0);
            }
            buffer[..rest.len()].copy_from_slice(&rest);
            match self.connections[at].read(&mut buffer[rest.len()..]) {
                Got::Nothing => {
                    self.connections[at].rest = rest;
                    return Ok(());
                }
                Got::End => {
                    self.gone(at, 1006);
                    return Ok(());
                }
                Got::Bytes(n) => {
                    let end = rest.len() + n;
                    let drained = end < buffer.len();
                    let before = self.heard;
                    let used = self.frames(at, &buffer[..end])?;
                    self.reads += u64::from(self.heard > before);
                    let connection = &mut self.connections[at];
                    if connection.phase == Phase::Gone {
                        return Ok(());
                    }
                    if used < end {
                        connection.rest = buffer[used..end].to_vec();
                    }
                    if drained && !to_the_end {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Works on the whole frames; gives how many bytes they took.
    fn frames(&mut self, at: usize, bytes: &[u8]) -> Result<usize, Error> {
        let mut used = 0;
        if self.connections[at].phase == Phase::Upgrading {
            if bytes.starts_with(b"HTTP/1.1 5") {
                self.gone(at, 1006);
                return Ok(bytes.len());
            }
            let Some(head) = socket::upgraded(bytes)? else { return Ok(0) };
            used = head;
            self.greet(at);
        }
        let now = self.ground.clock.now();
        self.memo.begin();
        while let Some(frame) = frame::next(bytes, used)? {
            used = frame.payload.end;
            let payload = &bytes[frame.payload];
            match frame.kind {
                Kind::Text => self.text(at, payload, now)?,
                Kind::Ping => {
                    let mut answer = Vec::new();
                    frame::pong(&mut answer, payload);
                    drop(self.connections[at].write(&answer));
                }
                Kind::Pong => {}
                Kind::Close => {
                    let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                    self.refuse(at, code, payload)?;
                    return Ok(bytes.len());
                }
            }
        }
        Ok(used)
    }

    /// The server closed.
    fn refuse(&mut self, at: usize, code: u16, payload: &[u8]) -> Result<(), Error> {
        let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
        self.gone(at, code);
        if madang_proto::close::may_return(code) {
            return Ok(());
        }
        Err(Error::Protocol(format!("the server closed a connection with {code}: {reason}")))
    }

    #[inline]
    fn text(&mut self, at: usize, payload: &[u8], now: u64) -> Result<(), Error> {
        if self.connections[at].phase == Phase::Greeting {
            return self.greeting(at, payload, now);
        }
        match self.memo.scan(self.ground.dialect, payload) {
            Scanned::Message(seen) => {
                self.bytes += frame::on_the_wire(payload.len());
                self.delivery(at, seen, now);
            }
            Scanned::Ack { rid, seen } => self.acked(at, rid, seen, now),
            Scanned::Refused { rid } => self.refused(at, rid, payload),
            Scanned::Ping(answer) => drop(self.connections[at].write_text(answer.as_bytes())),
            Scanned::Ready | Scanned::Other => {}
        }
        Ok(())
    }

    /// A frame before the connection is live.
    fn greeting(&mut self, at: usize, payload: &[u8], now: u64) -> Result<(), Error> {
        match self.ground.dialect.greet(payload) {
            Greeting::Wait => return Ok(()),
            Greeting::Say(text) => {
                // When it cannot be written, the end of the connection is heard of too.
                drop(self.connections[at].write_text(text.as_bytes()));
                return Ok(());
            }
            Greeting::Live => {}
        }
        if self.connections[at].returning && self.ground.dialect == Dialect::Madang {
            self.catch_up(at, payload)?;
            self.connections[at].orders.iter_mut().for_each(|(_, order)| order.caught_up());
        }
        self.live(at, now);
        Ok(())
    }

    #[inline]
    fn delivery(&mut self, at: usize, seen: Seen, now: u64) {
        let Some(channel) = self.channel(seen.channel) else { return };
        if !self.hear(at, channel, seen.seq, now) {
            return;
        }
        let Some(Stamp { due, number }) = seen.stamp else { return };
        let latency = now.saturating_sub(due);
        let due = self.in_schedule(due);
        let measure = &mut self.outcome.measure;
        if self.ground.channels[usize::from(channel)].beside {
            measure.add(measure::Kind::Beside, due, latency);
            return;
        }
        measure.add(measure::Kind::Delivery, due, latency);
        match self.ground.acks.at(number) {
            Some(acked) => measure.add(measure::Kind::Beyond, due, now.saturating_sub(acked)),
            None => self.early.push(number, due, now),
        }
    }

    /// One message reached one connection. True when it is a new one.
    #[inline]
    fn hear(&mut self, at: usize, channel: u16, seq: u64, now: u64) -> bool {
        let connection = &mut self.connections[at];
        let counts = connection.pace == Pace::Full;
        let Some(order) = connection.order(channel) else { return false };
        let new = order.hear(seq);
        if new && counts {
            self.heard += 1;
            self.last_heard = now;
        }
        new
    }

    #[inline]
    pub(super) fn channel(&self, id: u64) -> Option<u16> {
        match &self.ground.channels[..] {
            [only] => (only.id == id).then_some(0),
            _ => self.ground.by_id.get(&id).copied(),
        }
    }

    /// What `READY` tells one who came back: the messages that it missed.
    fn catch_up(&mut self, at: usize, ready: &[u8]) -> Result<(), Error> {
        const CHANNEL: &[u8] = br#""channel_id":""#;
        let now = self.ground.clock.now();
        let tail = memmem::rfind(ready, br#","changes":["#).map_or(&[][..], |from| &ready[from..]);
        let simple = memmem::find(tail, br#""more":true"#).is_none() && tail.ends_with(br#""resync":[]}}"#);
        if !simple {
            return self.catch_up_slowly(at, ready, now);
        }
        for from in memmem::find_iter(tail, CHANNEL) {
            let text = &tail[from + CHANNEL.len()..];
            let Some((channel, rest)) = scan::number(text) else { continue };
            // Members have a channel and no place in it.
            let seq = rest.strip_prefix(br#"","seq":"#).and_then(scan::number);
            if let (Some(channel), Some((seq, _))) = (self.channel(channel), seq) {
                self.hear(at, channel, seq, now);
            }
        }
        Ok(())
    }

    /// The same where the server did not tell everything.
    fn catch_up_slowly(&mut self, at: usize, ready: &[u8], now: u64) -> Result<(), Error> {
        let ready: Value =
            serde_json::from_slice(ready).map_err(|e| Error::Protocol(format!("READY: {e}")))?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let id = |value: &Value| value.as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        let ready = &ready["payload"];
        let mut behind: Vec<u64> = list(&ready["resync"]).iter().map(id).collect();
        for change in list(&ready["changes"]) {
            for message in list(&change["messages"]).iter().filter_map(scan::message) {
                if let Some(channel) = self.channel(message.channel) {
                    self.hear(at, channel, message.seq, now);
                }
            }
            if change["more"] == true {
                behind.push(id(&change["channel"]["id"]));
            }
        }
        for channel in list(&ready["channels"]).iter().filter(|c| behind.contains(&id(&c["id"]))) {
            let last = channel["last_seq"].as_u64().unwrap_or_default();
            let number = self.channel(id(&channel["id"]));
            if let Some(order) = number.and_then(|number| self.connections[at].order(number)) {
                self.outcome.resyncs += 1;
                self.shared.skipped.fetch_add(last.saturating_sub(order.last()), Relaxed);
                order.resynchronise(last);
            }
        }
        Ok(())
    }
}
