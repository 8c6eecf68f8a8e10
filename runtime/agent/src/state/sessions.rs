//! What was answered to whom, so that a request that is sent again is answered again and not done again (Ongaro, "Consensus:
//! Bridging Theory and Practice", section 6.3).
//!
//! A proposer numbers its requests and says with each which ones are settled; of those, nothing has to be remembered. So a
//! session holds as many answers as it has requests under way. The session that was silent longest is forgotten where there are
//! too many.

use super::command::{Refusal, Reply, Why};
use crate::id::RequestId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many sessions are remembered: one for each start of an agent.
const MOST_SESSIONS: usize = 1_024;
/// How many answers of a session are remembered. Who has more requests under way may get the oldest refused when sent again.
pub(crate) const MOST_UNDERWAY: usize = 1_024;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sessions {
    all: BTreeMap<u64, Session>,
    /// Counts requests, to know which session was silent longest.
    count: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    /// Requests with smaller numbers are settled.
    settled: u64,
    /// The count at the last request.
    heard: u64,
    answers: BTreeMap<u64, Result<Reply, Refusal>>,
}

impl Sessions {
    /// What a request was answered, if it was; a refusal, if it is too late for it.
    pub(super) fn before(&self, id: RequestId) -> Option<Result<Reply, Refusal>> {
        let session = self.all.get(&id.session);
        let settled = session.map_or(0, |session| session.settled).max(id.settled);
        if id.number < settled {
            return Some(Err(Refusal::new(
                Why::Settled,
                format!(
                    "request {} was answered, or given up, before: it is not done again",
                    id.number
                ),
            )));
        }
        session?.answers.get(&id.number).cloned()
    }

    pub(super) fn remember(&mut self, id: RequestId, answer: Result<Reply, Refusal>) {
        self.count += 1;
        let session = self.all.entry(id.session).or_default();
        session.heard = self.count;
        session.settled = session.settled.max(id.settled);
        session.answers.insert(id.number, answer);
        session.answers = session.answers.split_off(&session.settled);
        while session.answers.len() > MOST_UNDERWAY
            && let Some((number, _)) = session.answers.pop_first()
        {
            session.settled = number + 1;
        }
        while self.all.len() > MOST_SESSIONS
            && let Some(silent) = self
                .all
                .iter()
                .min_by_key(|(_, s)| s.heard)
                .map(|(id, _)| *id)
        {
            self.all.remove(&silent);
        }
    }
}
