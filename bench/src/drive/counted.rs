//! Through an HTTP end-point that the bench has added to the flow ([`crate::instrument::add_counters`]): the way for a target
//! that does not speak the control protocol, and for all others when they are compared with it. Each request has many
//! messages made; how many came to an end is asked for.

use super::{Driver, Drove, PATIENCE, SILENCE, eventually};
use crate::http::{self, Connection};
use crate::instrument::{COUNT, Count, SEND};
use crate::latency::Times;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Messages of one request.
const BATCH: u32 = 200;
/// Messages that are on their way at most.
const WINDOW: f64 = 2000.0;
/// A count that has not moved for so long is taken for the last.
const STILL: Duration = Duration::from_millis(300);

/// The driver.
pub struct Counted {
    host: String,
    connection: Option<Connection>,
    /// Ends that a message comes to, on the average.
    ends: f64,
}

impl Counted {
    /// For a flow with the end-points on this listener.
    pub fn new(host: String) -> Counted {
        Counted {
            host,
            connection: None,
            ends: 1.0,
        }
    }

    fn exchange(&mut self, request: &[u8]) -> Result<String, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.host)?,
        };
        let (status, body) = connection.exchange(request)?;
        self.connection = Some(connection);
        let body = String::from_utf8_lossy(&body).into_owned();
        match status {
            200..=299 => Ok(body),
            _ => Err(format!("the bench's end-point answered {status}: {body}")),
        }
    }

    fn count(&mut self) -> Result<Count, String> {
        let body = self.exchange(&http::request("localhost", "GET", COUNT, None))?;
        Count::read(&body)
    }

    fn send(&mut self, messages: u32) -> Result<(), String> {
        let body = format!("{{\"n\":{messages}}}");
        self.exchange(&http::request("localhost", "POST", SEND, Some(&body)))
            .map(|_| ())
    }

    /// Waits until the count is as high as expected, or stands still.
    fn settled(&mut self, expected: f64) -> Result<Count, String> {
        let (mut last, mut since) = (self.count()?, Instant::now());
        while last.n < expected && since.elapsed() < STILL {
            std::thread::sleep(Duration::from_millis(2));
            let now = self.count()?;
            if now.n > last.n {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }
}

/// The time of the clock that flows tell, in milliseconds.
fn clock() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1e3
}

impl Driver for Counted {
    fn first(&mut self) -> Result<(), String> {
        eventually(|| self.send(1))?;
        let until = Instant::now() + PATIENCE;
        while self.count()?.n < 1.0 {
            if Instant::now() > until {
                return Err(format!(
                    "no message came to an end within {} s: name the node where messages end with --until",
                    PATIENCE.as_secs()
                ));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        // How many ends a message comes to (none, when it is filtered out; two, where it forks) is found by trying.
        let before = self.settled(f64::INFINITY)?;
        self.send(BATCH)?;
        let from = self.settled(f64::INFINITY)?;
        self.ends = (from.n - before.n) / f64::from(BATCH);
        if self.ends <= 0.0 {
            return Err("no message comes to an end any more: give another with --message, or name the node where messages end with --until".to_owned());
        }
        let (begin, begun, mut sent) = (Instant::now(), clock(), 0.0);
        let (mut now, mut moved) = (from, Instant::now());
        while sent == 0.0 || begin.elapsed() < time {
            if sent - (now.n - from.n) / self.ends < WINDOW {
                self.send(BATCH)?;
                sent += f64::from(BATCH);
            }
            let next = self.count()?;
            if next.n > now.n {
                moved = Instant::now();
            } else if moved.elapsed() > SILENCE {
                return Err("messages come to no end any more".to_owned());
            }
            now = next;
        }
        let to = self.settled(from.n + sent * self.ends)?;
        Ok(Drove {
            messages: (to.n - from.n) / self.ends,
            time: Duration::from_secs_f64(((to.t - begun) / 1e3).max(1e-3)),
            failed: 0,
            latencies: None,
        })
    }

    fn paced(&mut self, _: &Times) -> Result<Drove, String> {
        Err("messages that are counted have no pace".to_owned())
    }
}
