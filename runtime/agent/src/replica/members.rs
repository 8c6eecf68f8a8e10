//! Changes who is in the group: one change at a time, and none after which a majority could not be reached.

use super::propose::{Again, unexpected};
use super::protocol::{Ask, Elsewhere, MemberChange, Told};
use super::{Inner, Replica, batch};
use crate::id::NodeId;
use crate::raft::{Member, Types};
use crate::wire::Peer;
use openraft::ChangeMembers;
use openraft::error::{ClientWriteError, RaftError};
use openraft::raft::ClientWriteResponse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How many entries a replica that is to get a vote may be behind.
const CAUGHT_UP: u64 = 256;
/// How long a replica may take to say that it is there.
const ALIVE: Duration = Duration::from_millis(700);
/// How much longer a change of the group takes than a proposal, at most: a snapshot may have to be sent.
const LONGER: u32 = 6;

/// Why the group was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// It would be a mistake; in words.
    Refused(String),
    /// No majority could be reached in time; it may be changed nevertheless, a little later.
    Unavailable(String),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeError::Refused(why) | ChangeError::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ChangeError {}

/// What a change came to: done, refused, or to be asked elsewhere.
type Changed = Result<Result<(), String>, Elsewhere>;

impl Replica {
    /// Changes the group. Any replica of it may be asked.
    ///
    /// # Errors
    /// It is refused, or no majority could be reached.
    pub async fn change(&self, change: MemberChange) -> Result<(), ChangeError> {
        self.changed(change, &[]).await
    }

    /// `via` are asked, one after the other, while this replica knows no leader.
    async fn changed(&self, change: MemberChange, via: &[Peer]) -> Result<(), ChangeError> {
        let inner = &self.0;
        let patience = inner.options.timing.patience * LONGER;
        let ask = Ask::Change(change.clone());
        // (who has asked for a change waits for it longer than for one attempt of a proposal)
        let elsewhere = async |to: Peer| match inner.caller.ask(&to, &ask).await? {
            Told::Changed(told) => told.map_err(Again::from),
            other => Err(unexpected(&to, &other)),
        };
        let deadline = Instant::now() + patience;
        let (mut to, mut why, mut others) = (
            None::<Peer>,
            "no leader is known".to_owned(),
            via.iter().cycle(),
        );
        while Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            let asked = match to
                .take()
                .or_else(|| inner.leader())
                .or_else(|| others.next().cloned())
            {
                Some(peer) if peer.id == inner.options.id => {
                    timeout(left, change_here(inner, &change))
                        .await
                        .map(|told| told.map_err(Again::from))
                }
                Some(peer) => timeout(left, elsewhere(peer)).await,
                None => Ok(Err(Again {
                    to: None,
                    why: why.clone(),
                    unknown: false,
                })),
            };
            match asked {
                Ok(Ok(done)) => return done.map_err(ChangeError::Refused),
                Ok(Err(again)) => (to, why) = (again.to, again.why),
                Err(_) => why = "nobody answered".into(),
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(ChangeError::Unavailable(format!(
            "the group could not be changed within {patience:?} (last: {why})"
        )))
    }

    /// Joins a group by one of its replicas: first without a vote, and with one when it has caught up.
    ///
    /// # Errors
    /// It is refused, or none of `via` leads to the group's leader.
    pub async fn join(&self, via: &[Peer]) -> Result<(), ChangeError> {
        self.follow(via).await?;
        self.changed(MemberChange::Promote(self.id()), via).await
    }

    /// Joins a group without a vote: this replica has the state, and does not decide.
    ///
    /// # Errors
    /// As [`Replica::join`].
    pub async fn follow(&self, via: &[Peer]) -> Result<(), ChangeError> {
        if via.is_empty() {
            return Err(ChangeError::Refused(
                "there is nobody to ask: name a replica of the group".into(),
            ));
        }
        self.changed(
            MemberChange::Learner {
                peer: self.peer(),
                life: self.0.life,
            },
            via,
        )
        .await
    }

    /// Leaves the group. When it returns, the others do without this replica.
    ///
    /// # Errors
    /// It is refused, as of the last replica with a vote; or no majority could be reached.
    pub async fn leave(&self) -> Result<(), ChangeError> {
        self.change(MemberChange::Remove(self.id())).await
    }
}

/// Changes the group, where this replica leads.
pub(super) async fn change_here(inner: &Inner, change: &MemberChange) -> Changed {
    let leads = inner
        .leader()
        .is_some_and(|leader| leader.id == inner.options.id);
    if !leads {
        return Err(Elsewhere {
            leader: inner.leader(),
            why: "it does not lead".into(),
            unknown: false,
        });
    }
    let _one_at_a_time = inner.changing.lock().await;
    settle(inner).await?;
    let membership = inner
        .raft
        .metrics()
        .borrow()
        .membership_config
        .membership()
        .clone();
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let members: BTreeMap<NodeId, Member> = membership
        .nodes()
        .map(|(id, node)| (*id, node.clone()))
        .collect();
    match change {
        MemberChange::Learner { peer, life } => {
            let long = peer.addresses.len() > 16
                || peer.addresses.iter().any(|address| address.len() > 256);
            if peer.id == NodeId::NOBODY || long {
                return Ok(Err(
                    "a replica has a key, and at most 16 addresses of at most 256 bytes".into(),
                ));
            }
            let node = Member {
                addresses: peer.addresses.clone(),
                life: *life,
            };
            let nodes = BTreeMap::from([(peer.id, node.clone())]);
            match members.get(&peer.id) {
                Some(there) if *there == node => return Ok(Ok(())),
                // (whoever has its old address now refuses what is not for him)
                Some(there) if there.life == *life => {
                    return write(inner, ChangeMembers::SetNodes(nodes), true).await;
                }
                Some(_) => {
                    if let Err(why) = put_out(inner, &peer.id, &members, &voters, false).await? {
                        return Ok(Err(why));
                    }
                }
                None => {}
            }
            write(inner, ChangeMembers::AddNodes(nodes), true).await
        }
        MemberChange::Promote(id) => {
            if voters.contains(id) {
                return Ok(Ok(()));
            }
            if !members.contains_key(id) {
                return Ok(Err(format!(
                    "node {id} is not in the group: let it follow first"
                )));
            }
            if let Err(why) = caught_up(inner, id).await? {
                return Ok(Err(why));
            }
            write(
                inner,
                ChangeMembers::AddVoterIds(BTreeSet::from([*id])),
                true,
            )
            .await
        }
        MemberChange::Demote(id) | MemberChange::Remove(id) => {
            let keep = matches!(change, MemberChange::Demote(_));
            put_out(inner, id, &members, &voters, keep).await
        }
    }
}

/// Takes a replica's vote, and puts it out unless it is to follow on.
async fn put_out(
    inner: &Inner,
    id: &NodeId,
    members: &BTreeMap<NodeId, Member>,
    voters: &BTreeSet<NodeId>,
    keep: bool,
) -> Changed {
    if voters.contains(id) {
        let voting = members.iter().filter(|(other, _)| voters.contains(other));
        if let Err(why) = majority_is_there(inner, id, voting.collect()).await {
            return Ok(Err(why));
        }
        return write(
            inner,
            ChangeMembers::RemoveVoters(BTreeSet::from([*id])),
            keep,
        )
        .await;
    }
    if keep || !members.contains_key(id) {
        return Ok(Ok(()));
    }
    write(
        inner,
        ChangeMembers::RemoveNodes(BTreeSet::from([*id])),
        false,
    )
    .await
}

/// Waits until a replica has nearly all that the leader has.
async fn caught_up(inner: &Inner, id: &NodeId) -> Result<Result<(), String>, Elsewhere> {
    let deadline = Instant::now() + inner.options.timing.patience * (LONGER - 1);
    loop {
        let behind = {
            let metrics = inner.raft.metrics();
            let metrics = metrics.borrow();
            let Some(replication) = &metrics.replication else {
                return Err(Elsewhere {
                    leader: None,
                    why: "it leads no more".into(),
                    unknown: false,
                });
            };
            let there = replication.get(id).and_then(Option::as_ref);
            let logged = metrics.last_log_index.map_or(0, |index| index + 1);
            there.map(|matched| logged.saturating_sub(super::index(Some(matched))))
        };
        if behind.is_some_and(|behind| behind <= CAUGHT_UP) {
            return Ok(Ok(()));
        }
        if Instant::now() >= deadline {
            let how = behind.map_or_else(
                || "has not answered".to_owned(),
                |behind| format!("is {behind} entries behind"),
            );
            return Ok(Err(format!(
                "node {id} {how}: it gets no vote before it has caught up; ask again"
            )));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// Sees to it that a majority can take a vote away, and that those who stay have a majority without it.
async fn majority_is_there(
    inner: &Inner,
    gone: &NodeId,
    voting: BTreeMap<&NodeId, &Member>,
) -> Result<(), String> {
    if voting.len() == 1 {
        return Err(format!(
            "node {gone} is the last replica with a vote: without it the mesh would have no control state; give another one a vote first"
        ));
    }
    let mut asking = JoinSet::new();
    for (id, member) in voting.iter().filter(|(id, _)| ***id != inner.options.id) {
        let (peer, life) = (
            Peer {
                id: **id,
                addresses: member.addresses.clone(),
            },
            member.life,
        );
        let caller = inner.caller.clone();
        asking.spawn(async move {
            let there = timeout(ALIVE, caller.ask_life(&peer, Some(life), &Ask::Alive)).await;
            (peer.id, matches!(there, Ok(Ok(Told::Alive))))
        });
    }
    let mut there = BTreeSet::from([inner.options.id]);
    while let Some(asked) = asking.join_next().await {
        if let Ok((id, true)) = asked {
            there.insert(id);
        }
    }
    let staying = there.iter().filter(|id| *id != gone).count();
    if there.len() > voting.len() / 2 && staying > (voting.len() - 1) / 2 {
        return Ok(());
    }
    let missing: Vec<_> = voting
        .keys()
        .filter(|id| !there.contains(id))
        .map(ToString::to_string)
        .collect();
    Err(format!(
        "{} replicas have a vote, and {} of them can be reached (not {}), {staying} without node {gone}: there would be no majority; \
         bring them back, or remove those that are lost first",
        voting.len(),
        there.len(),
        missing.join(", ")
    ))
}

type Written =
    Result<ClientWriteResponse<Types>, RaftError<NodeId, ClientWriteError<NodeId, Member>>>;

async fn write(inner: &Inner, changes: ChangeMembers<NodeId, Member>, keep: bool) -> Changed {
    told(inner.raft.change_membership(changes, keep).await)
}

fn told(written: Written) -> Changed {
    match written {
        Ok(_) => Ok(Ok(())),
        Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(why))) => {
            // Another change is under way, of a leader before this one: it ends, and then this one can be made.
            Err(Elsewhere {
                leader: None,
                why: why.to_string(),
                unknown: false,
            })
        }
        Err(error) => Err(batch::elsewhere(&error)),
    }
}

/// Ends a change that a leader began and did not finish: then two majorities have to agree, the old and the new one.
async fn settle(inner: &Inner) -> Result<(), Elsewhere> {
    let last = {
        let metrics = inner.raft.metrics();
        let metrics = metrics.borrow();
        let joint = metrics
            .membership_config
            .membership()
            .get_joint_config()
            .clone();
        if joint.len() < 2 {
            None
        } else {
            joint.last().cloned()
        }
    };
    match last {
        Some(voters) => {
            let written = inner
                .raft
                .change_membership(ChangeMembers::ReplaceAllVoters(voters), true)
                .await;
            told(written).map(|_| ())
        }
        None => Ok(()),
    }
}

/// As [`settle`], if nobody is changing the group.
pub(super) async fn finish(inner: &Inner) {
    if inner
        .leader()
        .is_none_or(|leader| leader.id != inner.options.id)
    {
        return;
    }
    if let Ok(_one_at_a_time) = inner.changing.try_lock() {
        // (the next time will do as well)
        let _ = timeout(inner.options.timing.attempt, settle(inner)).await;
    }
}
