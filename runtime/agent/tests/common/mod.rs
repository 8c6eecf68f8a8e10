//! A group of replicas in one process, on a network with faults, each with its file.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use vgdc_agent::id::{Blob, NodeId};
use vgdc_agent::replica::{Options, ProposeError, Replica, Role, Timing};
use vgdc_agent::state::context::{ContextCommand, Place};
use vgdc_agent::state::{Command, State, format};
use vgdc_agent::wire::Peer;
use vgdc_agent::wire::memory::Network;

/// How long anything that is waited for may take, on a slow machine.
const LONG: Duration = Duration::from_secs(20);

pub fn node(number: u8) -> NodeId {
    NodeId::from_key([number; 32])
}

pub fn peer(number: u8) -> Peer {
    Peer {
        id: node(number),
        addresses: vec![format!("memory:{number}")],
    }
}

pub fn place(key: &str) -> Place {
    Place {
        scope: vgdc_store::Scope::Global,
        store: "default".into(),
        key: key.into(),
    }
}

pub fn set(key: &str, value: &str) -> Command {
    Command::Context(ContextCommand::Set {
        place: place(key),
        value: value.to_owned().into(),
    })
}

pub fn value_of(state: &State, key: &str) -> Option<String> {
    let Blob(bytes) = &state.context.get(&place(key))?.value;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

pub fn short() -> Timing {
    Timing {
        heartbeat: Duration::from_millis(100),
        election: (Duration::from_millis(300), Duration::from_millis(500)),
        patience: Duration::from_secs(5),
        attempt: Duration::from_secs(1),
        snapshot_piece: Duration::from_secs(5),
    }
}

/// A group.
pub struct Group {
    pub network: Network,
    pub timing: Timing,
    pub snapshot_entries: Option<u64>,
    folder: TempDir,
    replicas: BTreeMap<u8, Replica>,
}

impl Group {
    pub fn new(timing: Timing) -> Group {
        let folder = tempfile::tempdir().expect("a folder");
        Group {
            network: Network::new(7),
            timing,
            snapshot_entries: None,
            folder,
            replicas: BTreeMap::new(),
        }
    }

    /// A group of so many replicas, all with a vote; the first has made it.
    pub async fn of(number: u8, timing: Timing) -> Group {
        let mut group = Group::new(timing);
        group.grow(number).await;
        group
    }

    pub async fn grow(&mut self, number: u8) {
        self.start(1).await.bootstrap().await.expect("a group");
        for n in 2..=number {
            self.start(n).await.join(&[peer(1)]).await.expect("joined");
        }
    }

    /// Starts a replica upon its file, and lets it be called.
    pub async fn start(&mut self, number: u8) -> Replica {
        let options = Options {
            mesh: "test".into(),
            id: node(number),
            addresses: peer(number).addresses,
            file: self.folder.path().join(format!("{number}.sqlite")),
            timing: self.timing,
            snapshot_entries: self.snapshot_entries,
        };
        let until = Instant::now() + LONG;
        let replica = loop {
            match Replica::start(options.clone(), self.network.wire(&node(number))).await {
                Ok(replica) => break replica,
                // (one that was stopped lets go of its file a little later)
                Err(e) if e.to_string().contains("in use") && Instant::now() < until => {
                    sleep(Duration::from_millis(20)).await
                }
                Err(e) => panic!("{e}"),
            }
        };
        self.network.attach(node(number), replica.service());
        self.replicas.insert(number, replica.clone());
        replica
    }

    /// Takes a replica away.
    pub async fn kill(&mut self, number: u8) {
        self.network.detach(&node(number));
        if let Some(replica) = self.replicas.remove(&number) {
            replica.stop().await;
        }
    }

    /// Loses the file of a replica that was taken away.
    pub fn forget(&self, number: u8) {
        for ending in ["", "-wal", "-shm"] {
            // (not all of them are there)
            let _ =
                std::fs::remove_file(self.folder.path().join(format!("{number}.sqlite{ending}")));
        }
    }

    pub fn at(&self, number: u8) -> &Replica {
        &self.replicas[&number]
    }

    pub fn all(&self) -> impl Iterator<Item = (u8, &Replica)> {
        self.replicas.iter().map(|(n, r)| (*n, r))
    }

    /// Who leads: some replica does, and a majority of those that are here say so.
    pub async fn leader(&self) -> u8 {
        eventually("a leader", async || {
            let leads = |(n, r): (u8, &Replica)| (r.metrics().role == Role::Leader).then_some(n);
            let newest = self
                .all()
                .filter_map(leads)
                .max_by_key(|n| self.at(*n).metrics().term)?;
            let agree = self
                .all()
                .filter(|(_, r)| r.metrics().leader == Some(node(newest)))
                .count();
            (agree > self.replicas.len() / 2).then_some(newest)
        })
        .await
    }

    /// Waits until all replicas that are here have one state, byte for byte.
    pub async fn converged(&self) -> Arc<State> {
        eventually("one state", async || {
            let states: Vec<_> = self.all().map(|(_, r)| r.local()).collect();
            let bytes: Vec<_> = states
                .iter()
                .map(|s| format::write_snapshot(s).expect("a snapshot"))
                .collect();
            bytes
                .iter()
                .all(|b| *b == bytes[0])
                .then(|| states[0].clone())
        })
        .await
    }
}

/// Waits until there is something.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let until = Instant::now() + LONG;
    loop {
        if let Some(there) = look().await {
            return there;
        }
        assert!(Instant::now() < until, "{what} did not come");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Writes keys `NAME-0`, `NAME-1`, … one after the other, until it is told to stop; those that were acknowledged.
pub fn load(replica: &Replica, name: &str) -> Load {
    let (replica, name) = (replica.clone(), name.to_owned());
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
        for n in 0.. {
            if stopped.try_recv().is_ok() {
                break;
            }
            let key = format!("{name}-{n}");
            match replica.propose("load", set(&key, &key)).await {
                Ok(_) => acknowledged.push(key),
                Err(ProposeError::Unavailable { message, .. }) => refused.push(message),
                Err(e) => panic!("{e}"),
            }
        }
        (acknowledged, refused)
    });
    Load { stop, task }
}

pub struct Load {
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<(Vec<String>, Vec<String>)>,
}

impl Load {
    pub async fn end(self) -> (Vec<String>, Vec<String>) {
        let _ = self.stop.send(());
        self.task.await.expect("the load")
    }
}
