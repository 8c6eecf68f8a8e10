//! Gathers proposals, at the leader: those that come while the entry before is written stand together in the next one.

use super::protocol::Elsewhere;
use crate::raft::{Batch, Raft};
use crate::state::{Proposal, Refusal, Reply};
use openraft::error::{ClientWriteError, RaftError};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// The most proposals of an entry.
const MOST: usize = 256;
/// How many bytes an entry has, unless one proposal is longer.
const BYTES: usize = 256 << 10;
/// How many entries are under way at a time. Two: one is written while the other goes around.
const UNDERWAY: usize = 2;
/// How many proposals wait; more are told to come again.
pub(super) const WAITING: usize = 4_096;
/// How many bytes of proposals wait; more are told to come again.
pub(super) const WAITING_BYTES: usize = 64 << 20;

/// What a proposal becomes: an answer, or the word to ask elsewhere.
pub(super) type Decided = Result<Result<Reply, Refusal>, Elsewhere>;

pub(super) struct Waiting {
    pub proposal: Proposal,
    /// How many bytes it has in the log.
    pub bytes: usize,
    /// Its share of [`WAITING_BYTES`].
    pub room: OwnedSemaphorePermit,
    pub to: oneshot::Sender<Decided>,
}

/// Runs until nobody can propose any more.
pub(super) async fn run(raft: Raft, mut queue: mpsc::Receiver<Waiting>) {
    let room = Arc::new(Semaphore::new(UNDERWAY));
    let mut left = None;
    loop {
        let first = match left.take() {
            Some(first) => first,
            None => match queue.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        if first.to.is_closed() {
            continue;
        }
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        let mut bytes = first.bytes;
        let mut batch = vec![first];
        while batch.len() < MOST
            && let Ok(next) = queue.try_recv()
        {
            // (who does not wait any more has sent it again)
            if next.to.is_closed() {
                continue;
            }
            bytes += next.bytes;
            if bytes > BYTES {
                left = Some(next);
                break;
            }
            batch.push(next);
        }
        let raft = raft.clone();
        tokio::spawn(async move {
            write(&raft, batch).await;
            drop(permit);
        });
    }
}

async fn write(raft: &Raft, batch: Vec<Waiting>) {
    let mut rooms = Vec::with_capacity(batch.len());
    let mut apart = |waiting: Waiting| {
        rooms.push(waiting.room);
        (waiting.proposal, waiting.to)
    };
    let (proposals, to): (Vec<_>, Vec<_>) = batch.into_iter().map(&mut apart).unzip();
    match raft.client_write(Batch(proposals.into())).await {
        Ok(written) => {
            for (answer, to) in written.data.0.into_iter().zip(to) {
                let _ = to.send(Ok(answer));
            }
        }
        Err(error) => {
            let elsewhere = elsewhere(&error);
            for to in to {
                let _ = to.send(Err(elsewhere.clone()));
            }
        }
    }
}

/// Where to ask, of an error of a write.
pub(super) fn elsewhere(
    error: &RaftError<crate::id::NodeId, ClientWriteError<crate::id::NodeId, crate::raft::Member>>,
) -> Elsewhere {
    let forward = error.forward_to_leader();
    let leader =
        forward.and_then(|to| super::peer(to.leader_id.as_ref()?, to.leader_node.as_ref()?));
    // A leader that loses its office while an entry is under way says so, too: whether the entry stays is not known.
    Elsewhere {
        leader,
        why: error.to_string(),
        unknown: true,
    }
}
