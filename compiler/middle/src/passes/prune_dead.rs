//! **prune_dead** takes out operators that no message can ever come to and that do nothing by themselves.
//!
//! Before → after: a junction that was wired past, or a change node that nothing leads to, is gone, and then what only these led to.
//! Legal: when nobody sends to single nodes of the running program, and the operator is pure: it begins no messages, holds no
//! state, touches nothing outside. All else is kept: it may open a connection when it starts. So are configuration nodes and
//! listeners, which others look for.
//! Pays: always; a program is smaller and starts sooner.
//! Tests: below; the driver's `tests/flows/artifact.json`.

use vgdc_ir::{EdgeKind, Graph, OpId, Part};
use vgdc_spec::Effect;

use crate::trace::Trace;

const NAME: &str = "prune_dead";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    loop {
        let dead: Vec<OpId> = graph
            .op_ids()
            .iter()
            .copied()
            .filter(|&id| is_dead(graph, id))
            .collect();
        if dead.is_empty() {
            return;
        }
        for &id in &dead {
            trace.did(NAME, graph.op(id), "nothing leads to it, left out");
        }
        graph.remove_ops(&dead);
    }
}

fn is_dead(graph: &Graph, id: OpId) -> bool {
    let op = graph.op(id);
    let plain = matches!(op.part, Part::Operator | Part::Junction);
    plain
        && op.effect == Effect::Pure
        && graph
            .in_edges(id)
            .iter()
            .all(|edge| edge.from == id || edge.kind() == EdgeKind::Config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::Operator as Plain;

    #[test]
    fn what_only_the_dead_lead_to_is_dead() {
        let ops = [
            ("source", Plain),
            ("a", Plain),
            ("dead", Plain),
            ("too", Plain),
            ("state", Plain),
        ];
        let mut sketch = Sketch::new(&ops).wires(&[("source", "a"), ("dead", "too"), ("too", "a")]);
        for (id, effect) in [("source", Effect::Source), ("state", Effect::State)] {
            let op = sketch.op(id);
            sketch.graph.op_mut(op).effect = effect;
        }
        run(&mut sketch.graph, &mut Trace::default());
        assert_eq!(sketch.ids(), ["source", "a", "state"]);
    }
}
