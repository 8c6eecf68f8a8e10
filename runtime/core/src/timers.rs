//! Timers of an island.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::{Duration, Instant};

/// Names a timer of one operator; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: Instant,
    id: TimerId,
    slot: u32,
}

/// The pending timers of an island: earliest first; of equal time, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    live: HashSet<TimerId>,
    next: u64,
}

impl Timers {
    /// Sets a timer for an operator, counted from `now`.
    pub fn set(&mut self, slot: u32, now: Instant, after: Duration) -> TimerId {
        self.next += 1;
        let id = TimerId(self.next);
        // (a delay beyond what the clock can hold never comes)
        let far = Duration::from_secs(86_400 * 365 * 100);
        self.heap.push(Reverse(Entry {
            due: now + after.min(far),
            id,
            slot,
        }));
        self.live.insert(id);
        id
    }

    /// Takes a timer back; one that has fired is ignored.
    pub fn clear(&mut self, id: TimerId) {
        self.live.remove(&id);
        if self.heap.len() > 64 && self.live.len() * 2 < self.heap.len() {
            let live = &self.live;
            self.heap.retain(|Reverse(entry)| live.contains(&entry.id));
        }
    }

    /// Takes back all timers of an operator.
    pub fn clear_all(&mut self, slot: u32) {
        let live = &mut self.live;
        self.heap.retain(|Reverse(entry)| {
            let keep = entry.slot != slot;
            if !keep {
                live.remove(&entry.id);
            }
            keep
        });
    }

    /// Operators have got other slots (`None`: the operator is gone, and its timers with it).
    pub fn renumber(&mut self, new: impl Fn(u32) -> Option<u32>) {
        let entries = std::mem::take(&mut self.heap);
        for Reverse(mut entry) in entries {
            match new(entry.slot) {
                Some(slot) => {
                    entry.slot = slot;
                    self.heap.push(Reverse(entry));
                }
                None => drop(self.live.remove(&entry.id)),
            }
        }
    }

    /// When the next timer is due.
    pub fn next_due(&mut self) -> Option<Instant> {
        loop {
            let Reverse(entry) = *self.heap.peek()?;
            if self.live.contains(&entry.id) {
                return Some(entry.due);
            }
            self.heap.pop();
        }
    }

    /// The next timer that is due by now, taken out.
    pub fn pop_due(&mut self, now: Instant) -> Option<(u32, TimerId)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.live.remove(&entry.id);
        Some((entry.slot, entry.id))
    }

    /// The number of pending timers.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// True when no timer is pending.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_in_order_and_forgets_cleared_ones() {
        let mut timers = Timers::default();
        let now = Instant::now();
        let a = timers.set(1, now, Duration::from_millis(5));
        let b = timers.set(2, now, Duration::ZERO);
        let c = timers.set(3, now, Duration::from_millis(5));
        timers.clear(a);
        let late = now + Duration::from_secs(1);
        assert_eq!(timers.pop_due(late), Some((2, b)));
        assert_eq!(timers.pop_due(late), Some((3, c)));
        assert_eq!(timers.pop_due(late), None);
        assert!(timers.is_empty());
    }

    #[test]
    fn many_cleared_timers_do_not_pile_up() {
        let mut timers = Timers::default();
        for _ in 0..10_000 {
            let id = timers.set(0, Instant::now(), Duration::from_secs(60));
            timers.clear(id);
        }
        assert!(timers.heap.len() < 200);
    }
}
