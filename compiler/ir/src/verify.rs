//! What must hold of a graph. Checked after every pass in debug builds, and once at the end in all.
//!
//! Of every graph:
//!  1. Whatever an operator, flow, group, scope or variable refers to is there.
//!  2. Scope 0 is the global one and the only one without a parent; following parents ends there.
//!  3. Following the parents of flows ends; exactly the flows inside subflow instances have one.
//!  4. Following the parents of groups ends, and all of them are in one flow.
//!  5. No two operators of one flow have the same id.
//!  6. A wire or link leaves from an output that its operator has.
//!  7. A config edge leads to a configuration operator.
//!  8. A catch, status or complete edge leads to a listener for that.
//!  9. A link leaves a link-out; a call leads from a link-call to a link-in; a return leads from a link-out that returns to
//!     a link-call; a set-status edge leads from a subflow's status operator to its instance.
//! 10. A fused edge is a wire or link between two operators, the only edge that brings messages to its receiver (a config or set-status
//!     edge brings none); fused edges
//!     do not go round in a circle, and no more than [`LONGEST`] of them follow each other.
//! 11. Only the last edge of an output moves the message.
//!
//! Of a graph that went through the passes which every target needs, also:
//! 12. No operator is disabled.
//! 13. A configuration operator starts before those that refer to it, but for circles of them.

use std::collections::HashSet;
use std::fmt;

use crate::graph::{EdgeRef, Graph};
use crate::id::OpId;
use crate::op::{EdgeKind, Listens, Operator, Part};

/// The most fused edges in a row: each is a call within a call.
pub const LONGEST: usize = 64;

/// How far a graph has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It was resolved.
    Resolved,
    /// It went through the passes that every target needs.
    Normal,
}

/// One thing that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The number of the invariant, as in the head of this file.
    pub invariant: u8,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.invariant, self.what)
    }
}

/// Checks a graph; gives all that does not hold.
pub fn verify(graph: &Graph, stage: Stage) -> Result<(), Vec<Fault>> {
    let mut check = Check {
        graph,
        faults: Vec::new(),
    };
    check.places();
    // The rest looks things up, which must be there.
    if check.faults.is_empty() {
        check.operators();
        check.edges();
        check.fusion();
        if stage == Stage::Normal {
            check.normal();
        }
    }
    if check.faults.is_empty() {
        Ok(())
    } else {
        Err(check.faults)
    }
}

struct Check<'a> {
    graph: &'a Graph,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, invariant: u8, what: impl Into<String>) {
        self.faults.push(Fault {
            invariant,
            what: what.into(),
        });
    }

    fn holds(&mut self, invariant: u8, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(invariant, what());
        }
    }

    fn places(&mut self) {
        let graph = self.graph;
        let (envs, flows, groups) = (
            graph.envs().len(),
            graph.flows().len(),
            graph.groups().len(),
        );
        for (at, scope) in graph.envs().iter().enumerate() {
            let mut refers = [scope.parent, scope.outer]
                .into_iter()
                .chain(scope.vars.iter().map(|var| var.scope));
            let there = refers.all(|to| to.is_none_or(|to| to.index() < envs));
            self.holds(1, there, || {
                format!("scope e{at} refers to a scope that is not there")
            });
            self.holds(2, scope.parent.is_some() != (at == 0), || {
                format!("scope e{at} and its parent: only e0 has none")
            });
        }
        for (at, flow) in graph.flows().iter().enumerate() {
            let there =
                flow.env.index() < envs && flow.parent.is_none_or(|parent| parent.index() < flows);
            self.holds(1, there, || {
                format!("flow f{at} refers to what is not there")
            });
            self.holds(3, flow.parent.is_some() == flow.kind.is_subflow(), || {
                format!("flow f{at} is {:?} and its parent does not fit", flow.kind)
            });
        }
        for (at, group) in graph.groups().iter().enumerate() {
            let there = group.env.index() < envs
                && group.flow.index() < flows
                && group.parent.is_none_or(|parent| parent.index() < groups);
            self.holds(1, there, || {
                format!("group g{at} refers to what is not there")
            });
        }
        if self.faults.is_empty() {
            self.circles();
        }
    }

    fn circles(&mut self) {
        let graph = self.graph;
        let parents = |list: Vec<Option<usize>>| (0..list.len()).find(|&at| !ends(&list, at));
        if let Some(at) = parents(
            graph
                .envs()
                .iter()
                .map(|scope| scope.parent.map(|id| id.index()))
                .collect(),
        ) {
            self.fault(2, format!("scope e{at} is inside itself"));
        }
        if let Some(at) = parents(
            graph
                .flows()
                .iter()
                .map(|flow| flow.parent.map(|id| id.index()))
                .collect(),
        ) {
            self.fault(3, format!("flow f{at} is inside itself"));
        }
        if let Some(at) = parents(
            graph
                .groups()
                .iter()
                .map(|group| group.parent.map(|id| id.index()))
                .collect(),
        ) {
            self.fault(4, format!("group g{at} is inside itself"));
        }
        for (at, group) in graph.groups().iter().enumerate() {
            let parent = group.parent.map(|parent| &graph.groups()[parent.index()]);
            self.holds(
                4,
                parent.is_none_or(|parent| parent.flow == group.flow),
                || format!("group g{at} is in a group of another flow"),
            );
        }
    }

    fn operators(&mut self) {
        let graph = self.graph;
        let mut seen = HashSet::new();
        for (id, op) in graph.ops() {
            let there = op.env.index() < graph.envs().len()
                && op.flow.index() < graph.flows().len()
                && op.heard_in.index() < graph.flows().len()
                && op
                    .group
                    .is_none_or(|group| group.index() < graph.groups().len());
            self.holds(1, there, || {
                format!("{} refers to what is not there", name(id, op))
            });
            self.holds(5, seen.insert((op.flow, &op.id)), || {
                format!("{} is in its flow twice", name(id, op))
            });
        }
    }

    fn edges(&mut self) {
        let graph = self.graph;
        for (id, op) in graph.ops() {
            let edges = graph.out_edges(id);
            for (at, edge) in edges.iter().enumerate() {
                self.edge(id, op, edge);
                let same = |next: &EdgeRef<'_>| {
                    next.kind().port().is_some() && next.kind().port() == edge.kind().port()
                };
                let last = !edges.get(at + 1).is_some_and(same);
                self.holds(11, last || !edge.edge.moved, || {
                    format!(
                        "an edge of {} moves the message before the last one",
                        name(id, op)
                    )
                });
            }
        }
    }

    fn edge(&mut self, id: OpId, op: &Operator, edge: &EdgeRef<'_>) {
        let to = self.graph.op(edge.to);
        let kind = edge.kind();
        let at = || {
            format!(
                "the {} edge from {} to {}",
                kind.word(),
                name(id, op),
                name(edge.to, to)
            )
        };
        let listens = match &to.part {
            Part::Listener(listens) => Some(listens),
            _ => None,
        };
        let (invariant, fits) = match kind {
            EdgeKind::Wire(port) => (6, usize::from(port) < op.outputs.len()),
            EdgeKind::Link(port) if usize::from(port) >= op.outputs.len() => (6, false),
            EdgeKind::Link(_) => (9, matches!(op.part, Part::LinkOut(_))),
            EdgeKind::Config => (7, to.part.is_config()),
            EdgeKind::Catch(_) => (8, matches!(listens, Some(Listens::Errors { .. }))),
            EdgeKind::Status(_) => (8, matches!(listens, Some(Listens::Statuses { .. }))),
            EdgeKind::Complete => (8, matches!(listens, Some(Listens::Completions { .. }))),
            EdgeKind::Call => (
                9,
                // (a link call node, or an operator whose code calls)
                matches!(to.part, Part::LinkIn(_))
                    && matches!(op.part, Part::LinkCall(_) | Part::Operator),
            ),
            EdgeKind::Return => (
                9,
                matches!((&op.part, &to.part), (Part::LinkOut(link), Part::LinkCall(_) | Part::Operator) if link.by_message),
            ),
            EdgeKind::SetStatus => (
                9,
                matches!(
                    (&op.part, &to.part),
                    (Part::SubflowStatus(_), Part::SubflowInstance)
                ),
            ),
        };
        self.holds(invariant, fits, || {
            format!("{} does not fit its ends", at())
        });
        if edge.edge.fused {
            let alone = self
                .graph
                .in_edges(edge.to)
                .iter()
                .filter(|into| !matches!(into.kind(), EdgeKind::Config | EdgeKind::SetStatus))
                .count()
                == 1;
            let fits = kind.port().is_some() && edge.from != edge.to && alone;
            self.holds(10, fits, || {
                format!("{} is fused and not the only way to its receiver", at())
            });
        }
    }

    fn fusion(&mut self) {
        // The receiver of a fused edge has no other edge into it, so going back there is one way.
        let mut into: Vec<Option<usize>> = vec![None; self.graph.op_bound()];
        for edge in self.graph.all_edges().filter(|edge| edge.edge.fused) {
            into[edge.to.index()] = Some(edge.from.index());
        }
        for at in 0..into.len() {
            let length = std::iter::successors(into[at], |&at| into[at])
                .take(LONGEST + 1)
                .count();
            self.holds(10, length <= LONGEST, || {
                format!("more than {LONGEST} fused edges lead to o{at}, or they go round")
            });
        }
    }

    fn normal(&mut self) {
        let graph = self.graph;
        let mut rank = vec![0; graph.op_bound()];
        for (at, &id) in graph.op_ids().iter().enumerate() {
            rank[id.index()] = at;
        }
        for (id, op) in graph.ops() {
            self.holds(12, !op.disabled, || format!("{} is disabled", name(id, op)));
            for edge in graph
                .out_edges(id)
                .iter()
                .filter(|edge| edge.kind() == EdgeKind::Config)
            {
                let before = rank[edge.to.index()] < rank[id.index()];
                self.holds(13, before || in_circle(graph, id), || {
                    format!(
                        "{} starts before {}, which it refers to",
                        name(id, op),
                        name(edge.to, graph.op(edge.to))
                    )
                });
            }
        }
    }
}

/// Whether following parents from here ends.
fn ends(parents: &[Option<usize>], at: usize) -> bool {
    std::iter::successors(parents[at], |&at| parents[at])
        .take(parents.len())
        .count()
        < parents.len()
}

/// Whether an operator refers to itself by way of config edges.
fn in_circle(graph: &Graph, start: OpId) -> bool {
    let mut seen = HashSet::new();
    let mut todo = vec![start];
    while let Some(at) = todo.pop() {
        for edge in graph
            .out_edges(at)
            .iter()
            .filter(|edge| edge.kind() == EdgeKind::Config)
        {
            if edge.to == start {
                return true;
            }
            if seen.insert(edge.to) {
                todo.push(edge.to);
            }
        }
    }
    false
}

fn name(id: OpId, op: &Operator) -> String {
    format!("{id} ({})", op.id)
}
