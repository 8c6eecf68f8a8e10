//! Over HTTP: requests to an `http in` node.

use super::{Content, Driver, Drove, eventually};
use crate::http::{Connection, parse};
use crate::latency::{Latencies, Times, wait_until};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests a second that one connection is given at most when they come at a pace.
const PACE_OF_ONE: f64 = 2000.0;

/// The driver.
pub struct Http {
    host: String,
    requests: Content<Vec<u8>>,
    connections: usize,
}

impl Http {
    /// Sends these requests, on so many connections when it floods.
    pub fn new(host: String, requests: Content<Vec<u8>>, connections: usize) -> Http {
        Http {
            host,
            requests,
            connections,
        }
    }
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().next().unwrap_or_default().to_owned()
}

fn is_good(status: u16) -> bool {
    status < 400
}

impl Driver for Http {
    fn first(&mut self) -> Result<(), String> {
        let request = (self.requests)(0);
        let (status, body) = eventually(|| Connection::open(&self.host)?.exchange(&request))?;
        match is_good(status) {
            true => Ok(()),
            false => Err(format!(
                "it answered {status} to {}: {} (another request is made with --message: its payload is the body, or the query)",
                first_line(&request),
                first_line(&body)
            )),
        }
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| format!("the driver cannot start: {e}"))?;
        let (begin, next) = (Instant::now(), Rc::new(Cell::new(0)));
        let local = tokio::task::LocalSet::new();
        let tasks: Vec<_> = (0..self.connections)
            .map(|_| {
                let (host, requests, next) =
                    (self.host.clone(), self.requests.clone(), next.clone());
                local.spawn_local(
                    async move { flood_one(&host, &requests, &next, begin + time).await },
                )
            })
            .collect();
        let (mut good, mut failed) = (0u64, 0);
        local.block_on(&runtime, async {
            for task in tasks {
                let (of_one, bad) = task.await.map_err(|e| e.to_string())??;
                good += of_one;
                failed += bad;
            }
            Ok::<(), String>(())
        })?;
        Ok(Drove {
            messages: good as f64,
            time: begin.elapsed(),
            failed,
            latencies: None,
        })
    }

    fn paced(&mut self, times: &Times) -> Result<Drove, String> {
        let connections = (times.rate() / PACE_OF_ONE).ceil().clamp(1.0, 32.0) as u64;
        let begin = Instant::now() + Duration::from_millis(5);
        let (this, all) = (&*self, &mut Latencies::new());
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|first| scope.spawn(move || this.paced_one(times, begin, first, connections)))
                .collect();
            for thread in threads {
                let latencies = thread
                    .join()
                    .unwrap_or_else(|_| Err("the driver panicked".to_owned()))?;
                all.add(&latencies);
            }
            Ok::<(), String>(())
        })?;
        Ok(Drove::paced(begin, std::mem::take(all)))
    }
}

impl Http {
    /// Every `step`-th message from `first`, on one connection.
    fn paced_one(
        &self,
        times: &Times,
        begin: Instant,
        first: u64,
        step: u64,
    ) -> Result<Latencies, String> {
        let mut connection = Connection::open(&self.host)?;
        let mut latencies = Latencies::new();
        let mut number = first;
        while number < times.count() {
            let (request, intended) = ((self.requests)(number), begin + times.due(number));
            wait_until(intended);
            let (status, _) = connection.exchange(&request)?;
            match is_good(status) {
                true => latencies.record(intended, Instant::now()),
                false => latencies.failed += 1,
            }
            number += step;
        }
        Ok(latencies)
    }
}

/// One connection of a flood: good answers and bad ones.
async fn flood_one(
    host: &str,
    requests: &Content<Vec<u8>>,
    next: &Cell<u64>,
    end: Instant,
) -> Result<(u64, u64), String> {
    let fault = |e: std::io::Error| format!("the flow's HTTP connection broke: {e}");
    let mut stream = TcpStream::connect(host).await.map_err(fault)?;
    stream.set_nodelay(true).map_err(fault)?;
    let (mut good, mut failed, mut bytes) = (0, 0, Vec::with_capacity(4096));
    while Instant::now() < end {
        let number = next.get();
        next.set(number + 1);
        stream.write_all(&requests(number)).await.map_err(fault)?;
        let answer = loop {
            if stream.read_buf(&mut bytes).await.map_err(fault)? == 0 {
                return Err("the flow closed an HTTP connection".to_owned());
            }
            if let Some(answer) = parse(&bytes)? {
                break answer;
            }
        };
        bytes.drain(..answer.end);
        match is_good(answer.status) {
            true => good += 1,
            false => failed += 1,
        }
    }
    Ok((good, failed))
}
