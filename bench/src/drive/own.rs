//! A flow that drives itself: it is started and then only asked, twice, how far it has come. What is measured is the flow
//! and no driver.

use super::{Driver, Drove, eventually};
use crate::http;
use crate::instrument::{COUNT, Count, START};
use crate::latency::Times;
use std::time::{Duration, Instant};

/// How long a flow may take for its next round.
const PATIENCE: Duration = Duration::from_secs(120);

/// The driver.
pub struct Own {
    host: String,
}

impl Own {
    /// For a flow with the end-points of [`crate::instrument`] on this listener.
    pub fn new(host: String) -> Own {
        Own { host }
    }

    fn count(&self) -> Result<Count, String> {
        Count::read(&http::get(&self.host, COUNT)?)
    }

    /// Waits until the flow counts beyond `n`.
    fn beyond(&self, n: f64) -> Result<Count, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let count = self.count()?;
            if count.n > n {
                return Ok(count);
            }
            if Instant::now() > until {
                return Err(format!(
                    "it counted no message within {} s",
                    PATIENCE.as_secs()
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Driver for Own {
    fn first(&mut self) -> Result<(), String> {
        eventually(|| http::get(&self.host, START))?;
        self.beyond(0.0).map(|_| ())
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        let from = self.count()?;
        std::thread::sleep(time);
        // (a round that takes longer than the time is waited for)
        let to = self.beyond(from.n)?;
        Ok(Drove {
            messages: to.n - from.n,
            time: Duration::from_secs_f64(((to.t - from.t) / 1e3).max(1e-3)),
            failed: 0,
            latencies: None,
        })
    }

    fn paced(&mut self, _: &Times) -> Result<Drove, String> {
        Err("a flow that drives itself has no pace".to_owned())
    }
}
