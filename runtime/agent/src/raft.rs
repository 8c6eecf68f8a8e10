//! The consensus algorithm (openraft), bound to our records, our file and our wire. Nothing outside this module and
//! `replica` knows of it.

pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod network;
#[cfg(test)]
mod tests;

use crate::id::NodeId;
use crate::state::{Proposal, Refusal, Reply};
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use std::sync::Arc;

openraft::declare_raft_types!(
    /// What openraft is told of our types.
    pub(crate) Types:
        D = Batch,
        R = Answers,
        NodeId = NodeId,
        Node = Member,
        SnapshotData = Cursor<Vec<u8>>,
);

/// Proposals that stand in one entry of the log: what waited while the entry before was written. So one write to the disk serves
/// many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch(pub Arc<[Proposal]>);

/// What each proposal of a batch was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answers(pub Vec<Result<Reply, Refusal>>);

/// What the group knows of a member: where it is reached, and which life of it is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub addresses: Vec<String>,
    /// Which life of the node it is: drawn when its file is made. A node that has lost its file has forgotten what it voted for
    /// and what it acknowledged, so it must not take part under its old membership; it is put out, and joins anew.
    pub life: u64,
}

pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type LogId = openraft::LogId<NodeId>;
pub(crate) type Vote = openraft::Vote<NodeId>;
pub(crate) type StorageError = openraft::StorageError<NodeId>;
pub(crate) type Meta = openraft::SnapshotMeta<NodeId, Member>;

/// An error of the store, or of what it holds, as openraft takes it.
#[derive(Debug)]
pub(crate) struct Failed(pub String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// Does what blocks on the disk, on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Failed> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Failed),
        Err(e) => Err(Failed(format!("the work on the disk did not end: {e}"))),
    }
}
