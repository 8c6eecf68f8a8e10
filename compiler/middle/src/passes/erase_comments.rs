//! **erase_comments** takes out remarks.
//!
//! Before → after: `comment "to do"` is gone.
//! Legal: when nobody looks at single nodes of the running program: a remark takes no messages and sends none, but it is one of
//! the nodes that run.
//! Pays: always; a program that carries no remarks is smaller.
//! Tests: below; the driver's `tests/flows/artifact.json`.

use vgdc_ir::{Graph, OpId, Part};

use crate::trace::Trace;

const NAME: &str = "erase_comments";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let remark = |id: &OpId| graph.op(*id).part == Part::Comment && graph.in_edges(*id).is_empty();
    let gone: Vec<OpId> = graph.op_ids().iter().copied().filter(remark).collect();
    for &id in &gone {
        trace.did(NAME, graph.op(id), "a remark, left out");
    }
    graph.remove_ops(&gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::{Comment, Operator as Plain};

    #[test]
    fn remarks_go_unless_something_leads_to_them() {
        let ops = [("a", Plain), ("one", Comment), ("two", Comment)];
        let mut sketch = Sketch::new(&ops).wires(&[("a", "two")]);
        run(&mut sketch.graph, &mut Trace::default());
        assert_eq!(sketch.ids(), ["a", "two"]);
    }
}
