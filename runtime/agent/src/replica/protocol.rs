//! What replicas say to each other: one byte, the protocol's version, then CBOR.

use crate::codec;
use crate::id::{Blob, NodeId};
use crate::raft::{Meta, Types, Vote};
use crate::state::{Proposal, Refusal, Reply};
use crate::wire::{Peer, Wire, WireError};
use bytes::Bytes;
use openraft::error::{InstallSnapshotError, RaftError};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of the protocol. Replicas of different ones refuse each other.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<A> {
    /// The mesh's name: replicas of another mesh at an old address are refused.
    mesh: String,
    /// Whom it is for: another replica at an old address refuses it.
    to: NodeId,
    /// Which life of the node it is for ([`crate::raft::Member::life`]), where only that one may answer.
    life: Option<u64>,
    ask: A,
}

/// A question.
#[derive(Serialize, Deserialize)]
pub(crate) enum Ask {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<NodeId>),
    Snapshot {
        vote: Vote,
        meta: Meta,
        offset: u64,
        data: Blob,
        done: bool,
    },
    /// Do this, if you are the leader.
    Propose(Proposal),
    /// How far must a replica have come to have all that was acknowledged until now? To the leader.
    ReadIndex,
    /// Change who is in the group. To the leader.
    Change(MemberChange),
    /// Are you there?
    Alive,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Append(Result<AppendEntriesResponse<NodeId>, RaftError<NodeId>>),
    Vote(Result<VoteResponse<NodeId>, RaftError<NodeId>>),
    Snapshot(Result<InstallSnapshotResponse<NodeId>, RaftError<NodeId, InstallSnapshotError>>),
    Proposed(Result<Result<Reply, Refusal>, Elsewhere>),
    ReadIndex(Result<u64, Elsewhere>),
    Changed(Result<Result<(), String>, Elsewhere>),
    Alive,
    /// The question cannot be answered, whoever asks it again.
    Refused(String),
}

/// A change of the group. It changes who decides, not what runs: see [`crate::state::nodes`] for the machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberChange {
    /// Lets a replica follow, without a vote; or says where one is reached now. A replica that has lost its file loses its vote,
    /// and begins anew.
    Learner {
        /// Who, and where.
        peer: Peer,
        /// A number that was drawn when its file was made.
        life: u64,
    },
    /// Gives a replica that follows, and has caught up, a vote.
    Promote(NodeId),
    /// Takes the vote; the replica follows on.
    Demote(NodeId),
    /// Puts a replica out.
    Remove(NodeId),
}

/// Who was asked does not lead.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// Who does, as far as it knows.
    pub leader: Option<Peer>,
    /// What kept it, in words.
    pub why: String,
    /// What was asked may be done nevertheless.
    pub unknown: bool,
}

/// Asks others, in the name of one replica.
#[derive(Clone)]
pub(crate) struct Caller {
    pub mesh: Arc<str>,
    pub wire: Arc<dyn Wire>,
}

impl Caller {
    /// Asks whoever has this name.
    pub(crate) async fn ask(&self, to: &Peer, ask: &Ask) -> Result<Told, WireError> {
        self.ask_life(to, None, ask).await
    }

    /// Asks one life of a node.
    pub(crate) async fn ask_life(
        &self,
        to: &Peer,
        life: Option<u64>,
        ask: &Ask,
    ) -> Result<Told, WireError> {
        let envelope = Envelope {
            mesh: self.mesh.to_string(),
            to: to.id,
            life,
            ask,
        };
        let request = framed(&envelope).map_err(WireError::Unreachable)?;
        let answer = self.wire.call(to, request).await?;
        match answer.split_first() {
            Some((&VERSION, body)) => codec::decode(body)
                .map_err(|e| WireError::Lost(format!("node {}: what it answers is {e}", to.id))),
            _ => Err(WireError::Lost(format!(
                "node {} answers in another version of the protocol: update the older of the two",
                to.id
            ))),
        }
    }
}

fn framed(record: &impl Serialize) -> Result<Bytes, String> {
    let mut bytes = vec![VERSION];
    bytes.append(&mut codec::encode(record)?);
    Ok(bytes.into())
}

/// Reads a question that is for this replica.
pub(crate) fn question(bytes: &[u8], mesh: &str, me: &NodeId, life: u64) -> Result<Ask, String> {
    let Some((&VERSION, body)) = bytes.split_first() else {
        return Err(format!(
            "node {me} speaks version {VERSION} of the protocol: update the older of the two"
        ));
    };
    let envelope: Envelope<Ask> =
        codec::decode(body).map_err(|e| format!("the question is {e}"))?;
    if envelope.mesh != mesh {
        return Err(format!(
            "node {me} is of mesh {mesh:?}, not of {:?}",
            envelope.mesh
        ));
    }
    if envelope.to != *me {
        return Err(format!(
            "this is node {me}, not {}: the address is an old one",
            envelope.to
        ));
    }
    if envelope.life.is_some_and(|of| of != life) {
        return Err(format!(
            "node {me} has lost its file since it joined: it is put out when it joins anew"
        ));
    }
    Ok(envelope.ask)
}

/// The bytes of an answer.
pub(crate) fn answer(told: &Told) -> Bytes {
    framed(told)
        .or_else(|e| framed(&Told::Refused(e)))
        .unwrap_or_default()
}
