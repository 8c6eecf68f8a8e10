//! The state machine: applies what is committed, and keeps snapshots.
//!
//! The state is in memory. After a start it is what the last snapshot says and the committed entries after it.

use super::{Answers, Entry, Failed, LogId, Member, Meta, StorageError, Types, blocking};
use crate::codec;
use crate::id::NodeId;
use crate::state::format;
use crate::state::{Change, State};
use openraft::storage::RaftStateMachine;
use openraft::{
    EntryPayload, OptionalSend, RaftSnapshotBuilder, Snapshot, StorageIOError, StoredMembership,
};
use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;
use vgdc_store::log_store::{Durability, LogStore, Write};

/// How many of the newest changes are kept for watchers.
pub(crate) const CHANGES_KEPT: usize = 8_192;

/// How far a replica has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last entry of the log that was applied, counted from 1; 0 where none was.
    pub applied: u64,
    /// The state's revision.
    pub revision: u64,
    /// Nothing more will come.
    pub stopped: bool,
}

/// What the state machine shares with those who read.
pub(crate) struct Shared {
    inner: RwLock<Inner>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Inner {
    state: Arc<State>,
    /// The newest changes, in order, without holes.
    changes: VecDeque<Change>,
}

impl Shared {
    pub(crate) fn new() -> Arc<Shared> {
        Arc::new(Shared {
            inner: RwLock::default(),
            progress: watch::channel(Progress::default()).0,
        })
    }

    /// Looks at the state. Nothing is applied meanwhile, so this is for what is quick.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(
            &self
                .inner
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .state,
        )
    }

    /// The state as it is here and now, to be kept. The next change makes a copy of all of it, if it is still kept by then.
    pub(crate) fn state(&self) -> Arc<State> {
        self.inner
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .state
            .clone()
    }

    /// The changes after a revision; without any where some of them are not kept any more. And the revision now.
    pub(crate) fn changes(&self, after: u64) -> (Option<Vec<Change>>, u64) {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let revision = inner.state.revision;
        let kept_after = inner
            .changes
            .front()
            .map_or(revision, |change| change.revision - 1);
        if after < kept_after {
            return (None, revision);
        }
        let from = inner
            .changes
            .partition_point(|change| change.revision <= after);
        (
            Some(inner.changes.range(from..).cloned().collect()),
            revision,
        )
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Says that nothing more will come.
    pub(crate) fn stop(&self) {
        self.progress
            .send_modify(|progress| progress.stopped = true);
    }

    fn replace(&self, state: State, applied: u64) {
        let revision = state.revision;
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.state = Arc::new(state);
        inner.changes.clear();
        drop(inner);
        self.progress
            .send_modify(|progress| (progress.applied, progress.revision) = (applied, revision));
    }
}

/// The state machine of a replica.
pub(crate) struct Machine {
    store: Arc<LogStore>,
    shared: Arc<Shared>,
    grown: Arc<AtomicU64>,
    applied: Option<LogId>,
    membership: StoredMembership<NodeId, Member>,
}

fn count(applied: Option<&LogId>) -> u64 {
    applied.map_or(0, |id| id.index + 1)
}

impl Machine {
    /// A machine with the state of the snapshot that is in the file, if one is.
    pub(crate) fn open(
        store: Arc<LogStore>,
        shared: Arc<Shared>,
        grown: Arc<AtomicU64>,
    ) -> Result<Machine, String> {
        let mut machine = Machine {
            store,
            shared,
            grown,
            applied: None,
            membership: StoredMembership::default(),
        };
        if let Some((about, bytes)) = machine.store.snapshot().map_err(|e| e.to_string())? {
            let file = machine.store.file().display().to_string();
            let meta: Meta = codec::decode(&about)
                .map_err(|e| format!("'{file}': what is said of the snapshot is {e}"))?;
            let state = format::read_snapshot(&bytes).map_err(|e| format!("'{file}': {e}"))?;
            machine.take(&meta, state);
        }
        Ok(machine)
    }

    fn take(&mut self, meta: &Meta, state: State) {
        self.applied.clone_from(&meta.last_log_id);
        self.membership = meta.last_membership.clone();
        self.shared.replace(state, count(self.applied.as_ref()));
    }
}

/// Keeps a snapshot, in the place of the one before.
fn put_snapshot(store: &LogStore, about: &[u8], bytes: &[u8]) -> Result<(), String> {
    let put = Write::Snapshot { about, bytes };
    let written = store.write(&[put], Durability::Synced);
    written.map_err(|e| e.to_string())
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(
        &mut self,
    ) -> Result<(Option<LogId>, StoredMembership<NodeId, Member>), StorageError> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answers>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut all = Vec::new();
        let revision = {
            let mut inner = self
                .shared
                .inner
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let inner = &mut *inner;
            // (copied only while somebody holds on to the state as it was)
            let state = Arc::make_mut(&mut inner.state);
            for entry in entries {
                let mut answers = Vec::new();
                match entry.payload {
                    EntryPayload::Blank => {}
                    EntryPayload::Normal(batch) => {
                        for proposal in batch.0.iter() {
                            let (answer, change) = state.apply(proposal);
                            answers.push(answer);
                            inner.changes.extend(change);
                        }
                    }
                    EntryPayload::Membership(membership) => {
                        self.membership = StoredMembership::new(Some(entry.log_id), membership);
                    }
                }
                self.applied = Some(entry.log_id);
                all.push(Answers(answers));
            }
            let over = inner.changes.len().saturating_sub(CHANGES_KEPT);
            inner.changes.drain(..over);
            // A restored backup may have raised the revision past what was counted here: what is before the gap is let go.
            if let Some(gap) = gap(&inner.changes) {
                inner.changes.drain(..gap);
            }
            state.revision
        };
        let applied = count(self.applied.as_ref());
        self.shared
            .progress
            .send_modify(|p| (p.applied, p.revision) = (applied, revision));
        Ok(all)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder {
            store: self.store.clone(),
            grown: self.grown.clone(),
            state: self.shared.state(),
            applied: self.applied,
            membership: self.membership.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &Meta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let failed = |e: &Failed| StorageIOError::write_snapshot(Some(meta.signature()), e);
        let about = codec::encode(meta).map_err(|e| failed(&Failed(e)))?;
        let store = self.store.clone();
        let installed = blocking(move || {
            let bytes = snapshot.into_inner();
            let state = format::read_snapshot(&bytes)?;
            put_snapshot(&store, &about, &bytes)?;
            Ok(state)
        });
        let state = installed.await.map_err(|e| failed(&e))?;
        self.grown.store(0, Ordering::Relaxed);
        self.take(meta, state);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let store = self.store.clone();
        let found = blocking(move || {
            let found = store.snapshot().map_err(|e| e.to_string())?;
            let read =
                |(about, bytes): (Vec<u8>, Vec<u8>)| Ok((codec::decode::<Meta>(&about)?, bytes));
            found.map(read).transpose()
        });
        let found = found
            .await
            .map_err(|e| StorageIOError::read_snapshot(None, &e))?;
        Ok(found.map(|(meta, bytes)| Snapshot {
            meta,
            snapshot: Box::new(Cursor::new(bytes)),
        }))
    }
}

/// Where the last hole in the revisions ends, if there is one.
fn gap(changes: &VecDeque<Change>) -> Option<usize> {
    let (first, last) = (changes.front()?.revision, changes.back()?.revision);
    if last - first + 1 == changes.len() as u64 {
        return None;
    }
    (1..changes.len())
        .rev()
        .find(|at| changes[*at].revision != changes[*at - 1].revision + 1)
}

/// Makes a snapshot of the state as it was.
pub(crate) struct Builder {
    store: Arc<LogStore>,
    grown: Arc<AtomicU64>,
    state: Arc<State>,
    applied: Option<LogId>,
    membership: StoredMembership<NodeId, Member>,
}

impl RaftSnapshotBuilder<Types> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        // (replicas that have applied the same entries have the same bytes, so the position names a snapshot well enough)
        let snapshot_id = self
            .applied
            .as_ref()
            .map_or_else(|| "0".to_owned(), ToString::to_string);
        let meta = Meta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
            snapshot_id,
        };
        let failed = |e: &Failed| StorageIOError::write_snapshot(Some(meta.signature()), e);
        let about = codec::encode(&meta).map_err(|e| failed(&Failed(e)))?;
        let (store, state) = (self.store.clone(), self.state.clone());
        let grown = self.grown.load(Ordering::Relaxed);
        let bytes = blocking(move || {
            let bytes = format::write_snapshot(&state)?;
            put_snapshot(&store, &about, &bytes)?;
            Ok(bytes)
        });
        let bytes = bytes.await.map_err(|e| failed(&e))?;
        self.grown.fetch_sub(
            grown.min(self.grown.load(Ordering::Relaxed)),
            Ordering::Relaxed,
        );
        Ok(Snapshot {
            meta,
            snapshot: Box::new(Cursor::new(bytes)),
        })
    }
}
