//! How long after its acknowledgement a message reached those who hear it: what delivery costs beyond the
//! commit, which the acknowledgement waited for.
//!
//! The sending thread notes when an acknowledgement came, the others look it up. A delivery may be heard
//! before the acknowledgement is; it waits until that has come and then counts as nothing beyond it.
//!
//! Invariants:
//! - Memory is bounded by the messages of the run, which the plan bounds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{
    measure::{Kind, Measure},
    plan::Send,
};

/// Messages of one thread are numbered from its own multiple of this.
pub const NUMBERS: u64 = 1_000_000_000;

/// When the acknowledgements came: for each thread, by message; 0 before that.
#[derive(Debug, Default)]
pub struct Acks(Vec<Box<[AtomicU64]>>);

impl Acks {
    /// Room for the messages of these streams.
    #[must_use]
    pub fn of(streams: &[Send], threads: usize) -> Self {
        let of_thread = |thread| {
            let messages = streams.iter().filter(|s| s.thread == thread).map(Send::messages).sum();
            std::iter::repeat_with(AtomicU64::default).take(messages).collect()
        };
        Self((0..threads).map(of_thread).collect())
    }

    #[inline]
    fn place(&self, number: u64) -> Option<&AtomicU64> {
        let thread = usize::try_from(number / NUMBERS).ok()?.checked_sub(1)?;
        self.0.get(thread)?.get(usize::try_from(number % NUMBERS).ok()?)
    }

    /// An acknowledgement came.
    pub fn note(&self, number: u64, at: u64) {
        if let Some(place) = self.place(number) {
            place.store(at.max(1), Relaxed);
        }
    }

    /// When the acknowledgement came, if it did.
    #[inline]
    #[must_use]
    pub fn at(&self, number: u64) -> Option<u64> {
        self.place(number).map(|place| place.load(Relaxed)).filter(|at| *at > 0)
    }
}

/// Deliveries that were heard before the acknowledgement: message, when it was due, when they came.
#[derive(Debug, Default)]
pub struct Waiting(Vec<(u64, u64, Vec<u64>)>);

impl Waiting {
    /// A delivery waits.
    pub fn push(&mut self, number: u64, due: u64, at: u64) {
        match self.0.iter_mut().rev().find(|(n, ..)| *n == number) {
            Some((_, _, all)) => all.push(at),
            None => self.0.push((number, due, vec![at])),
        }
    }

    /// Counts those whose acknowledgement has come.
    pub fn settle(&mut self, acks: &Acks, measure: &mut Measure) {
        self.0.retain(|(number, due, all)| {
            let Some(acked) = acks.at(*number) else { return true };
            all.iter().for_each(|at| measure.add(Kind::Beyond, *due, at.saturating_sub(acked)));
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_count_from_the_acknowledgement_even_when_it_is_heard_later() {
        let send = |thread| Send { rooms: 0..1, rate: 1.5, from: 0, to: 2, thread };
        let acks = Acks::of(&[send(0), send(1), send(1)], 2);
        assert_eq!((acks.0[0].len(), acks.0[1].len()), (3, 6));
        let number = 2 * NUMBERS + 5;
        acks.note(number, 700);
        acks.note(number + 1, 700);
        assert_eq!((acks.at(number), acks.at(number + 1), acks.at(NUMBERS)), (Some(700), None, None));

        let (mut waiting, mut measure) = (Waiting::default(), Measure::new(1));
        for (message, at) in [(number, 600), (NUMBERS, 800), (number, 900)] {
            waiting.push(message, 10, at);
        }
        waiting.settle(&acks, &mut measure);
        let all = measure.all(Kind::Beyond);
        assert!((199..=201).contains(&all.max()), "to two digits: {}", all.max());
        assert_eq!((all.len(), waiting.0.len()), (2, 1));
    }
}
