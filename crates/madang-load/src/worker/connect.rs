//! Opening connections, and coming back.

use std::{cmp::Reverse, sync::atomic::Ordering::Relaxed};

use madang_proto::close;
use mio::{Interest, Token, event::Event};

use super::Worker;
use crate::{
    Error,
    socket::{Connection, Got, Pace, Phase},
};

/// A connection that was lost comes back after this long, and up to twice as long.
const COME_BACK_AFTER: u64 = 250_000;
/// What ended without a close frame.
const NO_CODE: u16 = 1006;

impl Worker {
    /// Opens what is due, as far as the window allows.
    pub(super) fn open_due(&mut self, now: u64) -> Result<(), Error> {
        while self.opening < self.window {
            let Some(Reverse((due, at))) = self.to_open.peek().copied() else { break };
            if due > now {
                break;
            }
            self.to_open.pop();
            let servers = &self.ground.servers;
            let server = servers[self.connections[at].node % servers.len()];
            let stream = self.connections[at].open(server, self.ground.tls.as_ref())?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(stream, Token(at), interest)
                .map_err(Error::io("watching a socket"))?;
            self.opening += 1;
        }
        Ok(())
    }

    /// Drops every connection and has it come back at once.
    pub(super) fn drop_all(&mut self, now: u64) {
        for at in 0..self.connections.len() {
            let was = self.connections[at].phase;
            if was == Phase::Live {
                self.shared.live.fetch_sub(1, Relaxed);
                self.connections[at].drop_now(now);
                self.to_open.push(Reverse((now, at)));
            }
        }
    }

    /// Something happened on a socket.
    pub(super) fn ready(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        if self.connections[at].phase == Phase::Connecting && !self.connected(at, event) {
            return Ok(());
        }
        if event.is_writable() && self.connections[at].flush().is_err() {
            self.gone(at, NO_CODE);
            return Ok(());
        }
        let slow = self.is_slow && self.connections[at].pace != Pace::Full;
        if slow {
            if event.is_read_closed() || event.is_error() {
                self.gone(at, close::CloseCode::TooSlow.number());
            }
            return Ok(());
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.take(at, event.is_read_closed() || event.is_error())?;
        }
        Ok(())
    }

    /// TCP said yes or no; true when the upgrade was asked for.
    fn connected(&mut self, at: usize, event: &Event) -> bool {
        if !event.is_writable() && !event.is_error() {
            return false;
        }
        let connection = &mut self.connections[at];
        let token = &self.ground.tokens[connection.user as usize];
        if connection.is_connected()
            && connection.ask_to_upgrade(self.ground.dialect, &self.ground.host, token).is_ok()
        {
            return true;
        }
        self.gone(at, NO_CODE);
        false
    }

    /// The upgrade was accepted: says hello.
    pub(super) fn greet(&mut self, at: usize) {
        let connection = &mut self.connections[at];
        let resume =
            if connection.returning { resume(connection, &self.ground.channels) } else { String::new() };
        if connection.say_hello(self.ground.dialect, &resume).is_err() {
            self.gone(at, NO_CODE);
        }
    }

    /// `READY` came.
    pub(super) fn live(&mut self, at: usize, now: u64) {
        self.opening -= 1;
        let connection = &mut self.connections[at];
        connection.phase = Phase::Live;
        if connection.returning {
            self.outcome.returns.saturating_record(now.saturating_sub(connection.since).max(1));
            self.shared.returned.fetch_add(1, Relaxed);
        }
        connection.returning = true;
        self.shared.live.fetch_add(1, Relaxed);
        self.send_again(at);
    }

    /// The connection is lost; comes back when it may.
    pub(super) fn gone(&mut self, at: usize, code: u16) {
        let now = self.ground.clock.now();
        let connection = &mut self.connections[at];
        match connection.phase {
            Phase::Gone => return,
            Phase::Live => {
                self.shared.live.fetch_sub(1, Relaxed);
                connection.drop_now(now);
            }
            Phase::Connecting | Phase::Upgrading | Phase::Greeting => {
                self.opening -= 1;
                let since = connection.since;
                connection.drop_now(since);
            }
        }
        // Where there are several nodes, another one may be there.
        connection.node += 1;
        *self.outcome.closed.entry(code).or_default() += 1;
        let slow = self.is_slow && connection.pace != Pace::Full;
        if close::may_return(code) && !slow {
            let jitter = rand::random_range(0..COME_BACK_AFTER);
            self.to_open.push(Reverse((now + COME_BACK_AFTER + jitter, at)));
        }
    }

    /// Reads a kilobyte from each of those who read slowly.
    pub(super) fn read_slowly(&mut self, now: u64) {
        if !self.is_slow || now < self.next_slow {
            return;
        }
        self.next_slow = now + 1_000_000;
        for position in 0..self.slow.len() {
            let at = self.slow[position];
            if self.is_live(at) && self.connections[at].read(&mut self.buffer[..1024]) == Got::End {
                self.gone(at, close::CloseCode::TooSlow.number());
            }
        }
    }
}

/// Where a connection stands in each channel, as members of a JSON object.
fn resume(connection: &Connection, channels: &[super::Channel]) -> String {
    let at = |(channel, order): &(u16, crate::check::Order)| {
        let channel = &channels[usize::from(*channel)];
        // Nothing but messages changes the channels of a run.
        let version = channel.base_version + (order.last() - channel.base_seq);
        format!(r#""{}":{version}"#, channel.id)
    };
    connection.orders.iter().map(at).collect::<Vec<_>>().join(",")
}
