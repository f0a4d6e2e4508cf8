//! Taking what came: from bytes to checked deliveries.

use std::sync::atomic::Ordering::Relaxed;

use madang_proto::Encoding;
use madang_websocket::deflate::inflate;
use memchr::memmem;

use super::Worker;
use crate::{
    Error,
    dialect::{Dialect, Greeting},
    frame::{self, Frame, Kind},
    measure,
    said::{self, Payload},
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
            let Some(head) = socket::upgraded(bytes, self.ground.dialect)? else { return Ok(0) };
            used = head;
            self.greet(at);
        }
        let now = self.ground.clock.now();
        while let Some(frame) = frame::next(bytes, used)? {
            let whole = &bytes[used..frame.payload.end];
            used = frame.payload.end;
            let payload = &bytes[frame.payload.clone()];
            match frame.kind {
                Kind::Text | Kind::Binary => self.message(at, &frame, whole, payload, now)?,
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

    /// A message of the server: one frame or several, as it is or packed.
    #[inline]
    fn message(
        &mut self,
        at: usize,
        frame: &Frame,
        whole: &[u8],
        payload: &[u8],
        now: u64,
    ) -> Result<(), Error> {
        let live = self.connections[at].phase == Phase::Live;
        if live && let Some(place) = self.memo.find(whole) {
            self.bytes += whole.len() as u64;
            let mut number = 0;
            while let Some(seen) = self.memo.seen(place, number) {
                self.delivery(at, seen, now);
                number += 1;
            }
            return Ok(());
        }
        if !self.ground.dialect.admits(frame) {
            return Err(Error::Protocol(format!("a message that was not agreed on: {frame:?}")));
        }
        let unpacked;
        let message = if frame.compressed {
            unpacked = inflate(payload.to_vec(), frame::LARGEST)
                .map_err(|_| Error::Protocol("a compressed message that cannot be unpacked".to_owned()))?;
            &unpacked
        } else {
            payload
        };
        if !live {
            return self.greeting(at, message, now);
        }
        let mut scanned = std::mem::take(&mut self.scanned);
        scanned.clear();
        self.ground.dialect.scan(message, &mut scanned);
        self.memo.keep(whole, &scanned);
        if scanned.iter().any(|scanned| matches!(scanned, Scanned::Message(_))) {
            self.bytes += whole.len() as u64;
        }
        for scanned in &scanned {
            self.frame(at, *scanned, message, now);
        }
        self.scanned = scanned;
        Ok(())
    }

    #[inline]
    fn frame(&mut self, at: usize, scanned: Scanned, message: &[u8], now: u64) {
        match scanned {
            Scanned::Message(seen) => self.delivery(at, seen, now),
            Scanned::Ack { rid, seen } => self.acked(at, rid, seen, now),
            Scanned::Refused { rid } => self.refused(at, rid, message),
            Scanned::Ping(answer) => drop(self.connections[at].say(self.ground.dialect, answer)),
            Scanned::Ready | Scanned::Other => {}
        }
    }

    /// A message before the connection is live.
    fn greeting(&mut self, at: usize, message: &[u8], now: u64) -> Result<(), Error> {
        let dialect = self.ground.dialect;
        let returns = self.connections[at].returning && matches!(dialect, Dialect::Madang(_));
        match dialect.greet(message) {
            Greeting::Wait => {}
            // When it cannot be written, the end of the connection is heard of too.
            Greeting::Say(words) => drop(self.connections[at].say(dialect, words)),
            Greeting::Live => {
                if returns {
                    self.catch_up(at, message)?;
                }
                self.live(at, now);
            }
            Greeting::Look(frames) => {
                let mut frames = frames.iter().skip_while(|said| said.scanned() != Scanned::Ready);
                let Some(ready) = frames.next() else { return Ok(()) };
                if returns {
                    self.catch_up_slowly(at, &ready.payload, now);
                }
                self.live(at, now);
                frames.for_each(|said| self.frame(at, said.scanned(), message, now));
            }
        }
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
            let said = said::read(ready, Encoding::Json);
            let ready = said.first().ok_or_else(|| Error::Protocol("READY cannot be read".to_owned()))?;
            self.catch_up_slowly(at, &ready.payload, now);
            return Ok(());
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
        self.caught_up(at);
        Ok(())
    }

    /// The same by a real parser, also where the server did not tell everything.
    fn catch_up_slowly(&mut self, at: usize, ready: &Payload, now: u64) {
        let mut behind: Vec<&String> = ready.resync.iter().collect();
        for change in &ready.changes {
            for message in change.messages.iter().filter_map(Payload::seen) {
                if let Some(channel) = self.channel(message.channel) {
                    self.hear(at, channel, message.seq, now);
                }
            }
            if change.more {
                behind.push(&change.channel.id);
            }
        }
        for channel in ready.channels.iter().filter(|channel| behind.contains(&&channel.id)) {
            let number = channel.id.parse().ok().and_then(|id| self.channel(id));
            if let Some(order) = number.and_then(|number| self.connections[at].order(number)) {
                self.outcome.resyncs += 1;
                self.shared.skipped.fetch_add(channel.last_seq.saturating_sub(order.last()), Relaxed);
                order.resynchronise(channel.last_seq);
            }
        }
        self.caught_up(at);
    }

    fn caught_up(&mut self, at: usize) {
        self.connections[at].orders.iter_mut().for_each(|(_, order)| order.caught_up());
    }
}
