//! Answers other replicas.

use super::protocol::{self, Ask, Told, question};
use super::{Inner, members, propose, read};
use crate::wire::{Answering, Serve};
use bytes::Bytes;
use openraft::raft::InstallSnapshotRequest;
use std::sync::{Arc, Weak};

struct Service(Weak<Inner>);

/// What answers for a replica, as long as it is there.
pub(super) fn service(inner: &Arc<Inner>) -> Arc<dyn Serve> {
    Arc::new(Service(Arc::downgrade(inner)))
}

impl Serve for Service {
    fn serve(self: Arc<Self>, request: Bytes) -> Answering {
        Box::pin(async move {
            let told = match self.0.upgrade() {
                Some(inner) => {
                    match question(&request, &inner.options.mesh, &inner.options.id, inner.life) {
                        Ok(ask) => tell(&inner, ask).await,
                        Err(why) => Told::Refused(why),
                    }
                }
                None => Told::Refused("this replica has stopped".into()),
            };
            protocol::answer(&told)
        })
    }
}

async fn tell(inner: &Arc<Inner>, ask: Ask) -> Told {
    match ask {
        Ask::Append(ask) => Told::Append(inner.raft.append_entries(ask).await),
        Ask::Vote(ask) => Told::Vote(inner.raft.vote(ask).await),
        Ask::Snapshot {
            vote,
            meta,
            offset,
            data,
            done,
        } => {
            let request = InstallSnapshotRequest {
                vote,
                meta,
                offset,
                data: data.0.to_vec(),
                done,
            };
            Told::Snapshot(inner.raft.install_snapshot(request).await)
        }
        Ask::Propose(proposal) => Told::Proposed(propose::decide(inner, proposal).await),
        Ask::ReadIndex => Told::ReadIndex(read::read_index(inner).await),
        Ask::Change(change) => Told::Changed(members::change_here(inner, &change).await),
        Ask::Alive => Told::Alive,
    }
}
