//! The graph itself: builds, changes and walks it. The graph library underneath is private to this file.

use petgraph::Direction;
use petgraph::stable_graph::{EdgeIndex, NodeIndex, StableDiGraph};
use petgraph::visit::EdgeRef as _;

use crate::env::{EnvScope, Flow, Group};
use crate::id::{EdgeId, EnvId, FlowId, GroupId, OpId};
use crate::op::{Edge, EdgeKind, Operator};

/// Operators, edges, and where they stand.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    net: StableDiGraph<Operator, Edge, u32>,
    /// The operators in the order in which they start.
    order: Vec<OpId>,
    flows: Vec<Flow>,
    groups: Vec<Group>,
    envs: Vec<EnvScope>,
    next_seq: u32,
}

/// An edge, looked at.
#[derive(Clone, Copy, Debug)]
pub struct EdgeRef<'a> {
    /// Its id.
    pub id: EdgeId,
    /// Where it leaves.
    pub from: OpId,
    /// Where it leads.
    pub to: OpId,
    /// What it carries.
    pub edge: &'a Edge,
}

impl EdgeRef<'_> {
    /// What it carries.
    pub fn kind(&self) -> EdgeKind {
        self.edge.kind
    }

    /// The order among the edges that leave one operator: the wires of each output as they are served, then listeners.
    fn rank(&self) -> (u8, EdgeKind, u32) {
        match self.edge.kind {
            // The wires and links of one output are served in one order.
            EdgeKind::Wire(port) | EdgeKind::Link(port) => (0, EdgeKind::Wire(port), self.edge.seq),
            EdgeKind::Catch(heard) => (
                1,
                EdgeKind::Catch(crate::op::Heard {
                    uncaught: false,
                    ..heard
                }),
                self.edge.seq,
            ),
            EdgeKind::Status(heard) => (
                2,
                EdgeKind::Status(crate::op::Heard {
                    uncaught: false,
                    ..heard
                }),
                self.edge.seq,
            ),
            kind => (3, kind, self.edge.seq),
        }
    }
}

impl Graph {
    /// A graph without anything.
    pub fn new() -> Graph {
        Graph::default()
    }

    // ---- where operators stand

    /// Adds an environment scope. The first one is the global one.
    pub fn add_env(&mut self, env: EnvScope) -> EnvId {
        self.envs.push(env);
        EnvId(self.envs.len() as u32 - 1)
    }

    /// Adds a flow.
    pub fn add_flow(&mut self, flow: Flow) -> FlowId {
        self.flows.push(flow);
        FlowId(self.flows.len() as u32 - 1)
    }

    /// Adds a group.
    pub fn add_group(&mut self, group: Group) -> GroupId {
        self.groups.push(group);
        GroupId(self.groups.len() as u32 - 1)
    }

    /// All environment scopes; an [`EnvId`] is an index.
    pub fn envs(&self) -> &[EnvScope] {
        &self.envs
    }

    /// An environment scope, to change it.
    pub fn env_mut(&mut self, id: EnvId) -> Option<&mut EnvScope> {
        self.envs.get_mut(id.index())
    }

    /// All flows; a [`FlowId`] is an index.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// All groups; a [`GroupId`] is an index.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    // ---- operators

    /// Adds an operator; it starts after those that are there.
    pub fn add_op(&mut self, op: Operator) -> OpId {
        let id = OpId(self.net.add_node(op).index() as u32);
        self.order.push(id);
        id
    }

    /// Takes operators out, with all their edges.
    pub fn remove_ops(&mut self, gone: &[OpId]) {
        for &id in gone {
            self.net.remove_node(node(id));
        }
        self.order
            .retain(|&id| self.net.contains_node(NodeIndex::new(id.index())));
    }

    /// The operators in the order in which they start.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = (OpId, &Operator)> + DoubleEndedIterator {
        self.order.iter().map(|&id| (id, &self.net[node(id)]))
    }

    /// The ids of the operators, in the order in which they start.
    pub fn op_ids(&self) -> &[OpId] {
        &self.order
    }

    /// How many operators there are.
    pub fn op_count(&self) -> usize {
        self.order.len()
    }

    /// One more than the largest number of an operator: the length of a table over operators.
    pub fn op_bound(&self) -> usize {
        self.order
            .iter()
            .map(|id| id.index() + 1)
            .max()
            .unwrap_or(0)
    }

    /// An operator, if it is there.
    pub fn get(&self, id: OpId) -> Option<&Operator> {
        self.net.node_weight(node(id))
    }

    /// An operator of this graph.
    ///
    /// # Panics
    /// When it was taken out: an id is kept no longer than its operator.
    pub fn op(&self, id: OpId) -> &Operator {
        &self.net[node(id)]
    }

    /// An operator of this graph, to change it.
    ///
    /// # Panics
    /// When it was taken out.
    pub fn op_mut(&mut self, id: OpId) -> &mut Operator {
        &mut self.net[node(id)]
    }

    /// Sets the order in which operators start. Ids that are not there are left out, operators that are missing from `order`
    /// come last.
    pub fn set_order(&mut self, order: impl IntoIterator<Item = OpId>) {
        let mut seen = vec![false; self.op_bound()];
        let wanted: Vec<OpId> = order.into_iter().collect();
        let all: Vec<OpId> = wanted
            .into_iter()
            .chain(self.order.iter().copied())
            .collect();
        self.order = all
            .into_iter()
            .filter(|id| self.net.contains_node(node(*id)))
            .filter(|id| !std::mem::replace(&mut seen[id.index()], true))
            .collect();
    }

    // ---- edges

    /// Connects two operators; among the edges of its kind that leave `from`, this one is served last.
    pub fn connect(&mut self, from: OpId, to: OpId, kind: EdgeKind) -> EdgeId {
        self.next_seq += 1;
        let edge = Edge {
            kind,
            fused: false,
            moved: false,
            seq: self.next_seq,
        };
        EdgeId(self.net.add_edge(node(from), node(to), edge).index() as u32)
    }

    /// Takes an edge out.
    pub fn disconnect(&mut self, id: EdgeId) {
        self.net.remove_edge(EdgeIndex::new(id.index()));
    }

    /// An edge, to change it.
    pub fn edge_mut(&mut self, id: EdgeId) -> Option<&mut Edge> {
        self.net.edge_weight_mut(EdgeIndex::new(id.index()))
    }

    /// The edges that leave an operator, in the order in which they are served.
    pub fn out_edges(&self, from: OpId) -> Vec<EdgeRef<'_>> {
        let mut edges: Vec<_> = self.edges(from, Direction::Outgoing).collect();
        edges.sort_by_key(EdgeRef::rank);
        edges
    }

    /// The edges that lead to an operator, in the order in which they were made.
    pub fn in_edges(&self, to: OpId) -> Vec<EdgeRef<'_>> {
        let mut edges: Vec<_> = self.edges(to, Direction::Incoming).collect();
        edges.sort_by_key(|edge| edge.edge.seq);
        edges
    }

    /// All edges: by the operator they leave, in the order in which they are served.
    pub fn all_edges(&self) -> impl Iterator<Item = EdgeRef<'_>> {
        self.order.iter().flat_map(|&id| self.out_edges(id))
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.net.edge_count()
    }

    /// Puts the edges of one output of `from` anew: to these operators, in this order.
    pub fn rewire(
        &mut self,
        from: OpId,
        port: u16,
        to: impl IntoIterator<Item = (OpId, EdgeKind)>,
    ) {
        let old: Vec<EdgeId> = self
            .edges(from, Direction::Outgoing)
            .filter(|edge| edge.kind().port() == Some(port))
            .map(|edge| edge.id)
            .collect();
        for id in old {
            self.disconnect(id);
        }
        for (to, kind) in to {
            self.connect(from, to, kind);
        }
    }

    fn edges(&self, op: OpId, direction: Direction) -> impl Iterator<Item = EdgeRef<'_>> {
        self.net
            .edges_directed(node(op), direction)
            .map(|edge| EdgeRef {
                id: EdgeId(edge.id().index() as u32),
                from: OpId(edge.source().index() as u32),
                to: OpId(edge.target().index() as u32),
                edge: edge.weight(),
            })
    }
}

fn node(id: OpId) -> NodeIndex<u32> {
    NodeIndex::new(id.index())
}
