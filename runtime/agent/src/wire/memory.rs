//! Within a process, with faults: what is lost, late, or cut off. For tests and simulations.

use super::{Calling, Peer, Serve, Wire, WireError};
use crate::id::NodeId;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A network within the process. Cheap to clone: all clones are the same network.
#[derive(Clone)]
pub struct Network(Arc<Mutex<Inner>>);

struct Inner {
    attached: BTreeMap<NodeId, Arc<dyn Serve>>,
    /// Which side of a cut a node is on; nodes that are not named are on side 0.
    sides: BTreeMap<NodeId, usize>,
    faults: Faults,
    chance: u64,
}

/// What goes wrong with each message, request or answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// How many of 1,000 are lost.
    pub lost_per_mille: u16,
    /// The longest delay; each message has one of any length up to it.
    pub delay: Duration,
}

impl Network {
    /// A network without faults. The seed decides what goes wrong when something does.
    pub fn new(seed: u64) -> Network {
        let inner = Inner {
            attached: BTreeMap::new(),
            sides: BTreeMap::new(),
            faults: Faults::default(),
            chance: seed.wrapping_mul(2).wrapping_add(1),
        };
        Network(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a node calls others with.
    pub fn wire(&self, of: &NodeId) -> Arc<dyn Wire> {
        Arc::new(End {
            network: self.clone(),
            of: *of,
        })
    }

    /// Lets a node be called.
    pub fn attach(&self, id: NodeId, to: Arc<dyn Serve>) {
        self.inner().attached.insert(id, to);
    }

    /// Takes a node away, as if its process had died: calls fail at once.
    pub fn detach(&self, id: &NodeId) {
        self.inner().attached.remove(id);
    }

    /// Cuts silently between these nodes and all others.
    pub fn cut_off(&self, ids: &[NodeId]) {
        let mut inner = self.inner();
        inner.sides.clear();
        inner.sides.extend(ids.iter().map(|id| (*id, 1)));
    }

    /// Cuts silently between these sides; who is on none is with the first.
    pub fn split(&self, sides: &[BTreeSet<NodeId>]) {
        let mut inner = self.inner();
        inner.sides.clear();
        for (number, side) in sides.iter().enumerate() {
            inner.sides.extend(side.iter().map(|id| (*id, number)));
        }
    }

    /// Takes all cuts back.
    pub fn heal(&self) {
        self.inner().sides.clear();
    }

    /// Says what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.inner().faults = faults;
    }

    /// One message's way: after what delay it arrives, if it does.
    fn way(&self, from: &NodeId, to: &NodeId) -> Option<Duration> {
        let mut inner = self.inner();
        let side = |id: &NodeId| inner.sides.get(id).copied().unwrap_or(0);
        if side(from) != side(to) {
            return None;
        }
        let faults = inner.faults;
        if inner.draw() % 1_000 < u64::from(faults.lost_per_mille) {
            return None;
        }
        let longest = faults.delay.as_micros() as u64;
        let delay = if longest == 0 {
            0
        } else {
            inner.draw() % longest
        };
        Some(Duration::from_micros(delay))
    }
}

impl Inner {
    /// xorshift64* (Vigna, 2016).
    fn draw(&mut self) -> u64 {
        self.chance ^= self.chance >> 12;
        self.chance ^= self.chance << 25;
        self.chance ^= self.chance >> 27;
        self.chance.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}

struct End {
    network: Network,
    of: NodeId,
}

impl End {
    /// Waits as long as a message needs; where it is lost, for good.
    async fn across(&self, from: &NodeId, to: &NodeId) {
        match self.network.way(from, to) {
            Some(delay) if delay.is_zero() => {}
            Some(delay) => tokio::time::sleep(delay).await,
            None => std::future::pending().await,
        }
    }
}

impl Wire for End {
    fn call<'a>(&'a self, to: &'a Peer, request: Bytes) -> Calling<'a> {
        Box::pin(async move {
            self.across(&self.of, &to.id).await;
            let there = self.network.inner().attached.get(&to.id).cloned();
            let there = there
                .ok_or_else(|| WireError::Unreachable(format!("node {} is not there", to.id)))?;
            // (what has arrived is done, also where the caller does not wait for the answer)
            let answer = tokio::spawn(there.serve(request)).await;
            self.across(&to.id, &self.of).await;
            answer.map_err(|e| WireError::Lost(format!("node {} did not answer: {e}", to.id)))
        })
    }
}
