//! What can be asked of the control state without changing it.

use super::State;
use super::audit::Change;
use super::context::{Entry, Place};
use super::flows::{Flow, Ownership};
use super::nodes::{Node, Nodes};
use super::tokens::Tokens;
use crate::id::NodeId;
use serde::{Deserialize, Serialize};
use vgdc_store::Scope;

/// The most changes that one answer has.
pub const MOST_CHANGES: usize = 1_000;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// How much there is.
    Summary,
    /// All nodes.
    Nodes,
    /// A node.
    Node(NodeId),
    /// The names of all flows.
    Flows,
    /// A flow with its versions and owners.
    Flow(String),
    /// Who owns a part: flow, version, part.
    Owner(String, String, String),
    /// A shared value.
    Context(Place),
    /// The keys of a scope in a store.
    ContextKeys(Scope, String),
    /// All tokens.
    Tokens,
    /// The audit log after a position, at most so many changes and never more than [`MOST_CHANGES`].
    Audit {
        /// The position after which it begins.
        after: u64,
        /// How many.
        most: usize,
    },
}

/// An answer, by the name of the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each answers the question of its name")]
pub enum Answer {
    Summary(Summary),
    Nodes(Nodes),
    Node(Option<Node>),
    Flows(Vec<String>),
    Flow(Option<Flow>),
    Owner(Option<Ownership>),
    Context(Option<Entry>),
    ContextKeys(Vec<String>),
    Tokens(Tokens),
    Audit(Vec<Change>),
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many changes were made.
    pub revision: u64,
    /// The newest epoch.
    pub epoch: u64,
    /// Nodes.
    pub nodes: usize,
    /// Flows.
    pub flows: usize,
    /// What mesh context costs, in bytes.
    pub context_bytes: u64,
}

impl State {
    /// Answers a question.
    pub fn answer(&self, query: &Query) -> Answer {
        match query {
            Query::Summary => Answer::Summary(Summary {
                revision: self.revision,
                epoch: self.epoch,
                nodes: self.nodes.len(),
                flows: self.flows.iter().count(),
                context_bytes: self.context.bytes(),
            }),
            Query::Nodes => Answer::Nodes(self.nodes.clone()),
            Query::Node(id) => Answer::Node(self.nodes.get(id).cloned()),
            Query::Flows => {
                Answer::Flows(self.flows.iter().map(|(name, _)| name.clone()).collect())
            }
            Query::Flow(name) => Answer::Flow(self.flows.get(name).cloned()),
            Query::Owner(flow, version, part) => {
                let version = self.flows.version(flow, version);
                Answer::Owner(version.and_then(|version| version.parts.get(part)).cloned())
            }
            Query::Context(place) => Answer::Context(self.context.get(place).cloned()),
            Query::ContextKeys(scope, store) => {
                Answer::ContextKeys(self.context.keys(scope, store).cloned().collect())
            }
            Query::Tokens => Answer::Tokens(self.tokens.clone()),
            Query::Audit { after, most } => {
                Answer::Audit(self.audit.after(*after, (*most).min(MOST_CHANGES)))
            }
        }
    }
}
