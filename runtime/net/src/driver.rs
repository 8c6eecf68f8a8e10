//! The task that owns the swarm: it does what the handles ask for and tells what happens.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt as _;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm};
use tokio::sync::{mpsc, oneshot};

use crate::address;
use crate::behaviour::{Mesh, Told};
use crate::error::{ErrorKind, NetError};
use crate::events::{Event, Gone};
use crate::faults::{cannot_listen, dial_error, mend, name};
use crate::handler::{Reply, ToHandler};
use crate::hello::{Fault, Hello};
use crate::identity::key_of;
use crate::shared::{Key, Shared};

/// The peer that was reached, and the connection.
pub(crate) type Reached = oneshot::Sender<Result<(PeerId, ConnectionId), NetError>>;

pub(crate) enum Command {
    /// A greeted connection to a peer, there or new.
    Connect {
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        reply: Reached,
    },
    /// A greeted connection to whoever is at an address.
    ConnectAt {
        address: Multiaddr,
        expect: Option<PeerId>,
        reply: Reached,
    },
    /// A stream on a greeted connection.
    Open {
        peer: PeerId,
        connection: ConnectionId,
        protocol: StreamProtocol,
        reply: Reply,
    },
    /// Ends the connections to a peer.
    End(PeerId),
    Recheck,
    /// Connected peers.
    Up(oneshot::Sender<Vec<(Key, String)>>),
    /// The addresses known of a peer.
    Known(PeerId, oneshot::Sender<Vec<Multiaddr>>),
    /// Whether a peer said that it does not admit this node.
    Refuses(PeerId, oneshot::Sender<bool>),
    Stop(oneshot::Sender<()>),
}

/// Somebody who waits for a connection to a peer.
struct Waiter {
    reply: Reached,
    /// Addresses that only this one knows, until they have been tried.
    own: Vec<Multiaddr>,
}

pub(crate) struct Driver {
    swarm: Swarm<Mesh>,
    commands: mpsc::Receiver<Command>,
    shared: Arc<Shared>,
    waiting: HashMap<PeerId, Vec<Waiter>>,
    dialling: HashMap<PeerId, ConnectionId>,
    at: HashMap<ConnectionId, (Multiaddr, Option<PeerId>, Reached)>,
    known: HashMap<PeerId, Vec<Multiaddr>>,
    listening: Vec<(ListenerId, Multiaddr)>,
}

impl Driver {
    pub fn new(swarm: Swarm<Mesh>, commands: mpsc::Receiver<Command>, shared: Arc<Shared>) -> Self {
        Self {
            swarm,
            commands,
            shared,
            waiting: HashMap::new(),
            dialling: HashMap::new(),
            at: HashMap::new(),
            known: HashMap::new(),
            listening: Vec::new(),
        }
    }

    /// Waits until every listener has an address, or says which has none.
    pub async fn listen(&mut self, listeners: Vec<(ListenerId, String)>) -> Result<(), NetError> {
        for (id, text) in listeners {
            while !self.listening.iter().any(|(of, _)| *of == id) {
                match self.swarm.select_next_some().await {
                    SwarmEvent::ListenerClosed {
                        listener_id,
                        reason,
                        ..
                    } if listener_id == id => {
                        let why = reason
                            .err()
                            .map_or_else(|| "the listener ended".to_owned(), |e| e.to_string());
                        return Err(cannot_listen(&text, &why));
                    }
                    event => self.happened(event),
                }
            }
        }
        Ok(())
    }

    /// Runs until the last handle is gone or one says stop.
    pub async fn run(mut self) {
        let stopped = loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Stop(done)) => break Some(done),
                    Some(command) => self.obey(command),
                    None => break None,
                },
                event = self.swarm.select_next_some() => self.happened(event),
            }
        };
        self.shared.close();
        // (ends all connections and frees the ports, and only then says so)
        drop(self);
        if let Some(done) = stopped {
            let _ = done.send(());
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Connect {
                peer,
                addresses,
                reply,
            } => self.connect(
                peer,
                Waiter {
                    reply,
                    own: addresses,
                },
            ),
            Command::ConnectAt {
                address,
                expect,
                reply,
            } => self.connect_at(address, expect, reply),
            Command::Open {
                peer,
                connection,
                protocol,
                reply,
            } => {
                let open = ToHandler::Open { protocol, reply };
                self.swarm.behaviour_mut().open(peer, connection, open);
            }
            Command::End(peer) => self.swarm.behaviour_mut().end(peer, &Gone::Ended),
            Command::Recheck => {
                self.shared.changed();
                self.swarm.behaviour_mut().recheck();
            }
            Command::Up(reply) => {
                let up = self.swarm.behaviour().up();
                let texts = up
                    .into_iter()
                    .filter_map(|(peer, at)| Some((key_of(&peer)?, address::text(&at))));
                let _ = reply.send(texts.collect());
            }
            Command::Known(peer, reply) => {
                let _ = reply.send(self.known.get(&peer).cloned().unwrap_or_default());
            }
            Command::Refuses(peer, reply) => {
                let _ = reply.send(self.swarm.behaviour().refuses(&peer));
            }
            Command::Stop(done) => {
                let _ = done.send(());
            }
        }
    }

    fn connect(&mut self, peer: PeerId, mut waiter: Waiter) {
        if let Some(connection) = self.swarm.behaviour().greeted(&peer) {
            let _ = waiter.reply.send(Ok((peer, connection)));
            return;
        }
        if self.swarm.behaviour().greeting(&peer) || self.dialling.contains_key(&peer) {
            self.waiting.entry(peer).or_default().push(waiter);
            return;
        }
        let own = std::mem::take(&mut waiter.own);
        self.waiting.entry(peer).or_default().push(waiter);
        self.dial(peer, own);
    }

    fn dial(&mut self, peer: PeerId, mut addresses: Vec<Multiaddr>) {
        for known in self.known.get(&peer).into_iter().flatten() {
            if !addresses.contains(known) {
                addresses.push(known.clone());
            }
        }
        if addresses.is_empty() {
            let text = format!(
                "no address of node {} is known: it has not been seen on this subnet, and no address was given; \
                 name it among the static peers",
                name(&peer)
            );
            return self.failed(peer, &NetError::new(ErrorKind::Unreachable, text));
        }
        // (a source port of its own: the listener's would collide with the last connection to the same address)
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::Always)
            .addresses(addresses)
            .allocate_new_port()
            .build();
        self.dialling.insert(peer, options.connection_id());
        if let Err(error) = self.swarm.dial(options) {
            self.dialling.remove(&peer);
            let error = dial_error(&name(&peer), &error);
            self.failed(peer, &error);
        }
    }

    fn connect_at(&mut self, address: Multiaddr, expect: Option<PeerId>, reply: Reached) {
        let options = match expect {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(vec![address.clone()])
                .allocate_new_port()
                .build(),
            None => DialOpts::unknown_peer_id()
                .address(address.clone())
                .allocate_new_port()
                .build(),
        };
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.at.insert(id, (address, expect, reply));
            }
            Err(error) => {
                let _ = reply.send(Err(dial_error(&address::text(&address), &error)));
            }
        }
    }

    /// Tells all who wait for a peer that it cannot be reached, but those who know more addresses.
    fn failed(&mut self, peer: PeerId, error: &NetError) {
        let Some(mut waiting) = self.waiting.remove(&peer) else {
            return;
        };
        let more: Vec<Multiaddr> = waiting
            .iter_mut()
            .flat_map(|waiter| std::mem::take(&mut waiter.own))
            .collect();
        if !more.is_empty() {
            self.waiting.insert(peer, waiting);
            return self.dial(peer, more);
        }
        for waiter in waiting {
            let _ = waiter.reply.send(Err(error.clone()));
        }
    }

    fn happened(&mut self, event: SwarmEvent<Told>) {
        match event {
            SwarmEvent::Behaviour(told) => self.told(told),
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => {
                self.listening.push((listener_id, address));
                self.publish();
            }
            SwarmEvent::ExpiredListenAddr {
                listener_id,
                address,
            } => {
                self.listening
                    .retain(|(id, at)| *id != listener_id || *at != address);
                self.publish();
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                if let Some((address, expect, reply)) = self.at.remove(&connection_id) {
                    let who = match expect {
                        Some(peer) => name(&peer),
                        None => address::text(&address),
                    };
                    let _ = reply.send(Err(dial_error(&who, &error)));
                } else if let Some(peer) = peer_id
                    && self.dialling.get(&peer) == Some(&connection_id)
                {
                    self.dialling.remove(&peer);
                    // (it may have come by itself meanwhile)
                    if self.swarm.behaviour().greeted(&peer).is_none() {
                        let error = dial_error(&name(&peer), &error);
                        self.failed(peer, &error);
                    }
                }
            }
            _ => {}
        }
    }

    /// Writes down where this node is reached: not at addresses that only its host reaches, unless it has no others.
    fn publish(&self) {
        let all = self.listening.iter().map(|(_, at)| at);
        let (near, far): (Vec<_>, Vec<_>) = all.partition(|at| address::is_loopback(at));
        let mut texts: Vec<String> = if far.is_empty() { near } else { far }
            .into_iter()
            .map(address::text)
            .collect();
        texts.sort_by_key(|text| !text.starts_with("tcp"));
        texts.dedup();
        *self
            .shared
            .addresses
            .write()
            .unwrap_or_else(|e| e.into_inner()) = texts;
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::Greeted {
                peer,
                connection,
                remote,
                dialled,
                result,
            } => self.greeted(peer, connection, &remote, dialled, result),
            Told::Up { peer, remote } => {
                if let Some(key) = key_of(&peer) {
                    let address = address::text(&remote);
                    self.shared.tell(Event::Connected { key, address });
                }
            }
            Told::Closed {
                peer,
                connection,
                remote,
                down,
                reason,
            } => self.closed(peer, connection, &remote, down, reason),
            Told::Found { peer, at } => {
                for at in &at {
                    self.remember(peer, at);
                }
                if let Some(key) = key_of(&peer) {
                    let addresses = at.iter().map(address::text).collect();
                    self.shared.tell(Event::Discovered { key, addresses });
                }
            }
        }
    }

    fn greeted(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        remote: &Multiaddr,
        dialled: bool,
        result: Result<Hello, Fault>,
    ) {
        let hello = match result {
            Ok(hello) => hello,
            Err(fault) => {
                let text = format!(
                    "node {} at {}: {}{}",
                    name(&peer),
                    address::text(remote),
                    fault.why,
                    mend(fault.kind)
                );
                return self.not_greeted(peer, connection, &NetError::new(fault.kind, text));
            }
        };
        if dialled {
            self.dialling.remove(&peer);
            self.remember(peer, remote);
        }
        for text in hello.addresses {
            if let Ok(at) = text.parse::<address::Address>()
                && let Some(ip) = at.ip()
            {
                self.remember(peer, &address::multiaddr(at.transport, ip, at.port));
            }
        }
        if let Some((_, _, reply)) = self.at.remove(&connection) {
            let _ = reply.send(Ok((peer, connection)));
        }
        for waiter in self.waiting.remove(&peer).into_iter().flatten() {
            let _ = waiter.reply.send(Ok((peer, connection)));
        }
    }

    fn not_greeted(&mut self, peer: PeerId, connection: ConnectionId, error: &NetError) {
        if self.dialling.get(&peer) == Some(&connection) {
            self.dialling.remove(&peer);
        }
        if let Some((_, _, reply)) = self.at.remove(&connection) {
            let _ = reply.send(Err(error.clone()));
        }
        let behaviour = self.swarm.behaviour();
        let hope = behaviour.greeted(&peer).is_some()
            || behaviour.greeting(&peer)
            || self.dialling.contains_key(&peer);
        if !hope {
            self.failed(peer, error);
        }
    }

    fn closed(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        remote: &Multiaddr,
        down: bool,
        reason: Gone,
    ) {
        let text = format!(
            "node {} at {} ended the connection before it greeted",
            name(&peer),
            address::text(remote)
        );
        self.not_greeted(peer, connection, &NetError::new(ErrorKind::Closed, text));
        if down && let Some(key) = key_of(&peer) {
            let address = address::text(remote);
            self.shared.tell(Event::Disconnected {
                key,
                address,
                reason,
            });
        }
    }

    /// Keeps an address of a peer that is admitted, within the limits; the newest first.
    fn remember(&mut self, peer: PeerId, at: &Multiaddr) {
        if !key_of(&peer).is_some_and(|key| self.shared.admitted(&key)) {
            return;
        }
        let limits = &self.shared.limits;
        if !self.known.contains_key(&peer) && self.known.len() >= limits.known {
            // (whoever is not admitted any more makes room)
            let shared = &self.shared;
            self.known
                .retain(|peer, _| key_of(peer).is_some_and(|key| shared.admitted(&key)));
            if self.known.len() >= limits.known {
                return;
            }
        }
        let Some(plain) = address::plain(at) else {
            return;
        };
        let known = self.known.entry(peer).or_default();
        known.retain(|other| *other != plain);
        known.insert(0, plain);
        known.truncate(limits.addresses_a_peer);
    }
}
