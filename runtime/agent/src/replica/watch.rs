//! Follows what changes.

use crate::raft::machine::{Progress, Shared};
use crate::state::Change;
use std::sync::Arc;

/// A stream of the changes that a replica applies, from a position on.
pub struct Watch {
    shared: Arc<Shared>,
    progress: tokio::sync::watch::Receiver<Progress>,
    after: u64,
}

/// What a watcher is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// The next changes, in order, without holes.
    Changes(Vec<Change>),
    /// Changes are not kept any more, or came as a whole (a snapshot, a backup): what the watcher knows may be old. It reads what
    /// it needs again; the stream goes on after this revision.
    Missed {
        /// The revision.
        revision: u64,
    },
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, after: u64) -> Watch {
        let progress = shared.progress();
        Watch {
            shared,
            progress,
            after,
        }
    }

    /// What comes next; nothing, when the replica has stopped. May be dropped and asked again.
    pub async fn next(&mut self) -> Option<Watched> {
        loop {
            let stopped = self.progress.borrow_and_update().stopped;
            match self.shared.changes(self.after) {
                (None, revision) => {
                    self.after = revision;
                    return Some(Watched::Missed { revision });
                }
                (Some(changes), _) if !changes.is_empty() => {
                    self.after = changes.last().map_or(self.after, |change| change.revision);
                    return Some(Watched::Changes(changes));
                }
                _ if stopped => return None,
                _ => self.progress.changed().await.ok()?,
            }
        }
    }
}
