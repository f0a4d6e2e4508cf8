//! The line that tells a waiting person what is going on.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// A line on the standard error, rewritten a few times a second.
#[derive(Debug)]
pub struct Progress(Mutex<Instant>);

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Progress {
    /// Shows a line if the last one is old enough.
    pub fn line(&self, text: impl FnOnce() -> String) {
        let mut last = self.0.lock();
        if last.elapsed() < Duration::from_millis(500) {
            return;
        }
        *last = Instant::now();
        let mut out = std::io::stderr();
        drop(write!(out, "\r\x1b[K{}", text()));
        drop(out.flush());
    }

    /// Takes the line away.
    pub fn clear(&self) {
        drop(write!(std::io::stderr(), "\r\x1b[K"));
    }
}
