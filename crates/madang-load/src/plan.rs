//! A run as a scenario wants it: who is there, what is sent, what is switched when.

use std::net::SocketAddr;

use crate::{dialect::Dialect, setup::Room, socket::Pace};

/// Most connections that a thread opens at one time, when there is no hurry.
const WINDOW: usize = 64;

/// A run as a scenario wants it.
#[derive(Debug)]
pub struct Plan {
    pub scenario: &'static str,
    /// What a peer to compare with speaks; it has one room and asks nobody who they are.
    pub peer: Option<Dialect>,
    /// Nodes beside the server, which together with it are one: connections are dealt out to all of them in turn.
    pub others: Vec<SocketAddr>,
    /// Where nodes tell their metrics.
    pub metrics: Vec<SocketAddr>,
    pub users: usize,
    pub rooms: Vec<Room>,
    pub connections: Vec<Seat>,
    pub streams: Vec<Send>,
    /// How many threads; the seats say which.
    pub threads: usize,
    /// Threads whose connections are dropped in a storm.
    pub stormy: Vec<usize>,
    /// Most connections that a thread opens at one time, when all are opened at once.
    pub window: usize,
    pub seconds: u64,
    /// What is switched, at which second.
    pub turns: Vec<(u64, Turn)>,
    /// Parts of the run that the report tells apart.
    pub phases: Vec<Phase>,
}

impl Plan {
    /// A run with nobody in it, and one thread more than hold the connections: it sends.
    #[must_use]
    pub fn new(scenario: &'static str, seconds: u64, threads: u16) -> Self {
        Self {
            scenario,
            peer: None,
            others: Vec::new(),
            metrics: Vec::new(),
            users: 0,
            rooms: Vec::new(),
            connections: Vec::new(),
            streams: Vec::new(),
            threads: usize::from(threads) + 1,
            stormy: Vec::new(),
            window: WINDOW,
            seconds,
            turns: Vec::new(),
            phases: Vec::new(),
        }
    }
}

/// A part of the run, from one second to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    pub name: String,
    pub from: u64,
    pub to: u64,
}

impl Phase {
    /// A part with a name.
    #[must_use]
    pub fn new(name: impl Into<String>, from: u64, to: u64) -> Self {
        Self { name: name.into(), from, to }
    }
}

/// A connection: whose, in which thread.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    pub user: usize,
    pub thread: usize,
    pub pace: Pace,
}

/// Messages to some rooms, from the connections of one thread.
#[derive(Debug)]
pub struct Send {
    pub rooms: std::ops::Range<usize>,
    pub rate: f64,
    pub from: u64,
    pub to: u64,
    pub thread: usize,
}

impl Send {
    /// Most messages that it makes.
    #[must_use]
    pub fn messages(&self) -> usize {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded by the flags to far less than 2^52, and positive"
        )]
        let messages = (self.rate * self.to.saturating_sub(self.from) as f64).ceil() as usize;
        messages
    }
}

/// What the conductor switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Slow readers begin to read slowly.
    Slow,
    /// Everybody is dropped.
    Storm,
    /// A process is killed.
    Kill(u32),
}
