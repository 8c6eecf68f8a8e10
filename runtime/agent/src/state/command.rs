//! What can be asked of the control state, and how it answers.

use super::context::ContextCommand;
use super::flows::FlowCommand;
use super::nodes::NodeCommand;
use super::restore::RestoreCommand;
use super::tokens::TokenCommand;
use crate::id::{LONGEST_NAME, RequestId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A command, with who gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which request it is: the same, sent again, is done once.
    pub id: RequestId,
    /// Whose command it is: an identity that the agent which took it has checked.
    pub by: String,
    /// When, by the proposer's clock: milliseconds since 1970-01-01 UTC. It is recorded, and lets tokens expire; nothing else
    /// depends on it, since clocks differ.
    pub at: u64,
    /// What is to be done.
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// About machines.
    Node(NodeCommand),
    /// About flows.
    Flow(FlowCommand),
    /// About shared values.
    Context(ContextCommand),
    /// About permissions to join.
    Token(TokenCommand),
    /// About restoring a backup.
    Restore(RestoreCommand),
    /// Nothing: says that the group can agree on something.
    Nothing,
}

/// What an accepted command answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done {
        /// The state's revision with it.
        revision: u64,
    },
    /// The part is assigned, or free, from this epoch on.
    Assigned {
        /// The epoch: greater than all before. Whoever acts for an older one of the part is fenced off.
        epoch: u64,
    },
}

/// What kind of refusal it is: for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// What it names is not there.
    Unknown,
    /// What it would make is there already.
    Exists,
    /// It was decided on something that has changed since: look again, and decide again.
    Stale,
    /// It does not fit what is there.
    Conflict,
    /// It has no form that could be accepted.
    Invalid,
    /// It is more than is kept.
    Limit,
    /// The token does not permit it.
    Forbidden,
    /// It was answered, or given up, before.
    Settled,
}

/// Why a command changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind.
    pub why: Why,
    /// In words, with what mends it.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(why: Why, message: impl Into<String>) -> Refusal {
        Refusal {
            why,
            message: message.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// Checks a name: 1 to [`LONGEST_NAME`] bytes without control characters.
pub(super) fn named(what: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let shown: String = name.chars().take(40).collect();
        return Err(Refusal::new(
            Why::Invalid,
            format!(
                "{shown:?} is not {what}: it has 1 to {LONGEST_NAME} bytes and no control characters"
            ),
        ));
    }
    Ok(())
}

/// Checks that there is room for one more.
pub(super) fn room(what: &str, there: usize, limit: usize, mend: &str) -> Result<(), Refusal> {
    if there < limit {
        return Ok(());
    }
    Err(Refusal::new(
        Why::Limit,
        format!("there are {there} {what}, which is the limit: {mend}"),
    ))
}
