//! Tests of the binary as a process: killed, starved, told to stop, asked for help.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

mod cli;
mod crash;
mod full_disk;
mod load;
mod migrate;
mod process;
mod secure;
mod terminal;
mod traces;
mod transfer;
