//! A process's end of all its links: who it is, whom it is connected to, which links it has.

use crate::epoch::new_instance;
use crate::frame::{Delivery, Fault, MAX_NAME};
use crate::handshake::Side;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::receiver::{Receiver, ReceiverConfig};
use crate::receiving::{LinkReceiver, ReceiverEnd, ReceiverState};
use crate::sender::{Sender, SenderConfig};
use crate::sending::{LinkSender, SenderEnd, SenderState};
use crate::session;
use crate::transport::{self, BoxStream, Transport};
use crate::wake::{Wake, lock};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use vgdc_store::JournalConfig;

/// Takes a line of what happens.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How an endpoint behaves.
#[derive(Clone)]
pub struct EndpointConfig {
    /// Its name, by which its peers know it.
    pub node: String,
    /// The other side is pinged when it has been silent for so long,
    pub ping_after: Duration,
    /// and taken for dead after so long.
    pub dead_after: Duration,
    /// How long to wait before a connection is made again: at first, and at most. Each time twice as long, and a part of it
    /// by lot, so that many do not come at once.
    pub backoff: (Duration, Duration),
    /// What links have to write is gathered until there are so many bytes for a write. One: each batch is a write of its own.
    pub write_bytes: usize,
    /// Told of what happens to connections, for a log: one line each.
    pub log: Option<Log>,
}

impl EndpointConfig {
    /// With this name, and pings each half second, death after one and a half, from 50 ms to 2 s between attempts.
    pub fn new(node: impl Into<String>) -> EndpointConfig {
        EndpointConfig {
            node: node.into(),
            ping_after: Duration::from_millis(500),
            dead_after: Duration::from_millis(1500),
            backoff: (Duration::from_millis(50), Duration::from_secs(2)),
            write_bytes: 128 << 10,
            log: None,
        }
    }
}

/// Another process that links lead to, or may lead to.
pub(crate) struct Peer {
    senders: Mutex<Vec<Arc<SenderEnd>>>,
    session: Mutex<Option<Arc<Wake>>>,
}

impl Peer {
    pub(crate) fn senders(&self) -> Vec<Arc<SenderEnd>> {
        lock(&self.senders).clone()
    }

    pub(crate) fn is_current(&self, wake: &Arc<Wake>) -> bool {
        lock(&self.session)
            .as_ref()
            .is_some_and(|at| Arc::ptr_eq(at, wake))
    }

    pub(crate) fn detach(&self, wake: &Arc<Wake>) {
        let mut session = lock(&self.session);
        if session.as_ref().is_some_and(|at| Arc::ptr_eq(at, wake)) {
            *session = None;
        }
    }

    pub(crate) fn forget(&self, end: &Arc<SenderEnd>) {
        lock(&self.senders).retain(|other| !Arc::ptr_eq(other, end));
    }
}

pub(crate) struct Inner {
    pub(crate) config: EndpointConfig,
    peers: Mutex<HashMap<String, Arc<Peer>>>,
    receivers: Mutex<HashMap<String, Arc<ReceiverEnd>>>,
    sessions: Mutex<HashMap<u64, Arc<Wake>>>,
    connections: AtomicU64,
    /// The numbers that links were given, over all connections: an opening with a smaller one was said before.
    links: AtomicU32,
    stopped: watch::Sender<bool>,
    /// The broker that links go over, if they do.
    #[cfg(feature = "nats")]
    nats: std::sync::OnceLock<Arc<crate::nats::Nats>>,
    /// What takes connections and makes them.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    /// Does something with a peer, while nobody forgets it.
    fn with_peer<T>(&self, name: &str, act: impl FnOnce(&Arc<Peer>) -> T) -> T {
        let new = || {
            Arc::new(Peer {
                senders: Mutex::default(),
                session: Mutex::default(),
            })
        };
        let mut peers = lock(&self.peers);
        act(peers.entry(name.to_owned()).or_insert_with(new))
    }

    /// A session with a peer begins: from now on it carries the senders to it.
    pub(crate) fn attach(&self, name: &str, wake: &Arc<Wake>) -> Arc<Peer> {
        self.with_peer(name, |peer| {
            *lock(&peer.session) = Some(wake.clone());
            peer.clone()
        })
    }

    /// Forgets a peer that nothing leads to any more. (Peers are whoever connects.)
    pub(crate) fn forget_peer(&self, name: &str) {
        let mut peers = lock(&self.peers);
        if let Some(peer) = peers.get(name)
            && lock(&peer.senders).is_empty()
            && lock(&peer.session).is_none()
        {
            peers.remove(name);
        }
    }

    pub(crate) fn receiver_end(&self, name: &str) -> Option<Arc<ReceiverEnd>> {
        lock(&self.receivers).get(name).cloned()
    }

    pub(crate) fn forget_receiver(&self, name: &str) {
        lock(&self.receivers).remove(name);
    }

    pub(crate) fn new_link(&self) -> u32 {
        self.links.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    pub(crate) fn new_session(&self) -> Wake {
        Wake::new(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn session_ended(&self, connection: u64) {
        lock(&self.sessions).remove(&connection);
    }

    pub(crate) fn session_begun(&self, wake: &Arc<Wake>) {
        lock(&self.sessions).insert(wake.connection, wake.clone());
        // (who stops the sessions may have been there already)
        if *self.stopped.borrow() {
            wake.stop();
        }
    }

    /// Says something on another connection.
    pub(crate) fn tell(&self, connection: u64, fault: Fault) {
        if let Some(wake) = lock(&self.sessions).get(&connection) {
            wake.fault(fault);
        }
    }

    /// Told when the endpoint ends.
    #[cfg(feature = "nats")]
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopped.subscribe()
    }

    /// A sender has closed.
    #[cfg(feature = "nats")]
    pub(crate) fn forget_sender(&self, peer: &str, end: &Arc<SenderEnd>) {
        let known = lock(&self.peers).get(peer).cloned();
        if let Some(known) = known {
            known.forget(end);
            self.forget_peer(peer);
        }
    }

    fn log(&self, line: &str) {
        if let Some(log) = &self.config.log {
            log(line);
        }
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn named(what: &str, name: &str) -> io::Result<()> {
    match name.len() {
        1..=MAX_NAME => Ok(()),
        length => Err(invalid(format!(
            "the name of a {what} has 1 to {MAX_NAME} bytes; this one has {length}"
        ))),
    }
}

/// A process's end of all its links. All its methods that give a link, connect or listen are to be called within a tokio
/// runtime. When it is dropped all connections break off; see [`Endpoint::shutdown`].
pub struct Endpoint {
    inner: Arc<Inner>,
}

impl Endpoint {
    /// An endpoint without connections.
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn new(config: EndpointConfig) -> io::Result<Endpoint> {
        named("node", &config.node)?;
        Ok(Endpoint {
            inner: Arc::new(Inner {
                config,
                peers: Mutex::default(),
                receivers: Mutex::default(),
                sessions: Mutex::default(),
                connections: AtomicU64::new(1),
                links: AtomicU32::new(0),
                stopped: watch::Sender::new(false),
                #[cfg(feature = "nats")]
                nats: std::sync::OnceLock::new(),
                tasks: Mutex::default(),
            }),
        })
    }

    /// The receiving end of a link, whoever sends on it.
    ///
    /// # Errors
    /// There is one of that name; the name is empty or too long.
    pub fn receiver(&self, name: &str, config: ReceiverConfig) -> io::Result<LinkReceiver> {
        named("link", name)?;
        let mut receivers = lock(&self.inner.receivers);
        if receivers.contains_key(name) {
            return Err(invalid(format!(
                "there is a receiver of link '{name}' already"
            )));
        }
        let delivery = config.delivery;
        let end = Arc::new(ReceiverEnd {
            state: Mutex::new(ReceiverState {
                machine: Receiver::new(name, config),
                arrived: VecDeque::new(),
                attached: None,
                told: false,
            }),
            changed: Notify::new(),
        });
        receivers.insert(name.to_owned(), end.clone());
        #[cfg(feature = "nats")]
        if let Some(nats) = self.inner.nats.get() {
            let (inner, end) = (Arc::downgrade(&self.inner), Arc::downgrade(&end));
            let name = name.to_owned();
            let task = crate::nats::receive(inner, nats.clone(), name, delivery, end);
            lock(&self.inner.tasks).push(tokio::spawn(task));
        }
        Ok(LinkReceiver {
            name: name.to_owned(),
            end,
            fetched: VecDeque::new(),
            inner: Arc::downgrade(&self.inner),
            delivery,
            made: Instant::now(),
        })
    }

    /// The sending end of a link to a peer, whichever side makes the connection. A durable link needs a file for its outbox,
    /// which is opened, or made (and takes a while to read); its limits are those of the queue.
    ///
    /// # Errors
    /// There is one of that name; the name is empty or too long; the outbox is missing, not needed, or cannot be opened.
    pub fn sender(
        &self,
        peer: &str,
        name: &str,
        config: SenderConfig,
        outbox: Option<&Path>,
    ) -> io::Result<LinkSender> {
        named("peer", peer)?;
        named("link", name)?;
        let taken = |peer: &Arc<Peer>| {
            let mut senders = lock(&peer.senders);
            senders.retain(|end| !lock(&end.state).machine.is_closed());
            match senders
                .iter()
                .any(|end| lock(&end.state).machine.name() == name)
            {
                true => Err(invalid(format!(
                    "there is a sender of link '{name}' to that peer already"
                ))),
                false => Ok(()),
            }
        };
        self.inner.with_peer(peer, taken)?;
        #[cfg(feature = "nats")]
        let config = match self.inner.nats.get() {
            Some(_) => SenderConfig {
                max_message: config.max_message.min(crate::nats::MAX_NATS_MESSAGE),
                ..config
            },
            None => config,
        };
        let (machine, keeper) = match (config.delivery, outbox) {
            (Delivery::Fast, None) => (Sender::new(name, config, new_instance()?, 0, []), None),
            (Delivery::Durable, Some(file)) => {
                // (what the queue takes the outbox must take, or it could never be sent)
                let outbox = Outbox::open(JournalConfig {
                    max_records: u64::MAX,
                    max_bytes: u64::MAX,
                    ..JournalConfig::new(file)
                })
                .map_err(|e| io::Error::other(e.message))?;
                let (front, items) = outbox.messages().map_err(|e| io::Error::other(e.message))?;
                let most = (config.queue_messages, config.queue_bytes);
                let machine = Sender::new(name, config, outbox.instance(), front, items);
                let there = (machine.len(), machine.bytes());
                (machine, Some(Keeper::start(outbox, front, there, most)?))
            }
            (Delivery::Fast, Some(_)) => {
                return Err(invalid(format!("link '{name}' is fast: it has no outbox")));
            }
            (Delivery::Durable, None) => {
                return Err(invalid(format!(
                    "link '{name}' is durable: it needs a file for its outbox"
                )));
            }
        };
        let end = Arc::new(SenderEnd {
            state: Mutex::new(SenderState {
                machine,
                attached: None,
                told: false,
            }),
            changed: Notify::new(),
            keeper,
        });
        if let Some(keeper) = &end.keeper {
            keeper.belongs_to(&end);
        }
        self.inner.with_peer(peer, |peer| {
            // (somebody may have been quicker)
            taken(peer)?;
            lock(&peer.senders).push(end.clone());
            if let Some(wake) = &*lock(&peer.session) {
                wake.senders();
            }
            io::Result::Ok(())
        })?;
        #[cfg(feature = "nats")]
        if let Some(nats) = self.inner.nats.get() {
            let (inner, weak) = (Arc::downgrade(&self.inner), Arc::downgrade(&end));
            let task = crate::nats::send(inner, nats.clone(), peer.to_owned(), weak);
            lock(&self.inner.tasks).push(tokio::spawn(task));
        }
        Ok(LinkSender { end })
    }

    /// Has all links that are made from now on go over a broker: nothing is listened for, and no connection is made to a peer. Must be
    /// called before the first link is made; a second call changes nothing. The broker may be away: then links wait for it.
    #[cfg(feature = "nats")]
    pub fn through_nats(&self, config: crate::nats::NatsConfig) {
        let nats = crate::nats::Nats::new(config, self.inner.config.log.clone());
        let _ = self.inner.nats.set(Arc::new(nats));
    }

    /// Takes connections at an address, until the endpoint ends; gives the address (with the port that was free).
    ///
    /// # Errors
    /// It is no address, or not to be had.
    pub async fn listen(&self, address: &str) -> io::Result<String> {
        let mut listener = transport::at(address).await?;
        let address = listener.address();
        let (inner, mut stopped) = (Arc::downgrade(&self.inner), self.inner.stopped.subscribe());
        let task = tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    stream = listener.accept() => stream,
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                };
                let Some(inner) = inner.upgrade() else { return };
                match stream {
                    Ok(stream) => drop(tokio::spawn(serve(inner, stream, Side::Called))),
                    Err(error) => {
                        inner.log(&format!(
                            "cannot take a connection at {}: {error}",
                            listener.address()
                        ));
                        // (out of files, most likely)
                        tokio::time::sleep(inner.config.backoff.0).await;
                    }
                }
            }
        });
        lock(&self.inner.tasks).push(task);
        Ok(address)
    }

    /// Keeps a connection to an address: makes it, and makes it again when it breaks. `peer`: who is expected there.
    ///
    /// # Errors
    /// It is no address.
    pub fn connect(&self, peer: Option<&str>, address: &str) -> io::Result<()> {
        self.connect_by(peer, transport::to(address)?);
        Ok(())
    }

    /// As [`Endpoint::connect`], by a transport of one's own.
    pub fn connect_by(&self, peer: Option<&str>, transport: Arc<dyn Transport>) {
        let (inner, peer) = (Arc::downgrade(&self.inner), peer.map(str::to_owned));
        let stopped = self.inner.stopped.subscribe();
        let task = tokio::spawn(keep(inner, stopped, peer, transport));
        lock(&self.inner.tasks).push(task);
    }

    /// Runs a session on a stream that somebody else took, to its end. `Ok`: one side closed it.
    ///
    /// # Errors
    /// The stream broke, the other side is silent, or does not keep to the protocol.
    pub async fn serve(&self, stream: BoxStream) -> io::Result<()> {
        run(&self.inner, stream, Side::Called).await
    }

    /// How many connections stand.
    pub fn connections(&self) -> usize {
        lock(&self.inner.sessions).len()
    }

    /// Ends in order: senders take no more, what they have is sent and (durable) confirmed, for as long as `patience` allows;
    /// then the connections are closed, and outboxes let go of their files. Gives how many messages are left (of durable
    /// links they are in their outboxes).
    pub async fn shutdown(&self, patience: Duration) -> usize {
        let ends: Vec<_> = {
            let peers = lock(&self.inner.peers);
            peers.values().flat_map(|peer| peer.senders()).collect()
        };
        let drained = async {
            for end in &ends {
                end.close();
            }
            for end in &ends {
                loop {
                    let mut changed = std::pin::pin!(end.changed.notified());
                    changed.as_mut().enable();
                    let done = {
                        let state = lock(&end.state);
                        state.machine.is_closed() || state.machine.ended().is_some()
                    };
                    if done {
                        break;
                    }
                    changed.await;
                }
            }
        };
        // (time that runs out is told by what is left)
        let _ = tokio::time::timeout(patience, drained).await;
        let left = ends.iter().map(|end| {
            lock(&end.state).machine.len() + end.keeper.as_ref().map_or(0, Keeper::pending)
        });
        let left = left.sum();
        self.inner.stopped.send_replace(true);
        let sessions: Vec<_> = lock(&self.inner.sessions).values().cloned().collect();
        sessions.iter().for_each(|wake| wake.stop());
        let gone = async {
            while self.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // (a session whose other side does not read ends when it is taken for dead)
        let _ = tokio::time::timeout(self.inner.config.dead_after, gone).await;
        let tasks = std::mem::take(&mut *lock(&self.inner.tasks));
        #[cfg(feature = "nats")]
        let tasks = {
            let mut tasks = tasks;
            if self.inner.nats.get().is_some() {
                // (they end by themselves, with what they still have to say)
                let all = async {
                    for task in &mut tasks {
                        let _ = task.await;
                    }
                };
                let _ = tokio::time::timeout(crate::nats::LAST, all).await;
            }
            tasks.retain(|task| !task.is_finished());
            tasks
        };
        for task in tasks {
            // (one that waits for a connection to be made has nothing to lose)
            task.abort();
            let _ = task.await;
        }
        let finished = tokio::task::spawn_blocking(move || {
            ends.iter()
                .filter_map(|end| end.keeper.as_ref())
                .for_each(Keeper::finish);
        });
        let _ = finished.await;
        left
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.inner.stopped.send_replace(true);
        lock(&self.inner.sessions)
            .values()
            .for_each(|wake| wake.stop());
        // (senders that programs still hold take no more, their outboxes let go)
        for peer in lock(&self.inner.peers).values() {
            lock(&peer.senders).clear();
        }
    }
}

async fn run(inner: &Arc<Inner>, stream: BoxStream, side: Side) -> io::Result<()> {
    session::run(inner, stream, side).await
}

async fn serve(inner: Arc<Inner>, stream: BoxStream, side: Side) {
    if let Err(error) = run(&inner, stream, side).await {
        inner.log(&format!("a connection that was taken ended: {error}"));
    }
}

/// Makes a connection again and again.
async fn keep(
    inner: Weak<Inner>,
    mut stopped: watch::Receiver<bool>,
    peer: Option<String>,
    transport: Arc<dyn Transport>,
) {
    let mut pause = Duration::ZERO;
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let attempt = async {
            let (dead_after, place) = (inner.config.dead_after, transport.describe());
            let stream = tokio::time::timeout(dead_after, transport.connect()).await;
            let stream = stream.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, format!("{place} does not answer"))
            })??;
            let begun = tokio::time::Instant::now();
            let result = run(&inner, stream, Side::Caller(peer.clone())).await;
            let lasted = begun.elapsed() > inner.config.backoff.1;
            let result = result.map_err(|e| io::Error::new(e.kind(), format!("{place}: {e}")));
            io::Result::Ok((lasted, result))
        };
        // (a session that stands is ended by its own way, with what it still has to write)
        let lasted = match attempt.await {
            Ok((lasted, Ok(()))) => lasted,
            Ok((lasted, Err(error))) => {
                inner.log(&format!("the connection to {error}"));
                lasted
            }
            Err(error) => {
                inner.log(&error.to_string());
                false
            }
        };
        let (least, most) = inner.config.backoff;
        drop(inner);
        pause = if lasted {
            least
        } else {
            (pause * 2).clamp(least, most.max(least))
        };
        // (half of it by lot; a system without randomness has no lot)
        let lot = getrandom::u32().unwrap_or(0);
        let wait = pause / 2 + (pause / 2).mul_f64(f64::from(lot) / f64::from(u32::MAX));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
        if *stopped.borrow() {
            return;
        }
    }
}
