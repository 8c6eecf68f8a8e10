//! When a program that ended starts again. It knows no clock: it is told the time.

use super::spec::Restart;
use std::collections::VecDeque;
use std::time::Duration;

/// What is remembered of a program's ends.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Times of the latest ends, since some beginning.
    ends: VecDeque<Duration>,
    /// Ends since it was last steady.
    in_a_row: u32,
    /// The circuit is open, or the one trial runs.
    open: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It starts after this wait.
    Restart(Duration),
    /// It is left alone for so long, then tried.
    CircuitOpen(Duration),
}

impl Backoff {
    /// It ended at `now`. `lot` is drawn from 0 to 1.
    pub fn ended(&mut self, restart: &Restart, now: Duration, lot: f64) -> Next {
        while self
            .ends
            .front()
            .is_some_and(|end| now.saturating_sub(*end) > restart.within)
        {
            self.ends.pop_front();
        }
        self.ends.push_back(now);
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.open || self.ends.len() >= restart.crashes as usize {
            self.open = true;
            self.ends.clear();
            return Next::CircuitOpen(restart.open);
        }
        let doubled = 2_u32.checked_pow(self.in_a_row - 1);
        let wait = doubled.and_then(|times| restart.first.checked_mul(times));
        let wait = wait.unwrap_or(restart.most).min(restart.most);
        // (the factor is 0 to 1: `check` has seen to the jitter)
        Next::Restart(wait.mul_f64(1.0 - restart.jitter * lot.clamp(0.0, 1.0)))
    }

    /// Whether it has ended since it was last steady: who waits for it to be so is told.
    pub fn is_shaken(&self) -> bool {
        self.in_a_row > 0
    }

    /// It has run for [`Restart::within`].
    pub fn steady(&mut self) {
        *self = Backoff::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_until_the_circuit_opens() {
        let restart = Restart {
            jitter: 0.0,
            crashes: 5,
            most: Duration::from_millis(350),
            ..Restart::default()
        };
        let mut backoff = Backoff::default();
        let mut ended = |at| backoff.ended(&restart, at, 0.5);
        for wait in [100, 200, 350, 350] {
            assert_eq!(ended(S), Next::Restart(Duration::from_millis(wait)));
        }
        assert_eq!(ended(S), Next::CircuitOpen(restart.open));
        // The one trial.
        assert_eq!(ended(400 * S), Next::CircuitOpen(restart.open));
        backoff.steady();
        assert!(!backoff.is_shaken());
        assert_eq!(
            backoff.ended(&restart, 900 * S, 0.0),
            Next::Restart(restart.first)
        );
    }

    #[test]
    fn ends_far_apart_do_not_open_it() {
        let (restart, mut backoff) = (Restart::default(), Backoff::default());
        for minute in 0..100 {
            let next = backoff.ended(&restart, minute * 30 * S, 0.0);
            assert!(matches!(next, Next::Restart(_)), "{minute}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds(lots in prop::collection::vec(0.0..=1.0_f64, 0..60), jitter in 0.0..=1.0_f64) {
            let restart = Restart { jitter, crashes: 1_000, ..Restart::default() };
            let mut backoff = Backoff::default();
            for (nth, lot) in lots.into_iter().enumerate() {
                let Next::Restart(wait) = backoff.ended(&restart, nth as u32 * S, lot) else {
                    panic!("opened");
                };
                let full = restart.first * 2_u32.pow(nth.min(20) as u32);
                prop_assert!(wait <= full.min(restart.most));
                prop_assert!(wait >= full.min(restart.most).mul_f64((1.0 - jitter).max(0.0)) - Duration::from_nanos(1).min(full.min(restart.most).mul_f64((1.0 - jitter).max(0.0))));
            }
        }
    }
}
