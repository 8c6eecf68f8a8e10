//! Reads the state: for certain, or as it is known here.

use super::propose::{Again, Errand, Expired, unexpected};
use super::protocol::{Ask, Elsewhere, Told};
use super::{Inner, Replica};
use crate::state::{Answer, Query, State};
use crate::wire::Peer;
use std::fmt;
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};

/// How certain an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// It has all that was acknowledged, to anybody, before it was asked for. The leader asks a majority whether it still leads.
    Linearizable,
    /// It has what has arrived here. It costs nothing, and is answered also where no majority can be reached; what others have
    /// changed since may be missing.
    Local,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The answer.
    pub answer: Answer,
    /// The state's revision that it is of.
    pub revision: u64,
    /// It may be older than what was acknowledged.
    pub possibly_stale: bool,
}

/// Why there is no certain answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError(String);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

impl Replica {
    /// Answers a question.
    ///
    /// # Errors
    /// No majority could be reached in [`super::Timing::patience`]; never for [`Consistency::Local`].
    pub async fn read(&self, query: &Query, consistency: Consistency) -> Result<Read, ReadError> {
        if consistency == Consistency::Linearizable {
            self.catch_up().await?;
        }
        let possibly_stale = consistency == Consistency::Local;
        Ok(self.look(|state| Read {
            answer: state.answer(query),
            revision: state.revision,
            possibly_stale,
        }))
    }

    /// Looks at the state as this replica knows it. Nothing is applied meanwhile, so this is for what is quick; unlike
    /// [`Replica::local`] it never leads to a copy of the state.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.0.shared.look(look)
    }

    /// Waits until this replica has come to a revision, or the patience is over.
    pub(crate) async fn reach(&self, revision: u64) {
        let mut progress = self.0.shared.progress();
        let there = progress.wait_for(|progress| progress.revision >= revision || progress.stopped);
        // (who asks can do no better)
        let _ = timeout(self.0.options.timing.patience, there).await;
    }

    /// The state with all that was acknowledged before this was called.
    ///
    /// # Errors
    /// As [`Replica::read`].
    pub async fn certain(&self) -> Result<Arc<State>, ReadError> {
        self.catch_up().await?;
        Ok(self.local())
    }

    /// Waits until this replica has all that was acknowledged before this was called.
    ///
    /// # Errors
    /// As [`Replica::read`].
    pub async fn catch_up(&self) -> Result<(), ReadError> {
        let inner = &*self.0;
        let patience = inner.options.timing.patience;
        let deadline = Instant::now() + patience;
        let index = inner
            .at_the_leader("read for certain", patience, &ReadIndex)
            .await;
        let index = index.map_err(|Expired { message, .. }| ReadError(message))?;
        let mut progress = inner.shared.progress();
        let there = progress.wait_for(|progress| progress.applied >= index || progress.stopped);
        match timeout_at(deadline, there).await {
            Ok(Ok(progress)) if progress.applied >= index => {}
            Ok(_) => return Err(ReadError("this replica has stopped".into())),
            Err(_) => {
                return Err(ReadError(format!(
                    "this replica has not caught up within {patience:?}: it is at entry {}, the others at {index}",
                    inner.shared.progress().borrow().applied
                )));
            }
        }
        Ok(())
    }
}

struct ReadIndex;

impl Errand for ReadIndex {
    type Answer = u64;

    async fn attempt(&self, inner: &Inner, to: Option<&Peer>) -> Result<u64, Again> {
        let Some(to) = to else {
            return read_index(inner).await.map_err(Again::from);
        };
        match inner.caller.ask(to, &Ask::ReadIndex).await? {
            Told::ReadIndex(told) => told.map_err(Again::from),
            other => Err(unexpected(to, &other)),
        }
    }
}

/// How far a replica must have come to have all that was acknowledged until now; the leader knows.
pub(super) async fn read_index(inner: &Inner) -> Result<u64, Elsewhere> {
    inner
        .raft
        .get_read_log_id()
        .await
        .map(|(index, _)| super::index(index.as_ref()))
        .map_err(|error| {
            let forward = error.forward_to_leader();
            let leader = forward
                .and_then(|to| super::peer(to.leader_id.as_ref()?, to.leader_node.as_ref()?));
            Elsewhere {
                leader,
                why: error.to_string(),
                unknown: false,
            }
        })
}
