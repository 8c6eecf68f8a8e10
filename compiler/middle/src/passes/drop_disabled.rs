//! **drop_disabled** takes out what is switched off: nodes with `d`, and all nodes of a disabled tab or subflow instance.
//!
//! Before → after: `a → b(disabled) → c` becomes `a` and `c`, unconnected.
//! Legal: always. A disabled node does not start, and Node-RED drops what is sent to it.
//! Pays: always; and it must run, since nothing after it looks at [`vgdc_ir::Operator::disabled`].
//! Tests: below; the driver's `tests/flows/disabled.json`.

use vgdc_ir::{Graph, OpId};

use crate::trace::Trace;

const NAME: &str = "drop_disabled";

/// Runs the pass.
pub fn run(graph: &mut Graph, trace: &mut Trace) {
    let gone: Vec<OpId> = graph
        .ops()
        .filter(|(_, op)| op.disabled)
        .map(|(id, _)| id)
        .collect();
    for &id in &gone {
        trace.did(NAME, graph.op(id), "disabled, so it does not run");
    }
    graph.remove_ops(&gone);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passes::testing::Sketch;
    use vgdc_ir::Part::Operator as Plain;

    #[test]
    fn a_disabled_operator_goes_with_its_edges() {
        let ops = [("a", Plain), ("b", Plain), ("c", Plain)];
        let mut sketch = Sketch::new(&ops).wires(&[("a", "b"), ("b", "c"), ("a", "c")]);
        let b = sketch.op("b");
        sketch.graph.op_mut(b).disabled = true;
        let mut trace = Trace::default();
        run(&mut sketch.graph, &mut trace);
        assert_eq!(sketch.ids(), ["a", "c"]);
        assert_eq!(sketch.edges(), ["a wire c"]);
        assert_eq!(trace.of("b").count(), 1);
    }
}
