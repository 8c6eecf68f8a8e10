//! Machine code in a running flow: the texts of single nodes, and regions of several operators in one function.

mod function;
mod region;
mod world;

use std::time::Duration;

pub use function::Compiled;
pub(crate) use region::{Region, regions};

/// Seconds that code may take, where nothing else is said.
const ENDLESS: f64 = 10.0;

/// How long code may take, a single function's as a region's: the seconds that its node or the settings name, if they name
/// any.
pub fn time_limit(seconds: f64) -> Duration {
    let seconds = if seconds > 0.0 { seconds } else { ENDLESS };
    Duration::from_secs_f64(seconds.min(1e6))
}

/// Calls after which what bails out more often than not is left to those behind it.
const TRIAL: u32 = 100;

/// How often code was called, and how often in vain.
#[derive(Debug, Default)]
struct Record {
    calls: u32,
    bails: u32,
}

impl Record {
    /// Whether it is worth trying.
    fn pays(&self) -> bool {
        self.calls < TRIAL || self.bails * 2 < self.calls
    }

    fn called(&mut self) {
        if self.calls == u32::MAX {
            (self.calls, self.bails) = (self.calls / 2, self.bails / 2);
        }
        self.calls += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_a_limit_whether_or_not_one_is_named() {
        assert_eq!(time_limit(0.0), Duration::from_secs(10));
        assert_eq!(time_limit(f64::NAN), Duration::from_secs(10));
        assert_eq!(time_limit(0.5), Duration::from_millis(500));
        assert_eq!(time_limit(f64::INFINITY), Duration::from_secs(1_000_000));
    }
}
