//! openraft's own suite for storages, on our files; and that what is read after a start is what was there.

use super::log::Log;
use super::machine::{Machine, Shared};
use super::{StorageError, Types};
use crate::id::NodeId;
use openraft::StorageIOError;
use openraft::testing::{StoreBuilder, Suite};
use std::sync::Arc;
use tempfile::TempDir;
use vgdc_store::log_store::LogStore;

impl From<u64> for NodeId {
    /// As the suite names nodes.
    fn from(number: u64) -> NodeId {
        let mut key = [0; 32];
        key[24..].copy_from_slice(&number.to_be_bytes());
        NodeId::from_key(key)
    }
}

struct OnDisk;

impl StoreBuilder<Types, Log, Machine, TempDir> for OnDisk {
    async fn build(&self) -> Result<(TempDir, Log, Machine), StorageError> {
        let failed = |e: String| StorageIOError::read(&super::Failed(e));
        let folder = tempfile::tempdir().map_err(|e| failed(e.to_string()))?;
        let store = LogStore::open(&folder.path().join("control.sqlite"), 1)
            .map_err(|e| failed(e.to_string()))?;
        let (store, grown) = (Arc::new(store), Arc::default());
        let log = Log::new(store.clone(), Arc::clone(&grown));
        let machine = Machine::open(store, Shared::new(), grown).map_err(failed)?;
        Ok((folder, log, machine))
    }
}

#[test]
fn openrafts_own_suite_holds() {
    Suite::test_all(OnDisk).expect("the suite");
}
