//! Sending by the schedule, and what becomes of it.

use std::sync::atomic::Ordering::Relaxed;

use super::Worker;
use crate::{
    measure::Kind,
    scan::Seen,
    schedule::Stamp,
    socket::{Pending, Phase},
};

/// Every connection is heard of this often, in microseconds; the server waits for 90 seconds.
const PING_EVERY: u64 = 30_000_000;

/// A channel of a stream and who sends to it, by position in the thread.
#[derive(Debug, Clone)]
pub struct Lane {
    pub channel: u16,
    pub senders: Vec<usize>,
}

impl Worker {
    /// When the next message is due by the run's clock.
    pub(super) fn next_due(&self) -> Option<u64> {
        let start = self.shared.start.load(Relaxed);
        if start == u64::MAX {
            return None;
        }
        self.sends.iter().filter_map(|(stream, _)| stream.next_due()).min().map(|due| start + due)
    }

    /// Sends all that is due.
    pub(super) fn send_due(&mut self, now: u64) {
        let start = self.shared.start.load(Relaxed);
        if start > now {
            return;
        }
        for stream in 0..self.sends.len() {
            while let Some((n, due)) = self.sends[stream].0.take(now - start) {
                let lanes = &self.sends[stream].1;
                let n = usize::try_from(n).unwrap_or_default();
                let lane = &lanes[n % lanes.len()];
                let at = lane.senders[n / lanes.len() % lane.senders.len()];
                let pending = Pending { number: self.next_number, due: start + due, channel: lane.channel };
                self.next_number += 1;
                self.shared.sent.fetch_add(1, Relaxed);
                self.connections[at].pending.push(pending);
                if self.is_live(at) {
                    let lag = self.ground.clock.now().saturating_sub(start + due);
                    self.outcome.measure.add(Kind::Lag, due, lag);
                    self.send(at, pending);
                }
            }
        }
    }

    fn send(&mut self, at: usize, pending: Pending) {
        let Pending { number, due, channel } = pending;
        let channel = self.ground.channels[usize::from(channel)].id;
        let content = Stamp { due, number }.content(self.ground.size);
        let mut text = std::mem::take(&mut self.text);
        self.ground.dialect.message(&mut text, channel, &content, &self.ground.run, number);
        // When it cannot be written, the end of the connection is heard of too, and it is sent again.
        drop(self.connections[at].say(self.ground.dialect, &text));
        self.text = text;
    }

    /// Sends what was not acknowledged before the connection was lost: the nonce keeps it from being
    /// stored twice.
    pub(super) fn send_again(&mut self, at: usize) {
        for n in 0..self.connections[at].pending.len() {
            let pending = self.connections[at].pending[n];
            self.send(at, pending);
        }
    }

    pub(super) fn acked(&mut self, at: usize, rid: u64, seen: Option<Seen>, now: u64) {
        let pending = &mut self.connections[at].pending;
        let Some(position) = pending.iter().position(|p| p.number == rid) else { return };
        let Pending { due, channel, .. } = pending.remove(position);
        self.shared.acked.fetch_add(1, Relaxed);
        self.ground.acks.note(rid, now);
        let in_schedule = self.in_schedule(due);
        self.outcome.measure.add(Kind::Ack, in_schedule, now.saturating_sub(due));
        if let Some(seen) = seen {
            let newest = &mut self.acked_seq[usize::from(channel)];
            *newest = seen.seq.max(*newest);
        }
    }

    pub(super) fn refused(&mut self, at: usize, rid: Option<u64>, frame: &[u8]) {
        self.outcome
            .refusal
            .get_or_insert_with(|| String::from_utf8_lossy(frame).chars().take(300).collect());
        let pending = &mut self.connections[at].pending;
        if let Some(position) = pending.iter().position(|p| Some(p.number) == rid) {
            pending.remove(position);
            self.shared.refused.fetch_add(1, Relaxed);
        }
    }

    /// Sends the heartbeats that are due, evenly over the interval.
    pub(super) fn ping(&mut self, now: u64) {
        let Some(ping) = self.ground.dialect.ping() else { return };
        let all = self.connections.len() as u64;
        let due = now * all / PING_EVERY;
        // A thread that was held up does not make up for whole rounds.
        self.pinged = self.pinged.max(due.saturating_sub(all));
        while self.pinged < due {
            let at = usize::try_from(self.pinged % all).unwrap_or_default();
            self.pinged += 1;
            if self.connections[at].phase == Phase::Live {
                drop(self.connections[at].say(self.ground.dialect, ping));
            }
        }
    }
}
