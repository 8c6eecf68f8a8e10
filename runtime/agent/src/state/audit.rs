//! Who changed what: a log of the newest changes, of bounded length. Changes of shared values have a shorter log of their own,
//! since they are many, and would else push out who deployed.

use super::flows::Stage;
use crate::id::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;

/// How many changes are remembered, of all but shared values.
pub const KEPT: usize = 10_000;
/// How many changes of shared values are remembered.
pub const KEPT_OF_CONTEXT: usize = 1_000;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The state's revision with it: its position.
    pub revision: u64,
    /// Who.
    pub by: String,
    /// When, by the proposer's clock: milliseconds since 1970-01-01 UTC.
    pub at: u64,
    /// What.
    pub event: Event,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the fields are the command's, and are documented there"
)]
pub enum Event {
    /// A node was taken in.
    NodeAdmitted { id: NodeId, name: String },
    /// A node was put out.
    NodeRemoved { id: NodeId },
    /// A node is to lose its parts, or may have parts again.
    NodeDraining { id: NodeId, draining: bool },
    /// A node's labels, addresses or capacity are others.
    NodeChanged { id: NodeId },
    /// There is a new version of a flow.
    VersionPut { flow: String, version: String },
    /// A version of a flow is gone.
    VersionRemoved { flow: String, version: String },
    /// A flow is gone.
    FlowRemoved { flow: String },
    /// A part has an owner.
    PartAssigned {
        flow: String,
        version: String,
        part: String,
        node: NodeId,
        epoch: u64,
    },
    /// A part has no owner.
    PartReleased {
        flow: String,
        version: String,
        part: String,
        epoch: u64,
    },
    /// A version of a flow is at another stage.
    Rollout {
        flow: String,
        version: String,
        stage: Stage,
        share: u8,
    },
    /// A shared value was set, or deleted.
    ContextChanged {
        scope: String,
        store: String,
        key: String,
        deleted: bool,
    },
    /// All shared values of a scope in a store are gone.
    ContextCleared { scope: String, store: String },
    /// A token is known.
    TokenIssued { id: String },
    /// A token permits nothing any more.
    TokenRevoked { id: String },
    /// A backup took the place of the state.
    Restored { bytes: u64 },
}

impl Event {
    fn is_of_context(&self) -> bool {
        matches!(
            self,
            Event::ContextChanged { .. } | Event::ContextCleared { .. }
        )
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::NodeAdmitted { id, name } => write!(f, "admitted node {name:?} ({id})"),
            Event::NodeRemoved { id } => write!(f, "removed node {id}"),
            Event::NodeDraining { id, draining: true } => write!(f, "drains node {id}"),
            Event::NodeDraining {
                id,
                draining: false,
            } => write!(f, "no longer drains node {id}"),
            Event::NodeChanged { id } => write!(f, "changed node {id}"),
            Event::VersionPut { flow, version } => write!(f, "put version {version} of {flow:?}"),
            Event::VersionRemoved { flow, version } => {
                write!(f, "removed version {version} of {flow:?}")
            }
            Event::FlowRemoved { flow } => write!(f, "removed flow {flow:?}"),
            Event::PartAssigned {
                flow,
                version,
                part,
                node,
                epoch,
            } => {
                write!(
                    f,
                    "assigned part {part:?} of {flow:?} {version} to {node}, epoch {epoch}"
                )
            }
            Event::PartReleased {
                flow,
                version,
                part,
                epoch,
            } => {
                write!(
                    f,
                    "released part {part:?} of {flow:?} {version}, epoch {epoch}"
                )
            }
            Event::Rollout {
                flow,
                version,
                stage,
                share,
            } => {
                write!(f, "{flow:?} {version} is {stage}, {share} % of the traffic")
            }
            Event::ContextChanged {
                scope,
                store,
                key,
                deleted,
            } => {
                let verb = if *deleted { "deleted" } else { "set" };
                write!(f, "{verb} {key:?} of {scope} in store {store:?}")
            }
            Event::ContextCleared { scope, store } => {
                write!(f, "cleared {scope} in store {store:?}")
            }
            Event::TokenIssued { id } => write!(f, "issued token {id:?}"),
            Event::TokenRevoked { id } => write!(f, "revoked token {id:?}"),
            Event::Restored { bytes } => write!(f, "restored a backup of {bytes} bytes"),
        }
    }
}

/// The newest changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    control: VecDeque<Change>,
    context: VecDeque<Change>,
}

impl Audit {
    pub(super) fn record(&mut self, change: Change) {
        let (log, kept) = if change.event.is_of_context() {
            (&mut self.context, KEPT_OF_CONTEXT)
        } else {
            (&mut self.control, KEPT)
        };
        log.push_back(change);
        while log.len() > kept {
            log.pop_front();
        }
    }

    /// Takes in what another log has, of a backup: nobody gets rid of what was recorded by restoring one. Both have counted
    /// revisions for themselves, so one revision may stand there twice.
    pub(super) fn merge(&mut self, other: Audit) {
        let both = [
            (&mut self.control, other.control, KEPT),
            (&mut self.context, other.context, KEPT_OF_CONTEXT),
        ];
        for (log, more, kept) in both {
            log.extend(more);
            log.make_contiguous().sort_by_key(|change| change.revision);
            log.drain(..log.len().saturating_sub(kept));
        }
    }

    /// The changes after a position, the oldest first, as many as asked for. What is too old is not there any more; a gap between
    /// revisions says so.
    pub fn after(&self, position: u64, most: usize) -> Vec<Change> {
        let newer = |log: &VecDeque<Change>| {
            let from = log.partition_point(|change| change.revision <= position);
            log.range(from..).take(most).cloned().collect::<Vec<_>>()
        };
        let mut all = newer(&self.control);
        all.extend(newer(&self.context));
        all.sort_by_key(|change| change.revision);
        all.truncate(most);
        all
    }
}
