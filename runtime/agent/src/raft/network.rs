//! openraft's messages to other replicas, over the wire.

use super::{Member, Types};
use crate::id::NodeId;
use crate::replica::protocol::{Ask, Caller, Told};
use crate::wire::{Peer, WireError};
use openraft::error::{
    InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use std::time::Duration;

/// How long to leave a replica alone that cannot be reached, at most: it is asked again soon, so that it is not missed for long
/// when it is back.
const LONGEST_BACKOFF: Duration = Duration::from_millis(400);

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) caller: Caller,
}

/// A connection to one replica.
pub(crate) struct Connection {
    caller: Caller,
    to: Peer,
    life: u64,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: NodeId, node: &Member) -> Connection {
        let to = Peer {
            id: target,
            addresses: node.addresses.clone(),
        };
        Connection {
            caller: self.caller.clone(),
            to,
            life: node.life,
        }
    }
}

type Failure<E> = RPCError<NodeId, Member, E>;
type Answer<T, E = openraft::error::Infallible> = Result<T, Failure<RaftError<NodeId, E>>>;

impl Connection {
    async fn ask<E: std::error::Error>(&self, ask: &Ask) -> Result<Told, Failure<E>> {
        self.caller
            .ask_life(&self.to, Some(self.life), ask)
            .await
            .map_err(|e| match e {
                WireError::Unreachable(_) => Unreachable::new(&e).into(),
                WireError::Lost(_) => NetworkError::new(&e).into(),
            })
    }

    #[allow(clippy::result_large_err, reason = "the error is openraft's")]
    fn told<T, E: std::error::Error>(&self, told: Result<T, E>) -> Result<T, Failure<E>> {
        told.map_err(|e| RemoteError::new(self.to.id, e).into())
    }

    fn unexpected<E: std::error::Error>(&self, told: &Told) -> Failure<E> {
        // (whoever answers so answers so again: it is left alone for a while)
        let why = match told {
            Told::Refused(why) => why.clone(),
            _ => format!("node {} answered another question", self.to.id),
        };
        Unreachable::new(&WireError::Unreachable(why)).into()
    }
}

impl RaftNetwork<Types> for Connection {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Answer<AppendEntriesResponse<NodeId>> {
        match self.ask(&Ask::Append(rpc)).await? {
            Told::Append(told) => self.told(told),
            other => Err(self.unexpected(&other)),
        }
    }

    async fn install_snapshot(
        &mut self,
        rpc: InstallSnapshotRequest<Types>,
        _option: RPCOption,
    ) -> Answer<InstallSnapshotResponse<NodeId>, InstallSnapshotError> {
        let ask = Ask::Snapshot {
            vote: rpc.vote,
            meta: rpc.meta,
            offset: rpc.offset,
            data: rpc.data.into(),
            done: rpc.done,
        };
        match self.ask(&ask).await? {
            Told::Snapshot(told) => self.told(told),
            other => Err(self.unexpected(&other)),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<NodeId>,
        _option: RPCOption,
    ) -> Answer<VoteResponse<NodeId>> {
        match self.ask(&Ask::Vote(rpc)).await? {
            Told::Vote(told) => self.told(told),
            other => Err(self.unexpected(&other)),
        }
    }

    fn backoff(&self) -> Backoff {
        let growing =
            (0..).map(|n| Duration::from_millis(50 << u64::min(n, 3)).min(LONGEST_BACKOFF));
        Backoff::new(growing)
    }
}
