//! What a net's tasks have in common: whom it admits, what it serves, where it is reached.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use libp2p::StreamProtocol;
use tokio::sync::{broadcast, mpsc};

use crate::config::{Gate, Limits, check_protocol};
use crate::error::{ErrorKind, NetError};
use crate::events::{Event, Events};
use crate::hello::{self, Hello};
use crate::stream::NetStream;

pub(crate) type Key = [u8; 32];
pub(crate) type Taker = mpsc::Sender<(Key, NetStream)>;

pub(crate) struct Shared {
    pub mesh: String,
    pub key: Key,
    pub limits: Limits,
    /// None after the net has stopped.
    events: RwLock<Option<broadcast::Sender<Event>>>,
    pub addresses: RwLock<Vec<String>>,
    gate: Arc<dyn Gate>,
    /// Protocols that strangers may use.
    strangers: Vec<String>,
    served: RwLock<HashMap<String, (StreamProtocol, Taker)>>,
    /// Counts changes of what is served and of who is admitted.
    version: AtomicU64,
}

impl Shared {
    pub fn new(
        mesh: String,
        key: Key,
        limits: Limits,
        gate: Arc<dyn Gate>,
        strangers: Vec<String>,
    ) -> Self {
        Self {
            mesh,
            key,
            limits,
            events: RwLock::new(Some(broadcast::channel(1024).0)),
            addresses: RwLock::default(),
            gate,
            strangers,
            served: RwLock::default(),
            version: AtomicU64::new(0),
        }
    }

    pub fn admitted(&self, key: &Key) -> bool {
        self.gate.admitted(key)
    }

    /// Whether a node may use a protocol now.
    pub fn may(&self, key: &Key, protocol: &str) -> bool {
        self.strangers.iter().any(|name| name == protocol) || self.admitted(key)
    }

    /// The name of a protocol on the wire: behind the mesh's name, so that meshes never understand each other.
    pub fn on_the_wire(&self, protocol: &str) -> Result<StreamProtocol, NetError> {
        check_protocol(protocol)?;
        StreamProtocol::try_from_owned(format!("/{}{protocol}", self.mesh))
            .map_err(|e| NetError::new(ErrorKind::Invalid, e.to_string()))
    }

    /// The name of a protocol without the mesh's.
    pub fn plain<'a>(&self, wire: &'a StreamProtocol) -> &'a str {
        let name: &str = wire.as_ref();
        name.strip_prefix('/')
            .and_then(|name| name.strip_prefix(self.mesh.as_str()))
            .unwrap_or(name)
    }

    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Begins to serve a protocol.
    pub fn serve(&self, protocol: &str) -> Result<mpsc::Receiver<(Key, NetStream)>, NetError> {
        let wire = self.on_the_wire(protocol)?;
        let (taker, taken) = mpsc::channel(self.limits.backlog.max(1));
        let mut served = self.served.write().unwrap_or_else(|e| e.into_inner());
        served.retain(|_, (_, taker)| !taker.is_closed());
        if served.contains_key(protocol) {
            let text =
                format!("the protocol {protocol} is served already: drop its `Incoming` first");
            return Err(NetError::new(ErrorKind::Invalid, text));
        }
        served.insert(protocol.to_owned(), (wire, taker));
        drop(served);
        self.changed();
        Ok(taken)
    }

    /// What a node is offered: the greeting, and what is served and it may use.
    pub fn offered(&self, key: &Key) -> Arc<[StreamProtocol]> {
        let admitted = self.admitted(key);
        let served = self.served.read().unwrap_or_else(|e| e.into_inner());
        let for_it = served.iter().filter(|(name, (_, taker))| {
            !taker.is_closed() && (admitted || self.strangers.contains(name))
        });
        let greeting = StreamProtocol::new(hello::PROTOCOL);
        std::iter::once(greeting)
            .chain(for_it.map(|(_, (wire, _))| wire.clone()))
            .collect()
    }

    /// Who takes the streams of a protocol.
    pub fn taker(&self, protocol: &str) -> Option<Taker> {
        let served = self.served.read().unwrap_or_else(|e| e.into_inner());
        served.get(protocol).map(|(_, taker)| taker.clone())
    }

    /// What is said to a node first.
    pub fn hello(&self, to: &Key) -> Hello {
        let admitted = self.admitted(to);
        let addresses = if admitted {
            self.addresses().into_iter().take(32).collect()
        } else {
            Vec::new()
        };
        Hello {
            admitted,
            other_mesh: false,
            mesh: self.mesh.clone(),
            addresses,
        }
    }

    pub fn addresses(&self) -> Vec<String> {
        self.addresses
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }

    pub fn tell(&self, event: Event) {
        if let Some(events) = &*self.events.read().unwrap_or_else(|e| e.into_inner()) {
            // (nobody may be listening)
            let _ = events.send(event);
        }
    }

    pub fn events(&self) -> Events {
        let events = self.events.read().unwrap_or_else(|e| e.into_inner());
        Events(match &*events {
            Some(events) => events.subscribe(),
            // (ends at once)
            None => broadcast::channel(1).1,
        })
    }

    /// Ends what waits for streams and events.
    pub fn close(&self) {
        *self.events.write().unwrap_or_else(|e| e.into_inner()) = None;
        self.served
            .write()
            .unwrap_or_else(|e| e.into_inner())
            .clear();
    }
}
