//! The log, the vote and the committed position, in a [`LogStore`].
//!
//! A vote and the entries of an append are on the disk when the call returns. The committed position may be lost with the
//! machine's power: it is a lower bound, which the leader raises again.

use super::{Entry, Failed, LogId, StorageError, Types, Vote, blocking};
use crate::codec;
use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader, StorageIOError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vgdc_store::log_store::{Durability, LogStore, Write};

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// How many bytes of entries go to another replica in one message, unless a single entry is longer: 512 KiB, so that a message
/// is across within a heartbeat's time.
pub(crate) const MESSAGE_BYTES: usize = 512 << 10;

/// The log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    store: Arc<LogStore>,
    /// Bytes of entries since the last snapshot.
    grown: Arc<AtomicU64>,
}

impl Log {
    pub(crate) fn new(store: Arc<LogStore>, grown: Arc<AtomicU64>) -> Log {
        Log { store, grown }
    }

    async fn read(&self, from: u64, to: u64, bytes: usize) -> Result<Vec<Entry>, StorageError> {
        let store = self.store.clone();
        let all = blocking(move || {
            let all = store.entries(from, to, bytes).map_err(|e| e.to_string())?;
            all.iter()
                .map(|(at, bytes)| entry(*at, bytes))
                .collect::<Result<Vec<_>, _>>()
        });
        all.await.map_err(|e| StorageIOError::read_logs(&e).into())
    }

    async fn cell<T: DeserializeOwned + Send + 'static>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, Failed> {
        let store = self.store.clone();
        blocking(move || {
            let bytes = store.cell(name).map_err(|e| e.to_string())?;
            let of = |bytes: Vec<u8>| {
                codec::decode(&bytes).map_err(|e| format!("the cell {name:?} is {e}"))
            };
            bytes.map(of).transpose()
        })
        .await
    }

    async fn set(
        &self,
        name: &'static str,
        value: &impl Serialize,
        durability: Durability,
    ) -> Result<(), Failed> {
        let (store, bytes) = (self.store.clone(), codec::encode(value).map_err(Failed)?);
        blocking(move || {
            let cell = Write::Cell {
                name,
                bytes: Some(&bytes),
            };
            store.write(&[cell], durability).map_err(|e| e.to_string())
        })
        .await
    }
}

fn entry(at: u64, bytes: &[u8]) -> Result<Entry, String> {
    codec::decode(bytes).map_err(|e| format!("entry {at} of the log is {e}"))
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let from = match range.start_bound() {
            Bound::Included(at) => *at,
            Bound::Excluded(at) => at.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(at) => at.saturating_add(1),
            Bound::Excluded(at) => *at,
            Bound::Unbounded => u64::MAX,
        };
        self.read(from, to, usize::MAX).await
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        self.read(start, end, MESSAGE_BYTES).await
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Log;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let purged: Option<LogId> = self
            .cell(PURGED)
            .await
            .map_err(|e| StorageIOError::read_logs(&e))?;
        let store = self.store.clone();
        let last = blocking(move || {
            let last = store.last().map_err(|e| e.to_string())?;
            last.map(|(at, bytes)| entry(at, &bytes)).transpose()
        });
        let last = last.await.map_err(|e| StorageIOError::read_logs(&e))?;
        Ok(LogState {
            last_log_id: last.map(|entry| entry.log_id).or(purged),
            last_purged_log_id: purged,
        })
    }

    async fn get_log_reader(&mut self) -> Log {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let done = self.set(VOTE, vote, Durability::Synced).await;
        done.map_err(|e| StorageIOError::write_vote(&e).into())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        self.cell(VOTE)
            .await
            .map_err(|e| StorageIOError::read_vote(&e).into())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let done = self.set(COMMITTED, &committed, Durability::Relaxed).await;
        done.map_err(|e| StorageIOError::write(&e).into())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let committed: Option<Option<LogId>> = self
            .cell(COMMITTED)
            .await
            .map_err(|e| StorageIOError::read(&e))?;
        Ok(committed.flatten())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let encoded = |entry: Entry| Ok((entry.log_id.index, codec::encode(&entry)?));
        let all: Result<Vec<(u64, Vec<u8>)>, String> = entries.into_iter().map(encoded).collect();
        let all = all.map_err(|e| StorageIOError::write_logs(&Failed(e)))?;
        self.grown.fetch_add(
            all.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            Ordering::Relaxed,
        );
        let store = self.store.clone();
        let done = blocking(move || {
            let parts: Vec<_> = all
                .iter()
                .map(|(at, bytes)| Write::Entry { at: *at, bytes })
                .collect();
            store
                .write(&parts, Durability::Synced)
                .map_err(|e| e.to_string())
        });
        done.await.map_err(|e| StorageIOError::write_logs(&e))?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let store = self.store.clone();
        let done = blocking(move || {
            let cut = [Write::TruncateFrom(log_id.index)];
            store
                .write(&cut, Durability::Synced)
                .map_err(|e| e.to_string())
        });
        done.await
            .map_err(|e| StorageIOError::write_logs(&e).into())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let store = self.store.clone();
        let done = blocking(move || {
            let purged = codec::encode(&log_id)?;
            let parts = [
                Write::Cell {
                    name: PURGED,
                    bytes: Some(&purged),
                },
                Write::PurgeTo(log_id.index),
            ];
            // (what is not purged after a loss of power is purged the next time)
            store
                .write(&parts, Durability::Relaxed)
                .map_err(|e| e.to_string())
        });
        done.await
            .map_err(|e| StorageIOError::write_logs(&e).into())
    }
}
