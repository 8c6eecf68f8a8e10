//! Machine code in a running flow: the texts of single nodes, and regions of several operators in one function.

mod function;
mod region;
mod world;

pub use function::Compiled;
pub(crate) use region::{Region, regions};

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
