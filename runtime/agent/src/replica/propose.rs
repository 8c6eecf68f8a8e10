//! Asks for changes: finds the leader, asks it, and asks again until there is an answer or the time is up. Each attempt is the
//! same request, which is done once, however often it arrives.

use super::protocol::{Ask, Elsewhere, Told};
use super::{Inner, Replica, batch};
use crate::codec;
use crate::id::RequestId;
use crate::state::{Command, Proposal, Refusal, Reply, Why};
use crate::wire::{Peer, WireError};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

/// The longest command, in bytes, with all that goes with it into the log: 2 MiB. It has to be across within a heartbeat's time.
pub(super) const LONGEST_PROPOSAL: usize = 2 << 20;
/// The shortest and the longest pause before another attempt.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(100));

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposeError {
    /// The state refuses it, and says why.
    Refused(Refusal),
    /// No majority could be reached in time: nothing is changed, and what runs goes on running.
    Unavailable {
        /// In words, with what was tried last.
        message: String,
        /// Whether it may be done nevertheless, a little later: it was under way when the time was up. Once another proposal of
        /// this replica has been answered, it will not be done any more.
        unknown: bool,
    },
}

impl fmt::Display for ProposeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProposeError::Refused(refusal) => refusal.fmt(f),
            ProposeError::Unavailable {
                message,
                unknown: false,
            } => f.write_str(message),
            ProposeError::Unavailable {
                message,
                unknown: true,
            } => {
                write!(
                    f,
                    "{message}; it was under way and may still be done: look before you ask again"
                )
            }
        }
    }
}

impl std::error::Error for ProposeError {}

/// Numbers the requests of a replica.
pub(super) struct Session {
    id: u64,
    next: u64,
    underway: BTreeSet<u64>,
}

impl Session {
    pub(super) fn new() -> Result<Session, String> {
        Ok(Session {
            id: draw()?,
            next: 1,
            underway: BTreeSet::new(),
        })
    }
}

/// A number that nobody else draws.
pub(super) fn draw() -> Result<u64, String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|e| format!("the system gives no random numbers: {e}"))?;
    Ok(u64::from_ne_bytes(bytes))
}

/// A request under way; when it is dropped, it is settled.
struct Underway<'a> {
    session: &'a Mutex<Session>,
    id: RequestId,
}

impl<'a> Underway<'a> {
    fn new(session: &'a Mutex<Session>) -> Underway<'a> {
        let mut of = session.lock().unwrap_or_else(PoisonError::into_inner);
        let number = of.next;
        of.next += 1;
        of.underway.insert(number);
        let settled = of.underway.first().copied().unwrap_or(number);
        Underway {
            session,
            id: RequestId {
                session: of.id,
                number,
                settled,
            },
        }
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .underway
            .remove(&self.id.number);
    }
}

/// How an attempt ended that was not answered.
pub(super) struct Again {
    /// Where to ask next, if somebody said so.
    pub to: Option<Peer>,
    /// What kept it, in words.
    pub why: String,
    /// What was asked may be done nevertheless.
    pub unknown: bool,
}

impl From<Elsewhere> for Again {
    fn from(of: Elsewhere) -> Again {
        Again {
            to: of.leader,
            why: of.why,
            unknown: of.unknown,
        }
    }
}

impl From<WireError> for Again {
    fn from(error: WireError) -> Again {
        Again {
            to: None,
            why: error.to_string(),
            unknown: matches!(error, WireError::Lost(_)),
        }
    }
}

/// Nobody answered in time.
pub(super) struct Expired {
    pub message: String,
    pub unknown: bool,
}

impl Replica {
    /// Proposes a change, in the name of `by`, and waits until it is made or refused. Any replica may be asked.
    ///
    /// The caller has checked that `by` is who he says, and may do this.
    ///
    /// # Errors
    /// The state refuses it; or no majority could be reached in [`super::Timing::patience`].
    pub async fn propose(&self, by: &str, command: Command) -> Result<Reply, ProposeError> {
        let inner = &*self.0;
        let underway = Underway::new(&inner.session);
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let proposal = Proposal {
            id: underway.id,
            by: by.to_owned(),
            at,
            command,
        };
        let proposing = Proposing {
            ask: Ask::Propose(proposal.clone()),
            proposal,
        };
        match inner
            .at_the_leader("changed", inner.options.timing.patience, &proposing)
            .await
        {
            Ok(answer) => answer.map_err(ProposeError::Refused),
            Err(Expired { message, unknown }) => {
                Err(ProposeError::Unavailable { message, unknown })
            }
        }
    }
}

/// Something that the leader is asked.
pub(super) trait Errand: Sync {
    type Answer: Send;

    /// One attempt: `to` is whom to ask; nobody, where this replica leads itself.
    fn attempt(
        &self,
        inner: &Inner,
        to: Option<&Peer>,
    ) -> impl Future<Output = Result<Self::Answer, Again>> + Send;
}

struct Proposing {
    proposal: Proposal,
    ask: Ask,
}

impl Errand for Proposing {
    type Answer = Result<Reply, Refusal>;

    async fn attempt(&self, inner: &Inner, to: Option<&Peer>) -> Result<Self::Answer, Again> {
        let Some(to) = to else {
            return decide(inner, self.proposal.clone())
                .await
                .map_err(Again::from);
        };
        match inner.caller.ask(to, &self.ask).await? {
            Told::Proposed(told) => told.map_err(Again::from),
            other => Err(unexpected(to, &other)),
        }
    }
}

pub(super) fn unexpected(to: &Peer, told: &Told) -> Again {
    let why = match told {
        Told::Refused(why) => why.clone(),
        _ => format!("node {} answered another question", to.id),
    };
    Again {
        to: None,
        why,
        unknown: false,
    }
}

/// Has a proposal decided by this replica, which it can where it leads.
pub(super) async fn decide(inner: &Inner, proposal: Proposal) -> batch::Decided {
    let elsewhere = |why: &str, unknown| Elsewhere {
        leader: inner.leader(),
        why: why.to_owned(),
        unknown,
    };
    if inner
        .leader()
        .is_none_or(|leader| leader.id != inner.options.id)
    {
        return Err(elsewhere("it does not lead", false));
    }
    let bytes = codec::encode(&proposal).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > LONGEST_PROPOSAL {
        return Ok(Err(Refusal {
            why: Why::Limit,
            message: format!("a command of {bytes} bytes: the limit is {LONGEST_PROPOSAL}"),
        }));
    }
    // (it fits: the limit is far below 4 GiB)
    let room = inner.room.clone().try_acquire_many_owned(bytes as u32);
    let (to, decided) = oneshot::channel();
    let waits = room.is_ok_and(|room| {
        let waiting = batch::Waiting {
            proposal,
            bytes,
            room,
            to,
        };
        inner.queue.try_send(waiting).is_ok()
    });
    if !waits {
        return Err(elsewhere(
            "too many proposals wait at the leader, or it has stopped",
            false,
        ));
    }
    decided
        .await
        .unwrap_or_else(|_| Err(elsewhere("the leader has stopped", true)))
}

impl Inner {
    /// Who leads, as far as this replica knows.
    pub(super) fn leader(&self) -> Option<Peer> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let leader = metrics.current_leader.as_ref()?;
        super::peer(
            leader,
            metrics.membership_config.membership().get_node(leader)?,
        )
    }

    /// Asks the leader, whoever it is and becomes, until somebody answers.
    pub(super) async fn at_the_leader<E: Errand>(
        &self,
        what: &str,
        patience: Duration,
        errand: &E,
    ) -> Result<E::Answer, Expired> {
        let deadline = Instant::now() + patience;
        let (mut hint, mut pause, mut unknown) = (None::<Peer>, PAUSE.0, false);
        let mut why = "no leader is known".to_owned();
        loop {
            let to = hint.take().or_else(|| self.leader());
            let asked = to.is_some();
            if let Some(to) = to {
                let id = to.id;
                let to = (id != self.options.id).then_some(to);
                let longest = self
                    .options
                    .timing
                    .attempt
                    .min(deadline.saturating_duration_since(Instant::now()));
                match timeout(longest, errand.attempt(self, to.as_ref())).await {
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(again)) => {
                        unknown |= again.unknown;
                        hint = again.to.filter(|to| to.id != id);
                        why = format!("node {id}: {}", again.why);
                    }
                    Err(_) => {
                        unknown = true;
                        why = format!(
                            "node {id} did not answer within {longest:?}, or reaches no majority itself"
                        );
                    }
                }
            }
            if Instant::now() >= deadline {
                break;
            }
            if let Some(failed) = self.raft.metrics().borrow().running_state.as_ref().err() {
                let message = format!(
                    "the mesh's control state could not be {what}: this replica has stopped ({failed}); what runs goes on running, and \
                     the other replicas go on; mend that, and start it again"
                );
                return Err(Expired { message, unknown });
            }
            if hint.is_none() {
                // Somebody else may be elected any moment.
                let mut metrics = self.raft.metrics();
                let leader = metrics.borrow_and_update().current_leader;
                let until = (Instant::now() + pause).min(deadline);
                let changed = metrics.wait_for(|now| now.current_leader != leader);
                let _ = timeout_at(until, changed).await;
                pause = if asked {
                    (pause * 2).min(PAUSE.1)
                } else {
                    PAUSE.1
                };
            }
        }
        let voters = self
            .raft
            .metrics()
            .borrow()
            .membership_config
            .membership()
            .voter_ids()
            .count();
        Err(Expired {
            message: format!(
                "the mesh's control state could not be {what} within {patience:?}: no leader with a majority of its {voters} voting \
                 replicas answered (last: {why}); what runs goes on running, and nothing can be changed until more of them are reached"
            ),
            unknown,
        })
    }
}
