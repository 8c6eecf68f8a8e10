//! A replica of the control state: one member of the group that agrees on it.
//!
//! Each replica has the whole state in memory, and its log on the disk. One of those with a vote leads; it takes proposals, from
//! whichever replica they are asked, and has them written by a majority before it answers. Where no majority can be reached,
//! nothing is changed and nothing can be read for certain; [`Replica::local`] still says what was known last, so that what runs
//! goes on running.

mod batch;
mod members;
mod metrics;
mod propose;
pub(crate) mod protocol;
mod read;
mod restore;
mod serve;
mod timing;
mod watch;

pub use members::ChangeError;
pub use metrics::{Metrics, Role};
pub use propose::ProposeError;
pub use protocol::MemberChange;
pub use read::{Consistency, Read, ReadError};
pub use restore::RestoreError;
pub use timing::Timing;
pub use watch::{Watch, Watched};

use crate::codec;
use crate::id::{LONGEST_NAME, NodeId};
use crate::raft::log::Log;
use crate::raft::machine::{Machine, Shared};
use crate::raft::{self, Member, Raft};
use crate::state::State;
use crate::wire::{Peer, Serve, Wire};
use openraft::{Config, SnapshotPolicy};
use protocol::Caller;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use vgdc_store::log_store::{Durability, LogStore, Write};

/// What `PRAGMA application_id` says of a control state's file: "vgdm".
const APPLICATION: i32 = 0x7667_646d;
/// A snapshot is made after so many entries.
const SNAPSHOT_ENTRIES: u64 = 10_000;
/// Or after so many bytes of entries.
const SNAPSHOT_BYTES: u64 = 32 << 20;
/// How many entries stay in the log behind a snapshot, so that a replica that was away for a moment needs no snapshot.
const ENTRIES_BEHIND: u64 = 2_000;
/// How long a piece of a snapshot is, in bytes.
const SNAPSHOT_PIECE: u64 = 1 << 20;
/// How often the size of the log, and unfinished changes of the group, are looked at.
const UPKEEP: Duration = Duration::from_millis(500);

/// What a replica is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The mesh's name; replicas of other meshes are refused.
    pub mesh: String,
    /// Who this is.
    pub id: NodeId,
    /// Where the others reach it, as the wire takes addresses.
    pub addresses: Vec<String>,
    /// The file of its log and snapshot. It belongs to this replica alone.
    pub file: PathBuf,
    /// How long things take.
    pub timing: Timing,
    /// A snapshot is made after so many entries; `None` takes the default of 10,000 (or 32 MiB of them, whichever is first).
    pub snapshot_entries: Option<u64>,
}

/// Why a replica does not start, or not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A replica. Cheap to clone: all clones are the same replica. It runs until [`Replica::stop`], or until the last clone is gone.
#[derive(Clone)]
pub struct Replica(Arc<Inner>);

struct Inner {
    options: Options,
    /// Drawn when the file was made: see [`Member::life`].
    life: u64,
    raft: Raft,
    shared: Arc<Shared>,
    grown: Arc<AtomicU64>,
    caller: Caller,
    session: Mutex<propose::Session>,
    queue: mpsc::Sender<batch::Waiting>,
    /// In bytes: what may wait to be proposed.
    room: Arc<Semaphore>,
    /// Held while the group is changed from here.
    changing: tokio::sync::Mutex<()>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop();
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A position, counted from 1.
fn index(id: Option<&raft::LogId>) -> u64 {
    id.map_or(0, |id| id.index + 1)
}

/// A member as somebody to call.
fn peer(id: &NodeId, member: &Member) -> Option<Peer> {
    Some(Peer {
        id: *id,
        addresses: member.addresses.clone(),
    })
}

impl Replica {
    /// Starts a replica upon its file, or upon a new one. A new one belongs to no group until it makes one
    /// ([`Replica::bootstrap`]) or joins one ([`Replica::join`]).
    ///
    /// Others reach it by [`Replica::service`], which is given to the other end of the wire.
    ///
    /// # Errors
    /// A file that cannot be opened, is damaged, or is another replica's; options that contradict each other.
    pub async fn start(options: Options, wire: Arc<dyn Wire>) -> Result<Replica, StartError> {
        if options.mesh.is_empty() || options.mesh.len() > LONGEST_NAME {
            return Err(StartError(format!(
                "a mesh's name has 1 to {LONGEST_NAME} bytes"
            )));
        }
        let config = config(&options)?;
        let (shared, grown) = (Shared::new(), Arc::<AtomicU64>::default());
        let opening = {
            let (options, shared, grown) = (options.clone(), shared.clone(), grown.clone());
            move || {
                let (store, life) = open(&options)?;
                let log = Log::new(store.clone(), grown.clone());
                Ok((log, Machine::open(store, shared, grown)?, life))
            }
        };
        let (log, machine, life) = raft::blocking(opening).await.map_err(|e| StartError(e.0))?;
        let caller = Caller {
            mesh: options.mesh.as_str().into(),
            wire,
        };
        let network = raft::network::Network {
            caller: caller.clone(),
        };
        let raft = Raft::new(options.id, Arc::new(config), network, log, machine)
            .await
            .map_err(|e| StartError(format!("'{}': {e}", options.file.display())))?;
        let (queue, waiting) = mpsc::channel(batch::WAITING);
        let session = propose::Session::new().map_err(StartError)?;
        let inner = Arc::new(Inner {
            raft: raft.clone(),
            shared,
            grown,
            caller,
            session: Mutex::new(session),
            queue,
            room: Arc::new(Semaphore::new(batch::WAITING_BYTES)),
            changing: tokio::sync::Mutex::default(),
            tasks: Mutex::default(),
            options,
            life,
        });
        let upkeep = tokio::spawn(upkeep(Arc::downgrade(&inner))).abort_handle();
        let batches = tokio::spawn(batch::run(raft, waiting)).abort_handle();
        inner
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend([upkeep, batches]);
        Ok(Replica(inner))
    }

    /// Who this is.
    pub fn id(&self) -> NodeId {
        self.0.options.id
    }

    /// Where this is, for others.
    pub fn peer(&self) -> Peer {
        Peer {
            id: self.0.options.id,
            addresses: self.0.options.addresses.clone(),
        }
    }

    /// What answers the other replicas, for the wire's other end.
    pub fn service(&self) -> Arc<dyn Serve> {
        serve::service(&self.0)
    }

    /// The state as this replica knows it. It may be old: a replica that is cut off does not know what the others have done since.
    pub fn local(&self) -> Arc<State> {
        self.0.shared.state()
    }

    /// Follows what changes after a revision; 0 begins at the beginning. See [`Watched::Missed`].
    pub fn watch(&self, after: u64) -> Watch {
        Watch::new(self.0.shared.clone(), after)
    }

    /// Makes a group of this replica alone. Others join it.
    ///
    /// # Errors
    /// A replica that belongs to a group already.
    pub async fn bootstrap(&self) -> Result<(), StartError> {
        let member = Member {
            addresses: self.0.options.addresses.clone(),
            life: self.0.life,
        };
        let members = BTreeMap::from([(self.0.options.id, member)]);
        self.0.raft.initialize(members).await.map_err(|e| {
            StartError(format!("this replica cannot make a group, it belongs to one already, or has failed ({e}): let it join instead"))
        })
    }

    /// Stops. What was acknowledged is on the disk.
    pub async fn stop(&self) {
        let tasks: Vec<_> = {
            let mut tasks = self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.drain(..).collect()
        };
        tasks.iter().for_each(AbortHandle::abort);
        // (it fails where the task has failed, which the metrics say)
        let _ = self.0.raft.shutdown().await;
        self.0.shared.stop();
    }

    /// Makes a snapshot now, and lets go of the log before it. It is done for itself from time to time.
    ///
    /// # Errors
    /// A replica that has stopped.
    pub async fn snapshot(&self) -> Result<(), StartError> {
        let asked = self.0.raft.trigger().snapshot().await;
        asked.map_err(|e| StartError(format!("no snapshot: {e}")))
    }
}

fn config(options: &Options) -> Result<Config, StartError> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let timing = options.timing;
    if timing.election.0 < timing.heartbeat * 2
        || timing.election.1 <= timing.election.0
        || timing.heartbeat.is_zero()
    {
        return Err(StartError(format!(
            "the times of elections do not fit: the shortest wait ({:?}) is at least twice the heartbeat ({:?}), and less than the \
             longest ({:?})",
            timing.election.0, timing.heartbeat, timing.election.1
        )));
    }
    let entries = options.snapshot_entries.unwrap_or(SNAPSHOT_ENTRIES).max(1);
    let config = Config {
        cluster_name: options.mesh.clone(),
        heartbeat_interval: millis(timing.heartbeat),
        election_timeout_min: millis(timing.election.0),
        election_timeout_max: millis(timing.election.1),
        install_snapshot_timeout: millis(timing.snapshot_piece),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(entries),
        snapshot_max_chunk_size: SNAPSHOT_PIECE,
        max_in_snapshot_log_to_keep: ENTRIES_BEHIND.min(entries),
        replication_lag_threshold: entries.saturating_mul(2),
        purge_batch_size: 64,
        ..Config::default()
    };
    config.validate().map_err(|e| StartError(e.to_string()))
}

/// Opens the file, and sees to it that it is this replica's.
fn open(options: &Options) -> Result<(Arc<LogStore>, u64), String> {
    let store = LogStore::open(&options.file, APPLICATION).map_err(|e| e.to_string())?;
    let id = options.id.to_string();
    for (name, mine) in [("node", &id), ("mesh", &options.mesh)] {
        match store.cell(name).map_err(|e| e.to_string())? {
            Some(there) if there == mine.as_bytes() => {}
            Some(there) => {
                return Err(format!(
                    "'{}' is of {name} {:?}, and this is {name} {mine:?}: name another file, or move it away and join anew",
                    options.file.display(),
                    String::from_utf8_lossy(&there)
                ));
            }
            None => {
                let cell = Write::Cell {
                    name,
                    bytes: Some(mine.as_bytes()),
                };
                store
                    .write(&[cell], Durability::Synced)
                    .map_err(|e| e.to_string())?;
            }
        }
    }
    let life = match store.cell("life").map_err(|e| e.to_string())? {
        Some(there) => codec::decode(&there)
            .map_err(|e| format!("'{}': the cell \"life\" is {e}", options.file.display()))?,
        None => {
            let life = propose::draw()?;
            let bytes = codec::encode(&life)?;
            let cell = Write::Cell {
                name: "life",
                bytes: Some(&bytes),
            };
            store
                .write(&[cell], Durability::Synced)
                .map_err(|e| e.to_string())?;
            life
        }
    };
    Ok((Arc::new(store), life))
}

/// Looks after what nobody waits for.
async fn upkeep(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        if inner.grown.load(Ordering::Relaxed) > SNAPSHOT_BYTES {
            // (where it has stopped, there is nothing to look after)
            let _ = inner.raft.trigger().snapshot().await;
        }
        members::finish(&inner).await;
    }
}
