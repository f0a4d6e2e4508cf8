//! When what is sent: an open-loop schedule.
//!
//! The n-th message of a stream is due at a fixed moment, whatever happened to those before it; latency
//! counts from that moment. So a server that stalls is charged for all who had to wait meanwhile.

use std::time::{Duration, Instant};

/// A clock of microseconds since the run began.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since then.
    #[must_use]
    pub fn now(self) -> u64 {
        micros(self.0.elapsed())
    }
}

/// Whole microseconds.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What a message of the load generator carries in its content: `t<due>n<number>` and then letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it was due, by the run's clock.
    pub due: u64,
    /// Which message of the run it is.
    pub number: u64,
}

const DUE_DIGITS: usize = 12;
const NUMBER_DIGITS: usize = 10;
/// Bytes that the stamp takes.
pub const STAMP_BYTES: usize = 2 + DUE_DIGITS + NUMBER_DIGITS;

impl Stamp {
    /// A content of `size` bytes, at least [`STAMP_BYTES`].
    #[must_use]
    pub fn content(self, size: usize) -> String {
        let mut text = format!("t{:0DUE_DIGITS$}n{:0NUMBER_DIGITS$}", self.due, self.number);
        text.extend("abcdefghijklmnopqrstuvwxyz ".chars().cycle().take(size.saturating_sub(text.len() + 1)));
        if text.len() < size {
            text.push('.');
        }
        text
    }

    /// The stamp at the beginning of a content.
    #[must_use]
    #[inline]
    pub fn read(content: &[u8]) -> Option<Self> {
        let content = content.get(..STAMP_BYTES)?;
        let (due, number) = content.split_at(1 + DUE_DIGITS);
        Some(Self { due: digits(due.strip_prefix(b"t")?)?, number: digits(number.strip_prefix(b"n")?)? })
    }
}

fn digits(bytes: &[u8]) -> Option<u64> {
    bytes
        .iter()
        .try_fold(0, |value: u64, byte| byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0')))
}

/// Messages at a steady rate for a while.
#[derive(Debug, Clone)]
pub struct Stream {
    rate: f64,
    from: u64,
    to: u64,
    sent: u64,
}

impl Stream {
    /// `rate` a second from `from` to `to`, in microseconds after the start.
    #[must_use]
    pub const fn new(rate: f64, from: u64, to: u64) -> Self {
        Self { rate, from, to, sent: 0 }
    }

    /// When the next one is due; nothing once it is over.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        if self.rate <= 0.0 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a run has far fewer than 2^52 messages and microseconds, all positive"
        )]
        let due = self.from + (self.sent as f64 * 1e6 / self.rate) as u64;
        (due < self.to).then_some(due)
    }

    /// Takes the next one if it is due: its number in the stream and its moment.
    pub fn take(&mut self, now: u64) -> Option<(u64, u64)> {
        let due = self.next_due().filter(|due| *due <= now)?;
        self.sent += 1;
        Some((self.sent - 1, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_bounded_and_late_ones_keep_their_moment() {
        let mut stream = Stream::new(100.0, 1_000, 51_000);
        assert_eq!(stream.take(999), None);
        assert_eq!(stream.take(1_000), Some((0, 1_000)));
        assert_eq!(stream.take(1_000), None);
        let late: Vec<_> = std::iter::from_fn(|| stream.take(1_000_000)).collect();
        assert_eq!(late, [(1, 11_000), (2, 21_000), (3, 31_000), (4, 41_000)]);
        assert_eq!(stream.next_due(), None);
        assert_eq!(Stream::new(0.0, 0, 1_000).next_due(), None);
    }

    #[test]
    fn the_rate_is_kept_without_drift() {
        let mut stream = Stream::new(117.0, 0, 60_000_000);
        let all: Vec<_> = std::iter::from_fn(|| stream.take(u64::MAX)).collect();
        assert_eq!(all.len(), 117 * 60);
        assert_eq!(all[117 * 30].1, 30_000_000);
    }

    #[test]
    fn stamps_come_back_at_every_size() {
        let stamp = Stamp { due: 123_456_789, number: 4_242 };
        for size in [STAMP_BYTES, STAMP_BYTES + 1, STAMP_BYTES + 2, 128, 1_000] {
            let content = stamp.content(size);
            assert_eq!((content.len(), Stamp::read(content.as_bytes())), (size, Some(stamp)));
            assert_eq!(content.trim(), content, "the server keeps it as it is");
        }
        for other in ["", "hello", "t12n3", "t00000000000xn0000000000"] {
            assert_eq!(Stamp::read(other.as_bytes()), None);
        }
    }
}
