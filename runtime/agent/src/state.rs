//! The control state of a mesh: what all its agents agree on.
//!
//! It is a pure function of the commands that were applied, in their order: no clock, no chance, no map without an order. So
//! every replica has the same state, byte for byte. A command is either accepted, and then raises the [`State::revision`] by one
//! and is recorded who gave it; or it is refused, says why, and changes nothing.
//!
//! One file a concern: [`nodes`], [`flows`] (and `owners`), [`context`], [`tokens`], [`audit`]; [`sessions`] lets a request that is sent twice be
//! done once, [`restore`] puts a backup in the place of the state, [`format`](mod@format) is how the state is written down.

pub mod audit;
pub mod command;
pub mod context;
pub mod flows;
pub mod format;
pub mod nodes;
mod owners;
pub mod query;
pub mod restore;
pub mod sessions;
pub mod tokens;

#[cfg(test)]
mod tests;

pub use audit::{Change, Event};
pub use command::{Command, Proposal, Refusal, Reply, Why};
pub use query::{Answer, Query};

use serde::{Deserialize, Serialize};

/// The whole control state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// How many commands were accepted. Also the position of the newest record of the audit log.
    pub revision: u64,
    /// The newest epoch that was given. Epochs count over all parts of all flows, so that none comes back.
    pub epoch: u64,
    /// The machines of the mesh.
    pub nodes: nodes::Nodes,
    /// Flows, their versions, and where their parts run.
    pub flows: flows::Flows,
    /// Values that nodes of flows share over machines.
    pub context: context::Context,
    /// Permissions to join.
    pub tokens: tokens::Tokens,
    /// Who changed what.
    pub audit: audit::Audit,
    /// What was answered to whom.
    pub(crate) sessions: sessions::Sessions,
    /// A backup of which parts have arrived.
    pub(crate) restoring: Option<restore::Restoring>,
}

impl State {
    /// Applies a proposal. What it answers, and the change that it made, if it made one.
    ///
    /// A proposal that was applied before is answered as it was then, and changes nothing.
    pub fn apply(&mut self, proposal: &Proposal) -> (Result<Reply, Refusal>, Option<Change>) {
        if let Some(before) = self.sessions.before(proposal.id) {
            return (before, None);
        }
        let (answer, change) = match self.accept(proposal) {
            Ok(Accepted { reply, event }) => {
                let change = event.map(|event| self.record(proposal, event));
                let reply = match reply {
                    Reply::Done { .. } => Reply::Done {
                        revision: self.revision,
                    },
                    other => other,
                };
                (Ok(reply), change)
            }
            Err(refusal) => (Err(refusal), None),
        };
        self.sessions.remember(proposal.id, answer.clone());
        (answer, change)
    }

    fn record(&mut self, proposal: &Proposal, event: Event) -> Change {
        self.revision += 1;
        let change = Change {
            revision: self.revision,
            by: proposal.by.clone(),
            at: proposal.at,
            event,
        };
        self.audit.record(change.clone());
        change
    }

    /// Decides; changes nothing unless it accepts.
    fn accept(&mut self, proposal: &Proposal) -> Result<Accepted, Refusal> {
        command::named("the identity of who asks", &proposal.by)?;
        match &proposal.command {
            Command::Node(command) => self.change_nodes(command, proposal.at),
            Command::Flow(command) => self.change_flows(command),
            Command::Context(command) => self.context.change(command, self.revision + 1),
            Command::Token(command) => self.tokens.change(command, proposal.at),
            Command::Restore(command) => self.restore(command),
            Command::Nothing => Ok(Accepted::silent()),
        }
    }

    /// Whether there is anything that a restored backup would take the place of. Nodes do not count: the first has admitted
    /// itself before anything can be restored.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty() && self.context.is_empty() && self.tokens.is_empty()
    }
}

/// What an accepted command answers, and what it changed.
struct Accepted {
    reply: Reply,
    event: Option<Event>,
}

impl Accepted {
    /// It is done. (The revision is put in when it is counted.)
    fn done(event: Event) -> Accepted {
        Accepted {
            reply: Reply::Done { revision: 0 },
            event: Some(event),
        }
    }

    fn with(reply: Reply, event: Event) -> Accepted {
        Accepted {
            reply,
            event: Some(event),
        }
    }

    /// Nothing that anybody would want to know of has changed.
    fn silent() -> Accepted {
        Accepted {
            reply: Reply::Done { revision: 0 },
            event: None,
        }
    }
}
