//! The machine on a net: datagrams go over a stream to each node, each behind its length (u16, big-endian), and are dropped where a stream
//! does not keep up; connections that break are looked into at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::machine::{Change, Machine, MemberInfo, MemberState, Output};
use super::tuning::Tuning;
use super::wire::{Probe, probe};

use crate::error::NetError;
use crate::events::{Event, Gone};
use crate::net::{Incoming, Knock, Net};
use crate::stream::NetStream;

/// The protocol of membership.
pub const PROTOCOL: &str = "/vgdc/swim/1";

/// Datagrams that wait for a node's stream; what comes on top is dropped.
const WAITING: usize = 64;
/// Datagrams that have arrived and wait for the machine; streams are read no further meanwhile.
const ARRIVED: usize = 1024;
/// A stream that could not be opened, or broke, is opened anew no sooner than this.
const AGAIN: Duration = Duration::from_millis(200);
/// When a connection breaks, the host is asked at these times whether somebody listens still (a process that is being killed may accept
/// for a moment longer), each time for so long.
const KNOCKS: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(60),
];
const KNOCK: Duration = Duration::from_millis(500);
/// How often members are held against the gate.
const RECHECK: Duration = Duration::from_secs(1);
/// How long the last news may take to go out when this node leaves.
const GOODBYE: Duration = Duration::from_millis(100);

/// Membership of this node, running on a net. Cheap to clone; it ends with the net, with [`Membership::leave`], or when the last handle
/// is dropped.
#[derive(Clone, Debug)]
pub struct Membership {
    orders: mpsc::Sender<Order>,
    changes: broadcast::Sender<Change>,
    members: watch::Receiver<Arc<View>>,
    trips: Trips,
}

/// How long nodes take to answer, the last times: to there and back.
type Trips = Arc<Mutex<HashMap<[u8; 32], Duration>>>;

fn lock(trips: &Trips) -> MutexGuard<'_, HashMap<[u8; 32], Duration>> {
    trips.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is seen of the mesh.
#[derive(Debug)]
struct View {
    me: MemberInfo,
    members: Vec<(MemberInfo, MemberState)>,
}

#[derive(Debug)]
enum Order {
    Leave(oneshot::Sender<()>),
    Refused([u8; 32]),
}

/// Changes of the membership, from the moment they were asked for. Up to 4,096 wait to be taken.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

impl Changes {
    /// The next change; none after the end.
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(many)) => Some(Change::Missed(many)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Membership {
    /// Begins to take part: `me` is this node, with the net's key.
    ///
    /// # Errors
    /// The tuning makes no sense, the name is too long, or membership runs on this net already.
    pub fn start(net: &Net, me: MemberInfo, tuning: &Tuning) -> Result<Self, NetError> {
        let me = MemberInfo {
            key: net.key(),
            ..me
        };
        let shared = net.shared().clone();
        let admitted = Arc::new(move |key: &[u8; 32]| shared.admitted(key));
        let machine = Machine::new(&me, tuning, rand::random(), admitted)?;
        let incoming = net.serve(PROTOCOL)?;
        let (orders, ordered) = mpsc::channel(64);
        let (changes, _) = broadcast::channel(4096);
        let view = Arc::new(View {
            me,
            members: Vec::new(),
        });
        let (shown, members) = watch::channel(view);
        let (arrive, arrived) = mpsc::channel(ARRIVED);
        let service = Service {
            net: net.clone(),
            machine,
            begin: Instant::now(),
            longest: tuning.datagram,
            writers: HashMap::new(),
            orders: orders.downgrade(),
            changes: changes.clone(),
            shown,
            arrive,
            asked: HashMap::new(),
            trips: Trips::default(),
        };
        let trips = service.trips.clone();
        let events = net.events();
        tokio::spawn(service.run(incoming, ordered, arrived, events));
        Ok(Self {
            orders,
            changes,
            members,
            trips,
        })
    }

    /// This node as others see it (its incarnation grows when it had been declared down).
    pub fn me(&self) -> MemberInfo {
        self.members.borrow().me.clone()
    }

    /// All other members that are known, also those that are down.
    pub fn members(&self) -> Vec<(MemberInfo, MemberState)> {
        self.members.borrow().members.clone()
    }

    /// How long a member takes to answer, to there and back, the work of both agents included: smoothed over its last answers, one in some
    /// seconds. None before the first, and for this node itself.
    pub fn round_trip(&self, key: &[u8; 32]) -> Option<Duration> {
        lock(&self.trips).get(key).copied()
    }

    /// What changes from now on.
    pub fn watch(&self) -> Changes {
        Changes(self.changes.subscribe())
    }

    /// Tells the others that this node goes, and ends.
    pub async fn leave(self) {
        let (done, left) = oneshot::channel();
        if self.orders.send(Order::Leave(done)).await.is_ok() {
            let _ = left.await;
        }
    }
}

struct Service {
    net: Net,
    machine: Machine,
    begin: Instant,
    longest: usize,
    writers: HashMap<[u8; 32], Writer>,
    orders: mpsc::WeakSender<Order>,
    changes: broadcast::Sender<Change>,
    shown: watch::Sender<Arc<View>>,
    arrive: mpsc::Sender<([u8; 32], Vec<u8>)>,
    /// Who was asked last whether it is there, by which number, and when.
    asked: HashMap<[u8; 32], (u8, Instant)>,
    trips: Trips,
}

/// What goes to a node.
struct Writer {
    queue: mpsc::Sender<Vec<u8>>,
    since: Instant,
}

impl Service {
    async fn run(
        mut self,
        mut incoming: Incoming,
        mut ordered: mpsc::Receiver<Order>,
        mut arrived: mpsc::Receiver<([u8; 32], Vec<u8>)>,
        mut events: crate::events::Events,
    ) {
        let mut recheck = tokio::time::interval(RECHECK);
        recheck.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for (key, _) in self.net.peers().await {
            self.machine.meet(self.now(), &key);
        }
        loop {
            self.act().await;
            let next = match self.machine.next_tick() {
                Some(at) => self.begin + at,
                None => Instant::now() + RECHECK,
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {
                    let now = self.now();
                    self.machine.tick(now);
                }
                Some((from, datagram)) = arrived.recv() => {
                    let now = self.now();
                    self.answered(&from, &datagram);
                    self.machine.receive(now, &from, &datagram);
                }
                event = events.next() => match event {
                    Some(event) => self.happened(event).await,
                    None => return,
                },
                stream = incoming.next() => match stream {
                    Some((from, stream)) => {
                        tokio::spawn(read(from, stream, self.longest, self.arrive.clone()));
                    }
                    None => return,
                },
                order = ordered.recv() => match order {
                    Some(Order::Refused(key)) => {
                        let now = self.now();
                        self.machine.declare_down(now, &key);
                    }
                    Some(Order::Leave(done)) => {
                        self.leave().await;
                        let _ = done.send(());
                        return;
                    }
                    None => {
                        self.leave().await;
                        return;
                    }
                },
                _ = recheck.tick() => {
                    let now = self.now();
                    self.machine.recheck(now);
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Does what the machine wants.
    async fn act(&mut self) {
        let mut down = Vec::new();
        let mut changed = false;
        while let Some(output) = self.machine.take() {
            match output {
                Output::Send { to, datagram } => self.send(to, datagram),
                Output::Changed(change) => {
                    changed = true;
                    if let Change::Down(member) = &change {
                        down.push(member.key);
                    }
                    // (before it is told, so that whoever is told sees it)
                    self.show();
                    let _ = self.changes.send(change);
                }
            }
        }
        if !changed {
            let members = self.machine.members();
            let differs = self.shown.borrow().members != members;
            if differs {
                self.show();
            }
        }
        for key in down {
            // (a connection over which nothing comes any more would keep the next one from being made)
            self.writers.remove(&key);
            self.asked.remove(&key);
            lock(&self.trips).remove(&key);
            self.net.disconnect(&key).await;
        }
    }

    fn show(&self) {
        self.shown.send_replace(Arc::new(View {
            me: self.machine.me(),
            members: self.machine.members(),
        }));
    }

    /// Takes down how long an answer took.
    fn answered(&mut self, from: &[u8; 32], datagram: &[u8]) {
        if let Some(Probe::Answers(number)) = probe(datagram)
            && let Some((_, at)) = self
                .asked
                .remove(from)
                .filter(|(asked, _)| *asked == number)
        {
            let (took, mut trips) = (at.elapsed(), lock(&self.trips));
            // (as TCP smooths it: RFC 6298)
            let known = trips.entry(*from).or_insert(took);
            *known = (*known * 7 + took) / 8;
        }
    }

    fn send(&mut self, to: [u8; 32], datagram: Vec<u8>) {
        if let Some(Probe::Asks(number)) = probe(&datagram) {
            self.asked.insert(to, (number, Instant::now()));
        }
        if let Some(writer) = self.writers.get(&to) {
            match writer.queue.try_send(datagram) {
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => return,
                Err(mpsc::error::TrySendError::Closed(datagram)) => {
                    if writer.since.elapsed() >= AGAIN {
                        self.writer(to, datagram);
                    }
                    return;
                }
            }
        }
        self.writer(to, datagram);
    }

    fn writer(&mut self, to: [u8; 32], datagram: Vec<u8>) {
        // (those that have ended are of nodes that are gone)
        self.writers
            .retain(|_, w| !w.queue.is_closed() || w.since.elapsed() < AGAIN);
        let (queue, queued) = mpsc::channel(WAITING);
        let _ = queue.try_send(datagram);
        let since = Instant::now();
        self.writers.insert(to, Writer { queue, since });
        tokio::spawn(write(self.net.clone(), to, queued));
    }

    async fn happened(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Connected { key, .. } => self.machine.meet(now, &key),
            Event::Disconnected {
                key,
                reason: Gone::Removed,
                ..
            } => self.machine.declare_down(now, &key),
            Event::Disconnected {
                key,
                address,
                reason: Gone::Lost(_) | Gone::Ended,
            } if self.machine.is_alive(&key) => {
                if let Some(orders) = self.orders.upgrade() {
                    tokio::spawn(look_into(self.net.clone(), key, address, orders));
                }
            }
            Event::Missed(_) => {
                for (key, _) in self.net.peers().await {
                    if !self.machine.is_alive(&key) {
                        self.machine.meet(now, &key);
                    }
                }
            }
            _ => {}
        }
    }

    async fn leave(&mut self) {
        let now = self.now();
        self.machine.leave(now);
        self.act().await;
        // (writers end when their queues do, after the last datagram)
        let queues: Vec<_> = self.writers.drain().map(|(_, w)| w.queue).collect();
        let flushed = async {
            for queue in &queues {
                while queue.capacity() < queue.max_capacity() && !queue.is_closed() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let _ = tokio::time::timeout(GOODBYE, flushed).await;
    }
}

/// Reads datagrams of a node until its stream ends.
async fn read(
    from: [u8; 32],
    stream: NetStream,
    longest: usize,
    arrive: mpsc::Sender<([u8; 32], Vec<u8>)>,
) {
    let mut stream = BufReader::with_capacity(16 * 1024, stream);
    while let Ok(length) = stream.read_u16().await {
        let mut datagram = vec![0; length as usize];
        if datagram.len() > longest || stream.read_exact(&mut datagram).await.is_err() {
            return;
        }
        if arrive.send((from, datagram)).await.is_err() {
            return;
        }
    }
}

/// Writes datagrams to a node until its stream breaks.
async fn write(net: Net, to: [u8; 32], mut queued: mpsc::Receiver<Vec<u8>>) {
    let Ok(mut stream) = net.open(&to, &[], PROTOCOL).await else {
        return;
    };
    drop(net);
    let mut bytes = Vec::new();
    while let Some(first) = queued.recv().await {
        bytes.clear();
        let mut next = Some(first);
        while let Some(datagram) = next {
            // (datagrams are shorter than 32 KiB: the tuning says so)
            bytes.extend_from_slice(&(datagram.len() as u16).to_be_bytes());
            bytes.extend_from_slice(&datagram);
            next = queued.try_recv().ok();
        }
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// A connection to a member broke: finds out whether its process is gone. A host that refuses says so within a round trip; one that does
/// not answer is left to the protocol.
async fn look_into(net: Net, key: [u8; 32], address: String, orders: mpsc::Sender<Order>) {
    for pause in KNOCKS {
        tokio::time::sleep(pause).await;
        if net.knock(&key, &address, KNOCK).await == Knock::Refused {
            let _ = orders.send(Order::Refused(key)).await;
            return;
        }
    }
}
