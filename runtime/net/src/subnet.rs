//! Who is on the subnet: libp2p's multicast DNS, kept to one mesh by a mark on the addresses that are told.

use std::collections::HashMap;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ExpiredListenAddr, FromSwarm, NetworkBehaviour as _, NewListenAddr, ToSwarm};
use libp2p::{Multiaddr, PeerId, mdns};

use crate::address;
use crate::error::{ErrorKind, NetError};
use crate::identity::key_of;

/// How often the subnet is asked who is there, after the first questions.
const AGAIN: Duration = Duration::from_secs(30);
/// How long what the subnet answered is believed.
const HOLDS: Duration = Duration::from_secs(120);
/// Addresses of one node that are taken from one answer.
const OF_A_NODE: usize = 16;

pub(crate) struct Subnet {
    mdns: mdns::tokio::Behaviour,
    /// What the addresses of this mesh's nodes end with.
    mark: Protocol<'static>,
}

impl Subnet {
    pub fn new(own: PeerId, mesh: &str) -> Result<Self, NetError> {
        let config = mdns::Config {
            ttl: HOLDS,
            query_interval: AGAIN,
            enable_ipv6: false,
        };
        let mdns = mdns::tokio::Behaviour::new(config, own).map_err(|e| {
            let text =
                format!("multicast DNS cannot be set up: {e}; turn it off and name static peers");
            NetError::new(ErrorKind::Listen, text)
        })?;
        let mark = Protocol::Memory(fnv(mesh.as_bytes()));
        Ok(Self { mdns, mark })
    }

    /// Learns where this node listens: the subnet is told so with the mark, and never of addresses that only this host reaches.
    pub fn swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::NewListenAddr(new) if !address::is_loopback(new.addr) => {
                let addr = &new.addr.clone().with(self.mark.clone());
                let marked = FromSwarm::NewListenAddr(NewListenAddr { addr, ..new });
                self.mdns.on_swarm_event(marked);
            }
            FromSwarm::ExpiredListenAddr(old) => {
                let addr = &old.addr.clone().with(self.mark.clone());
                let marked = FromSwarm::ExpiredListenAddr(ExpiredListenAddr { addr, ..old });
                self.mdns.on_swarm_event(marked);
            }
            _ => {}
        }
    }

    /// The nodes of this mesh that have been found, with their addresses.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<HashMap<PeerId, Vec<Multiaddr>>> {
        loop {
            match self.mdns.poll(cx) {
                Poll::Ready(ToSwarm::GenerateEvent(mdns::Event::Discovered(all))) => {
                    return Poll::Ready(self.marked(all));
                }
                // (addresses that are not repeated are kept: who is at them says so when it is dialled)
                Poll::Ready(_) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Those of the addresses that bear the mark, without it.
    fn marked(&self, all: Vec<(PeerId, Multiaddr)>) -> HashMap<PeerId, Vec<Multiaddr>> {
        let mut nodes: HashMap<PeerId, Vec<Multiaddr>> = HashMap::new();
        for (peer, at) in all {
            let of_this_mesh = at.iter().any(|part| part == self.mark) && key_of(&peer).is_some();
            if let (true, Some(plain)) = (of_this_mesh, address::plain(&at)) {
                let known = nodes.entry(peer).or_default();
                if !known.contains(&plain) && known.len() < OF_A_NODE {
                    known.push(plain);
                }
            }
        }
        nodes
    }
}

/// FNV-1a of 64 bits: tells meshes apart on a subnet; it protects nothing.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
