//! The handle of a running net.

use std::sync::Arc;
use std::time::Duration;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot};

use crate::address::{Address, Host, Transport, text};
use crate::behaviour::Mesh;
use crate::config::{Gate, NetConfig, check_mesh, check_protocol};
use crate::driver::{Command, Driver};
use crate::error::{ErrorKind, NetError};
use crate::events::Events;
use crate::faults::{cannot_listen, mend, name};
use crate::identity::{Identity, key_of, peer_id, short};
use crate::keeper;
use crate::shared::{Key, Shared};
use crate::stream::NetStream;
use crate::subnet::Subnet;

/// Requests of handles that wait for the driver.
const COMMANDS: usize = 256;

/// A node's part in a mesh: connections to other nodes, and streams on them. Cheap to clone; when the last handle is dropped (or after
/// [`Net::stop`]) all connections end.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub shared: Arc<Shared>,
    pub commands: mpsc::Sender<Command>,
    identity: Identity,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Net({})", short(&self.inner.shared.key))
    }
}

impl Net {
    /// Listens on all addresses, and begins to look for peers. Must be called on a tokio runtime, whose threads do the work.
    ///
    /// # Errors
    /// An address, the mesh's or a protocol's name is none; an address cannot be listened on; multicast DNS cannot be set up.
    pub async fn start(config: NetConfig, gate: Arc<dyn Gate>) -> Result<Net, NetError> {
        check_mesh(&config.mesh)?;
        for protocol in &config.strangers {
            check_protocol(protocol)?;
        }
        let peers = config
            .peers
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<Address>, _>>()?;
        let key = config.identity.key();
        let limits = config.limits.clone();
        let dial_time = limits.dial_time;
        let shared = Arc::new(Shared::new(
            config.mesh,
            key,
            limits,
            gate,
            config.strangers,
        ));
        let keypair = config.identity.keypair();
        let subnet = match config.mdns {
            true => Some(Subnet::new(keypair.public().to_peer_id(), &shared.mesh)?),
            false => None,
        };
        let failed = |what: &str, why: String| {
            NetError::new(ErrorKind::Listen, format!("{what} cannot be set up: {why}"))
        };
        let mesh = Mesh::new(shared.clone(), subnet);
        let mut swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(
                tcp::Config::new().nodelay(true),
                noise::Config::new,
                yamux::Config::default,
            )
            .map_err(|e| failed("encryption", e.to_string()))?
            .with_quic_config(|mut quic| {
                // (QUIC has no end that the system tells: silence is all that shows that a process is gone)
                quic.max_idle_timeout = 5_000;
                quic.keep_alive_interval = Duration::from_millis(1_500);
                quic
            })
            .with_behaviour(|_| mesh)
            .map_err(|e| failed("the net", e.to_string()))?
            .with_swarm_config(|c| {
                c.with_notify_handler_buffer_size(
                    const { std::num::NonZeroUsize::new(64).unwrap() },
                )
                .with_per_connection_event_buffer_size(64)
            })
            .with_connection_timeout(dial_time)
            .build();
        let mut listeners = Vec::new();
        for text in &config.listen {
            for address in text.parse::<Address>()?.resolve().await? {
                free(&address).map_err(|e| cannot_listen(text, &e.to_string()))?;
                let id = swarm
                    .listen_on(address)
                    .map_err(|e| cannot_listen(text, &deepest(&e)))?;
                listeners.push((id, text.clone()));
            }
        }
        let (commands, obeyed) = mpsc::channel(COMMANDS);
        let mut driver = Driver::new(swarm, obeyed, shared.clone());
        driver.listen(listeners).await?;
        let inner = Arc::new(Inner {
            shared,
            commands,
            identity: config.identity,
        });
        keeper::start(&inner, peers);
        tokio::spawn(driver.run());
        Ok(Net { inner })
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// This node's key.
    pub fn key(&self) -> [u8; 32] {
        self.inner.shared.key
    }

    /// This node's key pair, to sign with.
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// The name of the mesh.
    pub fn mesh(&self) -> &str {
        &self.inner.shared.mesh
    }

    /// Where other nodes reach this one: with the actual ports, and the addresses of all interfaces where it listens on all of them. Those
    /// of the host itself (127.0.0.1) only if there are no others.
    pub fn addresses(&self) -> Vec<String> {
        self.inner.shared.addresses()
    }

    /// A new stream to a node. Where there is no connection yet, it is dialled: at the addresses given, and at those that are known of it,
    /// all at once; the first that answers is taken, if it has the key.
    ///
    /// # Errors
    /// The key is not admitted here, or this node is not admitted there; nobody listens, or does not answer in time; the protocol is not
    /// served; a limit is reached. The text says who, where, why, and how to mend it.
    pub async fn open(
        &self,
        peer: &[u8; 32],
        addresses: &[String],
        protocol: &str,
    ) -> Result<NetStream, NetError> {
        self.allowed(peer, protocol)?;
        let (peer, connection) = self.connect(peer, addresses).await?;
        self.stream(peer, connection, protocol).await
    }

    /// A new stream to whoever is at an address, and its key: for nodes that are not known yet. With `expect`, only a node with that key is
    /// spoken to.
    ///
    /// # Errors
    /// As [`Net::open`]; another node than the expected one answers.
    pub async fn open_at(
        &self,
        address: &str,
        protocol: &str,
        expect: Option<[u8; 32]>,
    ) -> Result<([u8; 32], NetStream), NetError> {
        let address: Address = address.parse()?;
        if let Some(key) = &expect {
            self.allowed(key, protocol)?;
        }
        let (peer, connection) = self.connect_at(&address, expect).await?;
        let key = key_of(&peer).ok_or_else(|| no_key(&peer))?;
        self.allowed(&key, protocol)?;
        Ok((key, self.stream(peer, connection, protocol).await?))
    }

    /// Serves a protocol until the result is dropped.
    ///
    /// # Errors
    /// The name is none, or the protocol is served already.
    pub fn serve(&self, protocol: &str) -> Result<Incoming, NetError> {
        self.inner.shared.serve(protocol).map(Incoming)
    }

    /// What happens from now on.
    pub fn events(&self) -> Events {
        self.inner.shared.events()
    }

    /// The nodes that are connected, with the other ends of their connections.
    pub async fn peers(&self) -> Vec<([u8; 32], String)> {
        let (reply, answer) = oneshot::channel();
        if self.command(Command::Up(reply)).await.is_err() {
            return Vec::new();
        }
        answer.await.unwrap_or_default()
    }

    /// Makes sure that there is a connection to a node, without a stream.
    ///
    /// # Errors
    /// As [`Net::open`].
    pub async fn reach(&self, peer: &[u8; 32], addresses: &[String]) -> Result<(), NetError> {
        self.connect(peer, addresses).await.map(|_| ())
    }

    /// Asks the gate again about everyone who is connected. Whoever is not admitted any more loses its connections with all streams;
    /// whoever is admitted now is greeted again, and reported as connected if it admits this node, too.
    pub fn recheck(&self) {
        let commands = self.inner.commands.clone();
        // (never waits: it may be called where the gate's table is changed)
        if let Err(mpsc::error::TrySendError::Full(command)) = commands.try_send(Command::Recheck) {
            tokio::spawn(async move { commands.send(command).await });
        }
    }

    /// Ends all connections to a node. It may come again.
    pub async fn disconnect(&self, peer: &[u8; 32]) {
        if let Some(peer) = peer_id(peer) {
            let _ = self.command(Command::End(peer)).await;
        }
    }

    /// Ends all connections and frees the ports.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.command(Command::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
    }

    async fn command(&self, command: Command) -> Result<(), NetError> {
        let sent = self.inner.commands.send(command).await;
        sent.map_err(|_| stopped())
    }

    /// Refuses what the gate does.
    fn allowed(&self, key: &Key, protocol: &str) -> Result<(), NetError> {
        if self.inner.shared.may(key, protocol) {
            return Ok(());
        }
        let text = format!(
            "node {} is not admitted to the mesh \"{}\": let it join with a token before {protocol} is opened to it",
            short(key),
            self.inner.shared.mesh
        );
        Err(NetError::new(ErrorKind::UnknownKey, text))
    }

    async fn connect(
        &self,
        key: &Key,
        addresses: &[String],
    ) -> Result<(PeerId, ConnectionId), NetError> {
        let peer = peer_id(key).ok_or_else(|| {
            NetError::new(
                ErrorKind::Invalid,
                format!("{} is no key of a node", short(key)),
            )
        })?;
        let mut at = Vec::new();
        let mut unresolved = None;
        for address in addresses {
            match address.parse::<Address>()?.resolve().await {
                Ok(some) => at.extend(some),
                Err(error) => unresolved = Some(error),
            }
        }
        let none = at.is_empty();
        let (reply, answer) = oneshot::channel();
        self.command(Command::Connect {
            peer,
            addresses: at,
            reply,
        })
        .await?;
        let reached = answer.await.map_err(|_| stopped())?;
        match (reached, unresolved) {
            // (that no name was resolved says more than that there was no address)
            (Err(error), Some(unresolved)) if none && error.kind() == ErrorKind::Unreachable => {
                Err(unresolved)
            }
            (reached, _) => reached,
        }
    }

    pub(crate) async fn connect_at(
        &self,
        address: &Address,
        expect: Option<Key>,
    ) -> Result<(PeerId, ConnectionId), NetError> {
        let expect = match expect {
            Some(key) => Some(peer_id(&key).ok_or_else(|| {
                NetError::new(
                    ErrorKind::Invalid,
                    format!("{} is no key of a node", short(&key)),
                )
            })?),
            None => None,
        };
        let mut last = None;
        for at in address.resolve().await? {
            let (reply, answer) = oneshot::channel();
            self.command(Command::ConnectAt {
                address: at,
                expect,
                reply,
            })
            .await?;
            match answer.await.map_err(|_| stopped())? {
                Ok(reached) => return Ok(reached),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            NetError::new(ErrorKind::Unreachable, format!("{address} has no address"))
        }))
    }

    async fn stream(
        &self,
        peer: PeerId,
        connection: ConnectionId,
        protocol: &str,
    ) -> Result<NetStream, NetError> {
        let wire = self.inner.shared.on_the_wire(protocol)?;
        let (reply, answer) = oneshot::channel();
        self.command(Command::Open {
            peer,
            connection,
            protocol: wire,
            reply,
        })
        .await?;
        let fault = match answer.await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(fault)) => fault,
            Err(_) => {
                let text = format!(
                    "node {}: the connection ended before {protocol} was opened",
                    name(&peer)
                );
                return Err(NetError::new(ErrorKind::Closed, text));
            }
        };
        let (mut kind, mut why) = (fault.kind, fault.why);
        if kind == ErrorKind::NoProtocol && self.refused(peer).await {
            kind = ErrorKind::NotAdmitted;
            why = format!("it does not admit this node ({})", short(&self.key()));
        }
        let text = format!("node {}: {why}{}", name(&peer), mend(kind));
        Err(NetError::new(kind, text))
    }

    /// Whether a peer said in its greeting that it does not admit this node.
    async fn refused(&self, peer: PeerId) -> bool {
        let (reply, answer) = oneshot::channel();
        let asked = self.command(Command::Refuses(peer, reply)).await;
        asked.is_ok() && answer.await.unwrap_or(false)
    }

    /// The addresses at which a node has been reached, or says that it is.
    pub async fn known(&self, peer: &[u8; 32]) -> Vec<String> {
        self.known_at(peer).await.iter().map(text).collect()
    }

    async fn known_at(&self, peer: &Key) -> Vec<Multiaddr> {
        let Some(peer) = peer_id(peer) else {
            return Vec::new();
        };
        let (reply, answer) = oneshot::channel();
        if self.command(Command::Known(peer, reply)).await.is_err() {
            return Vec::new();
        }
        answer.await.unwrap_or_default()
    }

    /// Knocks where a node listened on the host that a connection went to: whether somebody listens there now. Asks the system's TCP
    /// alone, so it takes no longer than the network does.
    pub(crate) async fn knock(&self, peer: &Key, remote: &str, wait: Duration) -> Knock {
        let Some(ip) = remote.parse::<Address>().ok().and_then(|at| at.ip()) else {
            return Knock::Silent;
        };
        let known = self.known_at(peer).await;
        let listening = known
            .iter()
            .filter_map(Address::of)
            .find(|at| at.transport == Transport::Tcp && at.host == Host::Ip(ip));
        let Some(at) = listening else {
            return Knock::Silent;
        };
        let dialled = tokio::net::TcpStream::connect((ip, at.port));
        match tokio::time::timeout(wait, dialled).await {
            Ok(Ok(_)) => Knock::Answered,
            Ok(Err(e)) if e.kind() == std::io::ErrorKind::ConnectionRefused => Knock::Refused,
            _ => Knock::Silent,
        }
    }
}

/// What knocking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knock {
    Answered,
    /// The host answers, and nobody listens.
    Refused,
    /// Nothing is known.
    Silent,
}

/// Streams of a protocol that other nodes open.
#[derive(Debug)]
pub struct Incoming(mpsc::Receiver<(Key, NetStream)>);

impl Incoming {
    /// The next stream and the key of the node that opened it; none after the net has stopped.
    pub async fn next(&mut self) -> Option<([u8; 32], NetStream)> {
        self.0.recv().await
    }
}

fn stopped() -> NetError {
    NetError::new(ErrorKind::Stopped, "the net of this node has been stopped")
}

fn no_key(peer: &PeerId) -> NetError {
    NetError::new(ErrorKind::OtherMesh, format!("{peer} is no node of vgdc"))
}

/// What lies under the layers of an error, which say little.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// Whether nobody listens at an address. libp2p shares a TCP port with any other process that does so, too (`SO_REUSEPORT`), and each would
/// get some of the connections; a socket that does not share finds the other one.
fn free(address: &Multiaddr) -> std::io::Result<()> {
    if let Some(at) = Address::of(address)
        && let (Transport::Tcp, Some(ip)) = (at.transport, at.ip())
        && at.port != 0
    {
        std::net::TcpListener::bind((ip, at.port))?;
    }
    Ok(())
}
