//! What a cut will be like: what each machine has to do, and the longest way that a message may take.

use std::collections::HashMap;

use vgdc_ir::{Graph, OpId};
use vgdc_syntax::Mesh;

use super::Assignment;
use super::costs::Costs;
use super::units::carries;

/// Predicted, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// For each machine, the processors that it keeps busy.
    pub load: Vec<f64>,
    /// Milliseconds that the links on the longest way take.
    pub longest_ms: f64,
    /// The operators of the longest way before and behind its links.
    pub longest: Vec<OpId>,
}

/// Predicts.
pub fn predict(graph: &Graph, assignment: &Assignment, mesh: &Mesh, costs: &Costs) -> Prediction {
    let mut load = vec![0.0; mesh.nodes.len()];
    // (in one order, since sums of fractions depend on it: the load is part of what names a version)
    for id in graph.op_ids() {
        let machine = assignment.of.get(id);
        if let Some(load) = machine.and_then(|machine| load.get_mut(*machine)) {
            *load += costs.of(*id);
        }
    }
    let mut ways = Ways {
        graph,
        assignment,
        mesh,
        known: HashMap::new(),
    };
    let longest = graph.op_ids().iter().copied();
    let longest = longest.max_by(|a, b| ways.from(*a).0.total_cmp(&ways.from(*b).0));
    let (longest_ms, longest) = longest.map(|id| ways.from(id)).unwrap_or_default();
    Prediction {
        load,
        longest_ms,
        longest,
    }
}

/// Milliseconds on links, and the operators before and behind each.
type Way = (f64, Vec<OpId>);

struct Ways<'g> {
    graph: &'g Graph,
    assignment: &'g Assignment,
    mesh: &'g Mesh,
    /// Nothing for those that are being looked at: a circle is gone round once.
    known: HashMap<OpId, Option<Way>>,
}

impl Ways<'_> {
    /// The longest way that begins at an operator.
    fn from(&mut self, begin: OpId) -> Way {
        // (not by calls in calls: ways are as long as people draw them)
        let mut stack = vec![begin];
        while let Some(&id) = stack.last() {
            let done = self.known.get(&id).is_some_and(Option::is_some);
            let edges = self.graph.out_edges(id);
            let next: Vec<OpId> = (edges.iter())
                .filter(|edge| carries(edge.kind()))
                .map(|edge| edge.to)
                .collect();
            let new = next.iter().copied().find(|to| !self.known.contains_key(to));
            match new.filter(|_| !done) {
                Some(to) => {
                    self.known.entry(id).or_insert(None);
                    stack.push(to);
                    self.known.insert(to, None);
                }
                None => {
                    if !done {
                        let way = self.best(id, &next);
                        self.known.insert(id, Some(way));
                    }
                    stack.pop();
                }
            }
        }
        self.known
            .get(&begin)
            .cloned()
            .flatten()
            .unwrap_or_default()
    }

    fn best(&self, id: OpId, next: &[OpId]) -> Way {
        let at = |id: &OpId| self.assignment.of.get(id).copied();
        let ways = next.iter().map(|to| {
            let (ms, mut ops) = self.known.get(to).cloned().flatten().unwrap_or_default();
            match at(&id).zip(at(to)) {
                Some((from, there)) if from != there => {
                    ops.splice(0..0, [id, *to]);
                    (ms + self.mesh.way(from, there).0, ops)
                }
                _ => (ms, ops),
            }
        });
        ways.max_by(|(a, _), (b, _)| a.total_cmp(b))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::Operator as Plain;

    #[test]
    fn the_same_assignment_has_the_same_load_to_the_last_bit() {
        let names: Vec<String> = (0..40).map(|at| format!("n{at}")).collect();
        let ops: Vec<_> = names.iter().map(|id| (id.as_str(), Plain)).collect();
        let sketch = Sketch::new(&ops);
        let text = "[nodes.x]\n";
        let (mesh, _) = Mesh::parse(&mut vgdc_syntax::SourceMap::new(), "mesh.toml", text);
        let mut costs = Costs::default();
        for (at, id) in names.iter().enumerate() {
            costs
                .load
                .insert(sketch.op(id), 1.0 / (at as f64 + 3.0).powi(3));
        }
        let load = || {
            // (a map of its own, whose order is another one)
            let of = names.iter().map(|id| (sketch.op(id), 0)).collect();
            let assignment = Assignment {
                of,
                ..Assignment::default()
            };
            predict(&sketch.graph, &assignment, &mesh, &costs).load[0].to_bits()
        };
        let first = load();
        assert!((0..50).all(|_| load() == first));
    }

    #[test]
    fn the_longest_way_goes_over_most_links() {
        let names = ["a", "b", "c", "d"];
        let ops = names.map(|id| (id, Plain));
        // (and round in a circle, once)
        let sketch =
            Sketch::new(&ops).wires(&[("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("d", "a")]);
        let mut sources = vgdc_syntax::SourceMap::new();
        let text = "[nodes.x]\n[nodes.y]\n[[network]]\nbetween = [\"x\", \"y\"]\nlatency_ms = 5\n";
        let (mesh, _) = Mesh::parse(&mut sources, "mesh.toml", text);
        let of = names
            .iter()
            .zip([0, 1, 0, 0])
            .map(|(id, at)| (sketch.op(id), at))
            .collect();
        let assignment = Assignment {
            of,
            ..Assignment::default()
        };
        let costs = Costs::default();
        let found = predict(&sketch.graph, &assignment, &mesh, &costs);
        assert_eq!(found.longest_ms, 10.0);
        let ids: Vec<_> = found
            .longest
            .iter()
            .map(|id| sketch.graph.op(*id).id.as_str())
            .collect();
        assert_eq!(ids, ["a", "b", "b", "c"]);
    }
}
