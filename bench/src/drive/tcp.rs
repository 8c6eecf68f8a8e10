//! Over TCP: pieces to a `tcp in` node that listens, answers on the same connection, in the same order.

use super::{Content, Driver, Drove, SILENCE, both, eventually};
use crate::latency::{Latencies, Times, wait_until};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Pieces that a flood writes at once.
const BATCH: u64 = 500;
/// Pieces of a flood that wait for their answers at most: more than any flow keeps busy with, less than the kernel's buffers
/// hold.
const WINDOW: u64 = 20_000;

/// True when this is the answer to message `number`.
pub type Check = Arc<dyn Fn(u64, &[u8]) -> bool + Send + Sync>;

/// The driver.
pub struct Tcp {
    address: String,
    pieces: Content<Vec<u8>>,
    /// The byte that each answer ends with.
    end: u8,
    check: Check,
}

impl Tcp {
    /// Sends these pieces; an answer ends with the byte `end`.
    pub fn new(address: String, pieces: Content<Vec<u8>>, end: u8, check: Check) -> Tcp {
        Tcp {
            address,
            pieces,
            end,
            check,
        }
    }

    fn connect(&self) -> Result<TcpStream, String> {
        let fault = |e: std::io::Error| format!("cannot connect to {}: {e}", self.address);
        let stream = TcpStream::connect(&self.address).map_err(fault)?;
        stream.set_nodelay(true).map_err(fault)?;
        stream.set_read_timeout(Some(SILENCE)).map_err(fault)?;
        Ok(stream)
    }

    /// Reads answers and hands each to `take`, until `take` has enough or none has come for a while. Gives how many came.
    fn answers(
        &self,
        mut stream: &TcpStream,
        mut take: impl FnMut(u64, &[u8], Instant) -> bool,
    ) -> Result<u64, String> {
        let (mut number, mut bytes, mut chunk) = (0, Vec::new(), vec![0; 64 * 1024]);
        loop {
            let count = match stream.read(&mut chunk) {
                Ok(0) => return Err("the flow closed the TCP connection".to_owned()),
                Ok(count) => count,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(number);
                }
                Err(e) => return Err(format!("the flow's TCP connection broke: {e}")),
            };
            let now = Instant::now();
            bytes.extend_from_slice(&chunk[..count]);
            let mut begin = 0;
            while let Some(length) = bytes[begin..].iter().position(|byte| *byte == self.end) {
                let answer = &bytes[begin..begin + length + 1];
                begin += length + 1;
                number += 1;
                if take(number - 1, answer, now) {
                    return Ok(number);
                }
            }
            bytes.drain(..begin);
        }
    }
}

fn write(mut stream: &TcpStream, bytes: &[u8]) -> Result<(), String> {
    stream
        .write_all(bytes)
        .map_err(|e| format!("the flow's TCP connection broke: {e}"))
}

impl Driver for Tcp {
    fn first(&mut self) -> Result<(), String> {
        let stream = eventually(|| self.connect())?;
        write(&stream, &(self.pieces)(0))?;
        let mut good = false;
        let came = self.answers(&stream, |number, answer, _| {
            good = (self.check)(number, answer);
            true
        })?;
        match (came, good) {
            (0, _) => Err(format!(
                "it gave no answer within {} s on the TCP connection; choose a node behind its `tcp in` with --node",
                SILENCE.as_secs()
            )),
            (_, false) => Err("its answer on the TCP connection was wrong".to_owned()),
            (_, true) => Ok(()),
        }
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        let stream = self.connect()?;
        let begin = Instant::now();
        // (how many are sent is known when the time is over)
        let (came, total) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let send = || {
            let (mut number, mut batch) = (0u64, Vec::new());
            while number == 0 || begin.elapsed() < time {
                if number.saturating_sub(came.load(Ordering::Relaxed)) > WINDOW {
                    std::thread::sleep(Duration::from_micros(50));
                    continue;
                }
                batch.clear();
                (number..number + BATCH).for_each(|n| batch.extend((self.pieces)(n)));
                number += BATCH;
                write(&stream, &batch)?;
            }
            total.store(number, Ordering::Relaxed);
            Ok(())
        };
        let (mut good, mut last) = (0u64, begin);
        both(send, || {
            let answers = self.answers(&stream, |number, answer, now| {
                good += u64::from((self.check)(number, answer));
                last = now;
                came.store(number + 1, Ordering::Relaxed);
                number + 1 >= total.load(Ordering::Relaxed)
            });
            // (whatever the sender waits for, it waits no longer)
            came.store(u64::MAX, Ordering::Relaxed);
            let _ = stream.shutdown(Shutdown::Both);
            match answers {
                Ok(number) if total.load(Ordering::Relaxed) == u64::MAX => Err(format!(
                    "it answered {number} pieces on the TCP connection and then, for {} s, no more",
                    SILENCE.as_secs()
                )),
                answers => answers,
            }
        })?;
        let sent = total.load(Ordering::Relaxed);
        Ok(Drove {
            messages: good as f64,
            time: last.saturating_duration_since(begin),
            failed: sent.saturating_sub(good),
            latencies: None,
        })
    }

    fn paced(&mut self, times: &Times) -> Result<Drove, String> {
        let stream = self.connect()?;
        let begin = Instant::now() + Duration::from_millis(5);
        let send = || {
            let (mut number, mut batch) = (0, Vec::new());
            while number < times.count() {
                wait_until(begin + times.due(number));
                batch.clear();
                // (all that is due by now goes at once)
                while number < times.count() && begin + times.due(number) <= Instant::now() {
                    batch.extend((self.pieces)(number));
                    number += 1;
                }
                write(&stream, &batch)?;
            }
            Ok(())
        };
        let mut latencies = Latencies::new();
        both(send, || {
            self.answers(&stream, |number, answer, now| {
                match (self.check)(number, answer) {
                    true => latencies.record(begin + times.due(number), now),
                    false => latencies.failed += 1,
                }
                number + 1 == times.count()
            })
        })?;
        let came = latencies.count() + latencies.failed;
        latencies.failed += times.count().saturating_sub(came);
        Ok(Drove::paced(begin, latencies))
    }
}
