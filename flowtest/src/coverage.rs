//! Which nodes and wires the tests came by.

use std::collections::BTreeMap;
use std::fmt::Write;
use vgdc_core::island::Counters;
use vgdc_core::plan::Plan;

/// Nodes and wires without a test that are listed for people at most.
const LISTED: usize = 20;

/// Whether anything in the flow feeds an operator: a wire, a link, what it hears.
pub(crate) fn fed(plan: &Plan) -> Vec<bool> {
    let mut fed = vec![false; plan.ops.len()];
    for op in &plan.ops {
        let heard = op
            .catch
            .iter()
            .chain(&op.status)
            .flat_map(|chain| &chain.levels)
            .flatten();
        let heard = heard
            .map(|listener| listener.op)
            .chain(op.complete.iter().copied());
        let wired = op
            .ports
            .iter()
            .flat_map(|port| &port.edges)
            .map(|edge| edge.to);
        for to in heard.chain(wired).chain(op.targets.iter().copied()) {
            fed[to as usize] = true;
        }
    }
    fed
}

/// A node of the flow, and whether a message came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id; inside a subflow that of the template's node, whatever the instances are.
    pub id: String,
    /// Its type.
    pub ty: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether it handled or sent a message.
    pub covered: bool,
}

/// The nodes and wires of a flow, with those that tests came by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By id.
    pub nodes: BTreeMap<String, Node>,
    /// By the node, its output (from 0) and the node at the other end.
    pub wires: BTreeMap<(String, usize, String), bool>,
}

impl Coverage {
    /// Takes in what was counted in one run.
    pub(crate) fn add(&mut self, plan: &Plan, counters: &[(String, Counters)]) {
        let counted: BTreeMap<&str, &Counters> = counters
            .iter()
            .map(|(id, counters)| (id.as_str(), counters))
            .collect();
        let id = |op: &vgdc_core::plan::Op| op.alias.clone().unwrap_or_else(|| op.id.clone());
        for (op, fed) in plan.ops.iter().zip(fed(plan)) {
            let wired = op.ports.iter().any(|port| !port.edges.is_empty());
            if !fed && !wired {
                continue;
            }
            let counters = counted.get(op.id.as_str());
            let sent = |output: usize| {
                counters.is_some_and(|c| c.sent.get(output).is_some_and(|n| *n > 0))
            };
            let came_by = counters.is_some_and(|c| c.received > 0 || c.sent.iter().any(|n| *n > 0));
            let node = self.nodes.entry(id(op)).or_insert_with(|| Node {
                id: id(op),
                ty: op.ty.clone(),
                name: op.name.clone().filter(|name| !name.is_empty()),
                covered: false,
            });
            node.covered |= came_by;
            for (output, port) in op.ports.iter().enumerate() {
                for edge in &port.edges {
                    let to = id(&plan.ops[edge.to as usize]);
                    *self.wires.entry((id(op), output, to)).or_default() |= sent(output);
                }
            }
        }
    }

    /// Takes in what other tests of the same flow came by.
    pub fn join(&mut self, other: &Coverage) {
        for (id, node) in &other.nodes {
            let own = self.nodes.entry(id.clone()).or_insert_with(|| node.clone());
            own.covered |= node.covered;
        }
        for (wire, covered) in &other.wires {
            *self.wires.entry(wire.clone()).or_default() |= covered;
        }
    }

    /// For people: the figures, and what no test came by.
    pub fn text(&self, flow: &str) -> String {
        let ((nodes, of_nodes), (wires, of_wires)) = (self.nodes_covered(), self.wires_covered());
        let mut out = format!(
            "{flow}: {:.0} % covered: {nodes} of {of_nodes} nodes, {wires} of {of_wires} wires\n",
            self.percent()
        );
        let told = |id: &String| {
            let name = self.nodes.get(id).and_then(|node| node.name.clone());
            name.unwrap_or_else(|| id.clone())
        };
        let bare = (self.nodes.values().filter(|node| !node.covered))
            .map(|node| format!("node {} ({}, {})", told(&node.id), node.id, node.ty));
        // (a wire between nodes that no message came by says nothing new)
        let came_by = |id: &String| self.nodes.get(id).is_some_and(|node| node.covered);
        let wires = (self.wires.iter())
            .filter(|((from, _, to), covered)| !**covered && came_by(from) && came_by(to))
            .map(|((from, output, to), _)| {
                format!(
                    "wire {} [output {}] -> {}",
                    told(from),
                    output + 1,
                    told(to)
                )
            });
        let without: Vec<String> = bare.chain(wires).collect();
        // (writing to a text cannot fail)
        for line in without.iter().take(LISTED) {
            let _ = writeln!(out, "  not tested: {line}");
        }
        if without.len() > LISTED {
            let more = without.len() - LISTED;
            let _ = writeln!(out, "  … and {more} more (--coverage=FILE.json has all)");
        }
        out
    }

    /// Covered nodes, and all.
    pub fn nodes_covered(&self) -> (usize, usize) {
        let covered = self.nodes.values().filter(|node| node.covered).count();
        (covered, self.nodes.len())
    }

    /// Covered wires, and all.
    pub fn wires_covered(&self) -> (usize, usize) {
        let covered = self.wires.values().filter(|covered| **covered).count();
        (covered, self.wires.len())
    }

    /// The share of nodes and wires together, in percent; 100 for a flow without any.
    pub fn percent(&self) -> f64 {
        let ((nodes, of_nodes), (wires, of_wires)) = (self.nodes_covered(), self.wires_covered());
        match of_nodes + of_wires {
            0 => 100.0,
            of => 100.0 * (nodes + wires) as f64 / of as f64,
        }
    }

    /// As JSON, for tools.
    pub fn to_json(&self) -> serde_json::Value {
        let ((nodes, of_nodes), (wires, of_wires)) = (self.nodes_covered(), self.wires_covered());
        serde_json::json!({
            "nodes": {"covered": nodes, "of": of_nodes},
            "wires": {"covered": wires, "of": of_wires},
            "percent": self.percent(),
            "uncovered": {
                "nodes": self.nodes.values().filter(|node| !node.covered).map(|node| serde_json::json!({
                    "id": node.id, "type": node.ty, "name": node.name,
                })).collect::<Vec<_>>(),
                "wires": self.wires.iter().filter(|(_, covered)| !**covered).map(|((from, output, to), _)| serde_json::json!({
                    "from": from, "output": output + 1, "to": to,
                })).collect::<Vec<_>>(),
            },
        })
    }
}
