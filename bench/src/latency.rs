//! Latencies, free of coordinated omission: each message has a time at which it is meant to be sent, and its latency counts
//! from that time, whether or not the driver or the connection was free then.

use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// Latencies from 100 ns to 5 minutes, three significant digits.
pub struct Latencies {
    histogram: Histogram<u64>,
    /// Messages that had no good answer.
    pub failed: u64,
}

impl Latencies {
    /// None yet.
    pub fn new() -> Latencies {
        // (the default bounds are replaced as values come: there is nothing that could fail in them)
        let histogram = Histogram::new_with_bounds(100, 300_000_000_000, 3)
            .unwrap_or_else(|_| unreachable!("the bounds are good"));
        Latencies {
            histogram,
            failed: 0,
        }
    }

    /// Takes one: from the intended time until now.
    pub fn record(&mut self, intended: Instant, now: Instant) {
        let nanos = now.saturating_duration_since(intended).as_nanos();
        self.histogram
            .saturating_record(u64::try_from(nanos).unwrap_or(u64::MAX));
    }

    /// Takes in those of another.
    pub fn add(&mut self, other: &Latencies) {
        // (both have the same bounds)
        let _ = self.histogram.add(&other.histogram);
        self.failed += other.failed;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The latency in microseconds that this share of the messages did not exceed.
    pub fn micros(&self, share: f64) -> f64 {
        self.histogram.value_at_quantile(share) as f64 / 1e3
    }

    /// The curve from the median outwards: (share of messages, microseconds), for a plot.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        if self.histogram.is_empty() {
            return Vec::new();
        }
        // Five points for each factor of ten in 1 / (1 - share), as far as there are messages to tell them apart.
        let outermost = (self.count() as f64).log10();
        let points = (outermost * 5.0).ceil() as u32;
        (0..=points)
            .map(|i| 1.0 - 10f64.powf(-f64::from(i) / 5.0))
            .map(|share| (share, self.micros(share)))
            .collect()
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Latencies::new()
    }
}

/// When messages are meant to be sent, counted from a beginning.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// At an even rate.
    Even {
        /// So many a second.
        rate: f64,
        /// So many in all.
        count: u64,
    },
    /// At these times, in ascending order.
    At(Vec<Duration>),
}

impl Times {
    /// So many a second for this long; one at least.
    pub fn even(rate: f64, length: Duration) -> Times {
        let count = (rate * length.as_secs_f64()).round().max(1.0) as u64;
        Times::Even { rate, count }
    }

    /// How many messages there are.
    pub fn count(&self) -> u64 {
        match self {
            Times::Even { count, .. } => *count,
            Times::At(times) => times.len() as u64,
        }
    }

    /// When message `number`, counted from 0, is due after the beginning.
    pub fn due(&self, number: u64) -> Duration {
        match self {
            Times::Even { rate, .. } => Duration::from_secs_f64(number as f64 / rate),
            Times::At(times) => times
                .get(usize::try_from(number).unwrap_or(usize::MAX))
                .copied()
                .unwrap_or_default(),
        }
    }

    /// The mean rate, in messages a second.
    pub fn rate(&self) -> f64 {
        match self {
            Times::Even { rate, .. } => *rate,
            Times::At(times) => {
                let length = times.last().copied().unwrap_or_default().as_secs_f64();
                times.len() as f64 / length.max(1e-3)
            }
        }
    }
}

/// The last stretch before an intended time is waited for awake: the kernel wakes a sleeper some 60 µs late, which would
/// count as latency.
const AWAKE: Duration = Duration::from_micros(90);

/// Waits until a time, to within a few microseconds.
pub fn wait_until(time: Instant) {
    loop {
        let left = time.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match left.checked_sub(AWAKE) {
            Some(sleep) if !sleep.is_zero() => std::thread::sleep(sleep),
            _ => std::hint::spin_loop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_counts_for_every_message_that_was_due_in_it() {
        // 1,000 a second for a second; all that were due in a stall of half a second are answered at its end.
        let begin = Instant::now();
        let times = Times::even(1000.0, Duration::from_secs(1));
        let mut latencies = Latencies::new();
        for number in 0..1000 {
            let intended = begin + times.due(number);
            let stalled = begin + Duration::from_millis(500);
            latencies.record(intended, intended.max(stalled) + Duration::from_micros(50));
        }
        assert_eq!(latencies.count(), 1000);
        assert!(latencies.micros(0.25) < 60.0, "half were not in the stall");
        assert!((240_000.0..260_000.0).contains(&latencies.micros(0.75)));
        assert!((490_000.0..510_000.0).contains(&latencies.micros(0.99)));
    }

    #[test]
    fn the_curve_goes_outwards() {
        let (begin, mut latencies) = (Instant::now(), Latencies::new());
        assert!(latencies.curve().is_empty());
        for micros in 1..=1000 {
            latencies.record(begin, begin + Duration::from_micros(micros));
        }
        let curve = latencies.curve();
        assert_eq!(curve.len(), 16);
        assert!(
            curve
                .windows(2)
                .all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1)
        );
    }

    #[test]
    fn times_are_evenly_spaced_and_never_early() {
        let times = Times::even(500.0, Duration::from_millis(100));
        assert_eq!((times.count(), times.rate()), (50, 500.0));
        assert_eq!(times.due(3), Duration::from_millis(6));
        let begin = Instant::now();
        wait_until(begin + times.due(1));
        assert!(begin.elapsed() >= Duration::from_millis(2));
    }

    #[test]
    fn recorded_times_are_kept() {
        let times = Times::At(vec![Duration::ZERO, Duration::from_millis(20)]);
        assert_eq!((times.count(), times.rate()), (2, 100.0));
        assert_eq!(times.due(1), Duration::from_millis(20));
    }
}
