//! A run as a scenario wants it: who is there, what is sent, what is switched when.

use crate::{setup::Room, socket::Pace};

/// A run as a scenario wants it.
#[derive(Debug)]
pub struct Plan {
    pub scenario: &'static str,
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
    /// Parts of the run that the report tells apart: name, from and to second.
    pub phases: Vec<(&'static str, u64, u64)>,
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

/// What the conductor switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Slow readers begin to read slowly.
    Slow,
    /// Everybody is dropped.
    Storm,
}
