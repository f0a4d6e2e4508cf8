//! Tests of the binary as a process: killed, starved, told to stop, asked for help.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

// Clients come from several addresses of this machine, which only Linux has.
#[cfg(target_os = "linux")]
mod balancer;
#[cfg(target_os = "linux")]
mod balancers;
mod cli;
mod crash;
mod deploy;
mod full_disk;
mod load;
mod migrate;
mod process;
mod secure;
mod terminal;
mod traces;
mod transfer;
