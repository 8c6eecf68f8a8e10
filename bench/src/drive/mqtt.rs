//! Over MQTT: publishes on one topic and takes what the flow publishes on another, through a broker. As much of MQTT 3.1.1
//! as that needs, at QoS 0.

use super::{Driver, Drove, PATIENCE, SILENCE, both};
use crate::latency::{Latencies, Times, wait_until};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Messages of a flood that are on their way at most.
const WINDOW: u64 = 1000;
/// Messages that a flood writes at once.
const BATCH: u64 = 50;

/// The driver.
pub struct Mqtt {
    address: String,
    to: String,
    from: String,
}

/// What a `PUBLISH` brought: the text of its payload.
type Payload<'p> = &'p [u8];

impl Mqtt {
    /// Publishes on the topic `to`, takes from the topic `from`, at the broker of this address.
    pub fn new(address: String, to: &str, from: &str) -> Mqtt {
        Mqtt {
            address,
            to: to.to_owned(),
            from: from.to_owned(),
        }
    }

    /// Connects and subscribes.
    fn connect(&self) -> Result<TcpStream, String> {
        let fault = |e: std::io::Error| format!("no MQTT broker at {}: {e}", self.address);
        let stream = TcpStream::connect(&self.address).map_err(fault)?;
        stream.set_nodelay(true).map_err(fault)?;
        stream.set_read_timeout(Some(SILENCE)).map_err(fault)?;
        // (clean session, no keep-alive, a client id that the broker gives)
        let mut hello = packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x00");
        let subscribe = [&[0, 1], text(&self.from).as_slice(), &[0]].concat();
        hello.extend(packet(0x82, &subscribe));
        write(&stream, &hello)?;
        let mut subscribed = false;
        read(&stream, |kind, _, _| {
            subscribed = kind & 0xf0 == 0x90;
            subscribed
        })?;
        match subscribed {
            true => Ok(stream),
            false => Err(format!(
                "the MQTT broker at {} gave no answer",
                self.address
            )),
        }
    }

    fn publish(&self, number: u64, into: &mut Vec<u8>) {
        let payload = format!("{{\"seq\":{number},\"value\":{}}}", number % 50);
        let body = [text(&self.to).as_slice(), payload.as_bytes()].concat();
        into.extend(packet(0x30, &body));
    }
}

/// A text with its length before it.
fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// A packet: its kind, its length in base 128, its body.
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let (mut packet, mut left) = (vec![kind], body.len());
    loop {
        let digit = (left % 128) as u8;
        left /= 128;
        packet.push(if left > 0 { digit | 0x80 } else { digit });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

/// The first packet: its kind, where its body begins and where it ends; `None` when it is not whole yet.
fn first_packet(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (mut length, mut at) = (0, 1);
    loop {
        let digit = *bytes.get(at)?;
        length |= usize::from(digit & 0x7f) << (7 * (at - 1));
        at += 1;
        if digit & 0x80 == 0 || at > 4 {
            break;
        }
    }
    (at + length <= bytes.len()).then_some((bytes[0], at, at + length))
}

/// The payload of a `PUBLISH` at QoS 0.
fn payload(body: &[u8]) -> Payload<'_> {
    let topic = match body {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    body.get(2 + topic..).unwrap_or_default()
}

/// The number that a message carries.
fn number_in(payload: Payload<'_>) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
    value["seq"].as_u64()
}

fn write(mut stream: &TcpStream, bytes: &[u8]) -> Result<(), String> {
    let fault = |e| format!("the connection to the MQTT broker broke: {e}");
    stream.write_all(bytes).map_err(fault)
}

/// Reads packets and hands each to `take`, until `take` has enough or none has come for a while.
fn read(
    mut stream: &TcpStream,
    mut take: impl FnMut(u8, &[u8], Instant) -> bool,
) -> Result<(), String> {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let count = match stream.read(&mut chunk) {
            Ok(0) => return Err("the MQTT broker closed the connection".to_owned()),
            Ok(count) => count,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(());
            }
            Err(e) => return Err(format!("the connection to the MQTT broker broke: {e}")),
        };
        let now = Instant::now();
        bytes.extend_from_slice(&chunk[..count]);
        let mut begin = 0;
        while let Some((kind, body, end)) = first_packet(&bytes[begin..]) {
            let body = &bytes[begin + body..begin + end];
            begin += end;
            if take(kind, body, now) {
                return Ok(());
            }
        }
        bytes.drain(..begin);
    }
}

/// The number in a packet, if it is a message of the flow's.
fn number_of(kind: u8, body: &[u8]) -> Option<u64> {
    (kind & 0xf0 == 0x30).then(|| number_in(payload(body)))?
}

impl Driver for Mqtt {
    fn first(&mut self) -> Result<(), String> {
        let stream = self.connect()?;
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .map_err(|e| e.to_string())?;
        let until = Instant::now() + PATIENCE;
        // (the flow may not have subscribed yet: what is published before that is lost)
        while Instant::now() < until {
            let mut bytes = Vec::new();
            self.publish(0, &mut bytes);
            write(&stream, &bytes)?;
            let mut came = false;
            read(&stream, |kind, body, _| {
                came = number_of(kind, body).is_some();
                came
            })?;
            if came {
                return Ok(());
            }
        }
        Err(format!(
            "it published nothing on {} within {} s",
            self.from,
            PATIENCE.as_secs()
        ))
    }

    fn flood(&mut self, time: Duration) -> Result<Drove, String> {
        let stream = self.connect()?;
        let begin = Instant::now();
        let (came, total) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let send = || {
            let (mut number, mut batch) = (0, Vec::new());
            let mut stuck = Instant::now();
            while begin.elapsed() < time && stuck.elapsed() < SILENCE {
                // A message that is lost (QoS 0) would stop the window for ever: it counts as failed and is passed over.
                if number - came.load(Ordering::Relaxed) > WINDOW {
                    std::thread::sleep(Duration::from_micros(100));
                    continue;
                }
                stuck = Instant::now();
                batch.clear();
                (number..number + BATCH).for_each(|n| self.publish(n, &mut batch));
                number += BATCH;
                write(&stream, &batch)?;
            }
            total.store(number, Ordering::Relaxed);
            Ok(())
        };
        let (mut good, mut last) = (0u64, begin);
        both(send, || {
            read(&stream, |kind, body, now| {
                if number_of(kind, body).is_some() {
                    good += 1;
                    last = now;
                    came.store(good, Ordering::Relaxed);
                }
                good >= total.load(Ordering::Relaxed)
            })
        })?;
        Ok(Drove {
            messages: good as f64,
            time: last.saturating_duration_since(begin),
            failed: total.load(Ordering::Relaxed).saturating_sub(good),
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
                while number < times.count() && begin + times.due(number) <= Instant::now() {
                    self.publish(number, &mut batch);
                    number += 1;
                }
                write(&stream, &batch)?;
            }
            Ok(())
        };
        let mut latencies = Latencies::new();
        both(send, || {
            read(&stream, |kind, body, now| {
                if let Some(number) = number_of(kind, body) {
                    latencies.record(begin + times.due(number), now);
                }
                latencies.count() >= times.count()
            })
        })?;
        latencies.failed = times.count().saturating_sub(latencies.count());
        Ok(Drove::paced(begin, latencies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_written_and_read() {
        let driver = Mqtt::new("h:1".to_owned(), "in", "out");
        let mut bytes = Vec::new();
        driver.publish(7, &mut bytes);
        let (kind, body, end) = first_packet(&bytes).expect("whole");
        assert_eq!((kind, end), (0x30, bytes.len()));
        assert_eq!(payload(&bytes[body..end]), b"{\"seq\":7,\"value\":7}");
        assert_eq!(number_of(kind, &bytes[body..end]), Some(7));
        assert_eq!(first_packet(&bytes[..bytes.len() - 1]), None);
        let long = packet(0x30, &[0; 300]);
        assert_eq!(first_packet(&long), Some((0x30, 3, 303)));
    }

    #[test]
    fn what_is_cut_short_is_no_message() {
        assert_eq!(payload(b"\x00"), b"");
        assert_eq!(payload(b"\x00\x09abc"), b"");
        assert_eq!(number_in(b"x"), None);
    }
}
