//! Drivers: each brings messages into a running flow in one way and sees what comes of them.

pub mod counted;
pub mod http;
pub mod mqtt;
pub mod own;
pub mod receive;
pub mod tcp;

use crate::latency::{Latencies, Times};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the first answer of a flow is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long, after the last message was sent, answers that are missing are waited for.
const SILENCE: Duration = Duration::from_secs(3);

/// The bytes or the text of message `number`.
pub type Content<T> = Arc<dyn Fn(u64) -> T + Send + Sync>;

/// What came of a drive.
pub struct Drove {
    /// Messages that were carried through.
    pub messages: f64,
    /// How long that took.
    pub time: Duration,
    /// Messages without a good answer.
    pub failed: u64,
    /// The latencies, of a paced drive whose messages could be followed.
    pub latencies: Option<Latencies>,
}

impl Drove {
    /// Messages a second.
    pub fn rate(&self) -> f64 {
        self.messages / self.time.as_secs_f64().max(1e-9)
    }

    fn paced(begin: Instant, latencies: Latencies) -> Drove {
        Drove {
            messages: latencies.count() as f64,
            time: begin.elapsed(),
            failed: latencies.failed,
            latencies: Some(latencies),
        }
    }
}

/// A way to drive a flow.
pub trait Driver {
    /// Sends one message and waits until the flow has done its work on it; tries for a while, since a flow's connections
    /// may not stand yet.
    ///
    /// # Errors
    /// The flow does not do it.
    fn first(&mut self) -> Result<(), String>;

    /// Drives it as fast as it takes messages, for this long.
    ///
    /// # Errors
    /// The flow ended or broke a connection.
    fn flood(&mut self, time: Duration) -> Result<Drove, String>;

    /// Sends messages at these times, whatever the flow does (open loop).
    ///
    /// # Errors
    /// The flow ended or broke a connection.
    fn paced(&mut self, times: &Times) -> Result<Drove, String>;
}

/// Tries until it works, for a while.
fn eventually<T>(mut act: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match act() {
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}

/// Runs two sides of a paced drive, the sender on a thread of its own; gives what the receiver makes, or the first fault.
fn both<T: Send>(
    send: impl FnOnce() -> Result<(), String> + Send,
    receive: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    std::thread::scope(|scope| {
        let sender = scope.spawn(send);
        let received = receive();
        let sent = sender
            .join()
            .unwrap_or_else(|_| Err("the driver's sender panicked".to_owned()));
        received.and_then(|value| sent.map(|()| value))
    })
}
