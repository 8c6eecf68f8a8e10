//! How often somebody may try to log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Wrong tries of one address within [`WINDOW`] before it has to wait.
const TRIES: usize = 5;
/// Wrong tries of all addresses together.
const TRIES_OF_ALL: usize = 50;
/// How long a wrong try counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts wrong tries.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    wrong: HashMap<IpAddr, Vec<Instant>>,
}

impl Throttle {
    /// How long this address has to wait before it may try again; `None`: it may now.
    pub(crate) fn must_wait(&mut self, from: IpAddr, now: Instant) -> Option<Duration> {
        self.forget(now);
        let all: usize = self.wrong.values().map(Vec::len).sum();
        let own = self.wrong.get(&from).map_or(&[][..], Vec::as_slice);
        let oldest = match () {
            () if own.len() >= TRIES => own.first(),
            () if all >= TRIES_OF_ALL => self.wrong.values().flatten().min(),
            () => None,
        };
        oldest.map(|oldest| {
            WINDOW
                .saturating_sub(now.duration_since(*oldest))
                .max(Duration::from_secs(1))
        })
    }

    /// A try was wrong.
    pub(crate) fn failed(&mut self, from: IpAddr, now: Instant) {
        self.wrong.entry(from).or_default().push(now);
    }

    /// A try was right: earlier ones of this address no longer count.
    pub(crate) fn succeeded(&mut self, from: IpAddr) {
        self.wrong.remove(&from);
    }

    fn forget(&mut self, now: Instant) {
        for tries in self.wrong.values_mut() {
            tries.retain(|at| now.duration_since(*at) < WINDOW);
        }
        self.wrong.retain(|_, tries| !tries.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_has_to_wait() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _ in 0..TRIES {
            assert_eq!(throttle.must_wait(one, start), None);
            throttle.failed(one, start);
        }
        let later = start + Duration::from_secs(10);
        assert_eq!(
            throttle.must_wait(one, later),
            Some(Duration::from_secs(50))
        );
        assert_eq!(throttle.must_wait(other, later), None);
        assert_eq!(throttle.must_wait(one, start + WINDOW), None);
        throttle.failed(one, later);
        throttle.succeeded(one);
        assert_eq!(throttle.must_wait(one, later), None);
    }

    #[test]
    fn many_who_guess_together_have_to_wait_together() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        for host in 0..TRIES_OF_ALL {
            throttle.failed(IpAddr::from([10, 0, 1, host as u8]), start);
        }
        assert!(
            throttle
                .must_wait(IpAddr::from([10, 0, 0, 9]), start)
                .is_some()
        );
    }
}
