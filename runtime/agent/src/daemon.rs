//! The daemon: one a host. It puts the pieces together and keeps the host at what the mesh has agreed on.
//!
//! | file | |
//! | --- | --- |
//! | `config.rs` | what it is told, and remembers |
//! | `join.rs`, `token.rs` | how it comes into its mesh, and lets others in |
//! | `door.rs`, `programs.rs` | programs and people of this host |
//! | `local.rs`, `instance.rs`, `processes.rs` | this node's parts, brought to where the state wants them |
//! | `leader.rs`, `rollout.rs`, `placement.rs` | the leader's work: rollouts, lost nodes |
//! | `tunnel.rs` | ways of links between machines |
//! | `peers.rs`, `bundles.rs` | what agents ask each other |
//! | `admin.rs`, `shared.rs`, `metrics.rs` | what people, flows and Prometheus ask |

mod admin;
mod bundles;
pub mod config;
mod door;
mod instance;
mod join;
mod leader;
mod lines;
mod listeners;
mod local;
mod manifests;
mod metrics;
mod peers;
mod placement;
mod processes;
mod programs;
mod rollout;
mod secrets;
mod shared;
mod token;
mod tunnel;

use crate::artifacts::{self, Store, Verifier};
use crate::context::MeshContext;
use crate::id::NodeId;
use crate::replica::{Options, Replica, Role, Timing};
use crate::state::nodes::Capacity;
use crate::state::{Command, nodes::NodeCommand};
use crate::wire::net::NetWire;
use config::{NodeConfig, Remembered};
use instance::{Instance, Key};
use manifests::Manifests;
use peers::{Ask, Told};
use processes::Processes;
use programs::Programs;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use vgdc_door::admin::{LinkStatus, PartStatus, Phase};
use vgdc_net::membership::{MemberInfo, MemberState, Membership, Tuning};
use vgdc_net::{Gate, Identity, Net, NetConfig, verify};

/// How long a node that stops tries to say so.
const LAST_WORD: Duration = Duration::from_millis(500);
/// The most nodes with a vote: those that come first.
const MOST_VOTERS: usize = 5;

/// How often it is looked whether the state is still kept.
const LOOK_AT_DISK: Duration = Duration::from_secs(2);
/// How many bytes have to fit onto a disk that was full.
const ROOM: usize = 16 << 20;

/// A node that runs.
pub struct Node {
    /// Who it is.
    id: NodeId,
    /// Its name.
    name: String,
    data: PathBuf,
    sockets: PathBuf,
    door: PathBuf,
    remembered: Mutex<Remembered>,
    net: Net,
    membership: Membership,
    replica: Replica,
    store: Arc<Store>,
    supervisor: Processes,
    programs: Programs,
    /// It is being stopped.
    stops: AtomicBool,
    ways: tunnel::Ways,
    listeners: listeners::Listeners,
    manifests: Manifests,
    instances: Mutex<BTreeMap<Key, Arc<Instance>>>,
    /// Parts that another node is about to have, and since when they make ready for that.
    leaving: Mutex<BTreeMap<Key, Instant>>,
    /// Why versions were rolled back while this node led: the newest last.
    reasons: Mutex<VecDeque<(String, String, String)>>,
    /// The public key of the mesh's authority.
    authority: [u8; 32],
    /// Its private half, where this node has it.
    signer: Option<Identity>,
    context: MeshContext,
    gate: Arc<Admitted>,
    fetching: bundles::Fetching,
    failover_after: Duration,
    /// Something has changed that parts of this node depend on.
    woken: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who is let in: those of whom the state says so, and before there is a state those who were there when this node came.
#[derive(Default)]
struct Admitted(RwLock<HashSet<[u8; 32]>>);

impl Gate for Admitted {
    fn admitted(&self, key: &[u8; 32]) -> bool {
        let admitted = self.0.read().unwrap_or_else(PoisonError::into_inner);
        admitted.contains(key)
    }
}

impl Verifier for Node {
    fn verify(&self, key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> Result<(), String> {
        if *key != self.authority {
            return Err("it was signed by somebody else than the mesh's authority".to_owned());
        }
        match verify(key, bytes, signature) {
            true => Ok(()),
            false => Err("the signature of the mesh's authority does not fit".to_owned()),
        }
    }
}

/// How a node ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Its replica of the state had stopped, on a disk that was full, and can go on: it is to be started again.
    Again,
}

/// Starts a node, and runs it until it is told to stop (SIGTERM, SIGINT). The programs that it has started stay, and are found by the next
/// agent.
///
/// # Errors
/// What it was told cannot be done; in words.
pub async fn run(config: NodeConfig, ready: impl FnOnce(&str)) -> Result<Ended, String> {
    let node = Node::start(config).await?;
    ready(&format!(
        "node {} of mesh {} at {}",
        node.name,
        lock(&node.remembered).mesh,
        node.net.addresses().join(", ")
    ));
    let ended = tokio::select! {
        () = stopped() => Ended::Stopped,
        () = has_room_again(&node) => Ended::Again,
    };
    node.say(match ended {
        Ended::Stopped => "stopping; programs go on running",
        Ended::Again => "the disk has room again: starting anew",
    });
    if ended == Ended::Stopped {
        node.goes_away().await;
    }
    node.membership.clone().leave().await;
    node.replica.stop().await;
    // (it is made anew by the next one)
    let _ = std::fs::remove_file(&node.door);
    Ok(ended)
}

/// Resolves when the replica has stopped and could go on. A replica stops when it cannot write; what runs goes on running meanwhile.
async fn has_room_again(node: &Node) {
    let mut said = false;
    loop {
        tokio::time::sleep(LOOK_AT_DISK).await;
        let Some(why) = node.replica.metrics().failed else {
            continue;
        };
        if !std::mem::replace(&mut said, true) {
            node.say(&format!("this node's copy of the state has stopped: {why}"));
        }
        let probe = node.data.join("probe");
        let written = std::fs::write(&probe, vec![0; ROOM]);
        // (where it could not be written it may not be there)
        let _ = std::fs::remove_file(&probe);
        if written.is_ok() {
            return;
        }
    }
}

/// Resolves at SIGINT or SIGTERM.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        // Without handlers the signals end the process by themselves.
        _ => std::future::pending().await,
    }
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

impl Node {
    /// Starts all that it is made of, and comes into its mesh.
    async fn start(config: NodeConfig) -> Result<Arc<Node>, String> {
        for folder in [&config.data, &config.sockets] {
            std::fs::create_dir_all(folder)
                .map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
        }
        let identity = Identity::load_or_create(&config.data.join("node.key"));
        let identity = identity.map_err(|e| e.to_string())?;
        let (remembered, token) = join::prepare(&config, &identity)?;
        let signer = join::authority(&config.data)?;
        let door_path = config.sockets.join(vgdc_door::DOOR);
        let door = door::open(&door_path)?;
        let gate = Arc::new(Admitted::default());
        let mut net_config = NetConfig::new(identity, &remembered.mesh);
        net_config.listen.clone_from(&remembered.listen);
        net_config.mdns = remembered.mdns;
        net_config.peers = remembered.peers.clone();
        net_config.strangers = vec![join::PROTOCOL.to_owned()];
        admit(&gate, &remembered, None);
        let net = Net::start(net_config, gate.clone());
        let net = net.await.map_err(|e| e.to_string())?;
        let id = NodeId::from_key(net.key());
        let me = MemberInfo {
            key: net.key(),
            name: remembered.name.as_str().into(),
            incarnation: remembered.incarnation,
        };
        let membership = Membership::start(&net, me, &Tuning::default());
        let membership = membership.map_err(|e| e.to_string())?;
        let wire = Arc::new(NetWire::new(net.clone()));
        let replica = Replica::start(
            Options {
                mesh: remembered.mesh.clone(),
                id,
                addresses: net.addresses(),
                file: config.data.join("state.sqlite"),
                timing: Timing::default(),
                snapshot_entries: None,
            },
            wire,
        );
        let replica = replica.await.map_err(|e| e.to_string())?;
        let store = Store::open(&config.data.join("store"), artifacts::Limits::default());
        let store = Arc::new(store.map_err(|e| e.to_string())?);
        let supervisor = Processes::open(&config.data.join("processes")).await?;
        let authority = token::key(&remembered.authority)
            .ok_or("node.json names no authority: move the folder away and join anew")?;
        let context = MeshContext::new(replica.clone(), &format!("node {}", remembered.name));
        let node = Arc::new(Node {
            id,
            name: remembered.name.clone(),
            data: config.data.clone(),
            sockets: config.sockets.clone(),
            door: door_path,
            remembered: Mutex::new(remembered),
            net: net.clone(),
            membership,
            replica,
            store,
            supervisor,
            programs: Programs::default(),
            stops: AtomicBool::new(false),
            ways: tunnel::Ways::default(),
            listeners: listeners::Listeners::default(),
            manifests: Manifests::default(),
            instances: Mutex::default(),
            leaving: Mutex::default(),
            reasons: Mutex::default(),
            authority,
            signer,
            context,
            gate: gate.clone(),
            fetching: bundles::Fetching::default(),
            failover_after: config.failover_after,
            woken: Notify::new(),
        });
        let service = node.replica.service();
        let state = {
            let net = net.clone();
            async move { crate::wire::net::serve(&net, service).await }
        };
        node.serving("the state", state);
        node.serving("questions", {
            let (net, node) = (net.clone(), node.clone());
            async move { peers::serve(&net, node).await }
        });
        node.serving("links", {
            let (net, node) = (net.clone(), node.clone());
            async move { tunnel::serve(&net, node).await }
        });
        node.serving("bundles", {
            let (net, node) = (net.clone(), node.clone());
            async move { bundles::serve(&net, node).await }
        });
        node.serving("joining", {
            let (net, node) = (net.clone(), node.clone());
            async move { join::serve(&net, node).await }
        });
        join::come(&node, &config.coming, token).await?;
        tokio::spawn(follow(node.clone()));
        tokio::spawn(local::keep(node.clone()));
        tokio::spawn(leader::lead(node.clone()));
        tokio::spawn(bundles::keep(node.clone()));
        tokio::spawn(introduce(node.clone()));
        if let Some(at) = config.metrics {
            metrics::start(at, node.clone())?;
        }
        tokio::spawn(door::keep(door, node.clone()));
        Ok(node)
    }

    fn serving(
        self: &Arc<Node>,
        what: &'static str,
        serving: impl Future<Output = Result<(), vgdc_net::NetError>> + Send + 'static,
    ) {
        let node = self.clone();
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                node.say(&format!("{what}: {error}"));
            }
        });
    }

    /// Says something in the log: a line of standard error.
    fn say(&self, text: &str) {
        eprintln!("{} {}: {text}", now_ms(), self.name);
    }

    /// Where a node is reached, as the state says, and as was told when this one joined.
    fn addresses_of(&self, id: &NodeId) -> Vec<String> {
        let state = self.replica.local();
        match state.nodes.get(id) {
            Some(node) => node.addresses.clone(),
            None => {
                let remembered = lock(&self.remembered);
                remembered
                    .contacts
                    .get(&id.to_string())
                    .cloned()
                    .unwrap_or_default()
            }
        }
    }

    /// The name of a node.
    fn name_of(&self, id: &NodeId) -> String {
        let state = self.replica.local();
        state
            .nodes
            .get(id)
            .map_or_else(|| id.to_string(), |node| node.name.clone())
    }

    /// A node by its name.
    fn named(&self, name: &str) -> Result<NodeId, String> {
        let state = self.replica.local();
        let found = state.nodes.iter().find(|(_, node)| node.name == name);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let mut names: Vec<&str> = state
                .nodes
                .values()
                .map(|node| node.name.as_str())
                .collect();
            names.sort_unstable();
            format!(
                "there is no node {name:?}: the mesh has {}",
                names.join(", ")
            )
        })
    }

    /// How it stands with a node.
    fn state_of(&self, id: &NodeId) -> MemberState {
        if *id == self.id {
            return MemberState::Alive;
        }
        let members = self.membership.members();
        let found = members.iter().find(|(member, _)| member.key == *id.key());
        found.map_or(MemberState::Down, |(_, state)| *state)
    }

    /// How long a node takes to answer this one.
    fn round_trip(&self, id: &NodeId) -> Option<std::time::Duration> {
        self.membership.round_trip(id.key())
    }

    /// The nodes that answer.
    fn alive(&self) -> Vec<NodeId> {
        let state = self.replica.local();
        let all = state.nodes.keys().copied();
        all.filter(|id| self.state_of(id) != MemberState::Down)
            .collect()
    }

    /// Lets those in whom this node was told of, until it has a state.
    fn admit_contacts(&self, remembered: &Remembered) {
        admit(&self.gate, remembered, Some(&self.replica.local()));
    }

    /// Says that its agent stops while its programs run on, as for an upgrade, so that they are not taken elsewhere at once.
    async fn goes_away(&self) {
        self.stops.store(true, Ordering::Relaxed);
        let mut labels = lock(&self.remembered).all_labels();
        labels.insert(config::AWAY.to_owned(), "true".to_owned());
        let id = self.id;
        let command = Command::Node(NodeCommand::Relabel { id, labels });
        let by = format!("node {}", self.name);
        // (where no majority is there to hear it, nobody takes anything elsewhere either)
        let _ = tokio::time::timeout(LAST_WORD, self.replica.propose(&by, command)).await;
    }

    fn leads(&self) -> bool {
        self.replica.metrics().role == Role::Leader
    }

    /// A program of this host.
    fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        let instances = lock(&self.instances);
        instances
            .values()
            .find(|it| it.key.instance() == name)
            .cloned()
    }

    /// Whether the same part runs here in another version, or one is just ending.
    fn runs_another_version(&self, key: &Key) -> bool {
        let instances = lock(&self.instances);
        let mut same = instances.iter().filter(|(other, _)| {
            *other != key && (&other.flow, &other.part) == (&key.flow, &key.part)
        });
        same.any(|(_, it)| {
            let phase = it.report().phase;
            matches!(phase, Phase::Running | Phase::Draining | Phase::Drained)
        })
    }

    /// A part is at its end.
    fn ended(&self, key: &Key) {
        lock(&self.instances).remove(key);
        self.listeners.let_go(key);
        self.woken.notify_one();
    }

    /// Where the links of a program are taken.
    fn links_of(&self, instance: &str) -> PathBuf {
        let name = blake3::hash(instance.as_bytes()).to_hex();
        self.sockets.join(format!("{}.sock", &name[..16]))
    }

    /// The log of a part.
    fn log_of(&self, flow: &str, part: &str) -> PathBuf {
        let (flow, part) = (instance::plain(flow), instance::plain(part));
        self.data
            .join("logs")
            .join(flow)
            .join(format!("{part}.log"))
    }

    /// Whether a part is still at that epoch, as far as is known here.
    fn is_of_epoch(&self, key: &Key) -> bool {
        let state = self.replica.local();
        let version = state.flows.version(&key.flow, &key.version);
        let owner = version.and_then(|version| version.parts.get(&key.part));
        owner.is_some_and(|owner| owner.epoch == key.epoch)
    }

    /// Whether a majority is certain that a part is this node's.
    async fn is_certainly_ours(&self, key: &Key) -> bool {
        let Ok(state) = self.replica.certain().await else {
            return false;
        };
        let owner = state.flows.version(&key.flow, &key.version);
        let owner = owner.and_then(|version| version.parts.get(&key.part));
        owner.is_some_and(|owner| owner.node == Some(self.id) && owner.epoch == key.epoch)
    }

    /// Answers another agent.
    /// What a node that asks is told.
    fn tell(&self, ask: &Ask, whom: &NodeId) -> Told {
        match ask {
            Ask::Secrets { name } => self.tell_secrets(name, whom),
            Ask::Parts => Told::Parts(self.parts()),
            Ask::Links => Told::Links(self.links()),
            Ask::Why { flow, version } => {
                let reasons = lock(&self.reasons);
                let mut newest = reasons.iter().rev();
                let found = newest.find(|(f, v, _)| f == flow && v == version);
                Told::Why(found.map(|(.., why)| why.clone()))
            }
            Ask::Leave {
                flow,
                version,
                part,
                epoch,
            } => {
                let key = Key {
                    flow: flow.clone(),
                    version: version.clone(),
                    part: part.clone(),
                    epoch: *epoch,
                };
                lock(&self.leaving).insert(key, Instant::now());
                self.woken.notify_one();
                Told::Done
            }
            Ask::Logs { flow, part, lines } => {
                match crate::supervise::tail(&self.log_of(flow, part), *lines) {
                    Ok(lines) => Told::Logs(lines),
                    Err(why) => Told::Error(why.to_string()),
                }
            }
        }
    }

    fn parts(&self) -> Vec<PartStatus> {
        let all: Vec<Arc<Instance>> = lock(&self.instances).values().cloned().collect();
        let about = |it: &Arc<Instance>| {
            let report = it.report();
            PartStatus {
                flow: it.key.flow.clone(),
                version: it.key.version.clone(),
                part: it.key.part.clone(),
                node: Some(self.name.clone()),
                epoch: it.key.epoch,
                phase: report.phase,
                detail: report.detail,
                pid: report.pid,
                restarts: report.restarts,
            }
        };
        all.iter().map(about).collect()
    }

    fn links(&self) -> Vec<LinkStatus> {
        let all: Vec<Arc<Instance>> = lock(&self.instances).values().cloned().collect();
        let mut links = Vec::new();
        for it in all {
            for said in it.report().links.as_array().into_iter().flatten() {
                let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
                let count = |name: &str| said[name].as_u64().unwrap_or_default();
                let name = text("name");
                let known = it.manifest.links.iter().find(|link| link.name == name);
                links.push(LinkStatus {
                    flow: it.key.flow.clone(),
                    from: (it.key.part.clone(), Some(self.name.clone())),
                    to: (text("peer"), None),
                    durable: known.is_some_and(|link| link.durable),
                    name,
                    open: said["open"].as_bool(),
                    queued: count("queued"),
                    sent: count("sent"),
                    repeated: count("repeated"),
                });
            }
        }
        links
    }
}

/// Lets those in whom the state names, or before there is one, the contacts.
fn admit(gate: &Admitted, remembered: &Remembered, state: Option<&crate::state::State>) {
    let mut keys: HashSet<[u8; 32]> = match state {
        Some(state) if !state.nodes.is_empty() => state.nodes.keys().map(|id| *id.key()).collect(),
        _ => remembered
            .contacts
            .keys()
            .filter_map(|key| token::key(key))
            .collect(),
    };
    let mut admitted = gate.0.write().unwrap_or_else(PoisonError::into_inner);
    std::mem::swap(&mut *admitted, &mut keys);
}

/// Follows the state: who is let in, which ways hold, what is to run.
async fn follow(node: Arc<Node>) {
    let gate = node.gate.clone();
    let mut watch = node.replica.watch(0);
    loop {
        let state = node.replica.local();
        let before = gate
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        admit(&gate, &lock(&node.remembered), Some(&state));
        if *gate.0.read().unwrap_or_else(PoisonError::into_inner) != before {
            node.net.recheck();
        }
        node.ways.recheck(|key| node.is_of_epoch(key));
        node.woken.notify_one();
        if watch.next().await.is_none() {
            return;
        }
    }
}

/// Says in the state what has changed about this node since it was here last, and keeps others in touch.
async fn introduce(node: Arc<Node>) {
    let by = format!("node {}", node.name);
    loop {
        let state = node.replica.local();
        if let Some(known) = state.nodes.get(&node.id)
            && !node.stops.load(Ordering::Relaxed)
        {
            let (labels, capacity) = {
                let remembered = lock(&node.remembered);
                (remembered.all_labels(), capacity(remembered.processors))
            };
            let addresses = node.net.addresses();
            let mut commands = Vec::new();
            if known.addresses != addresses || known.capacity != capacity {
                commands.push(NodeCommand::Update {
                    id: node.id,
                    addresses,
                    capacity,
                });
            }
            if known.labels != labels {
                commands.push(NodeCommand::Relabel {
                    id: node.id,
                    labels,
                });
            }
            for command in commands {
                // (tried again, for as long as it differs)
                let _ = node.replica.propose(&by, Command::Node(command)).await;
            }
        }
        let others: Vec<NodeId> = state
            .nodes
            .keys()
            .copied()
            .filter(|id| *id != node.id)
            .collect();
        for id in others {
            if node.state_of(&id) == MemberState::Down {
                // (one that is away is tried again)
                let _ = node.net.reach(id.key(), &node.addresses_of(&id)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn capacity(processors: f64) -> Capacity {
    Capacity {
        // (4,096 processors at most)
        millicores: (processors * 1_000.0) as u32,
        memory_mib: 0,
        parts: 0,
    }
}
