//! Load tests of a Madang server that check every delivery, and the machine's own limits to compare with.
//!
//! A scenario ([`scenario`]) makes its people and channels through the public API ([`setup`]), opens its
//! connections on threads of their own ([`worker`], one loop over all sockets of a thread, [`socket`]),
//! sends by an open-loop schedule ([`schedule`]) and checks what every connection hears ([`check`]). A
//! conductor ([`crew`]) says when a phase begins and when everything has arrived; the figures
//! ([`measure`], [`marks`], [`beyond`], [`proc`]) become a report ([`report`], [`plot`]). [`floor`] measures
//! what the machine itself can do. What is said on a connection is a [`dialect`], so that other chat servers
//! can be measured in the same way.
//!
//! The receiving side shares the machine with the server, so it is built to be cheap: frames are taken
//! apart in one buffer per thread and read by a byte scan ([`frame`], [`scan`]), those that everyone gets once
//! ([`memo`]), what is packed or joined by a real parser ([`said`]); an idle connection without TLS ([`tls`])
//! keeps no buffer at all.
//!
//! Invariants:
//! - Latency counts from the moment at which a message was due, not from when it was sent.
//! - A run is bounded in time, connections and messages.
//! - Only servers on this machine are loaded.

pub mod beyond;
pub mod bus;
pub mod check;
pub mod crew;
pub mod dialect;
mod error;
pub mod floor;
pub mod frame;
pub mod marks;
pub mod measure;
pub mod memo;
pub mod options;
pub mod pages;
pub mod plan;
pub mod plot;
pub mod proc;
pub mod progress;
pub mod report;
pub mod said;
pub mod scan;
pub mod scenario;
pub mod schedule;
pub mod setup;
pub mod socket;
pub mod tls;
pub mod worker;

pub use error::Error;
pub use options::{Command, Scenario};
pub use report::Report;
