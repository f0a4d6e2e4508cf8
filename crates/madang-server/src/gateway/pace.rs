//! How many frames a connection sends: of whatever kind, valid or not, so that garbage costs no more than a
//! conversation. It is counted in the connection's own state, by the generic cell rate algorithm.

use std::time::Duration;

use madang_proto::limits;
use tokio::time::Instant;

/// What one frame uses up.
const COST: Duration = Duration::from_nanos(60_000_000_000 / limits::FRAMES_A_MINUTE as u64);
const AT_ONCE: Duration = Duration::from_nanos(COST.as_nanos() as u64 * limits::FRAMES_AT_ONCE as u64);
const PATIENCE: Duration = Duration::from_nanos(COST.as_nanos() as u64 * limits::FRAMES_REFUSED as u64);

/// How a frame is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// As it is.
    Well,
    /// It is one too many.
    Refused,
    /// It goes on and on: the connection is to be closed.
    Flood,
}

/// The frames of one connection.
#[derive(Debug)]
pub struct Pace {
    /// When all that came would have been fine, had it come evenly; nothing where nothing is limited.
    even: Option<Instant>,
}

impl Pace {
    /// None came yet.
    #[must_use]
    pub fn new(limited: bool) -> Self {
        Self { even: limited.then(Instant::now) }
    }

    /// So many came now.
    pub fn take(&mut self, frames: u32) -> Taken {
        let Some(even) = self.even.as_mut().filter(|_| frames > 0) else { return Taken::Well };
        let now = Instant::now();
        *even = (*even).max(now) + COST * frames;
        let ahead = even.duration_since(now);
        if ahead <= AT_ONCE {
            Taken::Well
        } else if ahead <= AT_ONCE + PATIENCE {
            Taken::Refused
        } else {
            Taken::Flood
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pace: &mut Pace, frames: u32) -> Vec<Taken> {
        (0..frames).map(|_| pace.take(1)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_then_as_many_as_the_minute_gives_then_the_end() {
        let mut pace = Pace::new(true);
        assert!(take(&mut pace, limits::FRAMES_AT_ONCE).iter().all(|taken| *taken == Taken::Well));
        assert!(take(&mut pace, 50).iter().all(|taken| *taken == Taken::Refused));
        tokio::time::advance(Duration::from_secs(1) + COST).await;
        assert_eq!(pace.take(1), Taken::Well, "what was refused counts too");
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(pace.take(limits::FRAMES_AT_ONCE), Taken::Well);
        assert_eq!(pace.take(limits::FRAMES_REFUSED), Taken::Refused);
        assert_eq!(pace.take(1), Taken::Flood);
    }

    #[tokio::test(start_paused = true)]
    async fn an_even_conversation_goes_on_for_ever_and_without_limits_all_does() {
        let (mut pace, mut off) = (Pace::new(true), Pace::new(false));
        for _ in 0..20_000 {
            assert_eq!((pace.take(1), off.take(1_000)), (Taken::Well, Taken::Well));
            tokio::time::advance(COST).await;
        }
        assert_eq!(pace.take(0), Taken::Well);
    }
}
