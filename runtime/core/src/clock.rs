//! The clock that nodes see and timers follow: the computer's, or one that stands still until it is moved.
//!
//! A virtual clock makes what a flow does with time a matter of its messages alone: tests move it by hours in
//! milliseconds, and get the same each time. It is read by everything that a flow can observe (timers, `Date`, JSONata's
//! `$now()`, timestamps of events); what talks to other programs (sockets, processes, files) keeps to the computer's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of a runtime.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The computer's.
    #[default]
    Real,
    /// One that is moved by [`crate::Runtime::advance`] only.
    Virtual(Arc<VirtualClock>),
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct VirtualClock {
    /// What stands for its beginning on the monotonic clock.
    start: Instant,
    /// Its beginning in milliseconds since the epoch.
    wall_ms: f64,
    /// Nanoseconds since its beginning.
    passed: AtomicU64,
}

impl Clock {
    /// A virtual clock that shows this many milliseconds since the epoch.
    pub fn starting_at(wall_ms: f64) -> Self {
        Clock::Virtual(Arc::new(VirtualClock {
            start: Instant::now(),
            wall_ms,
            passed: AtomicU64::new(0),
        }))
    }

    /// Milliseconds since the epoch, with fractions.
    pub fn now_ms(&self) -> f64 {
        match self {
            Clock::Real => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => since.as_secs_f64() * 1000.0,
                Err(before) => before.duration().as_secs_f64() * -1000.0,
            },
            Clock::Virtual(clock) => clock.wall_ms + clock.passed().as_secs_f64() * 1000.0,
        }
    }

    /// The time on the monotonic clock, for what is due later.
    pub fn now(&self) -> Instant {
        match self {
            Clock::Real => Instant::now(),
            Clock::Virtual(clock) => clock.start + clock.passed(),
        }
    }

    /// Whether it stands still until it is moved.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Clock::Virtual(_))
    }
}

impl VirtualClock {
    fn passed(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::Acquire))
    }

    /// Moves it to a time; one that has passed leaves it as it is.
    pub(crate) fn move_to(&self, time: Instant) {
        let passed = time.saturating_duration_since(self.start).as_nanos();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.passed.fetch_max(passed, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_when_it_is_moved_and_never_back() {
        let clock = Clock::starting_at(1000.0);
        let Clock::Virtual(inner) = &clock else {
            unreachable!("it is virtual")
        };
        let begin = clock.now();
        assert_eq!(clock.now_ms(), 1000.0);
        inner.move_to(begin + Duration::from_millis(250));
        assert_eq!(clock.now_ms(), 1250.0);
        inner.move_to(begin);
        assert_eq!(clock.now_ms(), 1250.0);
        assert_eq!(clock.now() - begin, Duration::from_millis(250));
    }
}
