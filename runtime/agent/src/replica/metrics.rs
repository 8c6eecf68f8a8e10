//! How a replica does.

use super::Replica;
use crate::id::NodeId;
use openraft::ServerState;
use std::collections::{BTreeMap, BTreeSet};

/// What a replica is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It leads.
    Leader,
    /// It has a vote, and follows.
    Follower,
    /// It stands for election.
    Candidate,
    /// It follows, without a vote; or belongs to no group yet.
    Learner,
    /// It has stopped.
    Stopped,
}

/// How a replica does. Positions count entries of the log from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// Who it is.
    pub id: NodeId,
    /// What it is.
    pub role: Role,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// The term: each leader has its own.
    pub term: u64,
    /// Who has a vote.
    pub voters: BTreeSet<NodeId>,
    /// Who follows without one.
    pub learners: BTreeSet<NodeId>,
    /// The last entry of its log.
    pub logged: u64,
    /// The last entry that is applied.
    pub applied: u64,
    /// The last entry that the snapshot has.
    pub snapshot: u64,
    /// The last entry that the log has let go of.
    pub purged: u64,
    /// The state's revision.
    pub revision: u64,
    /// At the leader: how many entries each other replica is behind.
    pub lag: BTreeMap<NodeId, u64>,
    /// At the leader: how long ago a majority last heard of it, in milliseconds.
    pub majority_heard_ms: Option<u64>,
    /// Why it has failed, if it has: it serves [`Replica::local`] on, and nothing else.
    pub failed: Option<String>,
}

impl Replica {
    /// How it does, now.
    pub fn metrics(&self) -> Metrics {
        let metrics = self.0.raft.metrics();
        let metrics = metrics.borrow();
        let index = super::index;
        let membership = metrics.membership_config.membership();
        let logged = metrics.last_log_index.map_or(0, |index| index + 1);
        let lag = metrics.replication.iter().flatten();
        let progress = *self.0.shared.progress().borrow();
        Metrics {
            id: metrics.id,
            role: match metrics.state {
                ServerState::Leader => Role::Leader,
                ServerState::Follower => Role::Follower,
                ServerState::Candidate => Role::Candidate,
                ServerState::Learner => Role::Learner,
                ServerState::Shutdown => Role::Stopped,
            },
            leader: metrics.current_leader,
            term: metrics.current_term,
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            logged,
            applied: progress.applied,
            snapshot: index(metrics.snapshot.as_ref()),
            purged: index(metrics.purged.as_ref()),
            revision: progress.revision,
            lag: lag
                .filter(|(id, _)| **id != metrics.id)
                .map(|(id, matched)| (*id, logged.saturating_sub(index(matched.as_ref()))))
                .collect(),
            majority_heard_ms: metrics.millis_since_quorum_ack,
            failed: metrics
                .running_state
                .as_ref()
                .err()
                .map(ToString::to_string),
        }
    }
}
