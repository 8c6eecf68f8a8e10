//! Many machines on a virtual clock and a network that loses, delays and cuts: what membership promises can be seen for a thousand nodes
//! within minutes, and the same seed gives the same run.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::machine::{Change, Machine, MemberInfo, Output};
use super::tuning::Tuning;
use crate::error::NetError;

/// What the simulated network does to datagrams.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Which share of them is lost, from 0 to 1.
    pub loss: f64,
    /// The shortest time that one takes.
    pub fastest: Duration,
    /// The longest.
    pub slowest: Duration,
}

impl Default for Weather {
    /// A local network: none lost, 0.2 to 2 ms.
    fn default() -> Self {
        Self {
            loss: 0.0,
            fastest: Duration::from_micros(200),
            slowest: Duration::from_millis(2),
        }
    }
}

enum Happening {
    Datagram {
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    Tick(usize),
}

struct At {
    time: Duration,
    order: u64,
    what: Happening,
}

impl PartialEq for At {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for At {}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time, self.order).cmp(&(other.time, other.order))
    }
}

struct Place {
    machine: Option<Machine>,
    /// How often it has been started.
    lives: u64,
    /// When its next tick is scheduled.
    ticks: Option<Duration>,
    /// On which side of a cut it is.
    side: usize,
}

/// A change, at which node and when it was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The time since the beginning.
    pub at: Duration,
    /// The number of the node that saw it.
    pub by: usize,
    /// What it saw.
    pub change: Change,
}

/// A mesh that is simulated. Nodes have the numbers from 0.
pub struct Simulation {
    now: Duration,
    order: u64,
    queue: BinaryHeap<Reverse<At>>,
    places: Vec<Place>,
    random: StdRng,
    tuning: Tuning,
    weather: Weather,
    seen: VecDeque<Seen>,
    sent: u64,
    bytes: u64,
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Simulation({} nodes at {:?})",
            self.places.len(),
            self.now
        )
    }
}

/// The key of a node.
fn key(node: usize) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(node as u64 + 1).to_be_bytes());
    key
}

/// The number of the node with a key.
pub fn number(key: &[u8; 32]) -> usize {
    let mut number = [0; 8];
    number.copy_from_slice(&key[..8]);
    (u64::from_be_bytes(number) as usize).wrapping_sub(1)
}

impl Simulation {
    /// So many nodes, none started.
    pub fn new(nodes: usize, seed: u64, tuning: Tuning, weather: Weather) -> Self {
        let place = || Place {
            machine: None,
            lives: 0,
            ticks: None,
            side: 0,
        };
        Self {
            now: Duration::ZERO,
            order: 0,
            queue: BinaryHeap::new(),
            places: (0..nodes).map(|_| place()).collect(),
            random: StdRng::seed_from_u64(seed),
            tuning,
            weather,
            seen: VecDeque::new(),
            sent: 0,
            bytes: 0,
        }
    }

    /// The time since the beginning.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Datagrams sent so far, and their bytes.
    pub fn traffic(&self) -> (u64, u64) {
        (self.sent, self.bytes)
    }

    /// Changes the weather from now on.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// Starts a node, which meets the given others (as it does those that it has connections to).
    ///
    /// # Errors
    /// The tuning makes no sense.
    pub fn start(&mut self, node: usize, meets: &[usize]) -> Result<(), NetError> {
        let place = &mut self.places[node];
        place.lives += 1;
        place.ticks = None;
        let me = MemberInfo {
            key: key(node),
            name: format!("n{node}").into(),
            incarnation: place.lives * 1_000_000,
        };
        let seed = self.random.random();
        let mut machine = Machine::new(&me, &self.tuning, seed, Arc::new(|_| true))?;
        for other in meets {
            machine.meet(self.now, &key(*other));
        }
        self.places[node].machine = Some(machine);
        self.collect(node);
        Ok(())
    }

    /// Ends a node without a word.
    pub fn crash(&mut self, node: usize) {
        self.places[node].machine = None;
        self.places[node].ticks = None;
    }

    /// A node finds that the host of another one refuses connections, as it does within milliseconds when the process was killed.
    pub fn refused(&mut self, by: usize, node: usize) {
        if let Some(machine) = &mut self.places[by].machine {
            machine.declare_down(self.now, &key(node));
        }
        self.collect(by);
    }

    /// Cuts the network: nodes reach those of the same side alone. All on one side heals it.
    pub fn cut(&mut self, side: impl Fn(usize) -> usize) {
        for (node, place) in self.places.iter_mut().enumerate() {
            place.side = side(node);
        }
    }

    /// The nodes that run.
    pub fn running(&self) -> Vec<usize> {
        let all = self.places.iter().enumerate();
        all.filter(|(_, place)| place.machine.is_some())
            .map(|(node, _)| node)
            .collect()
    }

    /// How many other members a node takes to be there.
    pub fn alive_at(&self, node: usize) -> usize {
        self.places[node].machine.as_ref().map_or(0, Machine::alive)
    }

    /// Whether a node takes another one to be there.
    pub fn holds_alive(&self, by: usize, node: usize) -> bool {
        let machine = self.places[by].machine.as_ref();
        machine.is_some_and(|machine| machine.is_alive(&key(node)))
    }

    /// What has been seen since the last call.
    pub fn seen(&mut self) -> Vec<Seen> {
        self.seen.drain(..).collect()
    }

    /// Lets time pass until something holds, which is looked at every 10 ms, or a time is over. How long it took; none if it did not.
    pub fn until(&mut self, within: Duration, holds: impl Fn(&Self) -> bool) -> Option<Duration> {
        let begin = self.now;
        while self.now - begin <= within {
            if holds(self) {
                return Some(self.now - begin);
            }
            self.pass(Duration::from_millis(10));
        }
        None
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(Reverse(next)) = self.queue.peek()
            && next.time <= end
        {
            let Some(Reverse(next)) = self.queue.pop() else {
                break;
            };
            self.now = next.time;
            match next.what {
                Happening::Tick(node) => self.tick(node, next.time),
                Happening::Datagram { from, to, bytes } => {
                    if self.places[from].side != self.places[to].side {
                        continue;
                    }
                    if let Some(machine) = &mut self.places[to].machine {
                        machine.receive(self.now, &key(from), &bytes);
                        self.collect(to);
                    }
                }
            }
        }
        self.now = end;
    }

    fn tick(&mut self, node: usize, time: Duration) {
        let place = &mut self.places[node];
        if place.ticks != Some(time) {
            return;
        }
        place.ticks = None;
        if let Some(machine) = &mut place.machine {
            machine.tick(time);
            self.collect(node);
        }
    }

    fn push(&mut self, time: Duration, what: Happening) {
        self.order += 1;
        self.queue.push(Reverse(At {
            time,
            order: self.order,
            what,
        }));
    }

    /// Takes what a machine wants, and schedules its next tick.
    fn collect(&mut self, node: usize) {
        loop {
            let output = self.places[node].machine.as_mut().and_then(Machine::take);
            match output {
                Some(Output::Changed(change)) => self.seen.push_back(Seen {
                    at: self.now,
                    by: node,
                    change,
                }),
                Some(Output::Send { to, datagram }) => self.send(node, &to, datagram),
                None => break,
            }
        }
        let place = &mut self.places[node];
        let next = place.machine.as_ref().and_then(Machine::next_tick);
        if let Some(next) = next
            && place.ticks.is_none_or(|scheduled| next < scheduled)
        {
            place.ticks = Some(next);
            self.push(next, Happening::Tick(node));
        }
    }

    fn send(&mut self, from: usize, to: &[u8; 32], bytes: Vec<u8>) {
        self.sent += 1;
        self.bytes += bytes.len() as u64;
        let to = number(to);
        if to >= self.places.len() || self.random.random_bool(self.weather.loss.clamp(0.0, 1.0)) {
            return;
        }
        let spread = self.weather.slowest.saturating_sub(self.weather.fastest);
        let delay = self.weather.fastest + spread.mul_f64(self.random.random());
        self.push(self.now + delay, Happening::Datagram { from, to, bytes });
    }
}
