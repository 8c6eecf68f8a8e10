//! What a net is told when it starts: who it is, where it listens, whom it lets in, and how much of everything there may be.

use std::time::Duration;

use crate::error::{ErrorKind, NetError};
use crate::identity::Identity;

/// Who may talk to this node. It is asked for every connection and every stream, on the tasks of the connections, so it answers at once
/// and without I/O. After an answer has changed, [`Net::recheck`](crate::Net::recheck) makes it take effect on what is open.
pub trait Gate: Send + Sync + 'static {
    /// Whether the node with this key belongs to the mesh now.
    fn admitted(&self, key: &[u8; 32]) -> bool;
}

impl<F: Fn(&[u8; 32]) -> bool + Send + Sync + 'static> Gate for F {
    fn admitted(&self, key: &[u8; 32]) -> bool {
        self(key)
    }
}

/// How a net is set up. [`NetConfig::new`] gives one that listens nowhere and knows nobody.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// This node's key.
    pub identity: Identity,
    /// The name of the mesh, 1 to 64 letters, digits, `.`, `-`, `_`. Nodes of another mesh are refused.
    pub mesh: String,
    /// Where to listen: `tcp://HOST:PORT`, `quic://HOST:PORT`; port 0 takes a free one, host 0.0.0.0 or `[::]` all interfaces.
    pub listen: Vec<String>,
    /// Where other nodes listen. They are dialled until they answer, and again whenever they are lost, for ever.
    pub peers: Vec<String>,
    /// Whether nodes of the mesh on the same subnet are looked for by multicast DNS, and this one answers to them.
    pub mdns: bool,
    /// The protocols that nodes may use which the gate does not admit, in both directions: joining, nothing else.
    pub strangers: Vec<String>,
    /// How much of everything there may be.
    pub limits: Limits,
}

impl NetConfig {
    /// A configuration with the default limits, without addresses, static peers, mDNS and protocols for strangers.
    pub fn new(identity: Identity, mesh: impl Into<String>) -> Self {
        Self {
            identity,
            mesh: mesh.into(),
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: false,
            strangers: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// Bounds of what others can make this node hold. What is over a bound is refused, never queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, of all peers: 4,096.
    pub connections: usize,
    /// Connections of one peer at a time: 6 (both sides may dial at once, over each transport).
    pub connections_a_peer: usize,
    /// Connections in their handshake at a time: 512.
    pub pending: usize,
    /// Connections of unknown keys at a time: 8.
    pub strangers: usize,
    /// How long an unknown key may stay connected: 20 s.
    pub stranger_time: Duration,
    /// Open streams of one peer, of both directions together: 256.
    pub streams_a_peer: usize,
    /// Streams of one protocol that have arrived and that [`Incoming::next`](crate::Incoming::next) has not taken yet: 256.
    pub backlog: usize,
    /// How long a dial with its handshakes may take: 5 s.
    pub dial_time: Duration,
    /// The longest pause between attempts to reach a peer that does not answer: 10 s (the first is of 100 ms).
    pub retry: Duration,
    /// Peers whose addresses are remembered: 4,096.
    pub known: usize,
    /// Addresses remembered of one peer: 16.
    pub addresses_a_peer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_a_peer: 6,
            pending: 512,
            strangers: 8,
            stranger_time: Duration::from_secs(20),
            streams_a_peer: 256,
            backlog: 256,
            dial_time: Duration::from_secs(5),
            retry: Duration::from_secs(10),
            known: 4096,
            addresses_a_peer: 16,
        }
    }
}

/// Refuses what is no name of a mesh.
pub(crate) fn check_mesh(mesh: &str) -> Result<(), NetError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if (1..=64).contains(&mesh.len()) && mesh.bytes().all(fits) {
        return Ok(());
    }
    let text = format!(
        "\"{}\" is no name of a mesh: it has 1 to 64 letters, digits, \".\", \"-\" and \"_\"",
        mesh.chars().take(100).collect::<String>()
    );
    Err(NetError::new(ErrorKind::Invalid, text))
}

/// Refuses what is no name of a protocol.
pub(crate) fn check_protocol(protocol: &str) -> Result<(), NetError> {
    let fits = |b: u8| b.is_ascii_graphic();
    if protocol.starts_with('/') && protocol.len() <= 100 && protocol.bytes().all(fits) {
        return Ok(());
    }
    let text = format!(
        "\"{}\" is no name of a protocol: it begins with \"/\" and has up to 100 ASCII characters without spaces",
        protocol.chars().take(120).collect::<String>()
    );
    Err(NetError::new(ErrorKind::Invalid, text))
}
