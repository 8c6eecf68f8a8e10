//! The machines of the mesh.

use super::command::{Refusal, Why, named, room};
use super::{Accepted, Event, State};
use crate::id::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most nodes of a mesh.
pub const MOST_NODES: usize = 4_096;
/// The most labels, and the most addresses, of a node.
pub const MOST_PER_NODE: usize = 64;

/// All nodes by their id.
pub type Nodes = BTreeMap<NodeId, Node>;

/// A machine that was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What people call it; no two nodes have one name.
    pub name: String,
    /// What placement goes by: `zone = "hall-3"`.
    pub labels: BTreeMap<String, String>,
    /// Where it is reached, the best first; the transport says what they mean.
    pub addresses: Vec<String>,
    /// What it can carry.
    pub capacity: Capacity,
    /// It is given no new parts, and is to lose those that it has.
    pub draining: bool,
    /// The token that it came with.
    pub token: Option<String>,
}

/// What a node can carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Processors, in thousandths.
    pub millicores: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// The most parts at a time; 0 leaves it to the other two.
    pub parts: u32,
}

/// What can be asked about nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeCommand {
    /// Takes a node in.
    Admit {
        /// Its public key.
        id: NodeId,
        /// What people call it.
        name: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
        /// Where it is reached.
        addresses: Vec<String>,
        /// What it can carry.
        capacity: Capacity,
        /// The token that permits it, of which one use is taken; without one, who asks answers for it.
        token: Option<String>,
    },
    /// Puts a node out; refused while it owns parts.
    Remove {
        /// Which.
        id: NodeId,
    },
    /// Gives it no new parts.
    Drain {
        /// Which.
        id: NodeId,
    },
    /// Takes [`NodeCommand::Drain`] back.
    Undrain {
        /// Which.
        id: NodeId,
    },
    /// Gives it these labels in the place of those that it has.
    Relabel {
        /// Which.
        id: NodeId,
        /// Its labels.
        labels: BTreeMap<String, String>,
    },
    /// Says where it is reached now, and what it can carry.
    Update {
        /// Which.
        id: NodeId,
        /// Where it is reached.
        addresses: Vec<String>,
        /// What it can carry.
        capacity: Capacity,
    },
}

fn labelled(labels: &BTreeMap<String, String>) -> Result<(), Refusal> {
    room(
        "labels",
        labels.len().saturating_sub(1),
        MOST_PER_NODE,
        "a node has fewer",
    )?;
    labels.iter().try_for_each(|(key, value)| {
        named("a label's name", key)?;
        named("a label's value", value)
    })
}

fn addressed(addresses: &[String]) -> Result<(), Refusal> {
    room(
        "addresses",
        addresses.len().saturating_sub(1),
        MOST_PER_NODE,
        "a node has fewer",
    )?;
    addresses
        .iter()
        .try_for_each(|address| named("an address", address))
}

fn unknown(id: &NodeId) -> Refusal {
    Refusal::new(
        Why::Unknown,
        format!("there is no node {id} in the mesh: it was never admitted, or was removed"),
    )
}

impl State {
    pub(super) fn change_nodes(
        &mut self,
        command: &NodeCommand,
        at: u64,
    ) -> Result<Accepted, Refusal> {
        match command {
            NodeCommand::Admit {
                id,
                name,
                labels,
                addresses,
                capacity,
                token,
            } => {
                if *id == NodeId::NOBODY {
                    return Err(Refusal::new(Why::Invalid, "a key of zeros is nobody's"));
                }
                named("a node's name", name)?;
                labelled(labels)?;
                addressed(addresses)?;
                if let Some(there) = self.nodes.get(id) {
                    return Err(Refusal::new(
                        Why::Exists,
                        format!(
                            "node {id} was admitted before, as {:?}: relabel or update it, or remove it first",
                            there.name
                        ),
                    ));
                }
                if let Some((other, _)) = self.nodes.iter().find(|(_, node)| node.name == *name) {
                    return Err(Refusal::new(
                        Why::Exists,
                        format!("{name:?} is the name of node {other}: give another name"),
                    ));
                }
                room("nodes", self.nodes.len(), MOST_NODES, "remove one first")?;
                if let Some(token) = token {
                    self.tokens.take(token, at)?;
                }
                let node = Node {
                    name: name.clone(),
                    labels: labels.clone(),
                    addresses: addresses.clone(),
                    capacity: *capacity,
                    draining: false,
                    token: token.clone(),
                };
                self.nodes.insert(*id, node);
                Ok(Accepted::done(Event::NodeAdmitted {
                    id: *id,
                    name: name.clone(),
                }))
            }
            NodeCommand::Remove { id } => {
                if !self.nodes.contains_key(id) {
                    return Err(unknown(id));
                }
                if let Some((flow, version, part)) = self.flows.owned_by(id).next() {
                    return Err(Refusal::new(
                        Why::Conflict,
                        format!(
                            "node {id} owns part {part:?} of {flow:?} {version}: assign its parts elsewhere first"
                        ),
                    ));
                }
                self.nodes.remove(id);
                Ok(Accepted::done(Event::NodeRemoved { id: *id }))
            }
            NodeCommand::Drain { id } => self.set_draining(id, true),
            NodeCommand::Undrain { id } => self.set_draining(id, false),
            NodeCommand::Relabel { id, labels } => {
                labelled(labels)?;
                self.nodes
                    .get_mut(id)
                    .ok_or_else(|| unknown(id))?
                    .labels
                    .clone_from(labels);
                Ok(Accepted::done(Event::NodeChanged { id: *id }))
            }
            NodeCommand::Update {
                id,
                addresses,
                capacity,
            } => {
                addressed(addresses)?;
                let node = self.nodes.get_mut(id).ok_or_else(|| unknown(id))?;
                node.addresses.clone_from(addresses);
                node.capacity = *capacity;
                Ok(Accepted::done(Event::NodeChanged { id: *id }))
            }
        }
    }

    fn set_draining(&mut self, id: &NodeId, draining: bool) -> Result<Accepted, Refusal> {
        self.nodes.get_mut(id).ok_or_else(|| unknown(id))?.draining = draining;
        Ok(Accepted::done(Event::NodeDraining { id: *id, draining }))
    }
}
