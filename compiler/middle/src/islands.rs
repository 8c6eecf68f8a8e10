//! Sets of operators that have to share a queue: those that an edge connects, and those that use the same key of a context.
//!
//! Operators of different islands share nothing, so each island may run on a thread of its own.

use std::collections::HashMap;

use vgdc_ir::{FlowId, Graph, OpId};

use crate::keys::{ContextUse, Keys};

/// Finds the islands of a graph, each in the order of the graph, by their first operators.
pub fn find(graph: &Graph, uses: &HashMap<OpId, ContextUse>) -> Vec<Vec<OpId>> {
    let mut union = Union::new(graph.op_bound());
    for edge in graph.all_edges() {
        union.join(edge.from, edge.to);
    }
    let contexts = contexts(graph, uses);
    for sharing in contexts.values() {
        sharing.join(&mut union);
    }
    union.sets(graph)
}

/// One island of everything: for the oracle, which has one queue.
pub fn one(graph: &Graph) -> Vec<Vec<OpId>> {
    if graph.op_count() == 0 {
        Vec::new()
    } else {
        vec![graph.op_ids().to_vec()]
    }
}

/// Who uses a context.
#[derive(Default)]
pub(crate) struct Sharing {
    /// By key.
    pub(crate) keys: HashMap<String, Vec<OpId>>,
    /// Those of whom the keys are not known.
    pub(crate) any: Vec<OpId>,
}

impl Sharing {
    fn join(&self, union: &mut Union) {
        for users in self.keys.values() {
            union.join_all(users);
        }
        // An unknown key may be any of them.
        if let Some(&first) = self.any.first() {
            union.join_all(&self.any);
            for users in self.keys.values() {
                if let Some(&user) = users.first() {
                    union.join(first, user);
                }
            }
        }
    }
}

/// The users of each flow's context, and of the global one (`None`).
pub(crate) fn contexts(
    graph: &Graph,
    uses: &HashMap<OpId, ContextUse>,
) -> HashMap<Option<FlowId>, Sharing> {
    let mut contexts: HashMap<Option<FlowId>, Sharing> = HashMap::new();
    for (id, op) in graph.ops() {
        let Some(used) = uses.get(&id) else { continue };
        add(&mut contexts, None, id, &used.global);
        add(&mut contexts, Some(op.flow), id, &used.flow);
        // What is unknown, and what is asked of the flow around, may be any flow around a subflow instance.
        let mut around = graph.flows()[op.flow.index()].parent;
        while let Some(flow) = around.filter(|_| used.reaches_out()) {
            add(&mut contexts, Some(flow), id, &Keys::All);
            around = graph.flows()[flow.index()].parent;
        }
    }
    contexts
}

fn add(
    contexts: &mut HashMap<Option<FlowId>, Sharing>,
    context: Option<FlowId>,
    id: OpId,
    keys: &Keys,
) {
    let sharing = contexts.entry(context).or_default();
    match keys {
        Keys::All => sharing.any.push(id),
        Keys::Known(names) => {
            for name in names {
                sharing.keys.entry(name.clone()).or_default().push(id);
            }
        }
    }
}

/// Sets that grow together.
struct Union {
    parent: Vec<u32>,
}

impl Union {
    fn new(len: usize) -> Union {
        Union {
            parent: (0..len as u32).collect(),
        }
    }

    fn root(&mut self, id: OpId) -> u32 {
        let mut at = id.0;
        while self.parent[at as usize] != at {
            let up = self.parent[at as usize];
            self.parent[at as usize] = self.parent[up as usize];
            at = up;
        }
        at
    }

    fn join(&mut self, a: OpId, b: OpId) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        self.parent[high as usize] = low;
    }

    fn join_all(&mut self, all: &[OpId]) {
        for pair in all.windows(2) {
            self.join(pair[0], pair[1]);
        }
    }

    fn sets(&mut self, graph: &Graph) -> Vec<Vec<OpId>> {
        let mut at: HashMap<u32, usize> = HashMap::new();
        let mut sets: Vec<Vec<OpId>> = Vec::new();
        for &id in graph.op_ids() {
            let root = self.root(id);
            let slot = *at.entry(root).or_insert_with(|| {
                sets.push(Vec::new());
                sets.len() - 1
            });
            sets[slot].push(id);
        }
        sets
    }
}
