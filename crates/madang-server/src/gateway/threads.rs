//! Threads of the gateway: one for each shard, with a runtime of its own, so that a fan-out to very many
//! never stands before HTTP or the database, and a connection's wake-up never leaves its core.

use std::{io, thread};

use madang_realtime::Shutdown;
use tokio::runtime::{Builder, Handle};

/// The threads of the shards.
pub struct Threads {
    handles: Vec<Handle>,
    end: Shutdown,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// When the system has no more threads or files.
    pub fn start(count: usize) -> io::Result<Self> {
        let end = Shutdown::new();
        let mut handles = Vec::with_capacity(count);
        for index in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            handles.push(runtime.handle().clone());
            let end = end.clone();
            // Whatever still runs on it ends with the runtime.
            let serve = move || runtime.block_on(end.wait());
            thread::Builder::new().name(format!("shard-{index}")).spawn(serve)?;
        }
        Ok(Self { handles, end })
    }

    /// The runtime of a shard.
    #[must_use]
    pub fn of(&self, shard: usize) -> &Handle {
        &self.handles[shard % self.handles.len()]
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end.signal();
    }
}
