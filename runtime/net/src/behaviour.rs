//! The connections of a node: who may have how many, which of them are greeted, and what the subnet says (multicast DNS).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::swarm::{
    CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, THandlerInEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::error::{ErrorKind, NetError};
use crate::events::Gone;
use crate::handler::{Greeted, Handler, ToHandler};
use crate::hello::{Fault, Hello};
use crate::identity::{key_of, short};
use crate::shared::Shared;
use crate::stream::Load;
use crate::subnet::Subnet;

/// How often strangers are looked at.
const SWEEP: Duration = Duration::from_millis(500);

/// What the connections tell the driver.
#[derive(Debug)]
pub(crate) enum Told {
    /// A connection has been greeted, or not.
    Greeted {
        peer: PeerId,
        connection: ConnectionId,
        remote: Multiaddr,
        dialled: bool,
        result: Result<Hello, Fault>,
    },
    /// Both sides admit each other: the peer is connected.
    Up { peer: PeerId, remote: Multiaddr },
    /// A connection is gone.
    Closed {
        peer: PeerId,
        connection: ConnectionId,
        remote: Multiaddr,
        /// It was the last one of a peer that was connected.
        down: bool,
        reason: Gone,
    },
    /// A node of this mesh on the subnet.
    Found { peer: PeerId, at: Vec<Multiaddr> },
}

struct Connection {
    id: ConnectionId,
    remote: Multiaddr,
    dialled: bool,
    opened: Instant,
    hello: Option<Hello>,
    ending: Option<Gone>,
}

#[derive(Default)]
struct Peer {
    connections: Vec<Connection>,
    load: Arc<Load>,
    up: bool,
}

pub(crate) struct Mesh {
    shared: Arc<Shared>,
    subnet: Option<Subnet>,
    peers: HashMap<PeerId, Peer>,
    pending: HashSet<ConnectionId>,
    connections: usize,
    /// Connections of keys that are not admitted (as of when they came, or of the last look).
    strangers: HashMap<ConnectionId, PeerId>,
    sweep: tokio::time::Interval,
    queue: VecDeque<ToSwarm<Told, ToHandler>>,
}

impl Mesh {
    pub fn new(shared: Arc<Shared>, subnet: Option<Subnet>) -> Self {
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self {
            shared,
            subnet,
            peers: HashMap::new(),
            pending: HashSet::new(),
            connections: 0,
            strangers: HashMap::new(),
            sweep,
            queue: VecDeque::new(),
        }
    }

    /// The oldest connection to a peer that has been greeted.
    pub fn greeted(&self, peer: &PeerId) -> Option<ConnectionId> {
        let connections = &self.peers.get(peer)?.connections;
        let usable = |c: &&Connection| c.hello.is_some() && c.ending.is_none();
        connections.iter().find(usable).map(|c| c.id)
    }

    /// Whether there is a connection to a peer whose greeting is still to come.
    pub fn greeting(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| {
            let waiting = |c: &Connection| c.hello.is_none() && c.ending.is_none();
            peer.connections.iter().any(waiting)
        })
    }

    /// Whether a peer said that it does not admit this node.
    pub fn refuses(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| {
            let refused = |c: &Connection| c.hello.as_ref().is_some_and(|hello| !hello.admitted);
            peer.connections.iter().any(refused)
        })
    }

    /// Every peer that is connected, with the other end of its oldest connection.
    pub fn up(&self) -> Vec<(PeerId, Multiaddr)> {
        let up = self.peers.iter().filter(|(_, peer)| peer.up);
        up.filter_map(|(id, peer)| Some((*id, peer.connections.first()?.remote.clone())))
            .collect()
    }

    /// Asks a peer for a stream. The connection must be one of [`Mesh::greeted`].
    pub fn open(&mut self, peer: PeerId, connection: ConnectionId, open: ToHandler) {
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: open,
        });
    }

    /// Ends all connections to a peer.
    pub fn end(&mut self, peer: PeerId, reason: &Gone) {
        if let Some(known) = self.peers.get_mut(&peer) {
            for connection in &mut known.connections {
                connection.ending.get_or_insert(reason.clone());
            }
            self.queue.push_back(ToSwarm::CloseConnection {
                peer_id: peer,
                connection: CloseConnection::All,
            });
        }
    }

    /// Looks again whom the gate admits: who was connected and is not admitted any more is cut off, who is admitted now is greeted again.
    pub fn recheck(&mut self) {
        let mut cut = Vec::new();
        for (peer, known) in &self.peers {
            let admitted = key_of(peer).is_some_and(|key| self.shared.admitted(&key));
            if !admitted {
                // (a stranger keeps its short time)
                if known.up
                    || known
                        .connections
                        .iter()
                        .any(|c| !self.strangers.contains_key(&c.id))
                {
                    cut.push(*peer);
                }
                continue;
            }
            for connection in known.connections.iter().filter(|c| c.ending.is_none()) {
                self.strangers.remove(&connection.id);
                if !known.up {
                    self.queue.push_back(ToSwarm::NotifyHandler {
                        peer_id: *peer,
                        handler: NotifyHandler::One(connection.id),
                        event: ToHandler::Hello,
                    });
                }
            }
        }
        for peer in cut {
            self.end(peer, &Gone::Removed);
        }
    }

    /// Whether one more connection may begin.
    fn room(&mut self, id: ConnectionId) -> Result<(), ConnectionDenied> {
        let limits = &self.shared.limits;
        if self.connections + self.pending.len() >= limits.connections {
            return Err(denied(
                ErrorKind::Limit,
                format!(
                    "this node has {} connections, its limit",
                    limits.connections
                ),
            ));
        }
        if self.pending.len() >= limits.pending {
            return Err(denied(
                ErrorKind::Limit,
                format!(
                    "{} connections are being made at once, the limit",
                    limits.pending
                ),
            ));
        }
        self.pending.insert(id);
        Ok(())
    }

    fn established(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        speaks: bool,
    ) -> Result<Handler, ConnectionDenied> {
        self.pending.remove(&id);
        let Some(key) = key_of(&peer) else {
            return Err(denied(
                ErrorKind::OtherMesh,
                format!("{peer} has no ed25519 key: it is no node of vgdc"),
            ));
        };
        let limits = &self.shared.limits;
        let known = self.peers.entry(peer).or_default();
        if known.connections.len() >= limits.connections_a_peer {
            return Err(denied(
                ErrorKind::Limit,
                format!(
                    "node {} has {} connections, the limit",
                    short(&key),
                    limits.connections_a_peer
                ),
            ));
        }
        if !self.shared.admitted(&key) {
            if self.strangers.len() >= limits.strangers {
                if known.connections.is_empty() {
                    self.peers.remove(&peer);
                }
                return Err(denied(
                    ErrorKind::Limit,
                    format!(
                        "{} unknown nodes are connected, the limit",
                        limits.strangers
                    ),
                ));
            }
            self.strangers.insert(id, peer);
        }
        Ok(Handler::new(
            self.shared.clone(),
            key,
            known.load.clone(),
            speaks,
        ))
    }

    fn opened(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        self.connections += 1;
        let known = self.peers.entry(peer).or_default();
        known.connections.push(Connection {
            id,
            remote: endpoint.get_remote_address().clone(),
            dialled: endpoint.is_dialer(),
            opened: Instant::now(),
            hello: None,
            ending: None,
        });
    }

    fn closed(&mut self, closed: &ConnectionClosed<'_>) {
        self.connections = self.connections.saturating_sub(1);
        self.strangers.remove(&closed.connection_id);
        let Some(known) = self.peers.get_mut(&closed.peer_id) else {
            return;
        };
        let at = known
            .connections
            .iter()
            .position(|c| c.id == closed.connection_id);
        let Some(gone) = at.map(|at| known.connections.remove(at)) else {
            return;
        };
        let reason = gone.ending.unwrap_or_else(|| match closed.cause {
            Some(cause) => Gone::Lost(cause.to_string()),
            None => Gone::Ended,
        });
        let down = known.up && known.connections.is_empty();
        if known.connections.is_empty() {
            self.peers.remove(&closed.peer_id);
        }
        self.queue.push_back(ToSwarm::GenerateEvent(Told::Closed {
            peer: closed.peer_id,
            connection: closed.connection_id,
            remote: gone.remote,
            down,
            reason,
        }));
    }

    fn greet(&mut self, peer: PeerId, id: ConnectionId, result: Result<Hello, Fault>) {
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        let Some(connection) = known.connections.iter_mut().find(|c| c.id == id) else {
            return;
        };
        let (remote, dialled) = (connection.remote.clone(), connection.dialled);
        match &result {
            Ok(hello) => connection.hello = Some(hello.clone()),
            // (who dials leaves: so the other side's answer arrives before the end)
            Err(_) if dialled => {
                connection.ending.get_or_insert(Gone::Ended);
                self.queue.push_back(ToSwarm::CloseConnection {
                    peer_id: peer,
                    connection: CloseConnection::One(id),
                });
            }
            // (greeted again without success: what it said before does not hold any more)
            Err(_) => connection.hello = None,
        }
        let both = result.as_ref().is_ok_and(|hello| hello.admitted)
            && key_of(&peer).is_some_and(|key| self.shared.admitted(&key));
        let comes_up = both && !known.up;
        known.up |= both;
        let told = Told::Greeted {
            peer,
            connection: id,
            remote: remote.clone(),
            dialled,
            result,
        };
        self.queue.push_back(ToSwarm::GenerateEvent(told));
        if comes_up {
            let up = Told::Up { peer, remote };
            self.queue.push_back(ToSwarm::GenerateEvent(up));
        }
    }

    /// Ends the connections of strangers whose time is over.
    fn sweep(&mut self) {
        let (shared, peers) = (&self.shared, &mut self.peers);
        let mut over = Vec::new();
        self.strangers.retain(|id, peer| {
            if key_of(peer).is_some_and(|key| shared.admitted(&key)) {
                return false;
            }
            let connection = peers
                .get_mut(peer)
                .and_then(|known| known.connections.iter_mut().find(|c| c.id == *id));
            if let Some(connection) = connection
                && connection.opened.elapsed() >= shared.limits.stranger_time
                && connection.ending.is_none()
            {
                connection.ending = Some(Gone::Ended);
                over.push((*peer, *id));
            }
            true
        });
        for (peer_id, id) in over {
            self.queue.push_back(ToSwarm::CloseConnection {
                peer_id,
                connection: CloseConnection::One(id),
            });
        }
    }
}

fn denied(kind: ErrorKind, text: String) -> ConnectionDenied {
    ConnectionDenied::new(NetError::new(kind, text))
}

impl NetworkBehaviour for Mesh {
    type ConnectionHandler = Handler;
    type ToSwarm = Told;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.room(id)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.established(id, peer, false)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        _: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.room(id).map(|()| Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.established(id, peer, true)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match &event {
            FromSwarm::ConnectionEstablished(new) => {
                self.opened(new.peer_id, new.connection_id, new.endpoint);
            }
            FromSwarm::ConnectionClosed(closed) => self.closed(closed),
            FromSwarm::DialFailure(failed) => {
                self.pending.remove(&failed.connection_id);
                self.strangers.remove(&failed.connection_id);
            }
            FromSwarm::ListenFailure(failed) => {
                self.pending.remove(&failed.connection_id);
                self.strangers.remove(&failed.connection_id);
            }
            _ => {}
        }
        if let Some(subnet) = &mut self.subnet {
            subnet.swarm_event(event);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        Greeted(result): Greeted,
    ) {
        self.greet(peer, connection, result);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Told, THandlerInEvent<Self>>> {
        loop {
            if let Some(next) = self.queue.pop_front() {
                return Poll::Ready(next);
            }
            if self.sweep.poll_tick(cx).is_ready() {
                self.sweep();
                continue;
            }
            let Some(subnet) = &mut self.subnet else {
                return Poll::Pending;
            };
            let Poll::Ready(found) = subnet.poll(cx) else {
                return Poll::Pending;
            };
            for (peer, at) in found {
                let told = Told::Found { peer, at };
                self.queue.push_back(ToSwarm::GenerateEvent(told));
            }
        }
    }
}
