//! Mesh context as nodes of flows use it: values that are shared over machines.
//!
//! A read is either linearizable (it sees every write that was acknowledged before, anywhere, and costs a round trip to a majority)
//! or [`Freshness::Cached`]: answered here, at once, also where no majority can be reached. What a cached read may miss:
//!
//! - writes of other nodes that were acknowledged, and have not arrived here yet: normally a few milliseconds' worth, and all since
//!   the cut where this node is cut off;
//! - nothing that this [`MeshContext`] has written itself and was told of, and nothing that a read of it has seen before: values
//!   never go back, unless the replica itself was started again.

mod cache;

use crate::id::Blob;
use crate::replica::{ProposeError, ReadError, Replica, Watch, Watched};
use crate::state::context::{ContextCommand, Entry, Expected, Place};
use crate::state::{Command, Refusal, Reply, Why};
use cache::Cache;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;
use vgdc_store::Scope;

/// How fresh a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As of now.
    Linearizable,
    /// As is known here.
    Cached,
}

/// Shared values, as one user of a replica sees them. Cheap to clone: all clones have one cache.
#[derive(Clone)]
pub struct MeshContext(Arc<Inner>);

struct Inner {
    replica: Replica,
    /// In whose name values are written.
    by: String,
    cache: Arc<Mutex<Cache>>,
    following: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MeshContext {
    /// Shared values by a replica; what is written is written in the name of `by`.
    pub fn new(replica: Replica, by: &str) -> MeshContext {
        // (from here on: what changes between this and the first read must not be missed)
        let revision = replica.look(|state| state.revision);
        let cache = Arc::new(Mutex::new(Cache::new(revision)));
        let following = tokio::spawn(follow(replica.watch(revision), cache.clone())).abort_handle();
        MeshContext(Arc::new(Inner {
            replica,
            by: by.to_owned(),
            cache,
            following,
        }))
    }

    /// A value, with the revision that set it; nothing where there is none.
    ///
    /// # Errors
    /// No majority could be reached; never of a cached read.
    pub async fn get(
        &self,
        place: &Place,
        freshness: Freshness,
    ) -> Result<Option<Entry>, ReadError> {
        if freshness == Freshness::Cached {
            let mut cache = lock(&self.0.cache);
            if let Some(known) = cache.get(place) {
                return Ok(known);
            }
            let (found, revision) = self.look(place);
            return Ok(cache.learn(place, found, revision));
        }
        self.0.replica.catch_up().await?;
        let (found, revision) = self.look(place);
        lock(&self.0.cache).learn(place, found.clone(), revision);
        Ok(found)
    }

    /// The keys of a scope in a store, in the order of their bytes. A cached answer waits until the last own write has arrived here,
    /// at most for the replica's patience.
    ///
    /// # Errors
    /// As [`MeshContext::get`].
    pub async fn keys(
        &self,
        scope: &Scope,
        store: &str,
        freshness: Freshness,
    ) -> Result<Vec<String>, ReadError> {
        match freshness {
            Freshness::Linearizable => self.0.replica.catch_up().await?,
            Freshness::Cached => {
                // (so that own writes are seen, though they were made at the leader)
                let written = lock(&self.0.cache).written();
                self.0.replica.reach(written).await;
            }
        }
        Ok(self
            .0
            .replica
            .look(|state| state.context.keys(scope, store).cloned().collect()))
    }

    fn look(&self, place: &Place) -> (Option<Entry>, u64) {
        self.0
            .replica
            .look(|state| (state.context.get(place).cloned(), state.revision))
    }

    /// Sets a value. The state's revision with it.
    ///
    /// # Errors
    /// A key or value over the limits; no majority.
    pub async fn set(&self, place: &Place, value: Blob) -> Result<u64, ProposeError> {
        let command = ContextCommand::Set {
            place: place.clone(),
            value: value.clone(),
        };
        self.write(place, Some(value), command).await
    }

    /// Deletes a value; that there is none is no error.
    ///
    /// # Errors
    /// No majority.
    pub async fn delete(&self, place: &Place) -> Result<u64, ProposeError> {
        self.write(
            place,
            None,
            ContextCommand::Delete {
                place: place.clone(),
            },
        )
        .await
    }

    /// Sets or deletes a value, if it is as expected; else it is refused as [`Why::Stale`].
    ///
    /// # Errors
    /// It is not as expected; a value over the limits; no majority.
    pub async fn compare_and_set(
        &self,
        place: &Place,
        expected: Expected,
        value: Option<Blob>,
    ) -> Result<u64, ProposeError> {
        let command = ContextCommand::CompareAndSet {
            place: place.clone(),
            expected,
            value: value.clone(),
        };
        self.write(place, value, command).await
    }

    /// Deletes all values of a scope in a store, and waits until that has arrived here, at most for the replica's patience.
    ///
    /// # Errors
    /// No majority.
    pub async fn clear(&self, scope: &Scope, store: &str) -> Result<u64, ProposeError> {
        let command = ContextCommand::Clear {
            scope: scope.clone(),
            store: store.to_owned(),
        };
        let revision = self.propose(command).await?;
        lock(&self.0.cache).forget(revision);
        self.0.replica.reach(revision).await;
        Ok(revision)
    }

    async fn write(
        &self,
        place: &Place,
        value: Option<Blob>,
        command: ContextCommand,
    ) -> Result<u64, ProposeError> {
        let revision = self.propose(command).await?;
        let entry = value.map(|value| Entry { value, revision });
        lock(&self.0.cache).wrote(place, entry, revision);
        Ok(revision)
    }

    async fn propose(&self, command: ContextCommand) -> Result<u64, ProposeError> {
        match self
            .0
            .replica
            .propose(&self.0.by, Command::Context(command))
            .await?
        {
            Reply::Done { revision } => Ok(revision),
            Reply::Assigned { .. } => Err(ProposeError::Refused(Refusal {
                why: Why::Invalid,
                message: "the state answered another command".into(),
            })),
        }
    }
}

/// Lets go of what has changed.
async fn follow(mut watch: Watch, cache: Arc<Mutex<Cache>>) {
    while let Some(watched) = watch.next().await {
        let mut cache = lock(&cache);
        match watched {
            Watched::Changes(changes) => changes.iter().for_each(|change| cache.changed(change)),
            Watched::Missed { revision } => cache.forget(revision),
        }
    }
}
