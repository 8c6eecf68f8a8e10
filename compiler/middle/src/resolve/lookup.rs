//! Finds operators by the ids that a flow file uses.

use std::collections::HashMap;

use vgdc_ir::{FlowId, Graph, OpId};

/// Operators by id, seen from a flow.
#[derive(Default)]
pub struct Lookup {
    by_flow: HashMap<FlowId, HashMap<String, OpId>>,
    by_id: HashMap<String, OpId>,
}

impl Lookup {
    /// Adds an operator.
    pub fn add(&mut self, flow: FlowId, id: &str, op: OpId) {
        self.by_flow
            .entry(flow)
            .or_default()
            .insert(id.to_owned(), op);
        self.by_id.insert(id.to_owned(), op);
    }

    /// Whether a flow has an operator with this id.
    pub fn has(&self, flow: FlowId, id: &str) -> bool {
        self.by_flow
            .get(&flow)
            .is_some_and(|ops| ops.contains_key(id))
    }

    /// What an id means to a node of this flow: a node of the flow, of a flow around it, else of any flow, the last one that
    /// started.
    pub fn find(&self, graph: &Graph, flow: FlowId, id: &str) -> Option<OpId> {
        let mut at = Some(flow);
        while let Some(flow) = at {
            if let Some(&op) = self.by_flow.get(&flow).and_then(|ops| ops.get(id)) {
                return Some(op);
            }
            at = graph.flows().get(flow.index()).and_then(|flow| flow.parent);
        }
        self.by_id.get(id).copied()
    }
}
