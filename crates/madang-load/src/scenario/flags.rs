//! Flags that several scenarios share.

use clap::value_parser;

use super::{CONNECTIONS, seats};
use crate::{
    options::Common,
    plan::{Phase, Seat, Send},
};

/// How many are there.
#[derive(Debug, Clone, clap::Args)]
pub struct Crowd {
    /// Connections [default: as the scenario needs, fewer with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub connections: Option<u32>,

    /// Guests whose devices the connections are [default: 1000, 50 with --quick].
    #[arg(long, value_parser = value_parser!(u32).range(1..=CONNECTIONS))]
    pub users: Option<u32>,

    /// Connections that send, where not all do; each waits for nothing, but the server takes one command of a
    /// connection at a time.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=10_000))]
    pub senders: u32,
}

impl Crowd {
    /// Connections, of which there are so many in a full and in a quick run, and users.
    pub(super) fn sizes(&self, common: &Common, full: u32, quick: u32) -> (usize, usize) {
        let connections = common.or(self.connections, full, quick) as usize;
        (connections, (common.or(self.users, 1_000, 50) as usize).min(connections))
    }

    /// Connections dealt out to users in turn: those that send in the first thread, the rest in the others.
    pub(super) fn seats(&self, connections: usize, users: usize, threads: u16) -> Vec<Seat> {
        seats(connections, users, threads, self.senders as usize)
    }
}

/// How much is said.
#[derive(Debug, Clone, clap::Args)]
pub struct Talk {
    /// Messages a second [default: as the scenario needs, fewer with --quick]. With several numbers, as in
    /// 100,200,400, each has an equal part of the run, and the report tells them apart.
    #[arg(long, value_delimiter = ',', value_parser = value_parser!(u32).range(0..=200_000))]
    pub rate: Vec<u32>,
}

impl Talk {
    /// Steady talk in these rooms for these seconds, spread over some threads, and the parts of the run that
    /// it makes.
    pub(super) fn over(
        &self,
        rate: u32,
        seconds: u64,
        rooms: &std::ops::Range<usize>,
        threads: &std::ops::Range<usize>,
    ) -> (Vec<Send>, Vec<Phase>) {
        let rates = if self.rate.is_empty() { &[rate][..] } else { &self.rate };
        let each = (seconds / (rates.len() as u64).max(1)).max(1);
        let (mut sends, mut phases) = (Vec::new(), Vec::new());
        for (rate, n) in rates.iter().zip(0..) {
            let (from, to) = (n * each, (n + 1) * each);
            #[expect(clippy::cast_precision_loss, reason = "few threads")]
            let rate_of_each = f64::from(*rate) / threads.len() as f64;
            sends.extend(threads.clone().map(|thread| Send {
                rooms: rooms.clone(),
                rate: rate_of_each,
                from,
                to,
                thread,
            }));
            phases.push(Phase::new(format!("{rate}/s"), from, to));
        }
        (sends, if rates.len() > 1 { phases } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_rates_are_tried_one_after_the_other() {
        let (sends, phases) = Talk { rate: vec![10, 20] }.over(5, 9, &(0..3), &(0..2));
        let parts: Vec<_> = sends.iter().map(|s| (s.rate, s.from, s.to, s.thread)).collect();
        assert_eq!(parts, [(5.0, 0, 4, 0), (5.0, 0, 4, 1), (10.0, 4, 8, 0), (10.0, 4, 8, 1)]);
        assert_eq!(phases, [Phase::new("10/s", 0, 4), Phase::new("20/s", 4, 8)]);
        assert_eq!(sends.iter().map(Send::messages).sum::<usize>(), 40 + 80);

        let (sends, phases) = Talk { rate: Vec::new() }.over(5, 9, &(0..3), &(0..1));
        assert_eq!((sends.len(), sends[0].rate, sends[0].to, phases), (1, 5.0, 9, Vec::new()));
    }
}
